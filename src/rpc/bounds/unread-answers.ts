/**
 * An account of the answers that a server holds until their callers take them: for each caller, and
 * in total for each of three groups, so that clients cannot take up the memory that managers need.
 * It counts encoded bytes, from before they are handed to HTTP/2 until the system has taken them.
 * In that time they are in memory about twice, the second time as TLS sends them.
 *
 * A slow reader loses its connection, and with it its streams, in `sweep` or `#makeRoom`:
 *
 * - its answers waited for `unreadSweeps`, and it took less than the least rate makes in that time;
 * - it took nothing for `stillSweepsMax`, and others wait for its place or need the room;
 * - it holds more than `timesAsMuch` what another caller would hold, who needs the room.
 */
import { Holdings } from "../../base/holdings.js";
import { RpcError } from "../rpc-error.js";
import { causerOf, describeIdentity, type Identity } from "../tls/tls-identity.js";
import { AnswerTurns, type AnswerTurnsOptions, type Reading } from "./answer-turns.js";
import type { ConnectionEnds } from "./server-connections.js";
import type { AnswerGroup, AnswerLimits } from "./server-limits.js";

type UnreadAnswersOptions = AnswerTurnsOptions & {
  readonly limits: AnswerLimits;
  /**
   * Sweeps after which an answer counts as unread if its connection took less than the least rate.
   */
  readonly unreadSweeps: number;
  /** Bytes that the system has taken for a connection since it began. */
  readonly sentOver: (ends: ConnectionEnds) => number;
  /** The caller takes too little, or holds what another one needs. */
  readonly onUnread: (ends: ConnectionEnds) => void;
};

/** The answers of a caller that took nothing for this long give way to those of others. */
const stillSweepsMax = 10;
/** A caller that holds more than this many times what another one would hold gives way to it. */
const timesAsMuch = 4;

export class UnreadAnswers {
  readonly #options: UnreadAnswersOptions;
  readonly #groups: Readonly<Record<AnswerGroup, Holdings>>;
  readonly #turns: AnswerTurns;
  /** Answers that hold bytes. */
  readonly #holding = new Set<UnreadAnswer>();

  constructor(options: UnreadAnswersOptions) {
    const { limits } = options;
    this.#options = options;
    this.#turns = new AnswerTurns(options);
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

  /** Opens the account of one call's answers. `signal` aborts when the call is over. */
  open(identity: Identity, ends: ConnectionEnds, signal: AbortSignal): UnreadAnswer {
    const group = groupOf(identity);
    const answer = new UnreadAnswer({
      holdings: this.#groups[group],
      holding: this.#holding,
      identity,
      ends,
      causer: causerOf(identity),
      sentOver: () => this.#options.sentOver(ends),
      makeRoom: (causer, bytes) => this.#makeRoom(group, causer, bytes),
    });
    if (signal.aborted) answer.close();
    else signal.addEventListener("abort", () => answer.close(), { once: true });
    return answer;
  }

  /**
   * Makes the answer to a unary call, and counts its bytes until the call is over. A page of a
   * listing is read only when it is the caller's turn and there is room for the longest page.
   *
   * @throws RpcError ANSWERS_UNREAD, CANCELLED, and what `encode` throws
   */
  async make(answer: UnreadAnswer, method: string, encode: () => Promise<Buffer>): Promise<Buffer> {
    if (!pageMethods.has(method)) {
      const bytes = await encode();
      answer.take(bytes.length);
      return bytes;
    }
    return this.#turns.page(groupOf(answer.identity), answer.causer, async () => {
      if (answer.isOver) throw new RpcError("CANCELLED", "the caller has gone");
      answer.take(pageBytesMax);
      const bytes = await encode();
      if (bytes.length > pageBytesMax) answer.take(bytes.length - pageBytesMax);
      else answer.giveBack(pageBytesMax - bytes.length);
      return bytes;
    });
  }

  /**
   * Makes and sends a long answer when it is the caller's turn; `send` resolves when the caller has
   * taken it, and does the reading by `read`.
   */
  inTurn<T>(answer: UnreadAnswer, send: (read: Reading) => Promise<T>): Promise<T> {
    return this.#turns.long(groupOf(answer.identity), answer.causer, send);
  }

  /** To be called every second. */
  sweep(): void {
    const { unreadSweeps, limits, onUnread } = this.#options;
    const leastBytes = limits.bytesPerSecondMin * unreadSweeps;
    for (const answer of [...this.#holding]) {
      answer.sweep(unreadSweeps, leastBytes);
      const { idleSweeps, stillSweeps } = answer;
      const isCrowded = this.#turns.isCrowded(groupOf(answer.identity));
      if (idleSweeps >= unreadSweeps || (isCrowded && stillSweeps >= stillSweepsMax)) {
        onUnread(answer.ends);
      }
    }
  }

  /**
   * Cuts the callers that take nothing, or else the one that holds far more than this one would.
   */
  #makeRoom(group: AnswerGroup, causer: string, bytes: number): boolean {
    const holdings = this.#groups[group];
    const isOthers = (answer: UnreadAnswer) =>
      groupOf(answer.identity) === group && answer.causer !== causer;
    const others = [...this.#holding].filter(isOthers);
    let given = others.filter(({ stillSweeps }) => stillSweeps >= stillSweepsMax);
    if (given.length === 0) {
      const most = holdings.most();
      const own = holdings.held(causer) + bytes;
      if (most === undefined || most.held <= timesAsMuch * own) return false;
      given = others.filter((answer) => answer.causer === most.causer);
    }
    for (const { ends } of given) this.#options.onUnread(ends);
    return true;
  }
}

/** The longest page of a listing: what every gRPC client takes by default. */
const pageBytesMax = 4 * 1024 * 1024;

/** Methods whose answers can be that long. */
const pageMethods: ReadonlySet<string> = new Set([
  "bss.v1.GovernanceService/GetProposal",
  "bss.v1.GovernanceService/ListProposals",
  "bss.v1.QueryService/GetBlock",
  "bss.v1.QueryService/GetConsortium",
  "bss.v1.QueryService/GetFork",
  "bss.v1.QueryService/GetRecord",
  "bss.v1.QueryService/GetRecordHistory",
  "bss.v1.QueryService/GetSettlement",
  "bss.v1.QueryService/ListBlocks",
  "bss.v1.QueryService/ListRecords",
  "bss.v1.QueryService/ListStorageNodes",
]);

type UnreadAnswerOptions = {
  readonly holdings: Holdings;
  readonly holding: Set<UnreadAnswer>;
  readonly identity: Identity;
  readonly causer: string;
  readonly ends: ConnectionEnds;
  readonly sentOver: () => number;
  readonly makeRoom: (causer: string, bytes: number) => boolean;
};

export class UnreadAnswer {
  readonly ends: ConnectionEnds;
  readonly identity: Identity;
  readonly causer: string;
  /** Sweeps since a message was taken whole, or its connection took enough in one period. */
  idleSweeps = 0;
  /** Sweeps since its connection took anything. */
  stillSweeps = 0;
  /** What the connection had taken when the idle sweeps began, and at the last sweep. */
  #sentBefore = 0;
  #sentLately = 0;
  readonly #options: UnreadAnswerOptions;
  #bytes = 0;
  #over = false;

  constructor(options: UnreadAnswerOptions) {
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
    this.#goOn();
    if (this.#bytes === 0) this.#options.holding.delete(this);
  }

  /** To be called every second while it holds something. */
  sweep(unreadSweeps: number, leastBytes: number): void {
    const sent = this.#options.sentOver();
    this.idleSweeps += 1;
    this.stillSweeps = sent > this.#sentLately ? 0 : this.stillSweeps + 1;
    this.#sentLately = sent;
    if (this.idleSweeps < unreadSweeps || sent - this.#sentBefore < leastBytes) return;
    this.idleSweeps = 0;
    this.#sentBefore = sent;
  }

  /** The call is over, and holds nothing any more. */
  close(): void {
    this.#over = true;
    this.giveBack(this.#bytes);
  }

  #take(bytes: number): "share" | "total" | undefined {
    const { holdings, holding, makeRoom } = this.#options;
    let refusal = holdings.take(this.causer, bytes);
    // A caller that is cut gives its bytes back when its calls end, which is soon but not at once.
    if (refusal === "total" && makeRoom(this.causer, bytes)) {
      refusal = holdings.take(this.causer, bytes);
    }
    if (refusal !== undefined) return refusal;
    if (this.#bytes === 0) this.#goOn();
    this.#bytes += bytes;
    if (bytes > 0) holding.add(this);
    return undefined;
  }

  /** From now on it is counted anew for how long nothing is taken. */
  #goOn(): void {
    this.idleSweeps = 0;
    this.stillSweeps = 0;
    this.#sentBefore = this.#options.sentOver();
    this.#sentLately = this.#sentBefore;
  }
}

function groupOf({ role }: Identity): AnswerGroup {
  if (role === "manager") return "managers";
  return role === "storage" ? "storageNodes" : "clients";
}
