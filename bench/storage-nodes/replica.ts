/**
 * The chain as the light storage nodes of one process hold it together, in memory.
 *
 * It checks what a storage node checks, with the same functions: candidates by `judgeCandidate`,
 * final blocks by `checkFinal`, all signatures. What is the same for every node of the process is
 * checked once for all of them. What differs from node to node is done for each: whether it is in
 * the committee, which records it audits, the digest over them, its signature.
 */
import { create, toBinary } from "@bufbuild/protobuf";
import { toHex } from "../../src/base/bytes.js";
import {
  checkFinal,
  judgeCandidate,
  type ParsedCandidate,
} from "../../src/consensus/attestation/attestor.js";
import { auditDigest, auditPositions } from "../../src/consensus/attestation/audit.js";
import { sha256 } from "../../src/crypto/hash.js";
import { SignatureCache } from "../../src/crypto/signature-cache.js";
import { IntegrityCertificateSchema } from "../../src/gen/bss/v1/block_pb.js";
import type { CommitBlock, VerifyCandidate } from "../../src/gen/bss/v1/verify_integrity_pb.js";
import { type Attestation, AttestationSchema } from "../../src/gen/bss/v1/vote_pb.js";
import { drawCommittee } from "../../src/ledger/certificates/committee.js";
import {
  type AttestationClaim,
  attestationDigest,
} from "../../src/ledger/certificates/vote-digests.js";
import type { GenesisState } from "../../src/ledger/genesis.js";
import { rootOf } from "../../src/ledger/merkle/frontier.js";
import {
  genesisStorageHead,
  type StorageHead,
} from "../../src/ledger/storage-nodes/storage-head.js";
import {
  type ParsedCommit,
  parseCandidate,
  parseCommit,
  type ShippedBlock,
} from "../../src/storage-node/chain/inbound-messages.js";

/** What the nodes of a process have in common about a candidate in one round. */
type Judged = {
  readonly committee: ReadonlySet<string>;
  readonly claim: Omit<AttestationClaim, "audit">;
  readonly beacon: Uint8Array;
  /** Records before the block. */
  readonly treeSize: number;
};

export class Replica {
  readonly #genesis: GenesisState;
  readonly #signatures = new SignatureCache();
  readonly #parsed = new Map<string, ParsedCandidate | undefined>();
  readonly #judged = new Map<string, Promise<Judged | undefined>>();
  readonly #bodies = new Map<string, ShippedBlock>();
  readonly #appending = new Map<number, Promise<void>>();
  readonly #sealed: Uint8Array[] = [];
  readonly #waiting = new Map<number, (() => void)[]>();
  head: StorageHead;
  /** The highest block that is known to be final. */
  finalHeight = 0;
  /** What did not hold, by reason. */
  readonly refused: Record<string, number> = {};
  /** Of the last certificate that was taken in. */
  lastIntegrity = { bytes: 0, signatures: 0 };

  constructor(genesis: GenesisState) {
    this.#genesis = genesis;
    this.head = genesisStorageHead(genesis);
  }

  headMessage() {
    const { height, storageBlockId, managerBlockId, frontier } = this.head;
    return {
      height: BigInt(height),
      storageBlockId,
      managerBlockId,
      behind: false,
      hash2: rootOf(frontier),
      treeSize: BigInt(frontier.size),
    };
  }

  /** The same bytes come to each node of the process: they are parsed once. */
  candidateOf(message: VerifyCandidate): ParsedCandidate | undefined {
    const key = `${message.round}/${toHex(sha256(message.block?.header ?? new Uint8Array()))}`;
    if (!this.#parsed.has(key)) {
      const parsed = parseCandidate(message);
      this.#parsed.set(key, parsed.ok ? parsed.value : undefined);
    }
    return this.#parsed.get(key);
  }

  /** A body that this process has already is not parsed again. */
  commitOf({ certificates, block, ...rest }: CommitBlock): ParsedCommit | undefined {
    const isKnown = this.#bodies.has(toHex(certificates?.commit?.blockId ?? new Uint8Array()));
    const parts = certificates === undefined ? {} : { certificates };
    const body = isKnown || block === undefined ? {} : { block };
    const parsed = parseCommit({ ...rest, ...parts, ...body });
    return parsed.ok ? parsed.value : undefined;
  }

  /** The node's attestation; undefined when it is not asked, or the candidate does not hold. */
  async attest(
    candidate: ParsedCandidate,
    nodeId: string,
    sign: (digest: Uint8Array) => Uint8Array,
  ): Promise<Attestation | undefined> {
    const { block, round } = candidate;
    await this.#untilHeight(block.height - 1);
    const key = `${round}/${toHex(block.blockId)}`;
    let judging = this.#judged.get(key);
    if (judging === undefined) {
      this.#bodies.set(toHex(block.blockId), candidate);
      judging = this.#judge(candidate);
      this.#judged.set(key, judging);
    }
    const judged = await judging;
    if (judged === undefined || !judged.committee.has(nodeId)) return undefined;
    const { beacon, treeSize, claim } = judged;
    const count = this.#genesis.policy.auditRecords;
    const positions = auditPositions({ beacon, nodeId, treeSize, count });
    const sealed = positions.map((each) => this.#sealed[each] ?? new Uint8Array());
    const audit = auditDigest(beacon, nodeId, sealed);
    const { height, round: inRound, blockId, hash2, verdict } = claim;
    return create(AttestationSchema, {
      height: BigInt(height),
      round: inRound,
      blockId,
      hash2,
      verdict,
      audit,
      nodeId,
      treeSize: BigInt(claim.treeSize),
      signature: sign(attestationDigest({ ...claim, audit })),
    });
  }

  /** Resolves when the block is appended, or was before, or lacks its body here. */
  async commit(commit: ParsedCommit): Promise<void> {
    const { height, shipped, blockId, certificates } = commit;
    this.finalHeight = Math.max(this.finalHeight, height);
    if (shipped !== undefined) this.#bodies.set(toHex(blockId), shipped);
    await this.#untilHeight(height - 1);
    if (this.head.height >= height) return;
    const body = this.#bodies.get(toHex(blockId));
    if (body === undefined) return this.#refuse("BODY_MISSING");
    let appending = this.#appending.get(height);
    if (appending === undefined) {
      appending = this.#append({ ...body, certificates });
      this.#appending.set(height, appending);
    }
    await appending;
  }

  async #judge(candidate: ParsedCandidate): Promise<Judged | undefined> {
    const { head } = this;
    const { policy, consortiumId } = this.#genesis;
    const { beacon } = candidate.block.header;
    const eligible = head.members.eligibleStorageNodes(policy);
    const committee = drawCommittee({ eligible, beacon, round: candidate.round });
    const context = { consortiumId, policy, head };
    const judgement = judgeCandidate(candidate, context, committee[0] ?? "");
    if (judgement.kind !== "attest") {
      const isRefused = judgement.kind === "refuse";
      return this.#refuse(isRefused ? judgement.violation.reason : judgement.kind);
    }
    const invalid = await this.#signatures.firstInvalid(judgement.signatures);
    if (invalid !== undefined) return this.#refuse(invalid.violation.reason);
    const treeSize = head.frontier.size;
    return { committee: new Set(committee), claim: judgement.claim, beacon, treeSize };
  }

  async #append(parts: Parameters<typeof checkFinal>[0]): Promise<void> {
    const { policy, consortiumId } = this.#genesis;
    const checked = checkFinal(parts, { consortiumId, policy, head: this.head });
    if (!checked.ok) return this.#refuse(checked.error.reason);
    if (!("append" in checked.value)) return this.#refuse(checked.value.contradiction.reason);
    const { signatures, operations, append } = checked.value;
    const invalid = await this.#signatures.firstInvalid([...signatures, ...operations]);
    if (invalid !== undefined) return this.#refuse(invalid.violation.reason);
    for (const sealed of append.sealedRecords) this.#sealed.push(sealed);
    this.head = append.head;
    const { integrity } = append.certificates;
    if (integrity !== undefined) {
      const { length: bytes } = toBinary(IntegrityCertificateSchema, integrity);
      this.lastIntegrity = { bytes, signatures: integrity.signatures.length };
    }
    this.#parsed.clear();
    this.#judged.clear();
    this.#bodies.clear();
    for (const wake of this.#waiting.get(this.head.height) ?? []) wake();
    this.#waiting.delete(this.head.height);
  }

  async #untilHeight(height: number): Promise<void> {
    if (this.head.height >= height) return;
    await new Promise<void>((resolve) => {
      this.#waiting.set(height, [...(this.#waiting.get(height) ?? []), resolve]);
    });
  }

  #refuse(reason: string): undefined {
    this.refused[reason] = (this.refused[reason] ?? 0) + 1;
    return undefined;
  }
}
