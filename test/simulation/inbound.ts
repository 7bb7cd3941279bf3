/**
 * Checks what comes over the network before a ring sees it, as a manager does: shape, known signer,
 * signature. One object goes to many managers, so what held once under the same members is not
 * verified again.
 */

import type { Result } from "../../src/base/result.js";
import type { Outgoing } from "../../src/consensus/events.js";
import { partsOfLockCertificate } from "../../src/consensus/lock-certificate.js";
import type { LockCertificate } from "../../src/gen/bss/v1/block_pb.js";
import type { Members } from "../../src/ledger/members.js";
import type { SignatureCheck } from "../../src/ledger/signature-check.js";
import type { Violation } from "../../src/ledger/violation.js";
import { checkAttestation, checkProposal, checkVote } from "../../src/ledger/votes.js";
import type { Consortium } from "./consortium.js";

type Check = Result<SignatureCheck, Violation>;

export class Inbound {
  readonly #consortium: Consortium;
  readonly #verified = new WeakMap<object, Members>();

  constructor(consortium: Consortium) {
    this.#consortium = consortium;
  }

  holds(message: Outgoing, members: Members): boolean {
    const { consortiumId } = this.#consortium.genesis;
    switch (message.kind) {
      case "vote":
        return this.#holds(message.vote, members, () => [
          checkVote(message.vote, members, consortiumId),
        ]);
      case "attestation":
        return this.#holds(message.attestation, members, () => [
          checkAttestation(message.attestation, members, consortiumId),
        ]);
      case "lock-certificate":
        return this.#holds(message.certificate, members, () =>
          this.#checksOf(message.certificate, members),
        );
      case "proposal": {
        const { proposal } = message;
        const { lockCertificate } = proposal;
        const certified =
          lockCertificate === undefined ||
          this.#holds(lockCertificate, members, () => this.#checksOf(lockCertificate, members));
        const own = () => [checkProposal(proposal, members, consortiumId)];
        return certified && this.#holds(proposal, members, own);
      }
    }
  }

  #holds(message: object, members: Members, checks: () => readonly Check[]): boolean {
    if (this.#verified.get(message) === members) return true;
    const { scheme } = this.#consortium;
    const all = checks();
    const valid = all.length > 0 && all.every((each) => each.ok && scheme.verify(each.value));
    if (valid) this.#verified.set(message, members);
    return valid;
  }

  #checksOf(certificate: LockCertificate, members: Members): Check[] {
    const { consortiumId } = this.#consortium.genesis;
    const { votes, attestations } = partsOfLockCertificate(certificate);
    return [
      ...votes.map((vote) => checkVote(vote, members, consortiumId)),
      ...attestations.map((entry) => checkAttestation(entry, members, consortiumId)),
    ];
  }
}
