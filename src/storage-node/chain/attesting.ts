/**
 * What a storage node signs: judges a candidate of a manager, verifies the signatures on which the
 * judgement rests, reads the audited records, signs, and stores the attestation before it sends it
 * to all managers.
 *
 * The caller makes sure that nothing moves the head meanwhile.
 */

import { create } from "@bufbuild/protobuf";
import { RateLimits } from "../../base/rate-limits.js";
import { timed } from "../../base/time.js";
import { judgeCandidate, type ParsedCandidate } from "../../consensus/attestation/attestor.js";
import { auditDigest } from "../../consensus/attestation/audit.js";
import {
  type Attestation,
  AttestationSchema,
  AttestationVerdict,
} from "../../gen/bss/v1/vote_pb.js";
import { attestationDigest } from "../../ledger/certificates/vote-digests.js";
import { managersMax } from "../../ledger/members/member-lists.js";
import { present } from "../../store/chain/stored-values.js";
import { isDamage } from "../../store/store-error.js";
import type { Candidates } from "./candidates.js";
import type { ChainPorts } from "./chain-ports.js";

type Judged = Extract<ReturnType<typeof judgeCandidate>, { kind: "attest" }>;

/**
 * How many attestations one manager can make this node sign beyond the first one of each height:
 * each is a write to its disk. The first costs no more than the blocks that become final, of which
 * a consortium makes as many as it can, and if it has one manager, all of them are that one's. The
 * burst is as long as any honest manager needs. After it there are a few a second without end, as a
 * number that could be used up would let one manager keep the node from attesting for all others.
 */
export const furtherAttestationsOfOneManager = { perSecond: 4, burst: 64 } as const;

export class Attesting {
  readonly #ports: ChainPorts;
  readonly #candidates: Candidates;
  readonly #rates = new RateLimits({ ...furtherAttestationsOfOneManager, causersMax: managersMax });

  constructor(ports: ChainPorts, candidates: Candidates) {
    this.#ports = ports;
    this.#candidates = candidates;
  }

  /** "behind": blocks are missing here, so the candidate is kept until they have come. */
  async take(from: string, candidate: ParsedCandidate): Promise<"behind" | "done"> {
    const { genesis, store, nodeId, observe } = this.#ports;
    const { consortiumId, policy } = genesis;
    const context = { consortiumId, policy, head: store.head };
    const judgement = judgeCandidate(candidate, context, nodeId);
    switch (judgement.kind) {
      case "stale":
        observe.dropped(from, "HEIGHT_DECIDED");
        return "done";
      case "not-in-committee":
        observe.dropped(from, "NOT_IN_COMMITTEE");
        return "done";
      case "refuse":
        observe.dropped(from, judgement.violation.reason);
        return "done";
      case "behind":
        observe.behind(from, candidate.block.height);
        this.#candidates.keepEarly(from, candidate);
        return "behind";
      case "attest":
        await this.#attest(from, candidate, judgement);
        return "done";
    }
  }

  async #attest(from: string, candidate: ParsedCandidate, judged: Judged): Promise<void> {
    const { store, mark, repair, links, signatures, observe, monotonicMs } = this.#ports;
    const { block, round } = candidate;
    const signed = this.#candidates.signed(round, block.blockId);
    if (signed?.same === false) return observe.dropped(from, "ROUND_ATTESTED");
    const invalid = await signatures.firstInvalid(judged.signatures);
    if (invalid !== undefined) return observe.dropped(from, invalid.violation.reason);
    if (signed !== undefined) {
      links.send({ message: { case: "attestation", value: signed.attestation } }, from);
      return;
    }
    if (repair.repairing) return observe.dropped(from, "UNDER_REPAIR");
    const place = { height: block.height, round };
    if (store.remembers(round) || !(await mark.mayAttest(place, this.#attestedHeight))) {
      return observe.dropped(from, "PERHAPS_ATTESTED");
    }
    if (this.#candidates.anySigned && this.#rates.take(from, 1, monotonicMs()) > 0) {
      return observe.dropped(from, "TOO_MANY_ROUNDS");
    }

    const attestation = await this.#sign(candidate, judged).catch((error: unknown) => {
      if (!isDamage(error)) throw error;
      repair.report(error.message);
    });
    if (attestation === undefined) return observe.dropped(from, "UNDER_REPAIR");
    // One thread writes, so the mark is on disk first; what is found the other way round after a
    // failing disk is put right when the chain is opened.
    await Promise.all([mark.raise(place), this.#save(candidate, attestation)]);
    this.#candidates.add(block, candidate.sealedRecords, attestation, judged.judged);
    links.send({ message: { case: "attestation", value: attestation } });
    const matches = attestation.verdict === AttestationVerdict.MATCH;
    observe.attested(matches ? "match" : "mismatch", block.height, round);
    if (!matches) repair.report(`HASH2 is not HASH1 of the block at height ${block.height}`);
  }

  /** As the chain says. */
  get #attestedHeight(): number {
    const { store, nodeId } = this.#ports;
    return store.head.members.storageNode(nodeId)?.lastAttestedHeight ?? 0;
  }

  async #sign({ block }: ParsedCandidate, judged: Judged): Promise<Attestation> {
    const { store, nodeId, sign, signatures } = this.#ports;
    const audited = await store.sealedRecordsAt(judged.auditPositions);
    const sealed = audited.map((each, i) => {
      return present(each, `the sealed record at position ${judged.auditPositions[i]}`).sealed;
    });
    const audit = auditDigest(block.header.beacon, nodeId, sealed);
    const { height, treeSize, round, blockId, hash2, verdict } = judged.claim;
    const digest = attestationDigest({ ...judged.claim, audit });
    const signature = sign(digest);
    // It comes back in the block's certificate.
    const publicKey = store.head.members.storageNode(nodeId)?.signingKey;
    if (publicKey !== undefined) signatures.note({ publicKey, digest, signature });
    return create(AttestationSchema, {
      height: BigInt(height),
      round,
      blockId,
      hash2,
      treeSize: BigInt(treeSize),
      verdict,
      audit,
      nodeId,
      signature,
    });
  }

  async #save(candidate: ParsedCandidate, attestation: Attestation): Promise<void> {
    const { block, sealedRecords, round } = candidate;
    const saved = { block: block.block, sealedRecords, round, attestation };
    const { store, observe } = this.#ports;
    await timed(this.#ports, observe, () => store.saveCandidate(saved));
  }
}
