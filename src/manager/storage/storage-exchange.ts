/**
 * A manager's end of VerifyIntegrityService: the streams that storage nodes have dialled.
 *
 * A candidate goes to the members of its committee, a final block to every node. The bulk comes
 * from the node's home manager at once; the next in line sends it when the node has not been heard
 * of for a while. Only the public part of a block and its sealed records go down a link.
 */

import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { defined } from "../../base/assert.js";
import { toHex } from "../../base/bytes.js";
import { printable } from "../../base/printable.js";
import type { Time, Timer } from "../../base/time.js";
import { serviceRank } from "../../consensus/public/links.js";
import type { Task } from "../../consensus/ring/events.js";
import type { BlockCertificates } from "../../gen/bss/v1/block_pb.js";
import type { ReturnStorageNode } from "../../gen/bss/v1/genesis_pb.js";
import {
  type CommitBlockSchema,
  type FetchStorageBlocks,
  type HaltNotice,
  type StorageBlocks,
  type StorageHead,
  type VerifyIntegrityRequest,
  VerifyIntegrityResponseSchema,
} from "../../gen/bss/v1/verify_integrity_pb.js";
import type { Attestation, ForkProof } from "../../gen/bss/v1/vote_pb.js";
import { buildApproval } from "../../ledger/certificates/certificate-builders.js";
import type { DropReason } from "../../metrics/label-values.js";
import type { CallContext, ServerStream } from "../../rpc/server/handlers.js";
import type { Candidate, CandidateBlocks } from "../ring/candidate-blocks.js";

const blocksPerAnswerMax = 100;

type Down = MessageInitShape<typeof VerifyIntegrityResponseSchema>;
type Stream = ServerStream<VerifyIntegrityRequest, Down>;

type Link = { readonly stream: Stream; height: number; halted: boolean };

/** Characters that are kept of why a node has halted. */
const haltTextMax = 500;

export type StorageExchangePorts = {
  readonly selfId: string;
  readonly managerIds: () => readonly string[];
  /** How long each manager in line waits for the ones before it. */
  readonly standInMs: number;
  readonly candidates: CandidateBlocks;
  readonly head: () => { readonly height: number; readonly certificates?: BlockCertificates };
  readonly readBlocks: (fromHeight: number, limit: number) => Promise<StorageBlocks>;
  readonly takeAttestation: (from: string, attestation: Attestation) => Promise<void>;
  /** The node says that it is back. */
  readonly takeReturn: (nodeId: string, statement: ReturnStorageNode) => Promise<void>;
  readonly takeFork: (nodeId: string, proof: ForkProof) => Promise<void>;
  /** The node takes part no more: said once on each link. */
  readonly onHalt: (nodeId: string, height: number, text: string) => void;
  readonly onDropped: (nodeId: string, what: DropReason) => void;
  readonly onLinks: (connected: number) => void;
  readonly after: Time["after"];
};

export class StorageExchange {
  readonly #ports: StorageExchangePorts;
  readonly #links = new Map<string, Link>();
  /**
   * Nodes that have attested the candidate "round/block", so that nobody sends it to them again.
   */
  #attested = new Map<string, Set<string>>();
  readonly #timers = new Set<Timer>();
  /** Why nodes take part no more, as they said; until they attest again. */
  readonly #halts = new Map<string, string>();

  constructor(ports: StorageExchangePorts) {
    this.#ports = ports;
  }

  get connectedIds(): readonly string[] {
    return [...this.#links.keys()];
  }

  heightOf(nodeId: string): number {
    return this.#links.get(nodeId)?.height ?? 0;
  }

  /** The handler of VerifyIntegrityService.VerifyIntegrity. */
  async serve(context: CallContext, stream: Stream): Promise<void> {
    const nodeId = context.identity.id;
    const link: Link = { stream, height: 0, halted: false };
    this.#links.get(nodeId)?.stream.end();
    this.#links.set(nodeId, link);
    this.#ports.onLinks(this.#links.size);
    try {
      for await (const { message } of stream.messages) {
        await this.#take(nodeId, link, message);
      }
    } finally {
      if (this.#links.get(nodeId) === link) this.#links.delete(nodeId);
      this.#ports.onLinks(this.#links.size);
    }
  }

  /** Why a node takes part no more, as it told this manager; undefined unless it did. */
  haltOf(nodeId: string): string | undefined {
    return this.#halts.get(nodeId);
  }

  /** Asks the members of a committee to attest. */
  verify(task: Task & { kind: "verify-integrity" }): void {
    const candidate = this.#ports.candidates.get(task.blockId);
    if (candidate?.executed === undefined) return;
    const place = `${task.round}/${toHex(task.blockId)}`;
    const attested = this.#attested.get(place) ?? new Set<string>();
    this.#attested.set(place, attested);
    const value = {
      round: task.round,
      block: publicBlock(candidate),
      sealedRecords: [...candidate.executed.sealed],
      approval: buildApproval(task.accepts),
    };
    const down = create(VerifyIntegrityResponseSchema, { message: { case: "verify", value } });
    for (const nodeId of task.committee) {
      this.#inLine(nodeId, task.height, () => {
        if (attested.has(nodeId) || this.#ports.head().height >= task.height) return;
        this.#offer(nodeId, down);
      });
    }
  }

  /** Tells every node that a block is final. */
  announce(candidate: Candidate, certificates: BlockCertificates): void {
    const { height } = candidate;
    const holders = new Set<string>();
    for (const nodeIds of this.#attested.values()) for (const id of nodeIds) holders.add(id);
    this.#attested = new Map();
    const block = {
      block: publicBlock(candidate),
      sealedRecords: [...(candidate.executed?.sealed ?? [])],
    };
    const whole = commitMessage({ certificates, block });
    const brief = commitMessage({ certificates });
    for (const nodeId of this.#links.keys()) {
      this.#inLine(nodeId, height, (rank) => {
        const link = this.#links.get(nodeId);
        if (link === undefined || link.height >= height) return;
        // Who has attested has the block on disk, and who lacks it after all asks for it.
        const bulk = rank === 0 && !holders.has(nodeId);
        this.#offer(nodeId, bulk ? whole : brief);
      });
    }
  }

  close(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    for (const { stream } of this.#links.values()) stream.end();
  }

  async #take(
    nodeId: string,
    link: Link,
    message: VerifyIntegrityRequest["message"],
  ): Promise<void> {
    switch (message.case) {
      case "head":
        return this.#takeHead(link, message.value);
      case "attestation":
        return this.#takeAttestation(nodeId, message.value);
      case "fetchBlocks": {
        const fetch = message.value;
        await link.stream.writeInTurn(async () => {
          const value = await this.#blocks(fetch);
          return { message: { case: "blocks", value } };
        });
        return;
      }
      case "returnNode":
        if (message.value.nodeId === nodeId) {
          return this.#ports.takeReturn(nodeId, message.value);
        }
        return this.#ports.onDropped(nodeId, "RETURN_OF_ANOTHER");
      case "fork":
        return this.#ports.takeFork(nodeId, message.value);
      case "halt":
        return this.#takeHalt(nodeId, link, message.value);
      default:
        return;
    }
  }

  #takeHalt(nodeId: string, link: Link, { height, text }: HaltNotice): void {
    if (link.halted) return;
    link.halted = true;
    // It goes on to the log, to GetStatus, and to whoever reads these.
    const kept = printable(text.slice(0, haltTextMax));
    this.#halts.set(nodeId, kept);
    this.#ports.onHalt(nodeId, Number(height), kept);
  }

  /** Where a node stands. One that is behind learns of the head, and fetches what it lacks. */
  #takeHead(link: Link, head: StorageHead): void {
    const reported = Number(head.height);
    const first = link.height === 0;
    link.height = Number.isSafeInteger(reported) ? reported : 0;
    const { height, certificates } = this.#ports.head();
    if (!first || link.height >= height || certificates === undefined) return;
    link.stream.offer({ message: { case: "commit", value: { certificates } } });
  }

  async #takeAttestation(nodeId: string, attestation: Attestation): Promise<void> {
    if (attestation.nodeId !== nodeId)
      return this.#ports.onDropped(nodeId, "ATTESTATION_OF_ANOTHER");
    this.#halts.delete(nodeId);
    const place = `${attestation.round}/${toHex(attestation.blockId)}`;
    this.#attested.get(place)?.add(nodeId);
    await this.#ports.takeAttestation(nodeId, attestation);
  }

  #blocks({ fromHeight, limit }: FetchStorageBlocks): Promise<StorageBlocks> {
    const from = fromHeight > BigInt(Number.MAX_SAFE_INTEGER) ? 0 : Number(fromHeight);
    return this.#ports.readBlocks(from, Math.min(Math.max(1, limit), blocksPerAnswerMax));
  }

  /** Runs `send` when it is this manager's turn to serve the node at this height. */
  #inLine(nodeId: string, height: number, send: (rank: number) => void): void {
    const rank = serviceRank(nodeId, height, this.#ports.managerIds(), this.#ports.selfId);
    if (rank === 0) {
      send(rank);
      return;
    }
    const timer = this.#ports.after(rank * this.#ports.standInMs, () => {
      this.#timers.delete(timer);
      send(rank);
    });
    this.#timers.add(timer);
  }

  #offer(nodeId: string, message: Down): void {
    const link = this.#links.get(nodeId);
    if (link !== undefined && !link.stream.offer(message)) {
      this.#ports.onDropped(nodeId, "QUEUE_FULL");
    }
  }
}

/** Made once, so it is encoded once for all nodes. */
function commitMessage(value: MessageInitShape<typeof CommitBlockSchema>): Down {
  return create(VerifyIntegrityResponseSchema, { message: { case: "commit", value } });
}

function publicBlock({ block }: Candidate) {
  return defined(block.block, "a candidate that was judged has its public part");
}
