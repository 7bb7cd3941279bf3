/**
 * When the word of others starts a height that lies idle here.
 *
 * Managers that know of something to order start by themselves. What f+1 of them say has an honest
 * reason behind it. One alone may have a reason that has not come here yet, or none: it could make
 * the consortium write empty blocks as fast as it speaks. So a lone voice is heard only some time
 * after the height was opened. The proposal of the manager whose turn is first starts it at once:
 * one manager has that turn at one height in N.
 */

/** From the opening of a height until one manager alone can start it. */
export const loneVoiceWaitMs = 5_000;

export class HeightStart {
  readonly #openedMs: number;
  readonly #voicesNeeded: number;
  readonly #heard = new Set<string>();

  constructor(openedMs: number, faultsMax: number) {
    this.#openedMs = openedMs;
    this.#voicesNeeded = faultsMax + 1;
  }

  hear(managerId: string): void {
    this.#heard.add(managerId);
  }

  isDue(nowMs: number): boolean {
    return this.#heard.size >= this.#voicesNeeded || nowMs >= (this.nextMs ?? nowMs + 1);
  }

  /** When a lone voice counts; undefined as long as there is none. */
  get nextMs(): number | undefined {
    return this.#heard.size === 0 ? undefined : this.#openedMs + loneVoiceWaitMs;
  }
}
