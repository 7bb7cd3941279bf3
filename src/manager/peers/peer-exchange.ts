/**
 * Both ends of VoteService: the streams that this manager dialled to the others, on which it
 * says what it has to say, and the streams that they dialled, on which it listens and
 * answers their fetches.
 */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { Outgoing } from "../../consensus/ring/events.js";
import type { ManagerBlock } from "../../gen/bss/v1/block_pb.js";
import {
  type CandidateBody,
  type FetchManagerBlocks,
  type ManagerBlocks,
  type VoteRequest,
  VoteRequestSchema,
  type VoteResponse,
  type VoteResponseSchema,
} from "../../gen/bss/v1/vote_pb.js";
import type { CallContext, ServerStream } from "../../rpc/server/handlers.js";
import type { CandidateBlocks } from "../ring/candidate-blocks.js";
import type { InboundVotes } from "../ring/inbound-votes.js";

type Request = MessageInitShape<typeof VoteRequestSchema>;

/** The streams that this manager dialled. */
export type VoteLinks = {
  readonly peerIds: readonly string[];
  isConnected(peerId: string): boolean;
  /** Queues a message; false when it was dropped. */
  sendVote(peerId: string, message: Request): boolean;
};

export type PeerExchangePorts = {
  readonly links: () => VoteLinks;
  readonly inbound: InboundVotes;
  readonly candidates: CandidateBlocks;
  readonly readBlocks: (fromHeight: number, limit: number) => Promise<ManagerBlocks>;
  readonly onBody: (from: string, body: CandidateBody) => Promise<void>;
  readonly onBlocks: (from: string, blocks: ManagerBlocks) => Promise<void>;
};

const blocksPerAnswerMax = 100;

export class PeerExchange {
  readonly #ports: PeerExchangePorts;

  constructor(ports: PeerExchangePorts) {
    this.#ports = ports;
  }

  /** Sends something signed to every other manager. */
  send(message: Outgoing, body?: ManagerBlock): void {
    this.#sendAll(create(VoteRequestSchema, { message: wireMessage(message, body) }));
  }

  /** Says something besides the rounds, to one manager or to every other one. */
  tell(message: VoteRequest["message"], to?: string): void {
    const request = create(VoteRequestSchema, { message });
    if (to === undefined) this.#sendAll(request);
    else this.#ports.links().sendVote(to, request);
  }

  /**
   * Asks those who hold a candidate for its body, or everybody when nobody is known to; the answers
   * come through `onBody`.
   */
  fetchBody(holders: readonly string[], height: number, blockId: Uint8Array): void {
    const value = { height: BigInt(height), blockId };
    const links = this.#ports.links();
    for (const holder of holders.length > 0 ? holders : links.peerIds) {
      links.sendVote(holder, { message: { case: "fetchBody", value } });
    }
  }

  /** Asks one peer for final blocks; false when there is no link to it. */
  fetchBlocks(peer: string, fromHeight: number, limit: number): boolean {
    const links = this.#ports.links();
    if (!links.isConnected(peer)) return false;
    const value = { fromHeight: BigInt(fromHeight), limit };
    return links.sendVote(peer, { message: { case: "fetchBlocks", value } });
  }

  /** A message on a stream that this manager dialled. */
  async onResponse(from: string, { message }: VoteResponse): Promise<void> {
    if (message.case === "body") await this.#ports.onBody(from, message.value);
    if (message.case === "blocks") await this.#ports.onBlocks(from, message.value);
  }

  /** The handler of VoteService.Vote. */
  async serve(
    context: CallContext,
    stream: ServerStream<VoteRequest, MessageInitShape<typeof VoteResponseSchema>>,
  ): Promise<void> {
    const from = context.identity.id;
    for await (const { message } of stream.messages) {
      switch (message.case) {
        case undefined:
          break;
        case "fetchBody": {
          const candidate = this.#ports.candidates.get(message.value.blockId);
          if (candidate === undefined) break;
          await stream.write({ message: { case: "body", value: { block: candidate.block } } });
          break;
        }
        case "fetchBlocks": {
          const fetch = message.value;
          await stream.writeInTurn(async () => {
            const value = await this.#blocks(fetch);
            return { message: { case: "blocks", value } };
          });
          break;
        }
        default:
          await this.#ports.inbound.take(from, message);
      }
    }
  }

  #sendAll(request: Request): void {
    const links = this.#ports.links();
    for (const peerId of links.peerIds) links.sendVote(peerId, request);
  }

  #blocks({ fromHeight, limit }: FetchManagerBlocks): Promise<ManagerBlocks> {
    const from = fromHeight > BigInt(Number.MAX_SAFE_INTEGER) ? 0 : Number(fromHeight);
    return this.#ports.readBlocks(from, Math.min(Math.max(1, limit), blocksPerAnswerMax));
  }
}

function wireMessage(message: Outgoing, body?: ManagerBlock): VoteRequest["message"] {
  switch (message.kind) {
    case "vote":
      return { case: "vote", value: message.vote };
    case "attestation":
      return { case: "attestation", value: message.attestation };
    case "lock-certificate":
      return { case: "lockCertificate", value: message.certificate };
    case "proposal": {
      const value = body === undefined ? message.proposal : { ...message.proposal, block: body };
      return { case: "proposal", value };
    }
  }
}
