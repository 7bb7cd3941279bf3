/**
 * Takes candidates from managers: judges them, verifies the signatures on which the judgement
 * rests, reads the audited records, signs, stores, and only then says so, to all managers. Runs in
 * turns: nothing else moves the head meanwhile.
 */
import { create } from "@bufbuild/protobuf";
import { judgeCandidate, type ParsedCandidate } from "../../consensus/public/attestor.js";
import { auditDigest } from "../../consensus/public/audit.js";
import {
  type Attestation,
  AttestationSchema,
  AttestationVerdict,
} from "../../gen/bss/v1/vote_pb.js";
import { attestationDigest } from "../../ledger/certificates/vote-digests.js";
import { present } from "../../store/chain/stored-values.js";
import { isDamage } from "../../store/store-error.js";
import { AttestationBudget } from "./attestation-budget.js";
import type { Candidates } from "./candidates.js";
import { type ChainPorts, timed } from "./chain-ports.js";

type Judged = Extract<ReturnType<typeof judgeCandidate>, { kind: "attest" }>;

export class Attesting {
  readonly #ports: ChainPorts;
  readonly #candidates: Candidates;
  readonly #onHeight: (managerId: string, height: number) => void;
  readonly #budget = new AttestationBudget();

  constructor(
    ports: ChainPorts,
    candidates: Candidates,
    onHeight: (managerId: string, height: number) => void,
  ) {
    this.#ports = ports;
    this.#candidates = candidates;
    this.#onHeight = onHeight;
  }

  async take(from: string, candidate: ParsedCandidate): Promise<void> {
    const { consortiumId, policy, store, nodeId, observe } = this.#ports;
    const context = { consortiumId, policy, head: store.head };
    const judgement = judgeCandidate(candidate, context, nodeId);
    switch (judgement.kind) {
      case "stale":
        return observe.dropped(from, "HEIGHT_DECIDED");
      case "not-in-committee":
        return observe.dropped(from, "NOT_IN_COMMITTEE");
      case "refuse":
        return observe.dropped(from, judgement.violation.reason);
      case "behind": {
        const { height } = candidate.block;
        observe.behind(from, height);
        this.#candidates.keepEarly(from, candidate);
        return this.#onHeight(from, height - 1);
      }
      case "attest":
        return this.#attest(from, candidate, judgement);
    }
  }

  async #attest(from: string, candidate: ParsedCandidate, judged: Judged): Promise<void> {
    const { signatures, observe, tell, monotonicMs } = this.#ports;
    const { block, round } = candidate;
    const signed = this.#candidates.signed(round, block.blockId);
    if (signed?.same === false) return observe.dropped(from, "ROUND_ATTESTED");
    const invalid = await signatures.firstInvalid(judged.signatures);
    if (invalid !== undefined) return observe.dropped(from, invalid.violation.reason);
    if (signed !== undefined) {
      tell({ message: { case: "attestation", value: signed.attestation } }, from);
      return;
    }
    if (this.#ports.repairing()) return observe.dropped(from, "UNDER_REPAIR");
    const place = { height: block.height, round };
    const { mark, store, nodeId } = this.#ports;
    const { lastAttestedHeight = 0 } = store.head.members.storageNode(nodeId) ?? {};
    if (store.remembers(round) || !(await mark.mayAttest(place, lastAttestedHeight > 0))) {
      return observe.dropped(from, "PERHAPS_ATTESTED");
    }
    if (!this.#budget.take(from, monotonicMs())) return observe.dropped(from, "TOO_MANY_ROUNDS");

    const attestation = await this.#sign(candidate, judged).catch((error: unknown) => {
      if (!isDamage(error)) throw error;
      this.#ports.onDoubt(error.message);
    });
    if (attestation === undefined) return observe.dropped(from, "UNDER_REPAIR");
    await mark.raise(place);
    await this.#save(candidate, attestation);
    tell({ message: { case: "attestation", value: attestation } });
    const matches = attestation.verdict === AttestationVerdict.MATCH;
    observe.attested(matches ? "match" : "mismatch", block.height, round);
    if (!matches) this.#ports.onDoubt(`HASH2 is not HASH1 of the block at height ${block.height}`);
  }

  async #sign({ block }: ParsedCandidate, judged: Judged): Promise<Attestation> {
    const { store, nodeId, sign } = this.#ports;
    const audited = await Promise.all(judged.auditPositions.map((each) => store.sealed(each)));
    const sealed = audited.map((each, i) => {
      return present(each, `the sealed record at position ${judged.auditPositions[i]}`);
    });
    const audit = auditDigest(block.header.beacon, nodeId, sealed);
    const { height, treeSize, round, blockId, hash2, verdict } = judged.claim;
    return create(AttestationSchema, {
      height: BigInt(height),
      round,
      blockId,
      hash2,
      treeSize: BigInt(treeSize),
      verdict,
      audit,
      nodeId,
      signature: sign(attestationDigest({ ...judged.claim, audit })),
    });
  }

  async #save(candidate: ParsedCandidate, attestation: Attestation): Promise<void> {
    const { block, sealedRecords, round } = candidate;
    const saved = { block: block.block, sealedRecords, round, attestation };
    await timed(this.#ports, this.#ports.store.saveCandidate(saved));
    this.#candidates.add(block, sealedRecords, attestation);
  }
}
