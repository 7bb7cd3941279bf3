import type { Objection, RecordPlace } from "../../gen/bss/v1/broadcast_pb.js";

export type RecordSettlement =
  | { readonly kind: "placed"; readonly place: RecordPlace }
  | { readonly kind: "refused"; readonly objection: Objection };

export class RecordOutcomes {
  /** Most records are watched once. */
  readonly #watching = new Map<string, OutcomeWatch | Set<OutcomeWatch>>();

  /** Tells everybody who watches the record. */
  settle(recordHex: string, settlement: RecordSettlement): void {
    const watching = this.#watching.get(recordHex);
    if (watching instanceof OutcomeWatch) watching.note(recordHex, settlement);
    else for (const watch of watching ?? []) watch.note(recordHex, settlement);
  }

  /** Whether anybody waits for the record. */
  isAwaited(recordHex: string): boolean {
    return this.#watching.has(recordHex);
  }

  /** Collects what becomes of these records from now on; close it. */
  watch(recordHexes: readonly string[]): OutcomeWatch {
    const watch = new OutcomeWatch(() => {
      for (const hash of recordHexes) this.#remove(hash, watch);
    });
    for (const hash of recordHexes) {
      const others = this.#watching.get(hash);
      if (others === undefined) this.#watching.set(hash, watch);
      else if (others instanceof Set) others.add(watch);
      else this.#watching.set(hash, new Set([others, watch]));
    }
    return watch;
  }

  #remove(recordHex: string, watch: OutcomeWatch): void {
    const watching = this.#watching.get(recordHex);
    if (watching instanceof Set) watching.delete(watch);
    const isLast = watching instanceof Set ? watching.size === 0 : watching === watch;
    if (isLast) this.#watching.delete(recordHex);
  }
}

export class OutcomeWatch {
  readonly settled = new Map<string, RecordSettlement>();
  readonly close: () => void;
  #onSettled = () => {};

  constructor(close: () => void) {
    this.close = close;
  }

  note(recordHex: string, settlement: RecordSettlement): void {
    if (this.settled.has(recordHex)) return;
    this.settled.set(recordHex, settlement);
    this.#onSettled();
  }

  /** Resolves with true once all of these are settled, with false when `signal` aborts before. */
  all(recordHexes: readonly string[], signal: AbortSignal): Promise<boolean> {
    const complete = () => recordHexes.every((hash) => this.settled.has(hash));
    if (complete() || signal.aborted) return Promise.resolve(complete());
    let open = recordHexes.filter((hash) => !this.settled.has(hash)).length;
    return new Promise((resolve) => {
      const done = () => {
        this.#onSettled = () => {};
        signal.removeEventListener("abort", done);
        resolve(complete());
      };
      // Only what was watched settles here, so counting spares looking through all of it each time.
      this.#onSettled = () => {
        open--;
        if (open <= 0 && complete()) done();
      };
      signal.addEventListener("abort", done, { once: true });
    });
  }
}
