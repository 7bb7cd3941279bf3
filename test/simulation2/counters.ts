/** Counts by name: faults that were injected, and what came of a run. */
export class Counters {
  readonly #counts = new Map<string, number>();

  count(name: string, by = 1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + by);
  }

  of(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  addAll(other: Counters): void {
    for (const [name, count] of other.entries()) this.count(name, count);
  }

  entries(): readonly (readonly [name: string, count: number])[] {
    return [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1));
  }
}
