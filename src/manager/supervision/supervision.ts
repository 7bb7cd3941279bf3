/**
 * The parts by which managers watch each other: their heads, forks of the chain, evidence, and who
 * is suspended and back. That a manager is absent is noticed by consensus/ring/absences.ts; its
 * suspension is proposed by suspension-pool.ts.
 */
import { create, fromBinary } from "@bufbuild/protobuf";
import { defined } from "../../base/assert.js";
import { type Block, BlockCertificatesSchema } from "../../gen/bss/v1/block_pb.js";
import type { ControlOperation, Evidence } from "../../gen/bss/v1/genesis_pb.js";
import {
  type ForkProof,
  type ManagerBlocks,
  type SignedHead,
  type Vote,
  VoteKind,
  type VoteRequest,
  VoteSchema,
} from "../../gen/bss/v1/vote_pb.js";
import type { BuiltBlock } from "../../ledger/blocks/block-building.js";
import type { AppendedBlock } from "../../store/manager-store.js";
import { type FailStop, RingHalted } from "../fail-stop.js";
import type { ManagerContext } from "../manager-context.js";
import { fitsNow } from "../operations/operation-check.js";
import type { PeerSender } from "../peers/peer-sender.js";
import type { Abstention } from "../ring/abstention.js";
import type { BlockTrigger } from "../ring/block-trigger.js";
import type { RingInbox } from "../ring/ring-inbox.js";
import type { StatementLog } from "../signing/statement-log.js";
import { ForkWatch, forkMessage } from "./fork-watch.js";
import { type HeadClaim, type HeadFit, HeadWatch, HeldHeads, whatDiffers } from "./head-watch.js";
import { Resumption } from "./resumption.js";
import { SuspensionExchange } from "./suspension-exchange.js";
import { SuspensionPool } from "./suspension-pool.js";

/** What managers say about each other. */
export type SupervisionMessage = Extract<
  VoteRequest["message"],
  { readonly case: "evidence" | "resume" | "fork" }
>;

export type SupervisionParts = {
  readonly peers: Pick<PeerSender, "tell" | "fetchBlocks">;
  readonly inbox: Pick<RingInbox, "post">;
  readonly trigger: Pick<BlockTrigger, "check">;
  readonly sync: { heightOf(peer: string): number };
  readonly abstention: Pick<Abstention, "listening">;
  readonly statements: Pick<StatementLog, "sign">;
  readonly failStop: Pick<FailStop, "fail">;
};

export class Supervision {
  readonly #context: ManagerContext;
  readonly #parts: SupervisionParts;
  readonly #held: HeldHeads;
  readonly #heads: HeadWatch;
  readonly #forks: ForkWatch;
  readonly #suspensions: SuspensionPool;
  readonly #exchange: SuspensionExchange;
  readonly #resumption: Resumption;
  #proof: ForkProof | undefined;

  constructor(context: ManagerContext, parts: SupervisionParts) {
    this.#context = context;
    this.#parts = parts;
    const { peers } = parts;
    this.#held = new HeldHeads(context.store);
    this.#forks = new ForkWatch(context, { peers, onProven: (proof) => this.#onFork(proof) });
    this.#heads = new HeadWatch({
      held: this.#held,
      quorum: () => context.members().quorum,
      onOutvoted: (message) => parts.failStop.fail(new RingHalted(message)),
      onDiffering: (head, held) => this.#onDiffering(head, held),
    });
    this.#suspensions = new SuspensionPool(context, (each) => fitsNow(each, context));
    const pool = this.#suspensions;
    this.#exchange = new SuspensionExchange(context, { ...parts, pool });
    this.#resumption = new Resumption(context, parts);
  }

  /** Takes up what a stop left behind; false when this manager must not go on. */
  async restore(): Promise<boolean> {
    const { store, observer } = this.#context;
    const proof = await store.offences.forkProof();
    if (proof !== undefined) this.#onFork(proof);
    await this.#exchange.restore();
    observer.suspended(store.head.members.managers);
    return proof === undefined;
  }

  /** Whether the signature of a head is worth verifying. */
  isNews(head: SignedHead): boolean {
    return this.#heads.isNews(head);
  }

  /** Takes a head whose signature has been verified. */
  takeHead(head: SignedHead): Promise<HeadFit> {
    return this.#heads.take(head);
  }

  /** Takes what is said on VoteService streams besides the rounds. */
  async take(from: string, message: SupervisionMessage): Promise<void> {
    switch (message.case) {
      case "evidence":
        return this.#exchange.takeEvidence(from, message.value);
      case "resume":
        return this.#exchange.takeResume(from, message.value);
      case "fork":
        return this.#forks.take(from, message.value);
    }
  }

  /** A proof of a fork, from whomever: a storage node may have seen it first. */
  takeFork(from: string, proof: ForkProof): Promise<void> {
    return this.#forks.take(from, proof);
  }

  /** The proof by which this manager has halted; undefined unless the chain forks. */
  get forkProof(): ForkProof | undefined {
    return this.#proof;
  }

  /** Blocks that a peer sent; false when nobody here has asked for them. */
  takeBlocks(from: string, blocks: ManagerBlocks): Promise<boolean> {
    return this.#forks.takeAnswer(from, blocks);
  }

  /** Whether a block should be made for an operation that waits; says so once in a while. */
  callsForBlock(): boolean {
    return this.#suspensions.callsForBlock();
  }

  /** What this manager puts into a block that it makes in `round`; `absent` are to be suspended. */
  operations(round: number, absent: readonly string[]): readonly ControlOperation[] {
    return this.#suspensions.operations(round, absent);
  }

  onBuilt({ executed }: BuiltBlock): void {
    this.#suspensions.onBuilt(executed.facts);
  }

  /** Takes evidence that this manager's ring has found. */
  accuse(evidence: Evidence): Promise<void> {
    return this.#exchange.accuse(evidence);
  }

  /** Within the turn that wrote the block. */
  async onAppended({ executed, block }: AppendedBlock): Promise<void> {
    const { height, blockId } = executed.facts;
    const votes = carriedVotes(defined(block.block, "a final block has its public part"));
    if (votes.length > 0) this.#parts.inbox.post({ kind: "seen", votes });
    this.#held.note(executed.head);
    this.#heads.onAppended(height);
    this.#context.observer.standings(executed.head.members.managers, height);
    await this.#exchange.onAppended(height, blockId);
    this.#resumption.onAppended();
  }

  /** Says again what is not on the chain; after each block, and at intervals. */
  tick(): void {
    this.#tick().catch((error) => this.#parts.failStop.fail(error));
  }

  async #tick(): Promise<void> {
    this.#exchange.tick();
    await this.#resumption.tick();
  }

  /** A stream to a peer is up. */
  onPeerConnected(peer: string): void {
    this.#exchange.onPeerConnected(peer);
    if (this.#proof === undefined) return;
    this.#parts.peers.tell({ case: "fork", value: this.#proof }, peer);
  }

  #onDiffering(head: SignedHead, held: HeadClaim): void {
    const height = Number(head.height);
    const what = whatDiffers(head, held);
    this.#context.observer.headDiffers(head.managerId, height, what);
    if (what === "block") this.#forks.ask(head.managerId, height);
  }

  #onFork(proof: ForkProof): void {
    this.#proof = proof;
    this.#parts.peers.tell({ case: "fork", value: proof });
    this.#parts.failStop.fail(new RingHalted(forkMessage(proof)));
  }
}

/**
 * The COMMITs that a block carries in the certificate of the block before it: this manager may have
 * seen others. ACCEPTs are left out, because they contradict nothing. `block` keeps the rules, so
 * its certificates decode and hold.
 */
function carriedVotes({ previousCertificates }: Block): readonly Vote[] {
  const { commit } = fromBinary(BlockCertificatesSchema, previousCertificates);
  if (commit === undefined) return [];
  const { height, round, blockId, signatures } = commit;
  const kind = VoteKind.COMMIT;
  return signatures.map(({ managerId, signature }) =>
    create(VoteSchema, { kind, height, round, validRound: -1, blockId, managerId, signature }),
  );
}
