/**
 * Both ends of BroadcastService.Broadcast: what this manager took in goes to all others, their
 * verdicts and objections come back, and the other way round.
 */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type {
  BroadcastRequest,
  BroadcastRequestSchema,
  BroadcastResponse,
  BroadcastResponseSchema,
  SignedObjections,
  Verdict,
} from "../../gen/bss/v1/broadcast_pb.js";
import type { Submission } from "../../gen/bss/v1/record_pb.js";
import type { ParsedRecord } from "../../ledger/records/records.js";
import type { ParsedSubmission } from "../../ledger/records/submissions.js";
import type { DropReason } from "../../metrics/label-values.js";
import type { CallContext, ServerStream } from "../../rpc/server/handlers.js";

type Request = MessageInitShape<typeof BroadcastRequestSchema>;

/** The streams that this manager dialled. */
export type BroadcastLinks = {
  readonly peerIds: readonly string[];
  /** Queues a message; false when it was dropped. */
  sendBroadcast(peerId: string, message: Request): boolean;
};

/** `leftOut`: indexes of the records that are not relayed (`leftOutOf`). */
export type OwnSubmission = {
  readonly submission: Submission;
  readonly leftOut: readonly number[];
};

export type BroadcastExchangePorts = {
  readonly links: () => BroadcastLinks;
  /** A relayed submission; what this manager objects to in it. */
  readonly takeRelayed: (
    from: string,
    submission: Submission,
    leftOut: readonly number[],
  ) => Promise<SignedObjections | undefined>;
  readonly takeVerdict: (from: string, submissionId: Uint8Array) => void;
  readonly takeObjections: (from: string, objections: SignedObjections) => Promise<void>;
  /** What this manager has taken in and not seen settled. */
  readonly own: () => readonly OwnSubmission[];
  readonly onDropped: (from: string, what: DropReason) => void;
};

const verdictsPerMessageMax = 1_000;
/** Relayed submissions of one manager that are looked at, or wait for it, at a time. */
const relaysMax = 128;
/** The same in bytes of their records; one that is longer is looked at by itself. */
const relayBytesMax = 8 * 2 ** 20;
const hashBytes = 32;

export class BroadcastExchange {
  readonly #ports: BroadcastExchangePorts;

  constructor(ports: BroadcastExchangePorts) {
    this.#ports = ports;
  }

  /** `to` everybody when left out. */
  relay(own: OwnSubmission, to: readonly string[] = this.#ports.links().peerIds): void {
    const links = this.#ports.links();
    for (const peerId of to) links.sendBroadcast(peerId, requestOf(own));
  }

  sendVerdict(submissionId: Uint8Array): void {
    this.#sendAll({ message: { case: "verdict", value: { submissionIds: [submissionId] } } });
  }

  sendObjections(value: SignedObjections): void {
    this.#sendAll({ message: { case: "objections", value } });
  }

  /** A peer may have restarted with an empty pool: it gets again what is still open here. */
  onConnected(peerId: string): void {
    const links = this.#ports.links();
    for (const own of this.#ports.own()) links.sendBroadcast(peerId, requestOf(own));
  }

  /** A message on a stream that this manager dialled. */
  async onResponse(from: string, { message }: BroadcastResponse): Promise<void> {
    if (message.case === "verdict") this.#takeVerdict(from, message.value);
    if (message.case === "objections") await this.#ports.takeObjections(from, message.value);
  }

  /**
   * The handler of BroadcastService.Broadcast. Submissions are looked at as their submitters' turns
   * come, so that what waits for one holds up neither another nor what is said between managers.
   */
  async serve(
    context: CallContext,
    stream: ServerStream<BroadcastRequest, MessageInitShape<typeof BroadcastResponseSchema>>,
  ): Promise<void> {
    const from = context.identity.id;
    const relays = new Relays();
    for await (const { message, leftOut } of stream.messages) {
      if (message.case === "verdict") this.#takeVerdict(from, message.value);
      if (message.case === "objections") await this.#ports.takeObjections(from, message.value);
      if (message.case !== "submission") continue;
      const { value: submission } = message;
      await relays.start(recordBytesOf(submission), async () => {
        const value = await this.#ports.takeRelayed(from, submission, leftOut);
        if (value !== undefined) await stream.write({ message: { case: "objections", value } });
      });
    }
    await relays.settled();
  }

  #takeVerdict(from: string, { submissionIds }: Verdict): void {
    if (submissionIds.length > verdictsPerMessageMax) {
      this.#ports.onDropped(from, "TOO_MANY_VERDICTS");
      return;
    }
    for (const id of submissionIds) {
      if (id.length === hashBytes) this.#ports.takeVerdict(from, id);
    }
  }

  #sendAll(request: Request): void {
    const links = this.#ports.links();
    for (const peerId of links.peerIds) links.sendBroadcast(peerId, request);
  }
}

function requestOf({ submission: value, leftOut }: OwnSubmission): Request {
  return { message: { case: "submission", value }, leftOut: [...leftOut] };
}

function recordBytesOf({ records }: Submission): number {
  return records.reduce((sum, { length }) => sum + length, 0);
}

/** What one stream has brought and is not looked at yet: bounded, so the stream waits for it. */
class Relays {
  readonly #running = new Set<Promise<void>>();
  #byteCount = 0;
  #fault: { readonly error: unknown } | undefined;

  /** Resolves when the next one may come. */
  async start(byteCount: number, look: () => Promise<void>): Promise<void> {
    while (this.#running.size > 0 && !this.#hasRoomFor(byteCount)) {
      await Promise.race(this.#running);
    }
    if (this.#fault !== undefined) throw this.#fault.error;
    this.#byteCount += byteCount;
    const work = look()
      .catch((error: unknown) => {
        this.#fault ??= { error };
      })
      .finally(() => {
        this.#byteCount -= byteCount;
        this.#running.delete(work);
      });
    this.#running.add(work);
  }

  async settled(): Promise<void> {
    await Promise.all(this.#running);
    if (this.#fault !== undefined) throw this.#fault.error;
  }

  #hasRoomFor(byteCount: number): boolean {
    return this.#running.size < relaysMax && this.#byteCount + byteCount <= relayBytesMax;
  }
}

/**
 * Which records of a submission are not relayed, as ascending indexes: those that are not among
 * `open` (hashes in hex), because their sender has refused them or they are on the ledger. Others
 * need not look at them, so a refused record costs one manager and not all. If a manager leaves out
 * too much and is the first to relay a submission, the submitter's next manager relays the rest.
 */
export function leftOutOf(
  { records }: Pick<ParsedSubmission, "records">,
  open: Pick<ReadonlySet<string>, "has">,
): readonly number[] {
  return [...records.keys()].filter((index) => !open.has(records[index]?.hashHex ?? ""));
}

/** Of records, in hex. */
export function hashesOf(records: readonly ParsedRecord[]): ReadonlySet<string> {
  return new Set(records.map(({ hashHex }) => hashHex));
}

/** The submission with only those records that are not left out. */
export function openPart(
  submission: ParsedSubmission,
  leftOut: readonly number[],
): ParsedSubmission {
  if (leftOut.length === 0) return submission;
  const out = new Set(leftOut);
  return { ...submission, records: submission.records.filter((_, index) => !out.has(index)) };
}
