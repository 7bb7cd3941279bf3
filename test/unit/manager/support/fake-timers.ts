/** Time-outs that fire when a test says so; node's own mock prints a warning that it is young. */
export class FakeTimers {
  readonly #real = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout };
  readonly #pending = new Map<object, { readonly atMs: number; readonly run: () => void }>();
  #nowMs = 0;

  install(): void {
    const set = (run: () => void, delayMs = 0) => {
      const timer = { hasRef: () => true };
      this.#pending.set(timer, { atMs: this.#nowMs + delayMs, run });
      return timer;
    };
    const clear = (timer: object) => void this.#pending.delete(timer);
    Object.assign(globalThis, { setTimeout: set, clearTimeout: clear });
  }

  restore(): void {
    Object.assign(globalThis, this.#real);
    this.#pending.clear();
  }

  get pendingCount(): number {
    return this.#pending.size;
  }

  tick(ms: number): void {
    this.#nowMs += ms;
    for (const [timer, { atMs, run }] of [...this.#pending]) {
      if (atMs > this.#nowMs) continue;
      this.#pending.delete(timer);
      run();
    }
  }
}
