/**
 * What a manager that keeps the rules may sign and send (protocol §4), whatever crashes it has been
 * through. Kept by somebody who remembers all that it has ever signed:
 *
 *   - one PROPOSE, APPROVE and COMMIT per height and round, one ACCEPT per block;
 *   - nothing is sent that is not on its disk;
 *   - APPROVE(B, r, v) of a re-proposal follows Q APPROVEs of B in round v;
 *   - COMMIT(B, r) follows its own APPROVE of round r, nil or not, and Q APPROVEs of B in round r;
 *   - with COMMIT(B, r), no later APPROVE(B′ ≠ B, r′ > r, validRound < r): that is evidence (§4).
 */
import { toHex } from "../../../src/base/bytes.js";
import { partsOfLockCertificate } from "../../../src/consensus/height/lock-certificate.js";
import type { LockCertificate } from "../../../src/gen/bss/v1/block_pb.js";
import { type Vote, VoteKind, type VoteRequest } from "../../../src/gen/bss/v1/vote_pb.js";
import { Checker, type Said } from "../events.js";

type Spoken = {
  /** "APPROVE/height/round" → block in hex; what is on the disk. */
  readonly saved: Map<string, string>;
  /** Those of them that somebody else may have heard. */
  readonly sent: Set<string>;
  /** Of the latest height. */
  commits: Vote[];
  approves: Vote[];
  height: bigint;
  /** "height/round/block" → managers whose APPROVE it has seen. */
  readonly polkas: Map<string, Set<string>>;
};

export class ConductChecker extends Checker {
  readonly name = "conduct";
  readonly #quorum: number;
  readonly #managers = new Map<string, Spoken>();

  constructor(managersCount: number) {
    super();
    this.#quorum = managersCount - Math.floor((managersCount - 1) / 3);
  }

  override saved(managerId: string, said: Said): void {
    const spoken = this.#of(managerId);
    const { saved } = spoken;
    const { key, block } = placeOf(said);
    const before = saved.get(key);
    if (before !== undefined && before !== block) {
      this.fail(`${managerId} signs ${key} twice: "${before}" and "${block}"`);
    }
    saved.set(key, block);
    if (said.kind !== "vote") return;
    if (said.vote.height > spoken.height) {
      Object.assign(spoken, { height: said.vote.height, commits: [], approves: [] });
    }
    const { commits, approves } = spoken;
    if (said.vote.kind === VoteKind.COMMIT && block !== "") {
      this.#checkCommit(managerId, said.vote);
      commits.push(said.vote);
    }
    if (said.vote.kind === VoteKind.APPROVE) {
      this.#checkApprove(managerId, said.vote);
      approves.push(said.vote);
      this.#see(managerId, said.vote);
    }
    this.#checkEvidence(managerId, said.vote);
  }

  override sent(managerId: string, said: Said): void {
    const { key, block } = placeOf(said);
    const { saved, sent } = this.#of(managerId);
    sent.add(key);
    if (saved.get(key) === block) return;
    this.fail(`${managerId} sends ${key} before it is on its disk`);
  }

  /** What went no further than a disk that is put back was never said. */
  override rolledBack(managerId: string): void {
    const spoken = this.#of(managerId);
    const { saved, sent } = spoken;
    for (const key of saved.keys()) if (!sent.has(key)) saved.delete(key);
    const wasSent = (vote: Vote) => sent.has(placeOf({ kind: "vote", vote }).key);
    spoken.commits = spoken.commits.filter(wasSent);
    spoken.approves = spoken.approves.filter(wasSent);
  }

  override heard(managerId: string, _from: string, message: VoteRequest["message"]): void {
    if (message.case === "vote") this.#see(managerId, message.value);
    if (message.case === "lockCertificate") this.#seeAll(managerId, message.value);
    if (message.case === "proposal" && message.value.lockCertificate !== undefined) {
      this.#seeAll(managerId, message.value.lockCertificate);
    }
  }

  #checkCommit(managerId: string, commit: Vote): void {
    const { saved, polkas } = this.#of(managerId);
    const at = `${commit.height}/${commit.round}`;
    if (!saved.has(`APPROVE/${at}`)) {
      this.fail(`${managerId} commits in ${at} without having approved there`);
    }
    const seen = polkas.get(`${at}/${toHex(commit.blockId)}`)?.size ?? 0;
    if (seen >= this.#quorum) return;
    this.fail(`${managerId} commits in ${at} on ${seen} of ${this.#quorum} APPROVEs of that round`);
  }

  #checkApprove(managerId: string, { height, validRound, blockId }: Vote): void {
    if (validRound === -1) return;
    const at = `${height}/${validRound}`;
    const seen = this.#of(managerId).polkas.get(`${at}/${toHex(blockId)}`)?.size ?? 0;
    if (seen >= this.#quorum) return;
    this.fail(
      `${managerId} approves a block again on ${seen} of ${this.#quorum} APPROVEs of ${at}`,
    );
  }

  #checkEvidence(managerId: string, vote: Vote): void {
    const { commits, approves } = this.#of(managerId);
    const pairs =
      vote.kind === VoteKind.APPROVE
        ? commits.map((commit) => ({ commit, approve: vote }))
        : vote.kind === VoteKind.COMMIT && vote.blockId.length > 0
          ? approves.map((approve) => ({ commit: vote, approve }))
          : [];
    for (const { commit, approve } of pairs) {
      if (commit.height !== approve.height || approve.round <= commit.round) continue;
      const [locked, other] = [toHex(commit.blockId), toHex(approve.blockId)];
      if (other === "" || other === locked || approve.validRound >= commit.round) continue;
      this.fail(
        `${managerId} commits ${locked} in round ${commit.round} and approves ${other} in round ` +
          `${approve.round} with valid round ${approve.validRound} at height ${commit.height}`,
      );
    }
  }

  #seeAll(managerId: string, certificate: LockCertificate): void {
    for (const vote of partsOfLockCertificate(certificate).votes) this.#see(managerId, vote);
  }

  #see(managerId: string, vote: Vote): void {
    if (vote.kind !== VoteKind.APPROVE) return;
    const { polkas } = this.#of(managerId);
    const key = `${vote.height}/${vote.round}/${toHex(vote.blockId)}`;
    const seen = polkas.get(key) ?? new Set();
    polkas.set(key, seen.add(vote.managerId));
  }

  #of(managerId: string): Spoken {
    const known = this.#managers.get(managerId);
    if (known !== undefined) return known;
    const fresh = {
      saved: new Map(),
      sent: new Set<string>(),
      polkas: new Map(),
      height: 0n,
      commits: [],
      approves: [],
    };
    this.#managers.set(managerId, fresh);
    return fresh;
  }
}

function placeOf(said: Said): { readonly key: string; readonly block: string } {
  if (said.kind === "proposal") {
    const { height, round, blockId } = said.proposal;
    return { key: `PROPOSE/${height}/${round}`, block: toHex(blockId) };
  }
  const { kind, height, round, blockId } = said.vote;
  const block = toHex(blockId);
  if (kind === VoteKind.ACCEPT) return { key: `ACCEPT/${height}/${block}`, block };
  const name = kind === VoteKind.APPROVE ? "APPROVE" : "COMMIT";
  return { key: `${name}/${height}/${round}`, block };
}
