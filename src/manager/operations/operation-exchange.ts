/**
 * How self-authorised operations come to every manager and onto the chain: checked and verified
 * when they come in, told to all, and said again each second by the manager that took them in until
 * a block carries them ([R5.9.1]).
 *
 *     callers ──submit──┐
 *     storage nodes ────┼─▶ check ─▶ pool ─▶ blocks ─▶ who waits is answered
 *     other managers ───┘      └─ told to all others, unless it came from one
 */
import { type ControlOperation, ControlOperationSchema } from "../../gen/bss/v1/genesis_pb.js";
import { encode } from "../../ledger/wire.js";
import { RpcError, rpcErrorOfViolation } from "../../rpc/rpc-error.js";
import type { ManagerContext } from "../manager-context.js";
import type { ManagerObserver } from "../manager-observer.js";
import type { PeerSender } from "../peers/peer-sender.js";
import type { Abstention } from "../ring/abstention.js";
import type { BlockTrigger } from "../ring/block-trigger.js";
import type { Availability } from "../submissions/availability.js";
import type { OperationCheck } from "./operation-check.js";
import {
  type OperationPool,
  operationKey,
  topicOf,
  type WaitingOperation,
} from "./operation-pool.js";
import {
  OperationWaiters,
  type Settled,
  SettledOperations,
  takenError,
} from "./operation-waiters.js";

type Context = Pick<ManagerContext, "head" | "monotonicMs"> & {
  readonly observer: Pick<ManagerObserver, "dropped">;
};

export type OperationExchangeParts = {
  readonly pool: OperationPool;
  readonly check: Pick<OperationCheck, "problem" | "unfit">;
  readonly peers: Pick<PeerSender, "tell">;
  readonly trigger: Pick<BlockTrigger, "check">;
  readonly abstention: Pick<Abstention, "atTip">;
  readonly availability: Pick<Availability, "whatIsMissing">;
};

const repeatMs = 1_000;
/** Looked at in one go, to see whether they still fit; of more they take turns. */
const reviewedAtOnceMax = 50;

export class OperationExchange {
  readonly #context: Context;
  readonly #parts: OperationExchangeParts;
  readonly #waiters = new OperationWaiters();
  readonly #settled = new SettledOperations();
  #saidAtMs = 0;
  #reviewFrom = 0;
  #reviewing = false;
  /** What blocks up to this one carry is settled. */
  #settledHeight: number;

  constructor(context: Context, parts: OperationExchangeParts) {
    this.#context = context;
    this.#parts = parts;
    this.#settledHeight = context.head().height;
  }

  /**
   * Takes an operation in and resolves with the block that carries it; with the first one's when a
   * payout or retirement is repeated that a block has carried lately.
   *
   * @throws RpcError the reason why no block can carry it; MEMBER_ID_TAKEN or OPERATION_INVALID
   * when another one about the same thing waits; POOL_FULL, TOO_MANY_IN_FLIGHT;
   * MANAGERS_UNAVAILABLE when this manager is not up to date; DEADLINE, or who is missing, when
   * `signal` aborts
   */
  async submit(operation: ControlOperation, signal: AbortSignal): Promise<Settled> {
    const { check, abstention, availability } = this.#parts;
    if (topicOf(operation) === undefined) {
      throw new RpcError("OPERATION_INVALID", "no operation that may be submitted");
    }
    const key = keyOf(operation);
    if (!this.#isWaiting(operation, key)) {
      if (!abstention.atTip) {
        const text = "this manager does not hold the head of the chain yet; ask another one";
        throw new RpcError("MANAGERS_UNAVAILABLE", text);
      }
      const problem = await check.problem(operation);
      // A block may have carried it during the check, too.
      const height = this.#settled.heightOf(operation, key);
      if (height !== undefined) return { height };
      if (problem !== undefined) throw rpcErrorOfViolation(problem);
    }
    this.#admit(operation, key);
    return this.#waiters.wait(key, signal, () => {
      const text =
        "no block has carried the operation yet; it waits, and a repeated call asks again";
      return availability.whatIsMissing() ?? new RpcError("DEADLINE", text);
    });
  }

  /** Takes in what nobody waits for: of a storage node, for itself. */
  async takeOwn(from: string, operation: ControlOperation): Promise<void> {
    const { pool, trigger } = this.#parts;
    if (this.#isWaiting(operation, keyOf(operation))) return;
    if (!(await this.#holds(from, operation)) || !pool.add(operation, true)) return;
    this.#tell(operation);
    trigger.check();
  }

  /** An operation from the manager that took it in. */
  async take(from: string, operation: ControlOperation): Promise<void> {
    const { pool, trigger } = this.#parts;
    if (this.#isWaiting(operation, keyOf(operation))) return;
    if ((await this.#holds(from, operation)) && pool.add(operation, false)) trigger.check();
  }

  /** Whether there is something for the next block. */
  get hasWaiting(): boolean {
    return this.#parts.pool.size > 0;
  }

  /** Within the turn that wrote the block. `control`: the exact bytes of its operations. */
  onAppended(height: number, control: readonly Uint8Array[]): void {
    this.#settledHeight = height;
    if (control.length === 0) return;
    const { pool } = this.#parts;
    const waiting = new Map(pool.waiting.map((each) => [each.key, each]));
    for (const bytes of control) {
      const key = operationKey(bytes);
      const settled = waiting.get(key);
      if (settled !== undefined) pool.delete(settled);
      this.#settled.note(key, height);
      this.#waiters.resolve(key, height);
    }
  }

  /** Says its own again, and drops what does not fit any more; to be called at intervals. */
  async tick(): Promise<void> {
    const { monotonicMs } = this.#context;
    if (monotonicMs() - this.#saidAtMs < repeatMs) return;
    this.#saidAtMs = monotonicMs();
    await this.#review();
    for (const { operation, own } of this.#parts.pool.waiting) if (own) this.#tell(operation);
  }

  close(): void {
    this.#waiters.close(new RpcError("NODE_STOPPING", "the node is stopping"));
  }

  #admit(operation: ControlOperation, key: string): void {
    const { pool, trigger } = this.#parts;
    const known = pool.sameThing(operation);
    if (known?.key === key && known.own) return;
    if (!pool.add(operation, true)) {
      if (known !== undefined) throw takenError(operation);
      throw new RpcError("POOL_FULL", "too many operations wait for a block");
    }
    this.#tell(operation);
    trigger.check();
  }

  #tell(value: ControlOperation): void {
    this.#parts.peers.tell({ case: "operation", value });
  }

  #isWaiting(operation: ControlOperation, key: string): boolean {
    return this.#parts.pool.sameThing(operation)?.key === key;
  }

  async #holds(from: string, operation: ControlOperation): Promise<boolean> {
    const problem =
      topicOf(operation) === undefined
        ? ({ reason: "OPERATION_INVALID" } as const)
        : await this.#parts.check.problem(operation);
    if (problem !== undefined) this.#context.observer.dropped(from, problem.reason);
    return problem === undefined;
  }

  async #review(): Promise<void> {
    if (this.#reviewing) return;
    this.#reviewing = true;
    try {
      const { pool } = this.#parts;
      const { waiting } = pool;
      const first = this.#reviewFrom < waiting.length ? this.#reviewFrom : 0;
      const some = waiting.slice(first, first + reviewedAtOnceMax);
      this.#reviewFrom = first + some.length;
      for (const each of some) await this.#reviewOne(each);
    } finally {
      this.#reviewing = false;
    }
  }

  async #reviewOne(waiting: WaitingOperation): Promise<void> {
    const { pool, check, abstention } = this.#parts;
    const unfit = await check.unfit(waiting.operation);
    if (unfit === undefined || !abstention.atTip) return;
    // The block that carries it makes it unfit too, and may not be settled yet.
    const isSettled = this.#context.head().height === this.#settledHeight;
    if (!isSettled || !this.#isWaiting(waiting.operation, waiting.key)) return;
    pool.delete(waiting);
    this.#waiters.reject(waiting.key, rpcErrorOfViolation(unfit));
  }
}

function keyOf(operation: ControlOperation): string {
  return operationKey(encode(ControlOperationSchema, operation));
}
