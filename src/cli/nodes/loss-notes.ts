/**
 * Lines about lost connections: each cause is told once, until something works again, however often
 * it is tried in between.
 */
import type { RpcError } from "../../rpc/rpc-error.js";

export class LossNotes {
  readonly #print: (text: string) => void;
  readonly #told = new Set<string>();

  constructor(print: (text: string) => void) {
    this.#print = print;
  }

  note({ message }: Pick<RpcError, "message">): void {
    if (this.#told.has(message)) return;
    this.#told.add(message);
    this.#print(`bss: ${message}; trying again until it works, Ctrl-C ends it`);
  }

  /** Something works again. */
  clear(): void {
    this.#told.clear();
  }
}
