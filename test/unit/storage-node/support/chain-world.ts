/**
 * A storage node's chain over a disk in memory, with a made-up managers' chain and messages that a
 * test sends by hand.
 */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { defined } from "../../../../src/base/assert.js";
import { SignatureCache } from "../../../../src/crypto/signature-cache.js";
import type { Policy } from "../../../../src/gen/bss/v1/genesis_pb.js";
import {
  type VerifyIntegrityRequest,
  VerifyIntegrityRequestSchema,
  VerifyIntegrityResponseSchema,
} from "../../../../src/gen/bss/v1/verify_integrity_pb.js";
import type { Attestation } from "../../../../src/gen/bss/v1/vote_pb.js";
import { drawCommittee } from "../../../../src/ledger/certificates/committee.js";
import type { ChainObserver } from "../../../../src/storage-node/chain/chain-ports.js";
import { StorageChain } from "../../../../src/storage-node/chain/storage-chain.js";
import { encodeHalt } from "../../../../src/storage-node/halting.js";
import { AttestationMark } from "../../../../src/store/double-sign-protection/attestation-mark.js";
import { StorageNodeStore } from "../../../../src/store/storage-node-store.js";
import { createMemoryDisk, type MemoryDisk } from "../../../support/memory-store.js";
import { type MadeBlock, StorageLedger } from "../../../support/storage-ledger.js";
import { genesis } from "../../ledger/support/consortium.js";
import { publicKeyOf, sign } from "../../ledger/support/records.js";

export type Down = MessageInitShape<typeof VerifyIntegrityResponseSchema>;
/** `to` is undefined for what all managers are told. */
export type Told = { readonly to: string | undefined; readonly request: VerifyIntegrityRequest };

type Marks = { readonly mark: AttestationMark; readonly disk: MemoryDisk };

export class ChainWorld {
  readonly ledger: StorageLedger;
  readonly disk: MemoryDisk;
  readonly nodeId: string;
  readonly told: Told[] = [];
  readonly dropped: string[] = [];
  readonly attested: string[] = [];
  readonly halts: string[] = [];
  readonly blamed: string[] = [];
  readonly doubts: string[] = [];
  repairing = false;
  checkpoint: { readonly height: number; readonly blockId: Uint8Array } | undefined;
  /** Outlives the store. */
  mark: AttestationMark;
  readonly markDisk: MemoryDisk;
  announced = 0;
  nowMs = 0;
  onTell: (told: Told) => void = () => {};
  onAnnounced: () => void = () => {};
  #store: StorageNodeStore | undefined;
  #chain: StorageChain | undefined;

  private constructor(nodeId: string, policy: Policy, marks: Marks) {
    this.nodeId = nodeId;
    this.mark = marks.mark;
    this.markDisk = marks.disk;
    this.disk = createMemoryDisk();
    this.ledger = new StorageLedger({ ...genesis, policy }, sign);
  }

  static async open(nodeId = "storage-1", policy = genesis.policy): Promise<ChainWorld> {
    const disk = createMemoryDisk();
    const mark = await AttestationMark.open(await disk.open(), publicKeyOf(nodeId));
    const world = new ChainWorld(nodeId, policy, { mark, disk });
    await world.start();
    return world;
  }

  get chain(): StorageChain {
    return defined(this.#chain, "the node runs");
  }

  get store(): StorageNodeStore {
    return defined(this.#store, "the node runs");
  }

  get height(): number {
    return this.store.head.height;
  }

  /** Starts the node on what its disk holds. */
  async start(): Promise<void> {
    this.#store = await StorageNodeStore.open(await this.disk.open(), genesis);
    const world = this;
    this.#chain = await StorageChain.open({
      nodeId: this.nodeId,
      genesis: this.ledger.genesis,
      store: this.#store,
      signatures: new SignatureCache(),
      sign: (digest) => sign(this.nodeId, digest),
      monotonicMs: () => this.nowMs,
      links: {
        send: (message, to) => {
          const told = { to, request: create(VerifyIntegrityRequestSchema, message) };
          this.told.push(told);
          this.onTell(told);
          return true;
        },
        isConnected: () => true,
      },
      observe: this.#observer(),
      onAppended: () => {
        this.announced += 1;
        this.onAnnounced();
      },
      onFailed: (cause) => {
        throw cause;
      },
      onHalt: async (evidence) => {
        this.halts.push(evidence.message);
        await this.store.saveForkEvidence(encodeHalt(evidence));
      },
      mark: this.mark,
      repair: {
        get repairing() {
          return world.repairing;
        },
        report: (cause) => void this.doubts.push(cause),
      },
      ...(this.checkpoint && { checkpoint: this.checkpoint }),
    });
  }

  /** Loses power and starts again. */
  async crash(): Promise<void> {
    this.disk.crash();
    await this.start();
  }

  async send(from: string, down: Down): Promise<void> {
    await this.chain.take(from, create(VerifyIntegrityResponseSchema, down));
    await this.chain.sync.settled();
  }

  verify(made: MadeBlock, options: { from?: string; round?: number } = {}): Promise<void> {
    const { from = "manager-1", round = 0 } = options;
    const { block, sealedRecords, approval } = made;
    const value = { round, block, sealedRecords: [...sealedRecords], approval };
    return this.send(from, { message: { case: "verify", value } });
  }

  async commit(made: MadeBlock, options: { from?: string; block?: boolean } = {}): Promise<void> {
    const { from = "manager-1", block = true } = options;
    const { certificates } = made;
    await this.#markAttested([made]);
    const value = block ? { certificates, block: certified(made) } : { certificates };
    return this.send(from, { message: { case: "commit", value } });
  }

  async answer(
    blocks: readonly MadeBlock[],
    options: { from?: string; headHeight?: number } = {},
  ): Promise<void> {
    const { from = "manager-1", headHeight = this.ledger.head.height } = options;
    const value = { blocks: blocks.map(certified), headHeight: BigInt(headHeight) };
    await this.#markAttested(blocks);
    return this.send(from, { message: { case: "blocks", value } });
  }

  /** Lets time go by. */
  pass(ms: number): void {
    this.nowMs += ms;
    this.chain.tick();
  }

  /** A block made in `round` for whose committee this node is drawn, or is not. */
  makeFor(drawn: boolean, round = 0): MadeBlock {
    for (let i = 0; i < 100; i++) {
      const beacon = new Uint8Array(64).fill(i);
      const made = this.ledger.make({ createdRound: round, header: { beacon } });
      const { eligible } = made.facts;
      const committee = drawCommittee({ eligible, beacon, round });
      if (committee.includes(this.nodeId) === drawn) return made;
    }
    throw new Error("no committee is as the test wants it");
  }

  get attestations(): readonly { to: string | undefined; attestation: Attestation }[] {
    return this.told.flatMap(({ to, request: { message } }) =>
      message.case === "attestation" ? [{ to, attestation: message.value }] : [],
    );
  }

  /** Heights that all managers were told. */
  get heads(): readonly number[] {
    return this.told.flatMap(({ request: { message } }) =>
      message.case === "head" ? [Number(message.value.height)] : [],
    );
  }

  /** "manager from-height" of each request for blocks. */
  get fetches(): readonly string[] {
    return this.told.flatMap(({ to, request: { message } }) =>
      message.case === "fetchBlocks" ? [`${to} ${message.value.fromHeight}`] : [],
    );
  }

  /** What certificates say that this node has attested, its mark knows. */
  async #markAttested(blocks: readonly MadeBlock[]): Promise<void> {
    for (const { parsed, certificates } of blocks) {
      const { round = 0, signatures = [] } = certificates.integrity ?? {};
      const hasSigned = signatures.some(({ nodeId }) => nodeId === this.nodeId);
      if (hasSigned) await this.mark.raise({ height: parsed.height, round });
    }
  }

  #observer(): ChainObserver {
    return {
      appended() {},
      attested: (verdict, height, round) => this.attested.push(`${verdict} ${height}/${round}`),
      behind() {},
      dropped: (managerId, reason) => this.dropped.push(`${managerId} ${reason}`),
      blamed: (managerId, reason, detail) =>
        this.blamed.push(`${managerId} ${reason === "invalid" ? detail : reason}`),
      syncNews() {},
      wrote() {},
    };
  }
}

export function certified({ block, sealedRecords, certificates }: MadeBlock) {
  return { block, sealedRecords: [...sealedRecords], certificates };
}
