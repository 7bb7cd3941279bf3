/**
 * In which block operations became final, for callers that repeat one because they did not hear.
 * An operation serves once, so the chain refuses the repetition for what the first has changed.
 *
 * Only the last ones since the manager started are known. That is enough for a caller whose
 * deadline passed; who comes later finds the operation on the chain.
 */
import type { ControlOperation } from "../../gen/bss/v1/genesis_pb.js";

/** Operations whose blocks are known. */
export const settledMax = 10_000;

export class SettledOperations {
  /** By the operation's key, the oldest first. */
  readonly #heights = new Map<string, number>();

  note(key: string, height: number): void {
    this.#heights.set(key, height);
    for (const oldest of this.#heights.keys()) {
      if (this.#heights.size <= settledMax) return;
      this.#heights.delete(oldest);
    }
  }

  /** The block of an operation that is done for good: nobody joins or returns by a repetition. */
  heightOf({ operation }: ControlOperation, key: string): number | undefined {
    const isLasting = operation.case === "recordPayout" || operation.case === "retireStorageNode";
    return isLasting ? this.#heights.get(key) : undefined;
  }
}
