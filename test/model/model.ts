/**
 * One height as a model: three honest managers, and a fourth that signs anything for anybody, so
 * that Q = 3 needs two honest ones. The search goes through every state that the adversary can
 * bring about in so many rounds. What an honest manager signs is decided by the functions that the
 * ring uses: `approvalOf`, `onLockCertificate` and `restoredLock` of lock-rules.ts; what is counted
 * by `VoteTally`; what is evidence by `breaksLock`.
 *
 * In each round the adversary shows each honest manager whatever proposal it can make: a fresh
 * block, or one with a lock certificate that exists. A block that Q approve has a polka, and
 * therefore, in the worst case, a lock certificate. Who learns of it in time, who after it has
 * committed nil, who rounds later, and who never, is the adversary's choice, and so is who is
 * killed and starts again from its disk.
 *
 * The managers go through the rounds side by side. Nothing is lost by that: what a manager signs in
 * a round depends on its own lock and on certificates of earlier rounds only, so it does not matter
 * how far the others are by then.
 */
import { create } from "@bufbuild/protobuf";
import { toHex, utf8 } from "../../src/base/bytes.js";
import {
  type approvalOf,
  type CommitPlace,
  type LockState,
  onLockCertificate,
  type restoredLock,
  unlocked,
} from "../../src/consensus/height/lock-rules.js";
import { VoteTally } from "../../src/consensus/height/vote-tally.js";
import { type Vote, VoteKind, VoteSchema } from "../../src/gen/bss/v1/vote_pb.js";
import { breaksLock } from "../../src/ledger/certificates/evidence.js";

const honest = ["manager-1", "manager-2", "manager-3"] as const;
const byzantine = "manager-4";
const quorum = 3;

export type Rules = {
  readonly approvalOf: typeof approvalOf;
  readonly restoredLock: typeof restoredLock;
  /** COMMITs are signed on a certificate that is learned after its round, too. */
  readonly commitsLate: boolean;
  /** Blocks, by id in hex, that the COMMITs make final. */
  readonly decided: (tally: VoteTally) => readonly string[];
};

export type Size = {
  readonly rounds: number;
  readonly blocks: number;
};

export type Found = {
  readonly states: number;
  /** States in which a block is final. */
  readonly decided: number;
  /** How two blocks come to be final, if they can. */
  readonly fork?: readonly string[];
  /** How an honest manager comes to have signed what is evidence against it, if it can. */
  readonly accusable?: readonly string[];
};

type Manager = {
  readonly lock: LockState;
  /** COMMITs of blocks, in the order of rounds. */
  readonly commits: readonly CommitPlace[];
};

type State = {
  readonly managers: readonly Manager[];
  /** Certificates that exist. */
  readonly polkas: readonly CommitPlace[];
  readonly before?: State;
  readonly what?: string;
};

type Approval = { readonly block: string; readonly validRound: number };

const start: State = {
  managers: honest.map(() => ({ lock: unlocked, commits: [] })),
  polkas: [],
};

/** COMMITs of Q managers for one block in one same round. */
export function decidedBlocks(tally: VoteTally): readonly string[] {
  return tally.blocksCommittedBy(quorum).map(({ block }) => block);
}

export type Wrong = "fork" | "accusable";

/** Goes through all states, up to the first in which something is wrong that is looked for. */
export function search(
  rules: Rules,
  { rounds, blocks }: Size,
  lookedFor: readonly Wrong[] = ["fork", "accusable"],
): Found {
  const names = Array.from({ length: blocks }, (_, i) => toHex(utf8(String.fromCharCode(97 + i))));
  const totals = { states: 1, decided: 0 };
  let states: readonly State[] = [start];
  for (let round = 0; round <= rounds; round++) {
    if (lookedFor.includes("accusable")) {
      for (const state of states) {
        const accusable = accusation(state, round, names, rules);
        if (accusable !== undefined) return { ...totals, accusable };
      }
    }
    if (round === rounds) break;
    const next = new Map<string, State>();
    for (const state of states) {
      for (const after of statesAfter(state, round, names, rules)) {
        const key = keyOf(after);
        if (next.has(key)) continue;
        next.set(key, after);
        totals.states++;
        const decided = new Set(rules.decided(commitsOf(after)));
        if (decided.size > 0) totals.decided++;
        if (decided.size > 1 && lookedFor.includes("fork")) {
          return { ...totals, fork: storyOf(after) };
        }
      }
    }
    states = [...next.values()];
  }
  return totals;
}

/** Everything that one round can make of a state. */
function* statesAfter(state: State, round: number, names: readonly string[], rules: Rules) {
  const approvals = state.managers.map(({ lock }) => {
    const blocks = approvalsOf(lock, state, round, names, rules).map(({ block }) => block);
    return [...new Set(["", ...blocks])];
  });
  for (const polka of polkasOf(approvals, round)) {
    const polkas = polka === undefined ? state.polkas : [...state.polkas, polka];
    const outcomes = state.managers.map((manager) => outcomesOf(manager, polkas, round, rules));
    const what = `round ${round}: ${polka === undefined ? "no polka" : `polka of ${nameOf(polka)}`}`;
    for (const managers of product(outcomes)) {
      yield { polkas, managers, before: state, what };
    }
  }
}

/** Every APPROVE of a block that a manager may be brought to sign in a round. */
function approvalsOf(
  lock: LockState,
  { polkas }: State,
  round: number,
  names: readonly string[],
  rules: Rules,
): readonly Approval[] {
  const approvals: Approval[] = [];
  for (const block of names) {
    for (let validRound = -1; validRound < round; validRound++) {
      const certified = polkas.some((each) => each.round === validRound && each.block === block);
      // A block is fresh in the round that it was made for, and in no other.
      const accurate = validRound >= 0 || !polkas.some((each) => each.block === block);
      const view = { round, validRound, block, certified, accurate, locallyFine: true };
      if (rules.approvalOf(view, lock) === block) approvals.push({ block, validRound });
    }
  }
  return approvals;
}

/** The polkas that a round can have, none being one of them. */
function polkasOf(approvals: readonly (readonly string[])[], round: number) {
  const polkas = new Map<string, CommitPlace>();
  for (const choices of product(approvals)) {
    const tally = new VoteTally();
    for (const [i, block] of choices.entries()) {
      tally.add(voteOf(VoteKind.APPROVE, honest[i] ?? "", { round, block }), round);
      tally.add(voteOf(VoteKind.APPROVE, byzantine, { round, block }), round);
    }
    for (const { block } of tally.blocksApprovedBy(quorum)) polkas.set(block, { round, block });
  }
  return [undefined, ...polkas.values()];
}

/** What may become of a manager in a round, by what it learns, when, and whether it is killed. */
function outcomesOf(
  manager: Manager,
  polkas: readonly CommitPlace[],
  round: number,
  rules: Rules,
): readonly Manager[] {
  const outcomes = new Map<string, Manager>();
  const earlier = polkas.filter((polka) => polka.round < round);
  const current = polkas.filter((polka) => polka.round === round);
  for (const learned of [[], earlier]) {
    for (const now of [[], current]) {
      for (const committedInRound of [false, true]) {
        let after = manager;
        for (const polka of [...learned, ...now]) {
          after = learn(after, polka, { round, committedInRound }, rules);
        }
        outcomes.set(JSON.stringify(after), after);
        const restarted = restart(after, rules);
        outcomes.set(JSON.stringify(restarted), restarted);
      }
    }
  }
  return [...outcomes.values()];
}

function learn(
  { lock, commits }: Manager,
  polka: CommitPlace,
  now: { readonly round: number; readonly committedInRound: boolean },
  rules: Rules,
): Manager {
  const certificate = { polkaRound: polka.round, block: polka.block };
  const after = onLockCertificate(certificate, now, lock);
  const isSigned = commits.some(
    ({ round, block }) => round === polka.round && block === polka.block,
  );
  const isLate = rules.commitsLate && polka.round < now.round && !isSigned;
  return { lock: after.lock, commits: after.commit || isLate ? [...commits, polka] : commits };
}

/** Killed, and started from its disk: the lock and every COMMIT are there. */
function restart(manager: Manager, rules: Rules): Manager {
  const { lockedRound: round, lockedBlock: block } = manager.lock;
  if (round === -1) return { ...manager, lock: unlocked };
  return { ...manager, lock: rules.restoredLock({ round, block }, manager.commits) };
}

/** How a manager may be brought to sign an APPROVE that is evidence against it. */
function accusation(
  state: State,
  round: number,
  names: readonly string[],
  rules: Rules,
): readonly string[] | undefined {
  for (const { lock, commits } of state.managers) {
    if (commits.length === 0) continue;
    for (const { block, validRound } of approvalsOf(lock, state, round, names, rules)) {
      const approval = { ...voteOf(VoteKind.APPROVE, "", { round, block }), validRound };
      for (const commit of commits) {
        if (!breaksLock(voteOf(VoteKind.COMMIT, "", commit), approval)) continue;
        const text = `APPROVE(${nameOf({ round, block })}) with valid round ${validRound}`;
        return [...storyOf(state), `${text} after COMMIT(${nameOf(commit)})`];
      }
    }
  }
  return undefined;
}

/** All COMMITs, and those of the Byzantine manager for whatever anybody commits. */
function commitsOf({ managers }: State): VoteTally {
  const tally = new VoteTally();
  for (const [i, { commits }] of managers.entries()) {
    for (const place of commits) {
      tally.add(voteOf(VoteKind.COMMIT, honest[i] ?? "", place), place.round);
      tally.add(voteOf(VoteKind.COMMIT, byzantine, place), place.round);
    }
  }
  return tally;
}

const votes = new Map<string, Vote>();

function voteOf(kind: VoteKind, managerId: string, { round, block }: CommitPlace): Vote {
  const key = `${kind}/${managerId}/${round}/${block}`;
  let vote = votes.get(key);
  if (vote === undefined) {
    const blockId = Uint8Array.from(Buffer.from(block, "hex"));
    vote = create(VoteSchema, { kind, managerId, round, blockId, validRound: -1, height: 1n });
    votes.set(key, vote);
  }
  return vote;
}

/** Managers that change places make no other state. */
function keyOf({ managers, polkas }: State): string {
  const each = managers.map(({ lock, commits }) => {
    const { lockedRound, lockedBlock, validRound, validBlock, otherRound } = lock;
    const places = commits.map(({ round, block }) => `${round}${block}`).join();
    return `${lockedRound}${lockedBlock} ${validRound}${validBlock} ${otherRound} ${places}`;
  });
  const certificates = polkas.map(({ round, block }) => `${round}${block}`).join();
  return `${each.sort().join("|")}#${certificates}`;
}

function storyOf(state: State): readonly string[] {
  if (state.before === undefined || state.what === undefined) return [];
  const commits = state.managers.map((each) => each.commits.map(nameOf).join(" ") || "nothing");
  return [...storyOf(state.before), `${state.what}; committed so far: ${commits.join(" | ")}`];
}

function nameOf({ round, block }: CommitPlace): string {
  return `${Buffer.from(block, "hex").toString()}@${round}`;
}

/** Every way to take one of each. */
function product<T>(choices: readonly (readonly T[])[]): readonly (readonly T[])[] {
  return choices.reduce<readonly (readonly T[])[]>(
    (rows, column) => rows.flatMap((row) => column.map((one) => [...row, one])),
    [[]],
  );
}
