/**
 * One way to harm a consortium, as a program: who does it, what it sends, and what must hold
 * meanwhile. It is paced, so that what is measured is what the nodes make of it and not how busy
 * the attacker keeps the machine.
 */
import type { Role } from "../../src/rpc/tls/tls-identity.js";
import type { Bounds } from "./bounds.js";
import type { Target } from "./target.js";

export type Attacker = Role | "stranger";

export type Attack = {
  /** For ATTACKS= and the table. */
  readonly name: string;
  /** Whose keys it uses; a stranger has none. */
  readonly role: Attacker;
  /** One line for people. */
  readonly about: string;
  /** Where it may differ from the bounds of every attack. */
  readonly bounds?: Partial<Bounds>;
  /** Nodes that are down while it goes on. Such an attack runs apart from all others. */
  readonly stops?: readonly string[];
  /** It shows nothing in less time. */
  readonly secondsMin?: number;
  /**
   * Goes on until `signal` is aborted, or until it has done all that it wanted. It expects refusals
   * and counts them; it throws only for mistakes of its own.
   */
  run(target: Target, signal: AbortSignal): Promise<Tally>;
};

/** What it sent, and what came of it: by what the nodes answered, or a name of its own. */
export type Tally = {
  readonly counts: Readonly<Record<string, number>>;
  /** What a node gave that it must never give. */
  readonly violations?: readonly string[];
};

export class Counts {
  readonly #counts = new Map<string, number>();

  add(what: string, times = 1): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + times);
  }

  get tally(): Tally {
    return { counts: Object.fromEntries(this.#counts) };
  }
}
