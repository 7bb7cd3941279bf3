/**
 * The one way from what the core wants to say to what is sent:
 *
 *     say ─▶ sign ─▶ vote log, one synchronous batch ─▶ the signer's mark, durable ─▶ send
 *
 * Whatever the signer has not answered yet waits here, in the order in which the core said it, and
 * the manager goes on listening: nothing unsigned leaves, and nothing is forgotten before its
 * height is over, as others may need it to leave their round. Heads, resumptions and objections,
 * which belong to no round, are signed here too.
 */

import { defined } from "../../base/assert.js";
import { toHex } from "../../base/bytes.js";
import { err, ok, type Result } from "../../base/result.js";
import { timed } from "../../base/time.js";
import type { Lock, RestoredHeight, Statement } from "../../consensus/ring/events.js";
import type { Ring } from "../../consensus/ring/ring.js";
import type { SignatureCache } from "../../crypto/signature-cache.js";
import type { ManagerBlock } from "../../gen/bss/v1/block_pb.js";
import type { Proposal, Vote } from "../../gen/bss/v1/vote_pb.js";
import type { ManagerStore } from "../../store/manager-store.js";
import { StoreError } from "../../store/store-error.js";
import type { FailStop } from "../fail-stop.js";
import type { ManagerContext } from "../manager-context.js";
import type { ManagerObserver } from "../manager-observer.js";
import type { Abstention } from "../ring/abstention.js";
import type { CandidateBlocks } from "../ring/candidate-blocks.js";
import type { RingInbox } from "../ring/ring-inbox.js";
import { loggedRequests, type Said, signedStatement, signRequestOf } from "./signed-statements.js";
import type { Signature, SignerUnavailable, SignRequest, UnmarkedKind } from "./signer.js";

type Context = Pick<ManagerContext, "selfId" | "consortiumId" | "members" | "signer" | "time"> & {
  /** Knows this manager's own signatures afterwards, which certificates of others hold. */
  readonly signatures: Pick<SignatureCache, "note" | "firstInvalid">;
  /** Statements are stored through this before anybody sees them. */
  readonly store: Pick<ManagerStore, "saveStatements">;
  readonly observer: Pick<ManagerObserver, "wrote">;
};

export type StatementLogParts = {
  readonly ring: Pick<Ring, "height">;
  /** Is woken when `say` has something to do: the driver calls it within a turn. */
  readonly inbox: Pick<RingInbox, "wake">;
  readonly candidates: Pick<CandidateBlocks, "get">;
  readonly abstention: Pick<Abstention, "mayVote" | "compare" | "refused" | "signerTrouble">;
  /** Hears of it when the signer's own disk has failed. */
  readonly failStop: Pick<FailStop, "fail">;
};

/** A signed statement that is in the log and in the signer's mark, both on disk: it may be sent. */
export type Sendable = {
  readonly statement: Statement;
  readonly said: Said;
  /** The body of the block that is proposed or committed. */
  readonly body?: ManagerBlock;
};

type Waiting = {
  readonly statement: Statement;
  readonly body?: ManagerBlock;
  /** The signer may have signed it without our knowing. */
  asked: boolean;
};

/** The ring's loop waits so long for a signer; then it goes on without. */
const patienceMs = 1_000;
/** After this time a signer that was unavailable is asked again. */
const retryMs = 500;
/** Statements that wait for the signer; beyond, the oldest is given up. */
const waitingMax = 1_000;

export class StatementLog {
  readonly #context: Context;
  readonly #parts: StatementLogParts;
  #waiting: Waiting[] = [];
  #logged: Sendable[] = [];
  #signing: Signing | undefined;
  #settling: { readonly count: number; readonly answer: Settled } | undefined;
  #pausing = false;
  #closed = false;

  constructor(context: Context, parts: StatementLogParts) {
    this.#context = context;
    this.#parts = parts;
  }

  /** Whether `say` has something to do although the core has said nothing. */
  get isDue(): boolean {
    return !this.#pausing && this.#waiting.length + this.#logged.length > 0;
  }

  /**
   * Holds the signer's marks against what the log holds of the open height, and brings them up to
   * it, before anything else is said. Goes on trying until the signer answers.
   */
  open(restored: RestoredHeight): void {
    const { time } = this.#context;
    const { abstention, inbox, failStop } = this.#parts;
    this.#compare(restored)
      .then((unavailable) => {
        if (this.#closed) return;
        abstention.signerTrouble(unavailable?.message);
        if (unavailable === undefined) inbox.wake();
        else time.after(retryMs, () => this.open(restored));
      })
      .catch((error) => {
        if (!this.#closed) failStop.fail(error);
      });
  }

  /** The signer is not asked again. */
  close(): void {
    this.#closed = true;
  }

  /**
   * Takes in what the core says, and returns what may be sent now, in the order of saying. Only
   * within a turn of the driver.
   */
  async say(statements: readonly Statement[]): Promise<readonly Sendable[]> {
    for (const statement of statements) this.#waiting.push(this.#withBody(statement));
    const { abstention, ring } = this.#parts;
    this.#waiting = this.#waiting
      .filter(({ statement: { kind, height } }) => {
        return height === ring.height && (kind === "accept" || abstention.mayVote(height));
      })
      .slice(-waitingMax);
    if (this.#pausing) return [];
    await this.#store(await this.#sign());
    return this.#settle();
  }

  /** Signs what belongs to no round; undefined while the signer is unavailable. */
  async sign(
    kind: UnmarkedKind,
    height: number,
    digest: Uint8Array,
  ): Promise<Uint8Array | undefined> {
    const answer = await this.#signaturesOf([{ kind, height, digest }]);
    const [signature] = answer.ok ? answer.value : [];
    return signature?.ok === true ? signature.value : undefined;
  }

  async #compare(restored: RestoredHeight): Promise<SignerUnavailable | undefined> {
    const { signer, consortiumId } = this.#context;
    const { abstention } = this.#parts;
    const marks = await answered(signer.marks());
    if (!marks.ok) return marks.error;
    // A crash may have come after the log and before the mark.
    const unmarked = loggedRequests(restored, consortiumId)
      .filter(({ kind, round, height }) => {
        const mark = marks.value[kind];
        return mark === undefined || (height - mark.height || round - mark.round) > 0;
      })
      .sort((a, b) => a.round - b.round);
    const signed = unmarked.length === 0 ? ok([]) : await answered(signer.sign(unmarked));
    const settled = signed.ok ? await answered(signer.settle()) : signed;
    if (!settled.ok) return settled.error;
    abstention.compare(marks.value, restored);
    return undefined;
  }

  async #sign(): Promise<readonly Sendable[]> {
    const { selfId, consortiumId } = this.#context;
    const { abstention } = this.#parts;
    if (this.#signing === undefined) {
      if (this.#waiting.length === 0) return [];
      const asked = this.#waiting;
      const requests = asked.map(({ statement }) => signRequestOf(statement, consortiumId));
      this.#signing = { asked, answer: this.#signaturesOf(requests) };
    }
    const { asked, answer } = this.#signing;
    const signatures = await this.#inTime(answer);
    if (signatures === undefined) return [];
    this.#signing = undefined;
    if (!signatures.ok) {
      for (const each of asked) each.asked = true;
      this.#pause(signatures.error.message);
      return [];
    }
    abstention.signerTrouble(undefined);
    const open = new Set(this.#waiting);
    this.#waiting = this.#waiting.filter((each) => !asked.includes(each));
    const signed: Sendable[] = [];
    for (const [i, each] of asked.entries()) {
      const signature = defined(signatures.value[i], "a signer answers every request");
      // Its height may be over, or this manager may abstain from it by now.
      if (!open.has(each)) continue;
      const { statement } = each;
      if (signature.ok) {
        const said = signedStatement(statement, selfId, signature.value);
        signed.push({ statement, said, ...(each.body && { body: each.body }) });
      } else if (signature.error.code === "CONTRADICTION" || !each.asked) {
        abstention.refused(statement.height, signature.error.message);
      }
    }
    return signed;
  }

  /**
   * What a signer elsewhere returns is verified, as the rounds count this manager's own statements
   * without another look: if one did not hold, it alone would take a block for final. A signer that
   * returns such a thing counts as unavailable, and is asked again.
   */
  async #signaturesOf(requests: readonly SignRequest[]): Answer {
    const { selfId, members, signer, signatures } = this.#context;
    const answer = await answered(signer.sign(requests));
    const publicKey = members().manager(selfId)?.signingKey;
    if (!answer.ok || publicKey === undefined) return answer;
    const signed = requests.flatMap(({ digest }, i) => {
      const signature = answer.value[i];
      return signature?.ok === true ? [{ publicKey, digest, signature: signature.value }] : [];
    });
    if (signer.isLocal === true) {
      for (const each of signed) signatures.note(each);
      return answer;
    }
    const invalid = await signatures.firstInvalid(signed);
    return invalid === undefined
      ? answer
      : err({ message: "it returns signatures that are wrong" });
  }

  /** What is here is signed, so it is stored whatever becomes of the signer. */
  async #store(signed: readonly Sendable[]): Promise<void> {
    if (signed.length === 0) return;
    const votes: Vote[] = [];
    const proposals: Proposal[] = [];
    const bodies = new Map<string, ManagerBlock>();
    let lock: Lock | undefined;
    for (const { statement, said, body } of signed) {
      if (said.kind === "proposal") proposals.push(said.proposal);
      else votes.push(said.vote);
      if (statement.kind === "commit" && statement.lock !== undefined) lock = statement.lock;
      if (body !== undefined) bodies.set(toHex(statement.blockId), body);
    }
    const durable = { votes, proposals, bodies: [...bodies.values()] };
    const { store, time, observer, signer } = this.#context;
    const saved = timed(time, observer, () =>
      store.saveStatements(lock === undefined ? durable : { ...durable, lock }),
    );
    if (signer.isLocal === true) this.#settleAfter(signed.length);
    await saved;
    this.#logged.push(...signed);
  }

  /** A signer here writes its mark after what is being logged, so it need not wait to be asked. */
  #settleAfter(count: number): void {
    if (this.#settling !== undefined) return;
    const answer = answered(this.#context.signer.settle());
    // If the disk fails, so does what is logged, and that ends the manager.
    answer.catch(() => {});
    this.#settling = { count: this.#logged.length + count, answer };
  }

  async #settle(): Promise<readonly Sendable[]> {
    const { signer } = this.#context;
    const { abstention, ring } = this.#parts;
    const sendable: Sendable[] = [];
    while (this.#logged.length > 0) {
      this.#settling ??= { count: this.#logged.length, answer: answered(signer.settle()) };
      const { count, answer } = this.#settling;
      const settled = await this.#inTime(answer);
      if (settled === undefined) break;
      this.#settling = undefined;
      if (!settled.ok) {
        this.#pause(settled.error.message);
        break;
      }
      abstention.signerTrouble(undefined);
      sendable.push(...this.#logged.splice(0, count));
    }
    return sendable.filter(({ statement }) => statement.height === ring.height);
  }

  /** Undefined when the answer has not come in time; it is waited for again later. */
  async #inTime<T>(answer: Promise<T>): Promise<T | undefined> {
    const { time } = this.#context;
    const late = Symbol("late");
    let end = (_: typeof late) => {};
    const timeout = new Promise<typeof late>((resolve) => {
      end = resolve;
    });
    const timer = time.after(patienceMs, () => end(late));
    const first = await Promise.race([answer, timeout]).finally(() => timer.cancel());
    if (first !== late) return first;
    this.#pause("it does not answer");
    return undefined;
  }

  #pause(why: string): void {
    const { time } = this.#context;
    const { abstention, inbox } = this.#parts;
    abstention.signerTrouble(why);
    this.#pausing = true;
    time.after(retryMs, () => {
      this.#pausing = false;
      inbox.wake();
    });
  }

  #withBody(statement: Statement): Waiting {
    const { kind, blockId } = statement;
    const mustKeep = (kind === "propose" || kind === "commit") && blockId.length > 0;
    if (!mustKeep) return { statement, asked: false };
    const candidate = this.#parts.candidates.get(blockId);
    const held = defined(candidate, "a manager proposes and commits only blocks that it holds");
    return { statement, body: held.block, asked: false };
  }
}

type Signing = {
  readonly asked: readonly Waiting[];
  /** In the order of `asked`. */
  readonly answer: Answer;
};

type Answer = Promise<Result<readonly Signature[], SignerUnavailable>>;
type Settled = Promise<Result<void, SignerUnavailable>>;

/** A signer that throws is taken for one that is unavailable; a failing disk is not. */
async function answered<T>(
  answer: Promise<Result<T, SignerUnavailable>>,
): Promise<Result<T, SignerUnavailable>> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof StoreError) throw error;
    return err({ message: error instanceof Error ? error.message : String(error) });
  }
}
