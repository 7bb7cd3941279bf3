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
  Objection,
  Verdict,
} from "../gen/bss/v1/broadcast_pb.js";
import type { Submission } from "../gen/bss/v1/record_pb.js";
import type { DropReason } from "../metrics/label-values.js";
import type { CallContext, ServerStream } from "../rpc/handlers.js";

type Request = MessageInitShape<typeof BroadcastRequestSchema>;

/** The streams that this manager dialled. */
export type BroadcastLinks = {
  readonly peerIds: readonly string[];
  /** Queues a message; false when it was dropped. */
  sendBroadcast(peerId: string, message: Request): boolean;
};

export type BroadcastExchangePorts = {
  readonly links: () => BroadcastLinks;
  /** A relayed submission; what this manager objects to in it. */
  readonly takeRelayed: (from: string, submission: Submission) => Promise<readonly Objection[]>;
  readonly takeVerdict: (from: string, submissionId: Uint8Array) => void;
  readonly takeObjection: (from: string, objection: Objection) => Promise<void>;
  /** What this manager has taken in and not seen settled. */
  readonly own: () => readonly Submission[];
  readonly onDropped: (from: string, what: DropReason) => void;
};

const verdictsPerMessageMax = 1_000;
const hashBytes = 32;

export class BroadcastExchange {
  readonly #ports: BroadcastExchangePorts;

  constructor(ports: BroadcastExchangePorts) {
    this.#ports = ports;
  }

  relay(submission: Submission): void {
    this.#sendAll({ message: { case: "submission", value: submission } });
  }

  sendVerdict(submissionId: Uint8Array): void {
    this.#sendAll({ message: { case: "verdict", value: { submissionIds: [submissionId] } } });
  }

  /** Not one that could not be signed: the others would take it for a forgery. */
  sendObjection(objection: Objection): void {
    if (objection.signature.length === 0) return;
    this.#sendAll({ message: { case: "objection", value: objection } });
  }

  /** A peer may have restarted with an empty pool: it gets again what is still open here. */
  onConnected(peerId: string): void {
    const links = this.#ports.links();
    for (const value of this.#ports.own()) {
      links.sendBroadcast(peerId, { message: { case: "submission", value } });
    }
  }

  /** A message on a stream that this manager dialled. */
  async onResponse(from: string, { message }: BroadcastResponse): Promise<void> {
    if (message.case === "verdict") this.#takeVerdict(from, message.value);
    if (message.case === "objection") await this.#ports.takeObjection(from, message.value);
  }

  /** The handler of BroadcastService.Broadcast. */
  async serve(
    context: CallContext,
    stream: ServerStream<BroadcastRequest, MessageInitShape<typeof BroadcastResponseSchema>>,
  ): Promise<void> {
    const from = context.identity.id;
    for await (const { message } of stream.messages) {
      if (message.case === "verdict") this.#takeVerdict(from, message.value);
      if (message.case === "objection") await this.#ports.takeObjection(from, message.value);
      if (message.case !== "submission") continue;
      for (const value of await this.#ports.takeRelayed(from, message.value)) {
        if (value.signature.length === 0) continue;
        await stream.write({ message: { case: "objection", value } });
      }
    }
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
