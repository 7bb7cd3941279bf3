/** The parts by which managers watch each other: their heads, and forks of the chain. */
import { create } from "@bufbuild/protobuf";
import { defined } from "../base/assert.js";
import type { RingEvent } from "../consensus/events.js";
import {
  type ControlOperation,
  ControlOperationSchema,
  type Evidence,
} from "../gen/bss/v1/genesis_pb.js";
import type { ForkProof, ManagerBlocks, SignedHead } from "../gen/bss/v1/vote_pb.js";
import type { AppendedBlock } from "../store/manager-store.js";
import { carriedVotes } from "./carried-votes.js";
import { ForkWatch, forkMessage } from "./fork-watch.js";
import { HeadWatch, whatDiffers } from "./head-watch.js";
import { HeldHeads } from "./held-heads.js";
import type { SupervisionMessage } from "./inbound-votes.js";
import type { ManagerOptions, SharedPorts } from "./manager-options.js";
import type { PeerExchange } from "./peer-exchange.js";

export type SupervisionPorts = {
  readonly peers: () => Pick<PeerExchange, "tell" | "fetchBlocks">;
  readonly post: (event: RingEvent) => void;
  /** This manager signs nothing more. */
  readonly halt: (message: string) => void;
};

export class Supervision {
  readonly #options: ManagerOptions;
  readonly #ports: SupervisionPorts;
  readonly #held: HeldHeads;
  readonly #heads: HeadWatch;
  readonly #forks: ForkWatch;
  #proof: ForkProof | undefined;

  constructor(options: ManagerOptions, shared: SharedPorts, ports: SupervisionPorts) {
    this.#options = options;
    this.#ports = ports;
    const { store, observer } = options;
    const { offences } = store;
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
  }

  /** Takes up what a stop left behind; false when this manager must not go on. */
  async restore(): Promise<boolean> {
    const proof = await this.#options.store.offences.forkProof();
    if (proof !== undefined) this.#onFork(proof);
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
      case "fork":
        return this.#forks.take(from, message.value);
      default:
        return;
    }
  }

  /** Blocks that a peer sent; false when nobody here has asked for them. */
  takeBlocks(from: string, blocks: ManagerBlocks): Promise<boolean> {
    return this.#forks.takeAnswer(from, blocks);
  }

  /** What this manager puts into a block that it makes in `round`; `absent` are to be suspended. */
  control(_round: number, absent: readonly string[]): readonly ControlOperation[] {
    return absent.map((managerId) =>
      create(ControlOperationSchema, {
        operation: { case: "suspendManager", value: { managerId } },
      }),
    );
  }

  /** Takes evidence that this manager's ring has found. */
  async accuse(evidence: Evidence): Promise<void> {
    this.#options.observer.accused(evidence);
    await this.#options.store.offences.saveEvidence(evidence);
  }

  onAppended({ executed, block }: AppendedBlock): void {
    const votes = carriedVotes(defined(block.block, "a final block has its public part"));
    if (votes.length > 0) this.#ports.post({ kind: "seen", votes });
    this.#held.note(executed.head);
    this.#heads.onAppended(executed.facts.height);
  }

  /** A stream to a peer is up. */
  onPeerConnected(peer: string): void {
    if (this.#proof === undefined) return;
    this.#ports.peers().tell({ case: "fork", value: this.#proof }, peer);
  }

  #onFork(proof: ForkProof): void {
    this.#proof = proof;
    this.#ports.peers().tell({ case: "fork", value: proof });
    this.#ports.halt(forkMessage(proof));
  }
}
