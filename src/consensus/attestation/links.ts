/**
 * Which managers and storage nodes have to do with each other (protocol §5 "Links").
 *
 * Every node keeps connections to some managers, and one manager ships the bulk of a block to it.
 * Both are picked by a hash, so that the load spreads and nobody has to agree on it.
 */
import { defined } from "../../base/assert.js";
import { u64be, utf8 } from "../../base/bytes.js";
import { sha256 } from "../../crypto/hash.js";
import type { RoundTimeouts } from "../../gen/bss/v1/genesis_pb.js";
import type { Manager } from "../../ledger/members/member-lists.js";
import type { Members } from "../../ledger/members/members.js";

/** Managers that a node links to when f+1 are fewer. */
export const linksMin = 7;

/**
 * The managers that a storage node dials ([R5.6.1]): all of a small consortium; in a large one
 * enough that one of them is honest. In ring order, from a start that the node's id picks.
 */
export function chosenManagers(
  nodeId: string,
  { managers, faultsMax }: Pick<Members, "managers" | "faultsMax">,
): Manager[] {
  const count = Math.min(managers.length, Math.max(linksMin, faultsMax + 1));
  const start = pickedIndex(managers.length, utf8(nodeId));
  return [...managers.slice(start), ...managers.slice(0, start)].slice(0, count);
}

/**
 * How many managers stand before `managerId` in line to ship the block at `height` to `nodeId`: 0
 * for the home manager, which ships it; the others stand in, one after the other in ring order,
 * when it is silent. `managerIds` is the ring order of all managers and holds `managerId`. The home
 * manager changes with every block.
 */
export function serviceRank(
  nodeId: string,
  height: number,
  managerIds: readonly string[],
  managerId: string,
): number {
  const home = pickedIndex(managerIds.length, utf8(nodeId), u64be(height));
  const self = managerIds.indexOf(managerId);
  defined(managerIds[self], "the manager is in the ring");
  return (self - home + managerIds.length) % managerIds.length;
}

/**
 * How long each manager in line waits for the ones before it, in ms. If candidates are given long
 * to be verified, because the nodes are many or slow, then shipping takes long too, and a manager
 * that stands in too early ships everything once more.
 */
export function standInMs({ verifyMs }: Pick<RoundTimeouts, "verifyMs">): number {
  return Math.max(standInMsMin, verifyMs / standInsPerVerify);
}

const standInMsMin = 400;
const standInsPerVerify = 8;

/** An index below `count` that follows from the parts alone. */
function pickedIndex(count: number, ...parts: readonly Uint8Array[]): number {
  const digest = sha256(...parts);
  return new DataView(digest.buffer, digest.byteOffset).getUint32(0) % count;
}
