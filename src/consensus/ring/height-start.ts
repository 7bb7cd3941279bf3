/**
 * When messages of other managers start a height that is idle here.
 *
 * A manager that knows of something to order starts by itself. If f+1 managers send messages, one
 * of them is honest and has a reason. One manager alone may have a reason that has not come here
 * yet, or none: it could make the consortium write empty blocks as fast as it sends. So one manager
 * starts a height only some time after it was opened. The proposal of the first round's proposer
 * starts it at once: each manager has that turn at one height in N.
 */

/** From the opening of a height until one manager alone can start it. */
export const loneManagerWaitMs = 5_000;

export class HeightStart {
  readonly #openedMs: number;
  readonly #managersNeeded: number;
  readonly #heard = new Set<string>();

  constructor(openedMs: number, faultsMax: number) {
    this.#openedMs = openedMs;
    this.#managersNeeded = faultsMax + 1;
  }

  hear(managerId: string): void {
    this.#heard.add(managerId);
  }

  isDue(nowMs: number): boolean {
    return this.#heard.size >= this.#managersNeeded || nowMs >= (this.nextMs ?? nowMs + 1);
  }

  /** When one manager alone starts the height; undefined as long as none has sent anything. */
  get nextMs(): number | undefined {
    return this.#heard.size === 0 ? undefined : this.#openedMs + loneManagerWaitMs;
  }
}
