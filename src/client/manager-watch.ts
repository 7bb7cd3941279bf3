/**
 * Looks, while a manager owes an answer, whether another one would give it sooner.
 *
 * A block may take a while, and then no other manager is faster: all wait for the same signatures.
 * So silence alone is no reason to leave. After some of it the manager and others of the profile
 * are asked for their status. The client goes on to another one only if that one is fit, and its
 * own does not even answer this, has halted, signs nothing, is far behind, is overloaded while the
 * other has less to do, or gives no answer for long while others add block after block. A manager
 * may lie about itself: what height is usual, most of those that are asked have to say. Looks
 * become rarer, so that clients do not wander about. What is sent again has the same bytes, which
 * the ledger takes once.
 */
import type { GetStatusResponse } from "../gen/bss/v1/query_pb.js";
import { RpcError } from "../rpc/rpc-error.js";

/** The managers of a profile; `Connections` has them. */
export type WatchedManagers = {
  /** What the manager says about itself, without asking another in its place. */
  statusOf(address: string, timeoutMs: number): Promise<GetStatusResponse>;
  /** The other addresses, in the order in which to try them. */
  after(address: string): readonly string[];
  /** Makes this manager the current one. */
  turn(address: string): void;
};

export type WatchedCall = {
  /** Whether an answer is due. */
  readonly isDue: () => boolean;
  /** Whether the manager refuses for overload at present. */
  readonly isOverloaded?: () => boolean;
  /** The call should be made at the manager that is the current one now. */
  readonly onBetter: (why: RpcError) => void;
  /** Does `work` after so many ms, unless it is cancelled. */
  readonly after?: (ms: number, work: () => void) => () => void;
};

/** Silence before the first look, and then before each further one, ms. */
const pausesMs = [1_500, 3_000, 6_000, 12_000, 24_000] as const;
/** A manager that does not say how it is within this time is silent, ms. */
const askMs = 2_000;
/** Besides the manager in use; a profile may name a hundred. */
const othersMax = 6;
/** Managers that keep up differ by a block or two. */
const behindMax = 5;
/** What is taken is on the ledger some blocks later, if its manager is honest. */
const vain = { looks: 4, blocks: 10 } as const;

export class ManagerWatch {
  readonly #managers: WatchedManagers;
  readonly #address: string;
  readonly #call: WatchedCall;
  #cancel = () => {};
  #looks = 0;
  /** The height that was usual at the first of these looks. */
  #firstHeight: number | undefined;
  /** Goes up with each answer, so that a look knows whether one came meanwhile. */
  #answers = 0;
  #stopped = false;

  /** `address` is the manager that owes the answer. */
  constructor(managers: WatchedManagers, address: string, call: WatchedCall) {
    this.#managers = managers;
    this.#address = address;
    this.#call = call;
    if (managers.after(address).length > 0) this.#wait();
  }

  /** The manager has answered: the silence begins anew. */
  answered(): void {
    this.#answers += 1;
    this.#looks = 0;
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  #wait(): void {
    if (this.#stopped) return;
    const pauseMs = pausesMs[Math.min(this.#looks, pausesMs.length - 1)] ?? 0;
    const answers = this.#answers;
    const { after = timer } = this.#call;
    this.#cancel = after(pauseMs, () => void this.#look(answers));
  }

  async #look(answersBefore: number): Promise<void> {
    const isSilent = () => this.#answers === answersBefore && this.#call.isDue();
    if (!isSilent()) return this.#wait();
    this.#looks += 1;
    const better = await this.#findBetter();
    if (this.#stopped) return;
    if (better === undefined || !isSilent()) return this.#wait();
    this.stop();
    this.#managers.turn(better.address);
    this.#call.onBetter(better.why);
  }

  async #findBetter() {
    const address = this.#address;
    const others = this.#managers.after(address).slice(0, othersMax);
    const own = this.#statusOf(address);
    const answers = await Promise.all(others.map((other) => this.#statusOf(other)));
    const status = await own;
    const usual = usualHeight(answers);
    if (this.#looks === 1) this.#firstHeight = usual;
    const facts = {
      usual,
      isOverloaded: this.#call.isOverloaded?.() ?? false,
      isVain: this.#looks >= vain.looks && usual - (this.#firstHeight ?? usual) > vain.blocks,
    };
    for (const [i, other] of answers.entries()) {
      const better = others[i];
      if (other === undefined || better === undefined || unfit(other) !== undefined) continue;
      const reason = reasonToLeave(status, other, facts);
      if (reason === undefined) continue;
      const text = `${address} ${reason}; going on at ${better}`;
      const metadata = { going_on_at: better };
      return { address: better, why: new RpcError("NODE_UNREACHABLE", text, { metadata }) };
    }
    return undefined;
  }

  async #statusOf(address: string): Promise<GetStatusResponse | undefined> {
    try {
      return await this.#managers.statusOf(address, askMs);
    } catch {
      return undefined;
    }
  }
}

function timer(ms: number, work: () => void): () => void {
  const timeout = setTimeout(work, ms);
  return () => clearTimeout(timeout);
}

/** What the manager says itself, without a full stop; undefined for one that is fit. */
function unfit({ halted, abstaining }: GetStatusResponse): string | undefined {
  if (halted !== "") return "has halted";
  return abstaining === "" ? undefined : `signs nothing: ${abstaining}`;
}

/** The lower median of what others say, so that a few cannot draw clients to them; 0 for none. */
function usualHeight(answers: readonly (GetStatusResponse | undefined)[]): number {
  const heights = answers.flatMap((answer) =>
    answer === undefined ? [] : [Number(answer.height)],
  );
  heights.sort((a, b) => a - b);
  return heights[Math.floor((heights.length - 1) / 2)] ?? 0;
}

/** Why to leave a manager with this status for a fit one. */
function reasonToLeave(
  own: GetStatusResponse | undefined,
  other: GetStatusResponse,
  facts: { readonly usual: number; readonly isOverloaded: boolean; readonly isVain: boolean },
): string | undefined {
  if (own === undefined) return "is silent";
  const behind = Math.min(Number(other.height), facts.usual) - Number(own.height);
  if (behind > behindMax) return `is ${behind} blocks behind`;
  const isLessBusy = 2 * other.poolSubmissions < own.poolSubmissions;
  if (facts.isOverloaded && isLessBusy) return "is overloaded";
  return unfit(own) ?? (facts.isVain ? "gives no answer while blocks are added" : undefined);
}
