/**
 * Which manager ships a block's bulk to a storage node (protocol §5 "Links"): a hash of node id and
 * height picks it, so that the load spreads and changes with every block. The others stand in, one
 * after the other in ring order, when it is silent.
 */
import { defined } from "../base/assert.js";
import { u64be, utf8 } from "../base/bytes.js";
import { sha256 } from "../crypto/hash.js";

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
