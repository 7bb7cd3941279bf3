/**
 * A ledger in memory for tests of what stands outside the nodes. Its hashes, roots, proofs and
 * certificates are real; nobody agrees on anything, and it has no rules but those of the test.
 */
import { create, toBinary } from "@bufbuild/protobuf";
import { defined } from "../../src/base/assert.js";
import { emptyBytes, toHex } from "../../src/base/bytes.js";
import { ed25519Sign } from "../../src/crypto/ed25519.js";
import { sha256 } from "../../src/crypto/hash.js";
import {
  type Block,
  BlockCertificatesSchema,
  BlockSchema,
  type Leaf,
  LeafSchema,
  ManagerBlockHeaderSchema,
} from "../../src/gen/bss/v1/block_pb.js";
import { VoteKind, VoteSchema } from "../../src/gen/bss/v1/vote_pb.js";
import {
  blockId,
  bodyDigest,
  certificatesDigest,
  controlRoot,
  leafHashOf,
  leavesRoot,
} from "../../src/ledger/blocks/block-hashes.js";
import { buildCommit } from "../../src/ledger/certificates/certificate-builders.js";
import { commitDigest } from "../../src/ledger/certificates/vote-digests.js";
import type { GenesisState } from "../../src/ledger/genesis.js";
import {
  appendLeaves,
  emptyFrontier,
  type Frontier,
  rootOf,
} from "../../src/ledger/merkle/frontier.js";
import { emptyRoot } from "../../src/ledger/merkle/nodes.js";
import {
  consistencyProofPlan,
  foldNodes,
  foldPlan,
  inclusionProofPlan,
  rootPlan,
} from "../../src/ledger/merkle/proofs.js";
import { recordHash } from "../../src/ledger/records/record-hash.js";
import { HeadSignal } from "../../src/query/head-signal.js";
import type { FinalBlock, LedgerReader } from "../../src/store/chain/chain-reads.js";
import type { RecordLocation } from "../../src/store/chain/chain-writes.js";

export type ToySigner = { readonly managerId: string; readonly seed: Uint8Array };

const digest = (text: string) => sha256(new TextEncoder().encode(text));

export class ToyLedger implements LedgerReader {
  readonly heads = new HeadSignal();
  readonly #genesis: GenesisState;
  readonly #signers: readonly ToySigner[];
  readonly #blocks: FinalBlock[] = [];
  readonly #nodes = new Map<string, Uint8Array>();
  readonly #locations = new Map<string, RecordLocation>();
  readonly #records = new Map<string, Uint8Array>();
  #frontier: Frontier = emptyFrontier;

  constructor(genesis: GenesisState, signers: readonly ToySigner[]) {
    this.#genesis = genesis;
    this.#signers = signers;
  }

  get height(): number {
    return this.#blocks.length;
  }

  /** Exact bytes of a record on the ledger. */
  record(hash: Uint8Array): Uint8Array | undefined {
    return this.#records.get(toHex(hash));
  }

  /** All records in the order of the ledger, each behind its hash in hex. */
  get entries(): readonly (readonly [hash: string, bytes: Uint8Array])[] {
    return [...this.#records];
  }

  /** Makes one block of those records that are not on the ledger yet. */
  append(records: readonly Uint8Array[]): FinalBlock {
    const fresh = new Map(
      records
        .map((bytes) => [toHex(recordHash(this.#genesis.consortiumId, bytes)), bytes] as const)
        .filter(([hash]) => !this.#locations.has(hash)),
    );
    const leaves = [...fresh.values()].map((bytes) =>
      create(LeafSchema, {
        recordHash: recordHash(this.#genesis.consortiumId, bytes),
        sealDigest: sha256(bytes),
      }),
    );
    const firstPosition = this.#frontier.size;
    const { frontier, nodes } = appendLeaves(this.#frontier, leaves.map(leafHashOf));
    this.#frontier = frontier;
    for (const { level, index, hash } of nodes) this.#nodes.set(`${level}/${index}`, hash);
    const height = this.#blocks.length + 1;
    for (const [index, leaf] of leaves.entries()) {
      const hash = toHex(leaf.recordHash);
      const { sealDigest } = leaf;
      this.#locations.set(hash, { height, position: firstPosition + index, sealDigest });
      this.#records.set(hash, defined(fresh.get(hash), "a leaf is of a record"));
    }
    const final = this.#finalBlock(height, leaves);
    this.#blocks.push(final);
    this.heads.announce();
    return final;
  }

  get readerHead() {
    const last = this.#blocks.at(-1);
    return {
      height: this.#blocks.length,
      blockId: last === undefined ? this.#genesis.consortiumId : blockId(last.block.header),
      frontier: this.#frontier,
      members: this.#genesis.members,
    };
  }

  async finalBlock(height: number): Promise<FinalBlock | undefined> {
    return this.#blocks[height - 1];
  }

  async heightOfBlock(id: Uint8Array): Promise<number | undefined> {
    const found = this.#blocks.findIndex(({ block }) => toHex(blockId(block.header)) === toHex(id));
    return found < 0 ? undefined : found + 1;
  }

  async location(hash: Uint8Array): Promise<RecordLocation | undefined> {
    return this.#locations.get(toHex(hash));
  }

  async inclusionProof(position: number, treeSize: number): Promise<readonly Uint8Array[]> {
    return foldPlan(inclusionProofPlan(position, treeSize), (ref) => this.#node(ref));
  }

  async consistencyProof(fromSize: number, toSize: number): Promise<readonly Uint8Array[]> {
    return foldPlan(consistencyProofPlan(fromSize, toSize), (ref) => this.#node(ref));
  }

  async rootAt(treeSize: number): Promise<Uint8Array> {
    if (treeSize === 0) return emptyRoot;
    return foldNodes(rootPlan(treeSize), (ref) => this.#node(ref));
  }

  async *membershipHistory() {
    for (const [place, operation] of this.#genesis.genesis.operations.entries()) {
      yield { height: 0, place, operation };
    }
  }

  async lastAttestedHeights() {
    return new Map<string, number>();
  }

  #node({ level, index }: { readonly level: number; readonly index: number }): Uint8Array {
    return defined(this.#nodes.get(`${level}/${index}`), "complete nodes are kept");
  }

  #finalBlock(height: number, leaves: Leaf[]): FinalBlock {
    const { consortiumId } = this.#genesis;
    const previousCertificates = emptyBytes;
    const privateRoot = emptyRoot;
    const roots = {
      controlRoot: controlRoot([]),
      leavesRoot: leavesRoot(leaves),
      privateRoot,
    };
    const previous = this.#blocks.at(-1);
    const header = create(ManagerBlockHeaderSchema, {
      consortiumId,
      height: BigInt(height),
      createdRound: 0,
      previousBlockId: previous === undefined ? consortiumId : blockId(previous.block.header),
      proposerId: "manager-1",
      // Small steps: clients compare their clock with the last block's time.
      timestampUnixMs: BigInt(this.#genesis.timestampMs + height),
      treeSize: BigInt(this.#frontier.size),
      hash1: rootOf(this.#frontier),
      membersDigest: digest("members"),
      previousStateDigest: digest("state"),
      bodyDigest: bodyDigest(roots),
      certificatesDigest: certificatesDigest(previousCertificates),
      beacon: new Uint8Array(64).fill(1),
      beaconProof: new Uint8Array(80).fill(2),
    });
    const headerBytes = toBinary(ManagerBlockHeaderSchema, header);
    const block: Block = create(BlockSchema, {
      header: headerBytes,
      leaves,
      privateRoot,
      previousCertificates,
    });
    const commit = this.#commit(height, blockId(headerBytes));
    return { block, certificates: create(BlockCertificatesSchema, { commit }) };
  }

  #commit(height: number, id: Uint8Array) {
    const { consortiumId } = this.#genesis;
    const signed = commitDigest({ consortiumId, height, round: 0, blockId: id });
    return buildCommit(
      this.#signers.map(({ managerId, seed }) =>
        create(VoteSchema, {
          kind: VoteKind.COMMIT,
          height: BigInt(height),
          round: 0,
          validRound: -1,
          blockId: id,
          managerId,
          signature: ed25519Sign(seed, signed),
        }),
      ),
    );
  }
}
