/** What this manager says to the others, on the VoteService streams that it has dialled. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { Outgoing } from "../../consensus/ring/events.js";
import type { ManagerBlock } from "../../gen/bss/v1/block_pb.js";
import { type VoteRequest, VoteRequestSchema } from "../../gen/bss/v1/vote_pb.js";

import { compactOf } from "../../ledger/blocks/compact-blocks.js";

type Request = MessageInitShape<typeof VoteRequestSchema>;

/** The streams that this manager has dialled. */
export type VoteLinks = {
  readonly peerIds: readonly string[];
  isConnected(peerId: string): boolean;
  /** Queues a message; false when it was dropped. */
  sendVote(peerId: string, message: Request): boolean;
};

type EntriesWanted = {
  readonly height: number;
  readonly blockId: Uint8Array;
  /** Places among the block's private entries. */
  readonly entries: readonly number[];
};

export class PeerSender {
  readonly #links: () => VoteLinks;

  constructor(links: () => VoteLinks) {
    this.#links = links;
  }

  /** Every other manager. */
  get peerIds(): readonly string[] {
    return this.#links().peerIds;
  }

  /** Sends something signed to every other manager. */
  send(message: Outgoing, body?: ManagerBlock): void {
    this.#sendAll(create(VoteRequestSchema, { message: wireMessage(message, body) }));
  }

  /** Says something besides the rounds, to one manager or to every other one. */
  tell(message: VoteRequest["message"], to?: string): void {
    const request = create(VoteRequestSchema, { message });
    if (to === undefined) this.#sendAll(request);
    else this.#links().sendVote(to, request);
  }

  /**
   * Asks those who hold a candidate for its body, or every other manager if no holder is known. The
   * answers come to `PeerReceiver`.
   */
  fetchBody(holders: readonly string[], height: number, blockId: Uint8Array): void {
    const value = { height: BigInt(height), blockId };
    const links = this.#links();
    for (const holder of holders.length > 0 ? holders : links.peerIds) {
      links.sendVote(holder, { message: { case: "fetchBody", value } });
    }
  }

  /** Asks the proposer of a compact block for some of its private entries. */
  fetchEntries(proposer: string, { height, blockId, entries }: EntriesWanted): void {
    const value = { height: BigInt(height), blockId, entries: [...entries] };
    this.#links().sendVote(proposer, { message: { case: "fetchEntries", value } });
  }

  /** Asks one peer for final blocks; false when there is no link to it. */
  fetchBlocks(peer: string, fromHeight: number, limit: number): boolean {
    const links = this.#links();
    if (!links.isConnected(peer)) return false;
    const value = { fromHeight: BigInt(fromHeight), limit };
    return links.sendVote(peer, { message: { case: "fetchBlocks", value } });
  }

  #sendAll(request: Request): void {
    const links = this.#links();
    for (const peerId of links.peerIds) links.sendVote(peerId, request);
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
      // The others have its submissions, or fetch what they lack.
      const compact = body && compactOf(body);
      const value = compact === undefined ? message.proposal : { ...message.proposal, compact };
      return { case: "proposal", value };
    }
  }
}
