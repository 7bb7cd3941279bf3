/**
 * A ledger in memory: builds, certifies, validates and appends blocks as managers would, and
 * verifies every signature.
 */
import assert from "node:assert/strict";
import { create, toBinary } from "@bufbuild/protobuf";
import { defined } from "../../../../src/base/assert.js";
import { binaryText } from "../../../../src/base/bytes.js";
import type { Result } from "../../../../src/base/result.js";
import { ed25519Verify } from "../../../../src/crypto/ed25519.js";
import { vrfProofToHash, vrfProve } from "../../../../src/crypto/vrf.js";
import { BlockCertificatesSchema, type ManagerBlock } from "../../../../src/gen/bss/v1/block_pb.js";
import type { ControlOperation } from "../../../../src/gen/bss/v1/genesis_pb.js";
import {
  AttestationSchema,
  AttestationVerdict,
  VoteKind,
  VoteSchema,
} from "../../../../src/gen/bss/v1/vote_pb.js";
import { type BuiltBlock, buildBlock } from "../../../../src/ledger/blocks/block-building.js";
import { parseContent } from "../../../../src/ledger/blocks/block-content.js";
import type { BlockFacts } from "../../../../src/ledger/blocks/block-facts.js";
import { beaconInput } from "../../../../src/ledger/blocks/block-hashes.js";
import { type ValidBlock, validateBlock } from "../../../../src/ledger/blocks/block-validation.js";
import type { ExecutedBlock } from "../../../../src/ledger/blocks/executed-block.js";
import { parseManagerBlock } from "../../../../src/ledger/blocks/manager-blocks.js";
import {
  buildApproval,
  buildBlockCertificates,
  buildCommit,
  buildIntegrity,
} from "../../../../src/ledger/certificates/certificate-builders.js";
import { drawCommittee } from "../../../../src/ledger/certificates/committee.js";
import type { SignatureCheck } from "../../../../src/ledger/certificates/signature-check.js";
import {
  acceptDigest,
  attestationDigest,
  commitDigest,
} from "../../../../src/ledger/certificates/vote-digests.js";
import type { ParsedSubmission } from "../../../../src/ledger/records/submissions.js";
import { readKeysOfSubmission } from "../../../../src/ledger/state/effects.js";
import { genesisHead, type LedgerHead } from "../../../../src/ledger/state/head.js";
import { PrefetchedState, type StateWrite } from "../../../../src/ledger/state/state.js";
import { readKeysOfOperation } from "../../../../src/ledger/state/state-operations.js";
import { StateTables } from "../../../../src/ledger/state/state-tables.js";
import type { Violation } from "../../../../src/ledger/violation.js";
import { consortiumId, epochKey, genesis, policy as genesisPolicy } from "./consortium.js";
import { accepted } from "./outcome.js";
import { seedOf, sign } from "./records.js";

export type ProposalOptions = {
  readonly candidates?: readonly ParsedSubmission[];
  readonly control?: readonly ControlOperation[];
  readonly recordsMax?: number;
  readonly excluded?: ReadonlySet<string>;
  readonly unattested?: boolean;
  readonly createdRound?: number;
  readonly timestampMs?: number;
};

export class Chain {
  head: LedgerHead;
  readonly policy: typeof genesisPolicy;
  readonly #state = new Map<string, Uint8Array>();
  #certificates: Uint8Array | undefined;

  constructor(policy = genesisPolicy) {
    this.policy = policy;
    const { head, stateWrites } = genesisHead(genesis);
    this.head = head;
    this.#write(stateWrites);
  }

  /** The state as the rules see it between blocks. */
  tables(): StateTables {
    return new StateTables({ get: (key) => this.#state.get(binaryText(key)) });
  }

  /** Exactly the named keys: what a shell would have fetched. */
  prefetched(keys: readonly Uint8Array[]): PrefetchedState {
    return new PrefetchedState(
      new Map(keys.map((key) => [binaryText(key), this.#state.get(binaryText(key))])),
    );
  }

  propose(options: ProposalOptions = {}): BuiltBlock {
    const { candidates = [], control = [], createdRound = 0, unattested = false } = options;
    const { head, policy } = this;
    const height = head.height + 1;
    const proposerId = head.members.proposer(height, createdRound);
    const alpha = beaconInput({ consortiumId, height, previousBeacon: head.beacon });
    const beaconProof = vrfProve(seedOf(`vrf of ${proposerId}`), alpha);
    const keys = [
      ...candidates.flatMap(readKeysOfSubmission),
      ...control.flatMap(readKeysOfOperation),
    ];
    return buildBlock({
      head,
      consortiumId,
      policy,
      proposerId,
      createdRound,
      beaconProof,
      candidates,
      control,
      epochKey,
      unattested,
      state: this.prefetched(keys),
      beacon: defined(vrfProofToHash(beaconProof), "a proof has an output"),
      timestampMs: options.timestampMs ?? head.timestampMs + 1000,
      ...(options.recordsMax === undefined ? {} : { recordsMax: options.recordsMax }),
      ...(options.excluded === undefined ? {} : { excluded: options.excluded }),
      ...(this.#certificates === undefined ? {} : { previousCertificates: this.#certificates }),
    });
  }

  /** What a manager answers to the block, its signatures verified too. */
  judge(block: ManagerBlock): Result<ValidBlock, Violation> {
    const { head, policy } = this;
    const parsed = parseManagerBlock(block);
    if (!parsed.ok) return parsed;
    const content = parseContent(parsed.value, consortiumId, policy);
    if (!content.ok) return content;
    const state = this.prefetched(content.value.readKeys);
    const valid = validateBlock({
      head,
      consortiumId,
      policy,
      parsed: parsed.value,
      content: content.value,
      state,
      epochKey,
    });
    if (!valid.ok) return valid;
    const broken = valid.value.signatures.find((check) => !verifies(check));
    return broken === undefined ? valid : { ok: false, error: broken.violation };
  }

  /** Makes the block final. */
  append(executed: ExecutedBlock, certificates = certify(executed.facts)): void {
    this.#certificates = toBinary(BlockCertificatesSchema, certificates);
    this.#write(executed.stateWrites);
    this.head = executed.head;
  }

  /** Proposes, judges and appends a block; nothing that was proposed may be refused. */
  extend(options: ProposalOptions = {}): BuiltBlock {
    const built = this.propose(options);
    assert.deepEqual(built.objections, []);
    assert.deepEqual(built.refusedOperations, []);
    const valid = accepted(this.judge(built.block));
    assert.deepEqual(valid.executed, built.executed);
    this.append(valid.executed);
    return built;
  }

  #write(writes: readonly StateWrite[]): void {
    for (const { key, value } of writes) this.#state.set(binaryText(key), value);
  }
}

export function verifies({ publicKey, digest, signature }: SignatureCheck): boolean {
  return ed25519Verify(publicKey, digest, signature);
}

/**
 * Certificates of a block with the fewest managers that suffice, and those of its committee that
 * `chosen` leaves.
 */
export function certify(
  facts: BlockFacts,
  electorate = genesis.members,
  chosen: (committee: readonly string[]) => readonly string[] = (committee) => committee,
) {
  const { height, blockId, createdRound: round, requiredAccepts } = facts;
  const place = { height: BigInt(height), blockId };
  const accepts = requiredAccepts.map((managerId) => {
    const digest = acceptDigest({ consortiumId, height, blockId });
    const kind = VoteKind.ACCEPT;
    return create(VoteSchema, {
      ...place,
      kind,
      validRound: -1,
      managerId,
      signature: sign(managerId, digest),
    });
  });
  const commits = electorate.managers.slice(0, electorate.quorum).map(({ managerId }) => {
    const digest = commitDigest({ consortiumId, height, round, blockId });
    const kind = VoteKind.COMMIT;
    return create(VoteSchema, {
      ...place,
      kind,
      round,
      validRound: -1,
      managerId,
      signature: sign(managerId, digest),
    });
  });
  return buildBlockCertificates({
    approval: buildApproval(accepts),
    commit: buildCommit(commits),
    ...(facts.leafCount === 0 ? {} : { integrity: attest(facts, chosen) }),
  });
}

function attest(facts: BlockFacts, chosen: (committee: readonly string[]) => readonly string[]) {
  const { height, blockId, createdRound: round, hash1, treeSize, eligible, beacon } = facts;
  const verdict = AttestationVerdict.MATCH;
  const matches = chosen(drawCommittee({ eligible, beacon, round })).map((nodeId) => {
    const audit = seedOf(`audit of ${nodeId}`);
    const claim = { consortiumId, height, round, blockId, hash2: hash1, treeSize, verdict, audit };
    return create(AttestationSchema, {
      height: BigInt(height),
      round,
      blockId,
      hash2: hash1,
      treeSize: BigInt(treeSize),
      verdict,
      audit,
      nodeId,
      signature: sign(nodeId, attestationDigest(claim)),
    });
  });
  return buildIntegrity({ round, hash2: hash1, matches });
}
