/**
 * Invariant 9: whoever's two conflicting statements have reached one honest manager, while these
 * heights were watched there, is named on the chain in the end; and nobody who keeps the rules ever
 * is. A manager that dies soon after the second statement may have had no time to keep them.
 */
import { toHex } from "../../../src/base/bytes.js";
import { heightsWatchedBehind } from "../../../src/consensus/height/evidence-watch.js";
import { partsOfLockCertificate } from "../../../src/consensus/height/lock-certificate.js";
import { roundsAheadMax } from "../../../src/consensus/height/vote-tally.js";
import type { RingStatus } from "../../../src/consensus/ring/events.js";
import type { LockCertificate } from "../../../src/gen/bss/v1/block_pb.js";
import {
  type Proposal,
  type Vote,
  VoteKind,
  type VoteRequest,
} from "../../../src/gen/bss/v1/vote_pb.js";
import { proposalDigest, voteDigest } from "../../../src/ledger/certificates/vote-digests.js";
import type { Consortium } from "../consortium.js";
import { Checker, type FinalBlock } from "../events.js";
import { ManagerModel } from "./manager-model.js";

type Heard = {
  height: number;
  round: number;
  /** "signer/kind/height/round" → the first such statement. */
  readonly first: Map<string, Vote | Proposal>;
  /** "signer/height" → its votes. */
  readonly votes: Map<string, Vote[]>;
};

type Obligation = { readonly offender: string; readonly witness: string; readonly atMs: number };

/** A manager that lives for so long after a statement has seen to it. */
const handlingMs = 500;

export class AccountabilityChecker extends Checker {
  readonly name = "accountability";
  readonly #consortium: Consortium;
  readonly #isHonest: (managerId: string) => boolean;
  readonly #nowMs: () => number;
  readonly #model: ManagerModel;
  readonly #heard = new Map<string, Heard>();
  #obligations: Obligation[] = [];

  constructor(
    consortium: Consortium,
    isHonest: (managerId: string) => boolean,
    nowMs: () => number,
  ) {
    super();
    this.#consortium = consortium;
    this.#isHonest = isHonest;
    this.#nowMs = nowMs;
    this.#model = new ManagerModel(consortium.managerIds);
  }

  /** Offenders that are to be named and are not yet. */
  get due(): readonly string[] {
    const due = new Set(this.#obligations.map(({ offender }) => offender));
    return [...due].filter((id) => !this.#model.offenders.has(id));
  }

  override appended(managerId: string, { parsed }: FinalBlock): void {
    this.#model.activeAfter(parsed.height, parsed.control);
    for (const { operation } of parsed.control) {
      if (operation.case !== "evidence" || !this.#isHonest(operation.value.managerId)) continue;
      const { offence } = operation.value;
      this.fail(`${operation.value.managerId}, which keeps the rules, is accused: ${offence.case}`);
    }
    const heard = this.#heard.get(managerId);
    if (heard !== undefined) this.#enter(heard, parsed.height + 1, 0);
  }

  override started(id: string, height: number): void {
    if (!this.#consortium.managerIds.includes(id)) return;
    this.#heard.set(id, { height: height + 1, round: 0, first: new Map(), votes: new Map() });
  }

  override moved(managerId: string, { height, round }: RingStatus): void {
    const heard = this.#heard.get(managerId);
    if (heard !== undefined) this.#enter(heard, height, round);
  }

  override died(id: string): void {
    this.#heard.delete(id);
    const fromMs = this.#nowMs() - handlingMs;
    this.#obligations = this.#obligations.filter(
      ({ witness, atMs }) => witness !== id || atMs < fromMs,
    );
  }

  override rolledBack(id: string): void {
    this.#obligations = this.#obligations.filter(({ witness }) => witness !== id);
  }

  override heard(managerId: string, _from: string, message: VoteRequest["message"]): void {
    const heard = this.#heard.get(managerId);
    if (heard === undefined) return;
    if (message.case === "vote") this.#vote(managerId, heard, message.value);
    if (message.case === "lockCertificate") this.#certificate(managerId, heard, message.value);
    if (message.case === "proposal") {
      const { value } = message;
      this.#hold(managerId, heard, "PROPOSE", value);
      if (value.lockCertificate !== undefined) {
        this.#certificate(managerId, heard, value.lockCertificate);
      }
    }
  }

  override async finish(): Promise<void> {
    for (const { offender, witness } of this.#obligations) {
      if (this.#model.offenders.has(offender)) continue;
      this.fail(`${witness} has two conflicting statements of ${offender}, which is not named`);
    }
  }

  #certificate(managerId: string, heard: Heard, certificate: LockCertificate): void {
    for (const vote of partsOfLockCertificate(certificate).votes) {
      this.#vote(managerId, heard, vote);
    }
  }

  #vote(managerId: string, heard: Heard, vote: Vote): void {
    if (vote.kind !== VoteKind.APPROVE && vote.kind !== VoteKind.COMMIT) return;
    const isCommit = vote.kind === VoteKind.COMMIT;
    if (!this.#hold(managerId, heard, isCommit ? "COMMIT" : "APPROVE", vote)) return;
    const place = `${vote.managerId}/${vote.height}`;
    const votes = heard.votes.get(place) ?? [];
    heard.votes.set(place, votes);
    for (const other of votes) {
      if (other.kind === vote.kind) continue;
      if (isCommit ? breaksLock(vote, other) : breaksLock(other, vote)) {
        this.#oblige(managerId, vote, other);
      }
    }
    votes.push(vote);
  }

  /** True when it is the first of its place. */
  #hold(managerId: string, heard: Heard, kind: string, said: Vote | Proposal): boolean {
    if (!this.#isWatched(heard, said)) return false;
    const place = `${said.managerId}/${kind}/${said.height}/${said.round}`;
    const first = heard.first.get(place);
    if (first === undefined) {
      if (!this.#holds(said)) return false;
      heard.first.set(place, said);
      return true;
    }
    const same =
      toHex(first.blockId) === toHex(said.blockId) && first.validRound === said.validRound;
    if (!same) this.#oblige(managerId, first, said);
    return false;
  }

  /** A little narrower than what managers watch: they look at a message later than this checker. */
  #isWatched(heard: Heard, { height, round }: Vote | Proposal): boolean {
    const at = Number(height);
    const isNear = at <= heard.height && at > heard.height - heightsWatchedBehind;
    return isNear && round <= (at === heard.height ? heard.round : 0) + roundsAheadMax;
  }

  #oblige(witness: string, first: Vote | Proposal, second: Vote | Proposal): void {
    const offender = first.managerId;
    if (!this.#holds(first) || !this.#holds(second)) return;
    if (this.#isHonest(offender)) this.fail(`${offender} keeps the rules and contradicts itself`);
    this.#obligations.push({ offender, witness, atMs: this.#nowMs() });
  }

  #holds(said: Vote | Proposal): boolean {
    const { genesis, scheme } = this.#consortium;
    const { consortiumId } = genesis;
    const member = genesis.genesis.managers.find((each) => each.managerId === said.managerId);
    const digest =
      said.$typeName === "bss.v1.Vote"
        ? voteDigest(said, consortiumId)
        : proposalDigest({ ...said, consortiumId, height: Number(said.height) });
    if (member === undefined || digest === undefined) return false;
    const { signature } = said;
    return scheme.verify({ publicKey: member.signingKey, digest, signature });
  }

  #enter(heard: Heard, height: number, round: number): void {
    if (height > heard.height) {
      heard.height = height;
      heard.round = 0;
      heard.first.clear();
      heard.votes.clear();
    }
    heard.round = Math.max(heard.round, round);
  }
}

/** A COMMIT, and later an APPROVE of another block that rests on nothing since (protocol §4.9). */
function breaksLock(commit: Vote, approve: Vote): boolean {
  const [locked, other] = [toHex(commit.blockId), toHex(approve.blockId)];
  if (locked === "" || other === "" || locked === other) return false;
  return approve.round > commit.round && approve.validRound < commit.round;
}
