/**
 * An account of the answers that are held until their callers take them: by caller, and in total
 * for each of three groups, so that clients cannot take what managers need. It counts encoded
 * bytes, from before they are handed to HTTP/2 until the system has taken them; meanwhile they are
 * in memory about twice, once of them as TLS sends them.
 */
import { FairLane } from "../base/fair-lane.js";
import { Holdings } from "../base/holdings.js";
import type { AnswerLimits } from "./answer-limits.js";
import type { ConnectionEnds } from "./connections.js";
import { describeIdentity, type Identity } from "./identity.js";
import { RpcError } from "./rpc-error.js";

export type AnswerGroup = "clients" | "managers" | "storageNodes";

export type HeldAnswersOptions = {
  readonly limits: AnswerLimits;
  /** Sweeps after which an answer of which nothing was taken counts as unread. */
  readonly unreadSweeps: number;
  /** The caller takes nothing, or holds most of a group's bytes when another one needs some. */
  readonly onUnread: (ends: ConnectionEnds) => void;
};

export class HeldAnswers {
  readonly #options: HeldAnswersOptions;
  readonly #groups: Readonly<Record<AnswerGroup, Holdings>>;
  readonly #pages: FairLane;
  /** Answers that hold bytes. */
  readonly #holding = new Set<HeldAnswer>();

  constructor(options: HeldAnswersOptions) {
    const { limits } = options;
    this.#options = options;
    this.#pages = new FairLane(limits.pagesAtOnceMax);
    this.#groups = {
      clients: new Holdings({
        totalMax: limits.clientsBytesMax,
        perCauserMax: limits.perClientBytesMax,
      }),
      managers: new Holdings({
        totalMax: limits.managersBytesMax,
        perCauserMax: limits.perManagerBytesMax,
      }),
      storageNodes: new Holdings({
        totalMax: limits.storageNodesBytesMax,
        perCauserMax: limits.perStorageNodeBytesMax,
      }),
    };
  }

  bytes(group: AnswerGroup): number {
    return this.#groups[group].total;
  }

  /** The answer, or answers, to one call. `signal` aborts when the call is over. */
  open(identity: Identity, ends: ConnectionEnds, signal: AbortSignal): HeldAnswer {
    const group = groupOf(identity);
    const answer = new HeldAnswer({
      holdings: this.#groups[group],
      holding: this.#holding,
      identity,
      ends,
      causer: causerOf(identity),
      onCrowded: (causer) => this.#endMost(causer),
    });
    if (signal.aborted) answer.close();
    else signal.addEventListener("abort", () => answer.close(), { once: true });
    return answer;
  }

  /**
   * Makes the answer to a unary call, and holds its bytes until the call is over. A page of a
   * listing is read when it is the caller's turn and there is room for the longest one.
   *
   * @throws RpcError ANSWERS_UNREAD, CANCELLED, and what `encode` throws
   */
  async make(answer: HeldAnswer, method: string, encode: () => Promise<Buffer>): Promise<Buffer> {
    if (!pageMethods.has(method)) {
      const bytes = await encode();
      answer.take(bytes.length);
      return bytes;
    }
    const group = groupOf(answer.identity) === "clients" ? "clients" : "peers";
    const read = async (): Promise<Buffer> => {
      if (answer.isOver) throw new RpcError("CANCELLED", "the caller has gone");
      answer.take(pageBytesMax);
      const bytes = await encode();
      if (bytes.length > pageBytesMax) answer.take(bytes.length - pageBytesMax);
      else answer.giveBack(pageBytesMax - bytes.length);
      return bytes;
    };
    return this.#pages.run(answer.causer, read, group);
  }

  /** To be called every second. */
  sweep(): void {
    for (const answer of [...this.#holding]) {
      answer.idleSweeps += 1;
      if (answer.idleSweeps >= this.#options.unreadSweeps) this.#options.onUnread(answer.ends);
    }
  }

  #endMost(causer: string): void {
    for (const answer of [...this.#holding]) {
      if (answer.causer === causer) this.#options.onUnread(answer.ends);
    }
  }
}

/** What a page of a listing has at most: what every gRPC client takes unless told otherwise. */
const pageBytesMax = 4 * 1024 * 1024;

/** Methods whose answers may be that long. */
const pageMethods: ReadonlySet<string> = new Set([
  "bss.v1.GovernanceService/GetProposal",
  "bss.v1.GovernanceService/ListProposals",
  "bss.v1.QueryService/GetBlock",
  "bss.v1.QueryService/GetConsortium",
  "bss.v1.QueryService/GetFork",
  "bss.v1.QueryService/GetRecord",
  "bss.v1.QueryService/GetRecordHistory",
  "bss.v1.QueryService/ListBlocks",
  "bss.v1.QueryService/ListRecords",
  "bss.v1.QueryService/ListStorageNodes",
]);

type HeldAnswerOptions = {
  readonly holdings: Holdings;
  readonly holding: Set<HeldAnswer>;
  readonly identity: Identity;
  readonly causer: string;
  readonly ends: ConnectionEnds;
  readonly onCrowded: (causer: string) => void;
};

export class HeldAnswer {
  readonly ends: ConnectionEnds;
  readonly identity: Identity;
  readonly causer: string;
  /** Sweeps since something was taken of it. */
  idleSweeps = 0;
  readonly #options: HeldAnswerOptions;
  #bytes = 0;
  #over = false;

  constructor(options: HeldAnswerOptions) {
    this.#options = options;
    this.ends = options.ends;
    this.identity = options.identity;
    this.causer = options.causer;
  }

  get isOver(): boolean {
    return this.#over;
  }

  /** Whether there is room for so many bytes; they are held until they are given back. */
  tryTake(bytes: number): boolean {
    if (this.#over) return true;
    return this.#take(bytes) === undefined;
  }

  /** @throws RpcError ANSWERS_UNREAD */
  take(bytes: number): void {
    const refusal = this.#over ? undefined : this.#take(bytes);
    if (refusal === undefined) return;
    const { holdings, causer } = this.#options;
    const message =
      refusal === "share"
        ? `${describeIdentity(this.identity)} has ${holdings.held(causer)} bytes of answers unread, ` +
          `and ${bytes} more would be too many: read them, or ask for less at a time`
        : "answers that others have not read yet take all the memory that is meant for them";
    throw new RpcError("ANSWERS_UNREAD", message, { metadata: { bytes: String(bytes) } });
  }

  giveBack(bytes: number): void {
    const given = Math.min(bytes, this.#bytes);
    this.#options.holdings.giveBack(this.causer, given);
    this.#bytes -= given;
    this.idleSweeps = 0;
    if (this.#bytes === 0) this.#options.holding.delete(this);
  }

  /** The call is over: nothing is held for it any more. */
  close(): void {
    this.#over = true;
    this.giveBack(this.#bytes);
  }

  #take(bytes: number): "share" | "total" | undefined {
    const { holdings, holding, onCrowded } = this.#options;
    let refusal = holdings.take(this.causer, bytes);
    if (refusal === "total") {
      const most = holdings.most();
      if (most !== undefined && most.held > holdings.held(this.causer) + bytes) {
        // What is cut gives its bytes back when its calls have ended, soon but not at once.
        onCrowded(most.causer);
        refusal = holdings.take(this.causer, bytes);
      }
    }
    if (refusal !== undefined) return refusal;
    if (this.#bytes === 0) this.idleSweeps = 0;
    this.#bytes += bytes;
    if (bytes > 0) holding.add(this);
    return undefined;
  }
}

function groupOf({ role }: Identity): AnswerGroup {
  if (role === "manager") return "managers";
  return role === "storage" ? "storageNodes" : "clients";
}

/** Anybody whom an authority certifies may hold an invitation: all of them are one. */
function causerOf({ role, id }: Identity): string {
  return role === "invited" ? role : `${role}/${id}`;
}
