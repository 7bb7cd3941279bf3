/**
 * What managers say of the same thing, each for itself, until f+1 of them have: then at least one
 * honest manager has, and a block may act on it.
 *
 * A manager repeats what it says for as long as it stands by it, so a testimony that was not heard
 * for a while is withdrawn.
 */
import { compareIds } from "../../ledger/ids.js";
import type { ManagerContext } from "../manager-context.js";
import type { ManagerObserver } from "../manager-observer.js";
import type { PeerSender } from "../peers/peer-sender.js";
import type { BlockTrigger } from "../ring/block-trigger.js";
import type { StatementLog } from "../signing/statement-log.js";

type Heard<T> = { readonly testimony: T; readonly heardAtMs: number };

export class Testimonies<T> {
  /** By subject, then by manager. */
  readonly #bySubject = new Map<string, Map<string, Heard<T>>>();

  /** Takes what a manager says, which it has signed; its last word counts. */
  add(subject: string, managerId: string, testimony: T, nowMs: number): void {
    const ofSubject = this.#bySubject.get(subject) ?? new Map<string, Heard<T>>();
    ofSubject.set(managerId, { testimony, heardAtMs: nowMs });
    this.#bySubject.set(subject, ofSubject);
  }

  get(subject: string, managerId: string): T | undefined {
    return this.#bySubject.get(subject)?.get(managerId)?.testimony;
  }

  /** Subjects of which anybody says something. */
  get subjects(): readonly string[] {
    return [...this.#bySubject.keys()];
  }

  /** All testimonies of a subject, ascending by the managers' ids. */
  of(subject: string): readonly T[] {
    return [...(this.#bySubject.get(subject) ?? [])]
      .sort(([a], [b]) => compareIds(a, b))
      .map(([, { testimony }]) => testimony);
  }

  delete(subject: string): void {
    this.#bySubject.delete(subject);
  }

  /** Forgets what was last heard before this moment. */
  dropSilent(beforeMs: number): void {
    for (const [subject, ofSubject] of this.#bySubject) {
      for (const [managerId, { heardAtMs }] of ofSubject) {
        if (heardAtMs < beforeMs) ofSubject.delete(managerId);
      }
      if (ofSubject.size === 0) this.#bySubject.delete(subject);
    }
  }
}

/** What those who collect testimonies use. */
export type TestimonyContext = Pick<
  ManagerContext,
  "selfId" | "consortiumId" | "head" | "signatures" | "monotonicMs"
> & { readonly observer: Pick<ManagerObserver, "dropped"> };

export type TestimonyParts = {
  /** Signs nothing while the signer is unavailable. */
  readonly statements: Pick<StatementLog, "sign">;
  readonly peers: Pick<PeerSender, "tell">;
  readonly trigger: Pick<BlockTrigger, "check">;
};
