/**
 * What happened when: shown as it happens, and kept for the report. Times are ms since its start.
 */
export type JournalEntry = { readonly atMs: number; readonly text: string };

export class Journal {
  readonly entries: JournalEntry[] = [];
  readonly #startMs = performance.now();
  readonly #show: (line: string) => void;

  constructor(show: (line: string) => void = () => {}) {
    this.#show = show;
  }

  get nowMs(): number {
    return Math.round(performance.now() - this.#startMs);
  }

  log(text: string): void {
    const atMs = this.nowMs;
    this.entries.push({ atMs, text });
    this.#show(`${(atMs / 1000).toFixed(1).padStart(7)} s  ${text}`);
  }
}
