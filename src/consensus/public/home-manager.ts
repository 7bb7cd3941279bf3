/**
 * Which manager ships a block's bulk to a storage node (protocol §5 "Links"): a hash of node id and
 * height picks it, so that the load spreads and changes with every block. The others stand in, one
 * after the other in ring order, when it is silent.
 */
import { defined } from "../../base/assert.js";
import { u64be, utf8 } from "../../base/bytes.js";
import { sha256 } from "../../crypto/hash.js";
import type { RoundTimeouts } from "../../gen/bss/v1/genesis_pb.js";

/**
 * How many managers stand before `managerId` in line to serve `nodeId` at `height`; 0 is the home
 * manager. `managerIds` is the ring order of all managers and holds `managerId`.
 */
export function serviceRank(
  nodeId: string,
  height: number,
  managerIds: readonly string[],
  managerId: string,
): number {
  const digest = sha256(utf8(nodeId), u64be(height));
  const home = new DataView(digest.buffer, digest.byteOffset).getUint32(0) % managerIds.length;
  const self = managerIds.indexOf(managerId);
  defined(managerIds[self], "the manager is in the ring");
  return (self - home + managerIds.length) % managerIds.length;
}

/**
 * How long each manager in line waits for the ones before it, in ms. Where a candidate is given
 * long to be verified, because nodes are many or slow, it takes long to be shipped, too: who stands
 * in too early ships everything once more.
 */
export function standInMs({ verifyMs }: Pick<RoundTimeouts, "verifyMs">): number {
  return Math.max(standInMsMin, verifyMs / standInsPerVerify);
}

const standInMsMin = 400;
const standInsPerVerify = 8;
