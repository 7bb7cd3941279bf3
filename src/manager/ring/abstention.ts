/**
 * When this manager does not vote although the rounds ask it to: as long as it may have said
 * something that it no longer knows of (protocol R4.0.3).
 *
 *   1. Its signer has signed what the vote log does not hold: the store was lost or rolled back.
 *   2. It has just started, and does not know yet where the others are; or f+1 others show that a
 *      height is decided, so nobody needs its vote there.
 *   3. A statement of its own comes back from a peer, validly signed, that the log does not hold.
 *
 * At a height where it abstains it signs no PROPOSE, APPROVE or COMMIT. It follows all the same:
 * tallies, decides, catches up, and says ACCEPT, which belongs to no round and contradicts nothing,
 * so that no block has to wait for it.
 */
import { equalBytes } from "../../base/bytes.js";
import type { RestoredHeight } from "../../consensus/ring/events.js";
import type { Proposal, Vote } from "../../gen/bss/v1/vote_pb.js";
import type { ManagerStore } from "../../store/manager-store.js";
import type { FailStop } from "../fail-stop.js";
import type { ManagerContext } from "../manager-context.js";
import type { Abstaining, ManagerObserver } from "../manager-observer.js";
import { loggedRequests } from "../signing/signed-statements.js";
import { type Marks, markedKinds } from "../signing/signer.js";
import type { RingInbox } from "./ring-inbox.js";

type Context = Pick<ManagerContext, "selfId" | "consortiumId" | "members"> & {
  readonly store: Pick<
    ManagerStore,
    "head" | "abstainsThrough" | "holdsStatement" | "saveAbstention"
  >;
  readonly observer: Pick<ManagerObserver, "votes" | "abstains">;
  /** An operator has said that a signer without marks may go on where the consortium stands. */
  readonly newSignerAccepted?: boolean;
};

export type AbstentionParts = {
  readonly inbox: Pick<RingInbox, "wake">;
  readonly failStop: Pick<FailStop, "fail">;
};

export class Abstention {
  readonly #context: Context;
  readonly #parts: AbstentionParts;
  #through: number;
  #why = "statements of its own, which its store did not hold, have come back from others";
  /** Since the start. */
  readonly #heads = new Map<string, number>();
  #marks: Marks | undefined;
  #listening = true;
  #trouble: string | undefined;
  /** The reason that was told last. */
  #told: Abstaining["kind"] | undefined;

  constructor(context: Context, parts: AbstentionParts) {
    this.#context = context;
    this.#parts = parts;
    this.#through = context.store.abstainsThrough;
  }

  /** Nothing of the rounds is taken up while this is true. */
  get listening(): boolean {
    return this.#listening;
  }

  /** Why this manager does not vote at present; undefined when it does. */
  get reason(): Abstaining | undefined {
    const open = this.#headHeight + 1;
    if (this.#trouble !== undefined) return { kind: "signer", text: this.#trouble };
    if (this.#listening) return { kind: "listening", text: this.#listeningText() };
    if (this.#through >= open) {
      const text = `${this.#why}: no vote until height ${this.#through} is decided`;
      return { kind: "loss", text };
    }
    const decided = this.#shownBy(this.#context.members().faultsMax + 1);
    if (decided <= open) return undefined;
    return { kind: "behind", text: `others have decided height ${decided}: it catches up first` };
  }

  /** Whether PROPOSE, APPROVE and COMMIT may be signed at a height. */
  mayVote(height: number): boolean {
    if (this.#listening || height <= this.#through) return false;
    return this.#shownBy(this.#context.members().faultsMax + 1) < height;
  }

  /** False while others are known to be further, and before they were heard. */
  get atTip(): boolean {
    return this.mayVote(this.#headHeight + 1);
  }

  /** Tells when abstaining begins, for another reason, and ends. */
  tick(): void {
    const { observer } = this.#context;
    const now = this.reason;
    if (now?.kind === this.#told) return;
    this.#told = now?.kind;
    if (now === undefined) observer.votes();
    else observer.abstains(now);
  }

  /** The signer has told its marks: what of them does the vote log lack? */
  compare(marks: Marks, restored: RestoredHeight): void {
    this.#marks = marks;
    const head = this.#headHeight;
    const logged = loggedRequests(restored, this.#context.consortiumId);
    for (const kind of markedKinds) {
      const mark = marks[kind];
      if (mark === undefined || mark.height <= head) continue;
      const { height, round, digest } = mark;
      const isLogged = logged.some((entry) => {
        const isPlace = entry.kind === kind && entry.height === height && entry.round === round;
        return isPlace && equalBytes(entry.digest, digest);
      });
      if (isLogged) continue;
      const what = `${kind} at height ${height}, round ${round}`;
      this.#abstain(height, `its key has signed ${what}, which its store does not hold`);
    }
    this.#endListening();
  }

  /** Another manager's head, which has come from that manager itself. */
  hearHead(managerId: string, height: number): void {
    if (managerId === this.#context.selfId) return;
    this.#heads.set(managerId, height);
    this.#endListening();
  }

  /** A statement of this manager has come from elsewhere; its signature has been verified. */
  hearOwn(statement: Vote | Proposal): void {
    const height = Number(statement.height);
    if (height <= this.#headHeight || height <= this.#through) return;
    if (this.#context.store.holdsStatement(statement)) return;
    const what = `a statement of its own about height ${height}, round ${statement.round}`;
    this.#abstain(height, `${what}, which its store does not hold, has come back from others`);
  }

  /** The signer has refused a statement: somebody else signs with the same key. */
  refused(height: number, message: string): void {
    this.#abstain(height, `its signer refuses (${message})`);
  }

  /** Why the signer cannot be asked; undefined once it answers. */
  signerTrouble(message: string | undefined): void {
    this.#trouble = message === undefined ? undefined : `its signer is unavailable: ${message}`;
  }

  #abstain(through: number, why: string): void {
    if (through <= this.#through) return;
    this.#through = through;
    this.#why = why;
    const { store } = this.#context;
    store.saveAbstention(through).catch((error) => this.#parts.failStop.fail(error));
  }

  #endListening(): void {
    if (!this.#listening || this.#marks === undefined || this.#heard < this.#quorum) return;
    this.#listening = false;
    this.#parts.inbox.wake();
    const { newSignerAccepted = false } = this.#context;
    const tip = this.#shownBy(this.#context.members().faultsMax + 1);
    const knowsNothing = markedKinds.every((kind) => this.#marks?.[kind] === undefined);
    if (!knowsNothing || newSignerAccepted || tip <= this.#headHeight) return;
    this.#abstain(tip + 1, "it is new to a chain that has gone on, and may have voted before");
  }

  get #headHeight(): number {
    return this.#context.store.head.height;
  }

  /** Managers that were heard since the start, this one included. */
  get #heard(): number {
    return this.#heads.size + 1;
  }

  get #quorum(): number {
    return this.#context.members().quorum;
  }

  /** The highest height that `count` others have shown; −1 if fewer were heard. */
  #shownBy(count: number): number {
    const heights = [...this.#heads.values()].sort((a, b) => b - a);
    return heights[count - 1] ?? -1;
  }

  #listeningText(): string {
    if (this.#marks === undefined) return "its signer has not told its marks yet";
    return `it has started and listens: ${this.#heard} of ${this.#quorum} managers heard`;
  }
}
