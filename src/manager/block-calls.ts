/**
 * When this manager calls for a block: once there is something that the block can hold. Without
 * enough storage nodes a block holds no records, so what waits calls for none until they are back.
 *
 * Submissions that were ripe when an empty block was made may lack what no block here will bring,
 * or another manager may not have them yet. They call again soon, and then less and less often,
 * until a block places records: what they lack may be among these.
 */
import { storageSuffices } from "../ledger/executed-block.js";
import type { Members } from "../ledger/members.js";
import type { ParsedSubmission } from "../ledger/submissions.js";
import type { SharedPorts } from "./manager-options.js";
import type { Pool } from "./pool.js";

export type BlockCallsPorts = Pick<SharedPorts, "selfId" | "policy" | "members" | "monotonicMs"> & {
  readonly pool: Pick<Pool, "ripe" | "calls" | "triedInVain" | "recordsPlaced">;
  /** Since the last block. */
  readonly idleMs: () => number;
  /** Whether control operations that fit wait for a block; each asks once in a while. */
  readonly operations: readonly (() => boolean)[];
};

export class BlockCalls {
  readonly #ports: BlockCallsPorts;

  constructor(ports: BlockCallsPorts) {
    this.#ports = ports;
  }

  get due(): boolean {
    const { policy, idleMs, operations } = this.#ports;
    const { heartbeatMs } = policy;
    if (heartbeatMs > 0 && idleMs() >= heartbeatMs) return true;
    return this.#recordsCall() || operations.some((call) => call());
  }

  /** What a block that this manager makes should hold, in this order, as far as it fits. */
  ripe(recordsMax: number): readonly ParsedSubmission[] {
    return this.#ports.pool.ripe(this.#ports.monotonicMs(), this.#awaited(), recordsMax);
  }

  /** A block with so many records has been appended, on top of `before`. */
  onAppended(records: number, before: Members): void {
    const { pool, policy, monotonicMs } = this.#ports;
    if (records > 0) pool.recordsPlaced();
    else if (storageSuffices(before, policy)) pool.triedInVain(monotonicMs(), this.#awaited());
  }

  #recordsCall(): boolean {
    const { pool, policy, members, monotonicMs } = this.#ports;
    return storageSuffices(members(), policy) && pool.calls(monotonicMs(), this.#awaited());
  }

  /** The other active managers. */
  #awaited(): readonly string[] {
    const { members, selfId } = this.#ports;
    return members().activeManagerIds.filter((id) => id !== selfId);
  }
}
