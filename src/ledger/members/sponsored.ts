/**
 * Places for storage nodes. A node that has left keeps its place, because its id and keys stay
 * taken. So each sponsor has a share of its own, and none can use up the places of all.
 */
import { type Violation, violation } from "../violation.js";
import { type StorageNode, storageNodesMax } from "./member-lists.js";

export class Sponsored {
  readonly #counts = new Map<string, number>();
  readonly #max: number;

  constructor(nodes: Iterable<StorageNode>, managerCount: number) {
    this.#max = Math.ceil(storageNodesMax / managerCount);
    for (const { sponsorId } of nodes) this.#add(sponsorId, 1);
  }

  /** Why a sponsor can have no more nodes, whatever they bring; undefined while there is room. */
  fullProblem(sponsorId: string): Violation | undefined {
    if ((this.#counts.get(sponsorId) ?? 0) < this.#max) return undefined;
    const message = `${sponsorId} has its share of ${this.#max} storage nodes already.`;
    return violation("OPERATION_INVALID", message, "admit_storage_node");
  }

  /** A node is sponsored by `next` from now on, and before by `last` if it is known. */
  move(last: string | undefined, next: string): void {
    if (last !== undefined) this.#add(last, -1);
    this.#add(next, 1);
  }

  #add(sponsorId: string, change: number): void {
    this.#counts.set(sponsorId, (this.#counts.get(sponsorId) ?? 0) + change);
  }
}
