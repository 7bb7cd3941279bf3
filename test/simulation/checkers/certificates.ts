/**
 * Invariants 3 and 4, on every final block of every manager: the approval certificate holds one
 * valid ACCEPT of every manager that was active, and the integrity certificate valid MATCHes of
 * more than two thirds of a committee, drawn from those eligible before the block. Who is required
 * and who is eligible is derived here from genesis and the public operations alone.
 */
import { fromBinary } from "@bufbuild/protobuf";
import { defined } from "../../../src/base/assert.js";
import { equalBytes } from "../../../src/base/bytes.js";
import type {
  ApprovalCertificate,
  IntegrityCertificate,
} from "../../../src/gen/bss/v1/block_pb.js";
import {
  type AdmitStorageNode,
  ControlOperationSchema,
} from "../../../src/gen/bss/v1/genesis_pb.js";
import { AttestationVerdict } from "../../../src/gen/bss/v1/vote_pb.js";
import { drawCommittee } from "../../../src/ledger/committee.js";
import { acceptDigest, attestationDigest, commitDigest } from "../../../src/ledger/vote-digests.js";
import type { Consortium } from "../consortium.js";
import { Checker, type StoredBlock } from "../events.js";

export class CertificatesChecker extends Checker {
  readonly name = "certificates";
  readonly #consortium: Consortium;
  /** Storage nodes by the height from which on they belong. */
  readonly #admitted: { readonly fromHeight: number; readonly node: AdmitStorageNode }[];
  #height = 0;
  #eligibleAt: { readonly height: number; readonly ids: readonly string[] } = {
    height: 0,
    ids: [],
  };

  constructor(consortium: Consortium) {
    super();
    this.#consortium = consortium;
    this.#admitted = consortium.genesis.genesis.operations.flatMap(({ operation }) =>
      operation.case === "admitStorageNode" ? [{ fromHeight: 1, node: operation.value }] : [],
    );
  }

  override appended(managerId: string, stored: StoredBlock): void {
    const { height } = stored.executed.facts;
    if (height > this.#height) this.#learn(height, stored);
    const { approval, integrity, commit } = stored.certificates;
    const place = `${managerId}, height ${height}`;
    this.#checkApproval(place, stored, approval);
    this.#checkCommit(place, stored);
    if (stored.block.records.length > 0) this.#checkIntegrity(place, stored, integrity);
    else if (integrity !== undefined) this.fail(`${place}: nothing was there to attest`);
    if ((integrity?.round ?? 0) > (commit?.round ?? 0)) {
      this.fail(`${place}: the committee was asked after the commitment`);
    }
  }

  #learn(height: number, { block }: StoredBlock): void {
    this.#height = height;
    for (const bytes of block.block?.control ?? []) {
      const { operation } = fromBinary(ControlOperationSchema, bytes);
      if (operation.case !== "admitStorageNode") continue;
      this.#admitted.push({ fromHeight: height + 1, node: operation.value });
    }
  }

  #checkApproval(place: string, { executed }: StoredBlock, approval?: ApprovalCertificate): void {
    const { scheme, genesis, managerIds } = this.#consortium;
    const { height, blockId } = executed.facts;
    if (approval === undefined || !equalBytes(approval.blockId, blockId)) {
      this.fail(`${place}: no approval of this block`);
    }
    const digest = acceptDigest({ consortiumId: genesis.consortiumId, height, blockId });
    for (const managerId of managerIds) {
      const signed = approval.signatures.filter((entry) => entry.managerId === managerId);
      const publicKey = this.#managerKey(managerId);
      const [only] = signed;
      if (only === undefined || signed.length !== 1) {
        this.fail(`${place}: ${signed.length} ACCEPTs of ${managerId}`);
      }
      if (!scheme.verify({ publicKey, digest, signature: only.signature })) {
        this.fail(`${place}: the ACCEPT of ${managerId} does not verify`);
      }
    }
  }

  #checkCommit(place: string, { executed, certificates }: StoredBlock): void {
    const { scheme, genesis, managerIds } = this.#consortium;
    const { height, blockId } = executed.facts;
    const { commit } = certificates;
    if (commit === undefined || !equalBytes(commit.blockId, blockId)) {
      this.fail(`${place}: no commitment to this block`);
    }
    const { consortiumId } = genesis;
    const digest = commitDigest({ consortiumId, height, round: commit.round, blockId });
    const signers = new Set<string>();
    for (const { managerId, signature } of commit.signatures) {
      const publicKey = this.#managerKey(managerId);
      if (scheme.verify({ publicKey, digest, signature })) signers.add(managerId);
    }
    const faultsMax = Math.floor((managerIds.length - 1) / 3);
    if (signers.size < managerIds.length - faultsMax) {
      this.fail(`${place}: only ${signers.size} managers committed in round ${commit.round}`);
    }
  }

  #checkIntegrity(place: string, stored: StoredBlock, integrity?: IntegrityCertificate): void {
    const { scheme, genesis } = this.#consortium;
    const { consortiumId } = genesis;
    const { height, blockId, beacon, createdRound, hash1, treeSize } = stored.executed.facts;
    if (integrity === undefined || !equalBytes(integrity.blockId, blockId)) {
      this.fail(`${place}: nobody attests this block`);
    }
    const { round } = integrity;
    if (round < createdRound) this.fail(`${place}: attested before it was made`);
    const committee = drawCommittee({ eligible: this.#eligible(height), beacon, round });
    const verdict = AttestationVerdict.MATCH;
    const claim = { consortiumId, height, round, blockId, hash2: hash1, treeSize, verdict };
    const matched = new Set<string>();
    for (const { nodeId, audit, signature } of integrity.signatures) {
      if (!committee.includes(nodeId)) this.fail(`${place}: ${nodeId} is not in the committee`);
      const node = this.#admitted.find((each) => each.node.nodeId === nodeId)?.node;
      const { signingKey: publicKey } = defined(node, "a member of a committee was admitted");
      const digest = attestationDigest({ ...claim, audit });
      if (scheme.verify({ publicKey, digest, signature })) matched.add(nodeId);
    }
    if (3 * matched.size <= 2 * committee.length) {
      this.fail(`${place}: ${matched.size} of ${committee.length} attest a match`);
    }
  }

  /** At most ⌈X/N⌉ per sponsor, the first by id. */
  #eligible(height: number): readonly string[] {
    if (this.#eligibleAt.height === height) return this.#eligibleAt.ids;
    const able = this.#admitted.filter(({ fromHeight }) => fromHeight <= height);
    const share = Math.ceil(able.length / this.#consortium.managerIds.length);
    const bySponsor = new Map<string, string[]>();
    for (const { node } of able) {
      const nodes = bySponsor.get(node.sponsorId) ?? [];
      bySponsor.set(node.sponsorId, [...nodes, node.nodeId].sort());
    }
    const ids = [...bySponsor.values()].flatMap((nodes) => nodes.slice(0, share));
    this.#eligibleAt = { height, ids };
    return ids;
  }

  #managerKey(managerId: string): Uint8Array {
    const member = this.#consortium.genesis.genesis.managers.find(
      (each) => each.managerId === managerId,
    );
    return defined(member, "only managers sign").signingKey;
  }
}
