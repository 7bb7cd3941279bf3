/**
 * Virtual time: events run in the order of their times, and time is where the last one put it.
 *
 * Production code runs on it as it is, promises and all. Between two events every microtask is
 * drained, and nothing else can be under way: no thread pool, no sockets, no timers of the machine.
 * So a run is the same each time.
 */
import { assert, defined } from "../../src/base/assert.js";
import type { Timer } from "../../src/base/time.js";

type Entry = {
  readonly atMs: number;
  readonly order: number;
  /** Undefined when cancelled. */
  run: (() => void) | undefined;
};

/** Events for which the machine's loop is asked at once; microtasks run between them too. */
const eventsPerLoop = 64;

export class Scheduler {
  readonly #heap: Entry[] = [];
  #nowMs = 0;
  #order = 0;

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Events so far. */
  get events(): number {
    return this.#order;
  }

  /** Runs `run` after `delayMs`; what is due at the same time runs in the order of asking. */
  after(delayMs: number, run: () => void): Timer {
    assert(delayMs >= 0, "nothing happens in the past");
    this.#order += 1;
    const entry: Entry = { atMs: this.#nowMs + delayMs, order: this.#order, run };
    this.#push(entry);
    return {
      cancel: () => {
        entry.run = undefined;
      },
    };
  }

  /** Runs events until `isOver` says so after one of them, or none is left. */
  runUntil(isOver: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      let over = false;
      let left = 0;
      const turn = () => {
        left -= 1;
        if (over) return;
        try {
          over = isOver() || !this.#step();
          if (over) resolve();
          else if (left === 0) ask();
        } catch (error) {
          over = true;
          reject(error);
        }
      };
      const ask = () => {
        left = eventsPerLoop;
        for (let i = 0; i < eventsPerLoop; i++) setImmediate(turn);
      };
      ask();
    });
  }

  /** Runs the next event, or says that there is none. */
  #step(): boolean {
    for (;;) {
      const next = this.#pop();
      if (next === undefined) return false;
      if (next.run === undefined) continue;
      this.#nowMs = next.atMs;
      next.run();
      return true;
    }
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parentAt = (at - 1) >> 1;
      const parent = defined(heap[parentAt], "a heap is contiguous");
      if (isBefore(parent, entry)) break;
      heap[at] = parent;
      at = parentAt;
    }
    heap[at] = entry;
  }

  #pop(): Entry | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      const [left, right] = [heap[2 * at + 1], heap[2 * at + 2]];
      if (left === undefined) break;
      const useRight = right !== undefined && isBefore(right, left);
      const child = useRight ? right : left;
      if (isBefore(last, child)) break;
      heap[at] = child;
      at = 2 * at + (useRight ? 2 : 1);
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
