/**
 * The parts by which managers watch each other: their heads, forks of the chain, evidence, and who
 * is suspended and back.
 */

import { create, fromBinary } from "@bufbuild/protobuf";
import { defined } from "../../base/assert.js";
import type { RingEvent } from "../../consensus/ring/events.js";
import { type Block, BlockCertificatesSchema } from "../../gen/bss/v1/block_pb.js";
import type { ControlOperation, Evidence, ResumeManager } from "../../gen/bss/v1/genesis_pb.js";
import {
  type ForkProof,
  type ManagerBlocks,
  type SignedHead,
  type Vote,
  VoteKind,
  VoteSchema,
} from "../../gen/bss/v1/vote_pb.js";
import type { BuiltBlock } from "../../ledger/blocks/block-building.js";
import type { Members } from "../../ledger/members/members.js";
import type { AppendedBlock } from "../../store/manager-store.js";
import type { ManagerOptions, SharedPorts } from "../manager-options.js";
import { fitsNow } from "../operations/operation-check.js";
import type { PeerExchange } from "../peers/peer-exchange.js";
import type { SupervisionMessage } from "../ring/inbound-votes.js";
import { ControlExchange } from "./control-exchange.js";
import { ControlPool } from "./control-pool.js";
import { ForkWatch, forkMessage } from "./fork-watch.js";
import { HeadWatch, HeldHeads, whatDiffers } from "./head-watch.js";
import { Resumption } from "./resumption.js";

export type SupervisionPorts = {
  readonly peers: () => Pick<PeerExchange, "tell" | "fetchBlocks">;
  readonly post: (event: RingEvent) => void;
  /** There is something for the next block. */
  readonly wake: () => void;
  /** The height that a peer has shown. */
  readonly heightOf: (peer: string) => number;
  /** False while this manager accepts no blocks. */
  readonly takesPart: () => boolean;
  readonly sign: (digest: Uint8Array) => Promise<Uint8Array | undefined>;
  /** This manager signs nothing more. */
  readonly halt: (message: string) => void;
};

export class Supervision {
  readonly #options: ManagerOptions;
  readonly #ports: SupervisionPorts;
  readonly #held: HeldHeads;
  readonly #heads: HeadWatch;
  readonly #forks: ForkWatch;
  readonly #control: ControlPool;
  readonly #exchange: ControlExchange;
  readonly #resumption: Resumption;
  #proof: ForkProof | undefined;

  constructor(options: ManagerOptions, shared: SharedPorts, ports: SupervisionPorts) {
    this.#options = options;
    this.#ports = ports;
    const { store, observer } = options;
    const { offences } = store;
    const tell: PeerExchange["tell"] = (message, to) => ports.peers().tell(message, to);
    this.#held = new HeldHeads(store);
    this.#forks = new ForkWatch({
      ...shared,
      ownCommit: async (height) => (await store.certificatesAt(height))?.commit,
      request: (peer, height) => ports.peers().fetchBlocks(peer, height, 1),
      save: (proof) => offences.saveForkProof(proof),
      onProven: (proof) => this.#onFork(proof),
      onDropped: observer.dropped,
    });
    this.#heads = new HeadWatch({
      held: this.#held,
      quorum: () => shared.members().quorum,
      onOutvoted: ports.halt,
      onDiffering: (head, held) => {
        const height = Number(head.height);
        const what = whatDiffers(head, held);
        observer.headDiffers(head.managerId, height, what);
        if (what === "block") this.#forks.ask(head.managerId, height);
      },
    });
    const fits = (operation: ControlOperation) => fitsNow(operation, shared);
    this.#control = new ControlPool({ ...shared, fits }, store.head.height);
    this.#exchange = new ControlExchange({
      ...shared,
      ...ports,
      offences,
      tell,
      pool: this.#control,
      onDropped: observer.dropped,
      onAccused: observer.accused,
    });
    this.#resumption = new Resumption({
      ...shared,
      ...ports,
      tipHeight: () => this.#tipHeight(shared.members()),
      send: (value: ResumeManager) => tell({ case: "resume", value }),
    });
  }

  /** Takes up what a stop left behind; false when this manager must not go on. */
  async restore(): Promise<boolean> {
    const { store, observer } = this.#options;
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
  takeHead(head: SignedHead): Promise<void> {
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
    return this.#control.callsForBlock();
  }

  /** What this manager puts into a block that it makes in `round`; `absent` are to be suspended. */
  operations(round: number, absent: readonly string[]): readonly ControlOperation[] {
    return this.#control.operations(round, absent);
  }

  onBuilt({ executed }: BuiltBlock): void {
    const { blockId, requiredAccepts, absences: suspended } = executed.facts;
    const { members } = this.#options.store.head;
    const resumed = requiredAccepts.filter((id) => members.manager(id)?.active === false);
    this.#control.onBuilt({ blockId, resumed, suspended });
  }

  /** Takes evidence that this manager's ring has found. */
  accuse(evidence: Evidence): Promise<void> {
    return this.#exchange.accuse(evidence);
  }

  /** Within the turn that wrote the block. */
  async onAppended({ executed, block }: AppendedBlock): Promise<void> {
    const { height, blockId } = executed.facts;
    const votes = carriedVotes(defined(block.block, "a final block has its public part"));
    if (votes.length > 0) this.#ports.post({ kind: "seen", votes });
    this.#held.note(executed.head);
    this.#heads.onAppended(height);
    this.#options.observer.standings(executed.head.members.managers, height);
    await this.#exchange.onAppended(height, blockId);
    this.#resumption.onAppended();
  }

  /** Says what is to be said again; after each block, and at intervals. */
  async tick(): Promise<void> {
    this.#exchange.tick();
    await this.#resumption.tick();
  }

  /** A stream to a peer is up. */
  onPeerConnected(peer: string): void {
    this.#exchange.onPeerConnected(peer);
    if (this.#proof === undefined) return;
    this.#ports.peers().tell({ case: "fork", value: this.#proof }, peer);
  }

  /** What more than f others have shown at least: so many may lie. */
  #tipHeight({ managers, faultsMax }: Members): number {
    const others = managers.filter(({ managerId }) => managerId !== this.#options.selfId);
    const heights = others.map(({ managerId }) => this.#ports.heightOf(managerId));
    return heights.sort((a, b) => b - a)[faultsMax] ?? 0;
  }

  #onFork(proof: ForkProof): void {
    this.#proof = proof;
    this.#ports.peers().tell({ case: "fork", value: proof });
    this.#ports.halt(forkMessage(proof));
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
