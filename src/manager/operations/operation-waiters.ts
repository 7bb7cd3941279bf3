/** Callers that wait for an operation of theirs to become final. Bounded in number. */
import type { ControlOperation } from "../../gen/bss/v1/genesis_pb.js";
import { RpcError } from "../../rpc/rpc-error.js";

export const waitersMax = 1_000;

export type Settled = { readonly height: number };

type Waiter = { readonly resolve: (settled: Settled) => void; readonly reject: (e: Error) => void };

export class OperationWaiters {
  /** By the operation's key. */
  readonly #byKey = new Map<string, Set<Waiter>>();
  #count = 0;
  #closed: RpcError | undefined;

  /** Resolves or rejects as the operation is settled; rejects with what `onAbort` says. */
  wait(key: string, signal: AbortSignal, onAbort: () => RpcError): Promise<Settled> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    if (this.#count >= waitersMax) {
      const text = `${waitersMax} callers wait for operations already`;
      return Promise.reject(new RpcError("TOO_MANY_IN_FLIGHT", text));
    }
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(onAbort());
      const waiters = this.#byKey.get(key) ?? new Set<Waiter>();
      this.#byKey.set(key, waiters);
      this.#count += 1;
      const leave = () => {
        signal.removeEventListener("abort", giveUp);
        if (!waiters.delete(waiter)) return;
        this.#count -= 1;
        if (waiters.size === 0 && this.#byKey.get(key) === waiters) this.#byKey.delete(key);
      };
      const giveUp = () => {
        leave();
        reject(onAbort());
      };
      const waiter: Waiter = {
        resolve: (settled) => {
          leave();
          resolve(settled);
        },
        reject: (error) => {
          leave();
          reject(error);
        },
      };
      waiters.add(waiter);
      signal.addEventListener("abort", giveUp, { once: true });
    });
  }

  /** A block carries the operation. */
  resolve(key: string, height: number): void {
    for (const waiter of [...(this.#byKey.get(key) ?? [])]) waiter.resolve({ height });
  }

  /** No block can carry it any more. */
  reject(key: string, error: RpcError): void {
    for (const waiter of [...(this.#byKey.get(key) ?? [])]) waiter.reject(error);
  }

  /** Nobody's operation becomes final any more, nor theirs who come later. */
  close(error: RpcError): void {
    this.#closed = error;
    for (const key of [...this.#byKey.keys()]) this.reject(key, error);
  }
}

/** What another operation about the same thing means for one that comes later. */
export function takenError({ operation }: ControlOperation): RpcError {
  switch (operation.case) {
    case "admitStorageNode":
    case "registerParticipant":
      return new RpcError("MEMBER_ID_TAKEN", "somebody else is about to join under this id");
    default:
      return new RpcError("OPERATION_INVALID", "another operation of this kind waits for the node");
  }
}

/** Operations whose blocks are known. */
export const settledMax = 10_000;

/**
 * The blocks of operations that became final, for callers that repeat one because they did not hear
 * of it: an operation serves once, so the chain refuses the repetition. Only the last ones since
 * the manager started are known. That is enough for a caller whose deadline passed; one that comes
 * later finds the operation on the chain.
 */
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
