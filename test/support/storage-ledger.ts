/**
 * The managers' chain as storage nodes see it, made up: the sealed records are random bytes, as a
 * storage node cannot tell; every link, root and signature is right unless a test says otherwise.
 */
import { create, toBinary } from "@bufbuild/protobuf";
import { defined } from "../../src/base/assert.js";
import { emptyBytes, utf8 } from "../../src/base/bytes.js";
import { blockEffects, publicFacts } from "../../src/consensus/attestation/public-block.js";
import { sha256 } from "../../src/crypto/hash.js";
import {
  type ApprovalCertificate,
  type Block,
  type BlockCertificates,
  BlockCertificatesSchema,
  BlockSchema,
  LeafSchema,
  type ManagerBlockHeader,
  ManagerBlockHeaderSchema,
} from "../../src/gen/bss/v1/block_pb.js";
import { type ControlOperation, ControlOperationSchema } from "../../src/gen/bss/v1/genesis_pb.js";
import {
  AttestationSchema,
  AttestationVerdict,
  VoteKind,
  VoteSchema,
} from "../../src/gen/bss/v1/vote_pb.js";
import type { BlockFacts } from "../../src/ledger/blocks/block-facts.js";
import {
  bodyDigest,
  certificatesDigest,
  controlRoot,
  leafHashOf,
  leavesRoot,
} from "../../src/ledger/blocks/block-hashes.js";
import { type ParsedBlock, parseBlock } from "../../src/ledger/blocks/block-parsing.js";
import {
  buildApproval,
  buildBlockCertificates,
  buildCommit,
  buildIntegrity,
} from "../../src/ledger/certificates/certificate-builders.js";
import { drawCommittee } from "../../src/ledger/certificates/committee.js";
import {
  acceptDigest,
  attestationDigest,
  commitDigest,
} from "../../src/ledger/certificates/vote-digests.js";
import type { GenesisState } from "../../src/ledger/genesis.js";
import type { Members } from "../../src/ledger/members/members.js";
import { appendLeaves, rootOf } from "../../src/ledger/merkle/frontier.js";
import {
  genesisStorageHead,
  type StorageHead,
} from "../../src/ledger/storage-nodes/storage-head.js";

/** A member's signature over a digest. */
export type SignAs = (memberId: string, digest: Uint8Array) => Uint8Array;

export type BlockOptions = {
  /** Sealed records, or how many to make up; 2 when absent. */
  readonly records?: number | readonly Uint8Array[];
  readonly control?: readonly ControlOperation[];
  readonly createdRound?: number;
  /** Carried for the block before, instead of its own. */
  readonly previous?: BlockCertificates;
  /** Put into the header last, right or wrong. */
  readonly header?: Partial<ManagerBlockHeader>;
};

export type MadeBlock = {
  readonly block: Block;
  readonly parsed: ParsedBlock;
  readonly sealedRecords: readonly Uint8Array[];
  readonly facts: BlockFacts;
  readonly committee: readonly string[];
  readonly approval: ApprovalCertificate;
  readonly certificates: BlockCertificates;
};

export class StorageLedger {
  head: StorageHead;
  readonly genesis: GenesisState;
  readonly appended: MadeBlock[] = [];
  readonly #signAs: SignAs;
  #made = 0;

  constructor(genesis: GenesisState, signAs: SignAs) {
    this.genesis = genesis;
    this.head = genesisStorageHead(genesis);
    this.#signAs = signAs;
  }

  /** A block on top of the head, with all certificates. */
  make(options: BlockOptions = {}): MadeBlock {
    const { consortiumId, policy } = this.genesis;
    const sealedRecords = this.#sealed(options.records ?? 2);
    const leaves = sealedRecords.map((sealed) =>
      create(LeafSchema, {
        recordHash: sha256(utf8("record hash of"), sealed),
        sealDigest: sha256(sealed),
      }),
    );
    const control = (options.control ?? []).map((each) => toBinary(ControlOperationSchema, each));
    const height = this.head.height + 1;
    const timestampMs = this.head.timestampMs + 1_000;
    const sealedBytes = sealedRecords.reduce(
      (sum, { length }) => sum + length,
      this.head.members.totals.sealedBytes,
    );
    const usual = new Uint8Array([...sha256(utf8(`beacon ${height}`)), ...sha256()]);
    // The members after the block depend on it: audits are drawn by it.
    const beacon = options.header?.beacon ?? usual;
    const { facts } = this.head;
    const previous = options.previous ?? this.appended.at(-1)?.certificates;
    const operations = this.head.members.applyBlock({
      policy,
      height,
      timestampMs,
      operations: options.control ?? [],
      sealedBytes,
      beacon,
      previousTimestampMs: this.head.timestampMs,
      previous: facts && { facts, integrity: previous?.integrity },
    });
    const { frontier } = appendLeaves(this.head.frontier, leaves.map(leafHashOf));
    const previousCertificates =
      previous === undefined ? emptyBytes : toBinary(BlockCertificatesSchema, previous);
    const privateRoot = sha256(utf8("private"));
    const roots = {
      controlRoot: controlRoot(control),
      leavesRoot: leavesRoot(leaves),
      privateRoot,
    };
    const createdRound = options.createdRound ?? 0;
    const header = create(ManagerBlockHeaderSchema, {
      consortiumId,
      createdRound,
      height: BigInt(height),
      previousBlockId: this.head.managerBlockId,
      proposerId: this.head.members.proposer(height, createdRound),
      timestampUnixMs: BigInt(timestampMs),
      treeSize: BigInt(frontier.size),
      hash1: rootOf(frontier),
      sealedBytes: BigInt(sealedBytes),
      membersDigest: operations.ok ? operations.value.digest() : sha256(),
      previousStateDigest: sha256(utf8("state")),
      bodyDigest: bodyDigest(roots),
      certificatesDigest: certificatesDigest(previousCertificates),
      beacon,
      beaconProof: new Uint8Array(80),
      ...options.header,
    });
    const block = create(BlockSchema, {
      header: toBinary(ManagerBlockHeaderSchema, header),
      control,
      leaves,
      privateRoot,
      previousCertificates,
    });
    return this.certified(block, sealedRecords);
  }

  /** A block with certificates by the members of the head. */
  certified(block: Block, sealedRecords: readonly Uint8Array[], round?: number): MadeBlock {
    const parsed = parseBlock(block);
    if (!parsed.ok) throw new Error(`a made-up block does not parse: ${parsed.error.message}`);
    const { consortiumId, policy } = this.genesis;
    const facts = publicFacts(
      parsed.value,
      { consortiumId, policy, head: this.head },
      this.#membersAfter(parsed.value),
    );
    const at = round ?? facts.createdRound;
    const approval = this.#approval(facts);
    const committee = drawCommittee({ eligible: facts.eligible, beacon: facts.beacon, round: at });
    const certificates = buildBlockCertificates({
      approval,
      commit: this.#commit(facts, at),
      ...(facts.leafCount === 0 ? {} : { integrity: this.#integrity(facts, at, committee) }),
    });
    return { block, parsed: parsed.value, sealedRecords, facts, committee, approval, certificates };
  }

  append(made: MadeBlock): MadeBlock {
    const { parsed } = made;
    const { frontier } = appendLeaves(this.head.frontier, parsed.leafHashes);
    this.head = {
      height: parsed.height,
      storageBlockId: this.head.storageBlockId,
      managerBlockId: parsed.blockId,
      timestampMs: parsed.timestampMs,
      frontier,
      members: this.#membersAfter(parsed),
      facts: made.facts,
    };
    this.appended.push(made);
    return made;
  }

  extend(options: BlockOptions = {}): MadeBlock {
    return this.append(this.make(options));
  }

  /** The block at a height from 1 on. */
  at(height: number): MadeBlock {
    return defined(this.appended[height - 1], "the ledger has the block");
  }

  /** The members of the head, if the block's operations do not fit. */
  #membersAfter(block: ParsedBlock): Members {
    const after = this.head.members.applyBlock(blockEffects(block, this.head, this.genesis.policy));
    return after.ok ? after.value : this.head.members;
  }

  #sealed(records: number | readonly Uint8Array[]): readonly Uint8Array[] {
    if (typeof records !== "number") return records;
    return Array.from({ length: records }, () => {
      this.#made += 1;
      return new Uint8Array([...sha256(utf8(`sealed ${this.#made}`)), this.#made % 256]);
    });
  }

  #approval({ height, blockId, requiredAccepts }: BlockFacts): ApprovalCertificate {
    const { consortiumId } = this.genesis;
    const digest = acceptDigest({ consortiumId, height, blockId });
    const accepts = requiredAccepts.map((managerId) =>
      create(VoteSchema, {
        kind: VoteKind.ACCEPT,
        height: BigInt(height),
        validRound: -1,
        blockId,
        managerId,
        signature: this.#signAs(managerId, digest),
      }),
    );
    return buildApproval(accepts);
  }

  #commit({ height, blockId }: BlockFacts, round: number) {
    const { consortiumId } = this.genesis;
    const { managers, quorum } = this.head.members;
    const digest = commitDigest({ consortiumId, height, round, blockId });
    const commits = managers.slice(0, quorum).map(({ managerId }) =>
      create(VoteSchema, {
        kind: VoteKind.COMMIT,
        height: BigInt(height),
        round,
        validRound: -1,
        blockId,
        managerId,
        signature: this.#signAs(managerId, digest),
      }),
    );
    return buildCommit(commits);
  }

  #integrity(facts: BlockFacts, round: number, committee: readonly string[]) {
    const { height, blockId, hash1, treeSize } = facts;
    const { consortiumId } = this.genesis;
    const verdict = AttestationVerdict.MATCH;
    const matches = committee.map((nodeId) => {
      const audit = sha256(utf8(`audit of ${nodeId}`));
      const claim = {
        consortiumId,
        height,
        round,
        blockId,
        hash2: hash1,
        treeSize,
        verdict,
        audit,
      };
      return create(AttestationSchema, {
        height: BigInt(height),
        round,
        blockId,
        hash2: hash1,
        treeSize: BigInt(treeSize),
        verdict,
        audit,
        nodeId,
        signature: this.#signAs(nodeId, attestationDigest(claim)),
      });
    });
    return buildIntegrity({ round, hash2: hash1, matches });
  }
}
