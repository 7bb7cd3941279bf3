/**
 * How a manager gets into a round (protocol §4.5): on Q COMMITs of any kind in the round before
 * and the timeout, or because f+1 distinct managers have signed something in that round or later.
 * Counts what went into its ring since its process started.
 */
import { defined } from "../../../src/base/assert.js";
import { partsOfLockCertificate } from "../../../src/consensus/height/lock-certificate.js";
import type { RingStatus } from "../../../src/consensus/ring/events.js";
import type { LockCertificate } from "../../../src/gen/bss/v1/block_pb.js";
import { type Vote, VoteKind, type VoteRequest } from "../../../src/gen/bss/v1/vote_pb.js";
import { Checker, type Said } from "../events.js";

type Seen = {
  height: number;
  round: number;
  /** Until its first look at the height, a restarted manager may be in the round that it left. */
  fresh: boolean;
  timedOut: boolean;
  own: readonly Vote[];
  /** Manager → latest round in which it has signed, by height. */
  readonly reached: Map<number, Map<string, number>>;
  /** "height/round" → managers that have signed a COMMIT. */
  readonly committers: Map<string, Set<string>>;
};

export class RoundsChecker extends Checker {
  readonly name = "rounds";
  readonly #faultsMax: number;
  readonly #quorum: number;
  readonly #managers = new Map<string, Seen>();

  readonly #managerIds: readonly string[];

  constructor(managerIds: readonly string[]) {
    super();
    const managersCount = managerIds.length;
    this.#managerIds = managerIds;
    this.#faultsMax = Math.floor((managersCount - 1) / 3);
    this.#quorum = managersCount - this.#faultsMax;
  }

  /** What it has said itself it reads from its disk. */
  override saved(managerId: string, said: Said): void {
    if (said.kind !== "vote") return;
    const seen = this.#of(managerId);
    seen.own = [...seen.own.filter(({ height }) => height === said.vote.height), said.vote];
    this.#see(seen, said.vote);
  }

  override started(managerId: string): void {
    if (!this.#managerIds.includes(managerId)) return;
    const own = this.#managers.get(managerId)?.own ?? [];
    const seen: Seen = {
      own,
      height: 0,
      round: 0,
      fresh: true,
      timedOut: false,
      reached: new Map(),
      committers: new Map(),
    };
    this.#managers.set(managerId, seen);
    for (const vote of own) this.#see(seen, vote);
  }

  override heard(managerId: string, _from: string, message: VoteRequest["message"]): void {
    const seen = this.#of(managerId);
    if (message.case === "vote") this.#see(seen, message.value);
    if (message.case === "proposal") {
      const { height, round, managerId: proposer, lockCertificate } = message.value;
      this.#reach(seen, Number(height), proposer, round);
      if (lockCertificate !== undefined) this.#seeAll(seen, lockCertificate);
    }
    if (message.case === "lockCertificate") this.#seeAll(seen, message.value);
  }

  override expired(managerId: string, step: string): void {
    if (step === "commit") this.#of(managerId).timedOut = true;
  }

  override moved(managerId: string, { height, round }: RingStatus): void {
    const seen = this.#of(managerId);
    const isNewHeight = height !== seen.height;
    if (isNewHeight) {
      Object.assign(seen, { height, round: 0 });
      seen.reached.delete(height - 1);
    }
    if (round === seen.round) return;
    const from = seen.round;
    seen.round = round;
    if (isNewHeight && seen.fresh) {
      seen.fresh = false;
      return;
    }
    seen.fresh = false;
    const reached = [...(seen.reached.get(height) ?? [])].filter(([, at]) => at >= round).length;
    const committed = seen.committers.get(`${height}/${round - 1}`)?.size ?? 0;
    if (reached > this.#faultsMax || committed >= this.#quorum) return;
    this.fail(
      `${managerId} goes from round ${from} to ${round} of height ${height}: ` +
        `${reached} managers are there, ${committed} have committed in the round before`,
    );
  }

  #seeAll(seen: Seen, certificate: LockCertificate): void {
    for (const vote of partsOfLockCertificate(certificate).votes) this.#see(seen, vote);
  }

  #see(seen: Seen, vote: Vote): void {
    if (vote.kind === VoteKind.ACCEPT) return;
    this.#reach(seen, Number(vote.height), vote.managerId, vote.round);
    if (vote.kind !== VoteKind.COMMIT) return;
    const key = `${vote.height}/${vote.round}`;
    const committers = seen.committers.get(key) ?? new Set();
    seen.committers.set(key, committers.add(vote.managerId));
  }

  #reach(seen: Seen, height: number, managerId: string, round: number): void {
    const reached = seen.reached.get(height) ?? new Map<string, number>();
    seen.reached.set(height, reached);
    reached.set(managerId, Math.max(round, reached.get(managerId) ?? -1));
  }

  #of(managerId: string): Seen {
    return defined(this.#managers.get(managerId), "a manager that acts has started");
  }
}
