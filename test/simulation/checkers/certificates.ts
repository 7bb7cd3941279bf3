/**
 * Invariants 3 and 4, on every final block of every manager: the approval certificate holds one
 * valid ACCEPT of every manager that is active after the block's own operations, and the integrity
 * certificate valid MATCHes of more than two thirds of a committee, drawn from those who were
 * eligible before the block. Who is required and who is eligible is derived here from genesis and
 * the public operations alone.
 */
import { defined } from "../../../src/base/assert.js";
import { equalBytes } from "../../../src/base/bytes.js";
import type {
  ApprovalCertificate,
  IntegrityCertificate,
} from "../../../src/gen/bss/v1/block_pb.js";
import type { AdmitStorageNode } from "../../../src/gen/bss/v1/genesis_pb.js";
import { AttestationVerdict } from "../../../src/gen/bss/v1/vote_pb.js";
import type { ParsedBlock } from "../../../src/ledger/blocks/block-parsing.js";
import { drawCommittee } from "../../../src/ledger/certificates/committee.js";
import {
  acceptDigest,
  attestationDigest,
  commitDigest,
} from "../../../src/ledger/certificates/vote-digests.js";
import type { Consortium } from "../consortium.js";
import { Checker, type FinalBlock } from "../events.js";
import { ManagerModel } from "./manager-model.js";
import { StorageModel } from "./storage-model.js";

export class CertificatesChecker extends Checker {
  readonly name = "certificates";
  readonly #consortium: Consortium;
  readonly #managers: ManagerModel;
  readonly #storage: ReadonlyMap<string, AdmitStorageNode>;
  readonly #nodes: StorageModel;

  constructor(consortium: Consortium) {
    super();
    this.#consortium = consortium;
    this.#managers = new ManagerModel(consortium.managerIds);
    const admitted = consortium.genesis.genesis.operations.flatMap(({ operation }) =>
      operation.case === "admitStorageNode" ? [operation.value] : [],
    );
    this.#storage = new Map(admitted.map((node) => [node.nodeId, node]));
    this.#nodes = new StorageModel(consortium);
  }

  override appended(managerId: string, { parsed, block, certificates }: FinalBlock): void {
    const { height } = parsed;
    this.#nodes.add(parsed);
    const required = this.#managers.activeAfter(height, parsed.control);
    const { approval, integrity, commit } = certificates;
    const place = `${managerId}, height ${height}`;
    this.#checkApproval(place, parsed, required, approval);
    this.#checkCommit(place, parsed, certificates);
    if (block.records.length > 0) this.#checkIntegrity(place, parsed, integrity);
    else if (integrity !== undefined) this.fail(`${place}: nothing was there to attest`);
    if ((integrity?.round ?? 0) > (commit?.round ?? 0)) {
      this.fail(`${place}: the committee was asked after the commitment`);
    }
  }

  #checkApproval(
    place: string,
    { height, blockId }: ParsedBlock,
    required: readonly string[],
    approval?: ApprovalCertificate,
  ): void {
    const { scheme, genesis } = this.#consortium;
    if (approval === undefined || !equalBytes(approval.blockId, blockId)) {
      this.fail(`${place}: no approval of this block`);
    }
    const digest = acceptDigest({ consortiumId: genesis.consortiumId, height, blockId });
    for (const managerId of required) {
      const signed = approval.signatures.filter((entry) => entry.managerId === managerId);
      const publicKey = this.#managerKey(managerId);
      const [only] = signed;
      if (only === undefined || signed.length !== 1) {
        this.fail(`${place}: ${signed.length} ACCEPTs of ${managerId}, which is active`);
      }
      if (!scheme.verify({ publicKey, digest, signature: only.signature })) {
        this.fail(`${place}: the ACCEPT of ${managerId} does not verify`);
      }
    }
  }

  #checkCommit(
    place: string,
    { height, blockId }: ParsedBlock,
    { commit }: FinalBlock["certificates"],
  ): void {
    const { scheme, genesis, managerIds } = this.#consortium;
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

  #checkIntegrity(place: string, parsed: ParsedBlock, integrity?: IntegrityCertificate): void {
    const { scheme, genesis } = this.#consortium;
    const { consortiumId } = genesis;
    const { height, blockId, createdRound, treeSize } = parsed;
    const { beacon, hash1 } = parsed.header;
    if (integrity === undefined || !equalBytes(integrity.blockId, blockId)) {
      this.fail(`${place}: nobody attests this block`);
    }
    const { round } = integrity;
    const eligible = this.#nodes.eligibleBefore(height);
    if (round < createdRound) this.fail(`${place}: attested before it was made`);
    const committee = drawCommittee({ eligible, beacon, round });
    const verdict = AttestationVerdict.MATCH;
    const claim = { consortiumId, height, round, blockId, hash2: hash1, treeSize, verdict };
    const matched = new Set<string>();
    for (const { nodeId, audit, signature } of integrity.signatures) {
      if (!committee.includes(nodeId)) this.fail(`${place}: ${nodeId} is not in the committee`);
      const node = defined(this.#storage.get(nodeId), "a member of a committee was admitted");
      const digest = attestationDigest({ ...claim, audit });
      if (scheme.verify({ publicKey: node.signingKey, digest, signature })) matched.add(nodeId);
    }
    if (3 * matched.size <= 2 * committee.length) {
      this.fail(`${place}: ${matched.size} of ${committee.length} attest a match`);
    }
  }

  #managerKey(managerId: string): Uint8Array {
    const member = this.#consortium.genesis.genesis.managers.find(
      (each) => each.managerId === managerId,
    );
    return defined(member, "only managers sign").signingKey;
  }
}
