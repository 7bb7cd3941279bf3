/**
 * Which managers a storage node dials ([R5.6.1]): all of a small consortium, else as many of the
 * ring as hold an honest one, from a place of the node's own, so that the nodes spread.
 */
import { utf8 } from "../../base/bytes.js";
import { sha256 } from "../../crypto/hash.js";
import type { Manager } from "../../ledger/members/member-lists.js";
import type { Members } from "../../ledger/members/members.js";

/** Managers that a node links to when f+1 are fewer. */
export const linksMin = 7;

/** In ring order from the node's place. */
export function chosenManagers(
  nodeId: string,
  { managers, faultsMax }: Pick<Members, "managers" | "faultsMax">,
): Manager[] {
  const count = Math.min(managers.length, Math.max(linksMin, faultsMax + 1));
  const digest = sha256(utf8(nodeId));
  const start = new DataView(digest.buffer, digest.byteOffset).getUint32(0) % managers.length;
  return [...managers.slice(start), ...managers.slice(0, start)].slice(0, count);
}
