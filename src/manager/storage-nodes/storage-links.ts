/**
 * The links to storage nodes, by the VerifyIntegrityService streams that they have dialled, and
 * what this manager sends on them.
 *
 * A candidate goes to the members of its committee, a final block to every node. The bulk comes
 * from the node's home manager at once; the next manager in line sends it if the node has not been
 * heard of for a while. Only the public part of a block and its sealed records go down a link.
 */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { defined } from "../../base/assert.js";
import { toHex } from "../../base/bytes.js";
import { printable } from "../../base/printable.js";
import type { Timer } from "../../base/time.js";
import { serviceRank, standInMs } from "../../consensus/attestation/links.js";
import type { Task } from "../../consensus/ring/events.js";
import { type Block, CertifiedStorageBlockSchema } from "../../gen/bss/v1/block_pb.js";
import {
  type CommitBlockSchema,
  type HaltNotice,
  type StorageHead,
  VerifyCandidateSchema,
  type VerifyIntegrityRequest,
  VerifyIntegrityResponseSchema,
} from "../../gen/bss/v1/verify_integrity_pb.js";
import type { Attestation } from "../../gen/bss/v1/vote_pb.js";
import { blockToEncode, withList } from "../../ledger/blocks/long-lists.js";
import { buildApproval } from "../../ledger/certificates/certificate-builders.js";
import { timeoutsOf } from "../../ledger/policy.js";
import { RpcError } from "../../rpc/rpc-error.js";
import type { ServerStream } from "../../rpc/server/handlers.js";
import type { AppendedBlock, ManagerStore } from "../../store/manager-store.js";
import type { ManagerContext } from "../manager-context.js";
import type { ManagerObserver } from "../manager-observer.js";
import type { CandidateBlocks } from "../ring/candidate-blocks.js";
import { LinkTurns } from "./link-turns.js";

type Down = MessageInitShape<typeof VerifyIntegrityResponseSchema>;
type Stream = ServerStream<VerifyIntegrityRequest, Down>;

/** The stream to a connected node, and what it has said on it. */
export type StorageLink = {
  readonly nodeId: string;
  readonly stream: Stream;
  /** "host:port" of the connection that carries the stream. */
  readonly peerAddress: string;
  height: number;
  halted: boolean;
  /** When the node was last shown a final block. */
  shownAtMs: number;
  /** Ends the stream when another connection has taken its place; rejects with RpcError. */
  readonly takenOver: Promise<never>;
  readonly takeOver: () => void;
};

/**
 * A node that is behind is shown the head at most as often. In less, what it was shown may be on
 * its way still; and certificates are long, so that nobody gets them as often as he likes.
 */
export const shownApartMs = 5_000;
/** Characters that are kept of why a node has halted. */
const haltTextMax = 500;

type Context = Pick<ManagerContext, "selfId" | "policy" | "members" | "time"> & {
  readonly store: Pick<ManagerStore, "head" | "headCertificates">;
  readonly observer: Pick<
    ManagerObserver,
    "dropped" | "storageDoubled" | "storageHalted" | "storageLinks"
  >;
};

export class StorageLinks {
  readonly #context: Context;
  readonly #candidates: Pick<CandidateBlocks, "get">;
  /** How long each manager in line waits for the ones before it. */
  readonly #standInMs: number;
  readonly #links = new Map<string, StorageLink>();
  readonly #turns: LinkTurns;
  /**
   * Nodes that have attested the candidate "round/block", so that nobody sends it to them again.
   */
  #attested = new Map<string, Set<string>>();
  readonly #timers = new Set<Timer>();
  /** Why nodes take part no more, as they said; until they attest again. */
  readonly #halts = new Map<string, string>();

  constructor(context: Context, candidates: Pick<CandidateBlocks, "get">) {
    this.#context = context;
    this.#candidates = candidates;
    this.#turns = new LinkTurns(context.time.monotonicMs);
    this.#standInMs = standInMs(timeoutsOf(context.policy));
  }

  get connectedIds(): readonly string[] {
    return [...this.#links.keys()];
  }

  heightOf(nodeId: string): number {
    return this.#links.get(nodeId)?.height ?? 0;
  }

  /**
   * A node has dialled; the stream takes the place of an earlier one. A connection that is cut may
   * seem alive for minutes, and its node must not wait for that.
   */
  open(nodeId: string, stream: Stream, peerAddress: string): StorageLink {
    const link = linkOf(nodeId, stream, peerAddress);
    const former = this.#links.get(nodeId);
    if (former !== undefined) this.#takeOver(former, link);
    this.#links.set(nodeId, link);
    this.#context.observer.storageLinks(this.#links.size);
    return link;
  }

  #takeOver(former: StorageLink, { nodeId, peerAddress: latter }: StorageLink): void {
    if (former.peerAddress === latter) {
      // The node has given up the former stream itself.
      former.stream.end();
      return;
    }
    former.takeOver();
    const addresses = { former: former.peerAddress, latter };
    const doubled = this.#turns.takenOver(nodeId, addresses);
    if (doubled === undefined) return;
    this.#context.observer.storageDoubled(nodeId, Object.values(addresses), doubled.isToTell);
  }

  /** The stream of a link has ended. */
  closed(link: StorageLink): void {
    if (this.#links.get(link.nodeId) === link) this.#links.delete(link.nodeId);
    this.#context.observer.storageLinks(this.#links.size);
  }

  /** Where a node stands. One that is behind is shown the head, and fetches what it lacks. */
  takeHead(link: StorageLink, head: StorageHead): void {
    const reported = Number(head.height);
    link.height = Number.isSafeInteger(reported) ? reported : 0;
    const { store, time } = this.#context;
    const certificates = store.headCertificates;
    if (link.height >= store.head.height || certificates === undefined) return;
    if (time.monotonicMs() - link.shownAtMs < shownApartMs) return;
    this.#showFinal(link, commitMessage({ certificates }));
  }

  takeHalt(link: StorageLink, { height, text }: HaltNotice): void {
    if (link.halted) return;
    link.halted = true;
    // It goes on to the log, to GetStatus, and to whoever reads these.
    const kept = printable(text.slice(0, haltTextMax));
    this.#halts.set(link.nodeId, kept);
    this.#context.observer.storageHalted(link.nodeId, Number(height), kept);
  }

  /**
   * A node has attested a candidate, so nobody has to send it again, nor the block before it, which
   * the node holds.
   */
  noteAttested(nodeId: string, { height, round, blockId }: Attestation): void {
    this.#halts.delete(nodeId);
    const link = this.#links.get(nodeId);
    const held = Number(height) - 1;
    if (link !== undefined && Number.isSafeInteger(held) && held > link.height) link.height = held;
    this.#attested.get(`${round}/${toHex(blockId)}`)?.add(nodeId);
  }

  /** Why a node takes part no more, as it told this manager; undefined unless it did. */
  haltOf(nodeId: string): string | undefined {
    return this.#halts.get(nodeId);
  }

  /** Asks the members of a committee to attest. */
  verify(task: Task & { kind: "verify-integrity" }): void {
    const candidate = this.#candidates.get(task.blockId);
    if (candidate?.executed === undefined) return;
    const place = `${task.round}/${toHex(task.blockId)}`;
    const attested = this.#attested.get(place) ?? new Set<string>();
    this.#attested.set(place, attested);
    const { block, executed } = candidate;
    const approval = buildApproval(task.accepts);
    const bare = { round: task.round, block: publicPart(block.block), approval };
    const bareMessage = create(VerifyCandidateSchema, bare);
    const value = withList(VerifyCandidateSchema, bareMessage, "sealedRecords", executed.sealed);
    const down = create(VerifyIntegrityResponseSchema, { message: { case: "verify", value } });
    for (const nodeId of task.committee) {
      this.#inLine(nodeId, task.height, () => {
        if (attested.has(nodeId) || this.#context.store.head.height >= task.height) return;
        const link = this.#links.get(nodeId);
        if (link !== undefined) this.#offer(link, down);
      });
    }
  }

  /** Tells every node that a block is final, unless more blocks follow at once. */
  onAppended({ block: { block }, executed, certificates }: AppendedBlock, more: boolean): void {
    if (more) return;
    const { height } = executed.facts;
    const holders = new Set<string>();
    for (const nodeIds of this.#attested.values()) for (const id of nodeIds) holders.add(id);
    this.#attested = new Map();
    const bare = create(CertifiedStorageBlockSchema, { block: publicPart(block) });
    const bulk = withList(CertifiedStorageBlockSchema, bare, "sealedRecords", executed.sealed);
    const whole = commitMessage({ certificates, block: bulk });
    const brief = commitMessage({ certificates });
    for (const nodeId of this.#links.keys()) {
      this.#inLine(nodeId, height, (rank) => {
        const link = this.#links.get(nodeId);
        if (link === undefined || link.height >= height) return;
        // A node that has attested has the block on disk; if it lacks it all the same, it asks.
        const needsBulk = rank === 0 && !holders.has(nodeId);
        this.#showFinal(link, needsBulk ? whole : brief);
      });
    }
  }

  close(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    for (const { stream } of this.#links.values()) stream.end();
  }

  /** Runs `send` when it is this manager's turn to serve the node at this height. */
  #inLine(nodeId: string, height: number, send: (rank: number) => void): void {
    const { selfId, members, time } = this.#context;
    const managerIds = members().managers.map(({ managerId }) => managerId);
    const rank = serviceRank(nodeId, height, managerIds, selfId);
    if (rank === 0) {
      send(rank);
      return;
    }
    const timer = time.after(rank * this.#standInMs, () => {
      this.#timers.delete(timer);
      send(rank);
    });
    this.#timers.add(timer);
  }

  #showFinal(link: StorageLink, message: Down): void {
    if (this.#offer(link, message)) link.shownAtMs = this.#context.time.monotonicMs();
  }

  #offer({ nodeId, stream }: StorageLink, message: Down): boolean {
    const taken = stream.offer(message);
    if (!taken) this.#context.observer.dropped(nodeId, "QUEUE_FULL");
    return taken;
  }
}

function linkOf(nodeId: string, stream: Stream, peerAddress: string): StorageLink {
  let takeOver = () => {};
  const takenOver = new Promise<never>((_, reject) => {
    takeOver = () => {
      const message = `another connection has taken the link of ${nodeId}`;
      reject(new RpcError("LINK_TAKEN_OVER", message));
    };
  });
  // Nobody may be listening any more.
  takenOver.catch(() => {});
  const shownAtMs = Number.NEGATIVE_INFINITY;
  return { nodeId, stream, peerAddress, height: 0, halted: false, shownAtMs, takenOver, takeOver };
}

/** Made once, so it is encoded once for all nodes. */
function commitMessage(value: MessageInitShape<typeof CommitBlockSchema>): Down {
  return create(VerifyIntegrityResponseSchema, { message: { case: "commit", value } });
}

/** As it is encoded. */
function publicPart(block: Block | undefined): Block {
  return blockToEncode(defined(block, "a candidate that was judged has its public part"));
}
