/** Certificates that are old, forged, or put together from what does not belong together. */
import { create } from "@bufbuild/protobuf";
import { type LockCertificate, LockCertificateSchema } from "../../../src/gen/bss/v1/block_pb.js";
import { type Proposal, type Vote, VoteKind } from "../../../src/gen/bss/v1/vote_pb.js";
import {
  buildApproval,
  buildPolka,
} from "../../../src/ledger/certificates/certificate-builders.js";
import { signVote } from "../statements.js";
import { type ByzantineParts, someOthers } from "./parts.js";

const rememberedMax = 50;

export class OldCertificates {
  readonly #parts: ByzantineParts;
  #certificates: LockCertificate[] = [];
  readonly #votes: Vote[] = [];

  constructor(parts: ByzantineParts) {
    this.#parts = parts;
  }

  remember(certificate: LockCertificate): void {
    if (this.#certificates.length < rememberedMax) this.#certificates.push(certificate);
  }

  rememberVote(vote: Vote): void {
    if (this.#votes.length < rememberedMax) this.#votes.push(vote);
    else this.#votes[this.#parts.random.below(rememberedMax)] = vote;
  }

  /** A new height: a few old ones stay. */
  forget(): void {
    this.#certificates = this.#certificates.slice(-3);
  }

  /** One of a round before this one. */
  before(round: number): LockCertificate | undefined {
    const known = this.#certificates.filter(({ polka }) => (polka?.round ?? round) < round);
    return known.length === 0 ? undefined : this.#parts.random.pick(known);
  }

  /** A certificate by nobody else. */
  forge(height: number, round: number, blockId: Uint8Array): LockCertificate {
    const { signer } = this.#parts;
    const at = { height, round, blockId };
    const approve = signVote({ kind: "approve", validRound: -1, ...at }, signer);
    const accept = signVote({ kind: "accept", height, blockId }, signer);
    const approval = buildApproval([accept]);
    return create(LockCertificateSchema, { polka: buildPolka([approve]), approval });
  }

  repeat(): void {
    if (this.#certificates.length === 0) return;
    this.#send("old certificate", this.#parts.random.pick(this.#certificates));
  }

  /** Votes that were signed for other blocks, rounds or heights, as one certificate. */
  bundle(): void {
    const approvals = this.#votes.filter(({ kind }) => kind === VoteKind.APPROVE);
    const accepts = this.#votes.filter(({ kind }) => kind === VoteKind.ACCEPT);
    if (approvals.length === 0 || accepts.length === 0) return;
    const { random } = this.#parts;
    const [approval, accept] = [random.pick(approvals), random.pick(accepts)];
    const polka = buildPolka([approval]);
    polka.height = accept.height;
    const parts = { polka, approval: buildApproval([accept]) };
    this.#send("bundle of strangers", create(LockCertificateSchema, parts));
  }

  /** An ACCEPT for another height, in a certificate that says that it is for this one. */
  acceptElsewhere({ height, round, blockId }: Proposal): void {
    const { signer } = this.#parts;
    const at = { height: Number(height), round, validRound: -1, blockId };
    const approve = signVote({ kind: "approve", ...at }, signer);
    const accept = signVote({ kind: "accept", height: at.height + 1, blockId }, signer);
    const parts = { polka: buildPolka([approve]), approval: buildApproval([accept]) };
    this.#send("accept for another height", create(LockCertificateSchema, parts));
  }

  #send(what: string, value: LockCertificate): void {
    const { world, node } = this.#parts;
    world.counters.count(`byzantine ${what}`);
    node.say({ case: "lockCertificate", value }, someOthers(this.#parts));
  }
}
