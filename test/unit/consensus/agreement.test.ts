/**
 * Agreement, searched exhaustively over the lock rules: three honest managers and one that signs
 * anything for anybody, so that Q = 3 needs two honest ones.
 *
 * In every round the adversary shows each honest manager whatever proposal it can make: a fresh
 * block, or one with a lock certificate that exists. A block that two of them approve has a polka;
 * who learns of it in time, after having committed nil, later, or never is the adversary's choice.
 * The search follows every choice, and looks for two blocks with Q COMMITs.
 *
 * It runs on the rules of the ring, and, to show that it finds forks, on rules that are wrong.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  approvalOf,
  type LockState,
  onLockCertificate,
  unlocked,
} from "../../../src/consensus/lock-rules.js";

type Block = string;
/** A COMMIT, or a polka: what and in which round. */
type Place = `${number}/${Block}`;

type Rules = {
  readonly approvalOf: typeof approvalOf;
  /** The rounds for which COMMITs of a block are signed, on a certificate that is learned late. */
  readonly commitsLate: boolean;
  /** What COMMITs are summed over. */
  readonly sumOf: (place: Place) => string;
};

type World = {
  readonly locks: readonly LockState[];
  /** COMMITs of blocks, of each manager. */
  readonly commits: readonly (readonly Place[])[];
  readonly polkas: readonly Place[];
};

const rules: Rules = { approvalOf, commitsLate: false, sumOf: (place) => place };
const blocks = ["a", "b"] as const;
const learning = ["in time", "after nil", "never"] as const;
const start: World = {
  locks: [unlocked, unlocked, unlocked],
  commits: [[], [], []],
  polkas: [],
};

describe("two blocks are never decided at one height", () => {
  test("by managers that keep the lock rules, whatever the adversary shows them", () => {
    const { worlds, forks, decided } = search(rules, 4);
    assert.ok(worlds > 1_000, `${worlds} worlds are enough to mean something`);
    assert.ok(decided > 100, `${decided} of them have decided`);
    assert.equal(forks, 0);
  });

  const wrong: readonly (readonly [what: string, rules: Partial<Rules>])[] = [
    ["a late lock certificate makes a manager COMMIT", { commitsLate: true }],
    ["COMMITs of different rounds are summed", { sumOf: blockOf }],
    ["a lock is not looked at", { approvalOf: (proposal) => approvalOf(proposal, unlocked) }],
    [
      "an older certificate unlocks",
      {
        approvalOf: (proposal, lock) =>
          approvalOf(proposal, proposal.validRound >= 0 ? unlocked : lock),
      },
    ],
    [
      "a valid round is not certified",
      { approvalOf: (proposal, lock) => approvalOf({ ...proposal, certified: true }, lock) },
    ],
  ];
  for (const [what, change] of wrong) {
    test(`but are found to be when ${what}`, () => {
      assert.ok(search({ ...rules, ...change }, 4).forks > 0);
    });
  }
});

/** All worlds that can be reached in so many rounds, up to the first fork. */
function search(rules: Rules, rounds: number) {
  const seen = new Set<string>();
  const totals = { worlds: 0, forks: 0, decided: 0 };
  let worlds: readonly World[] = [start];
  for (let round = 0; round < rounds; round++) {
    const next: World[] = [];
    for (const world of worlds) {
      for (const after of worldsAfter(world, round, rules)) {
        const key = `${round}:${keyOf(after)}`;
        if (seen.has(key)) continue;
        seen.add(key);
        totals.worlds++;
        const { size } = decisions(after, rules);
        if (size > 0) totals.decided++;
        if (size > 1) return { ...totals, forks: 1 };
        next.push(after);
      }
    }
    worlds = next;
  }
  return totals;
}

function* worldsAfter(world: World, round: number, rules: Rules): Generator<World> {
  const approvals = world.locks.map((lock) => approvalsOf(lock, world, round, rules));
  const approvable = blocks.filter(
    (block) => approvals.filter((choices) => choices.has(block)).length >= 2,
  );
  // Two blocks cannot have a polka in one round: three managers approve once each.
  for (const polkas of [[], ...approvable.map((block) => [placeOf(round, block)])]) {
    const known = { ...world, polkas: [...world.polkas, ...polkas] };
    const outcomes = world.locks.map((lock, i) =>
      outcomesOf(lock, world.commits[i] ?? [], known, round, rules),
    );
    for (const managers of product(outcomes)) {
      yield {
        polkas: known.polkas,
        locks: managers.map(({ lock }) => lock),
        commits: managers.map(({ commits }) => commits),
      };
    }
  }
}

/** What a manager may be brought to approve in a round. */
function approvalsOf(lock: LockState, { polkas }: World, round: number, rules: Rules) {
  const approvals = new Set<Block>();
  for (const block of blocks) {
    for (let validRound = -1; validRound < round; validRound++) {
      const certified = polkas.includes(placeOf(validRound, block));
      const view = { round, validRound, block, certified, accurate: true, locallyFine: true };
      approvals.add(rules.approvalOf(view, lock));
    }
  }
  return approvals;
}

/** What may become of a manager in a round, by what it learns of, and when. */
function outcomesOf(
  lock: LockState,
  commits: readonly Place[],
  { polkas }: World,
  round: number,
  rules: Rules,
) {
  const outcomes: { lock: LockState; commits: readonly Place[] }[] = [];
  for (const late of [false, true]) {
    for (const learns of learning) {
      const after = { lock, commits: [...commits] };
      for (const polka of polkas) {
        const polkaRound = Number.parseInt(polka, 10);
        const ofThisRound = polkaRound === round;
        if (ofThisRound ? learns === "never" : !late) continue;
        const now = { round, committedInRound: learns === "after nil" };
        const { lock: learned, commit } = onLockCertificate(
          { polkaRound, block: blockOf(polka) },
          now,
          after.lock,
        );
        after.lock = learned;
        const commitsLate = rules.commitsLate && !ofThisRound;
        if ((commit || commitsLate) && !after.commits.includes(polka)) after.commits.push(polka);
      }
      outcomes.push(after);
    }
  }
  return unique(outcomes, (outcome) => JSON.stringify(outcome));
}

/** Blocks that two honest managers have committed, and with them Q. */
function decisions({ commits }: World, { sumOf }: Rules): ReadonlySet<Block> {
  const sums = new Map<string, Set<number>>();
  const decided = new Set<Block>();
  for (const [i, places] of commits.entries()) {
    for (const place of places) {
      const managers = (sums.get(sumOf(place)) ?? new Set()).add(i);
      sums.set(sumOf(place), managers);
      if (managers.size >= 2) decided.add(blockOf(place));
    }
  }
  return decided;
}

function placeOf(round: number, block: Block): Place {
  return `${round}/${block}`;
}

function blockOf(place: Place): Block {
  return place.slice(place.indexOf("/") + 1);
}

/** Managers that change places make no other world. */
function keyOf({ locks, commits, polkas }: World): string {
  const managers = locks.map((lock, i) => {
    const { lockedRound, lockedBlock, validRound, validBlock } = lock;
    const places = [...(commits[i] ?? [])].sort();
    return [lockedRound, lockedBlock, validRound, validBlock, places].join();
  });
  return `${managers.sort().join(" ")} ${polkas.join()}`;
}

function unique<T>(all: readonly T[], keyOf: (one: T) => string): readonly T[] {
  return [...new Map(all.map((one) => [keyOf(one), one])).values()];
}

/** Every way to take one of each. */
function product<T>(choices: readonly (readonly T[])[]): readonly (readonly T[])[] {
  return choices.reduce<readonly (readonly T[])[]>(
    (rows, column) => rows.flatMap((row) => column.map((one) => [...row, one])),
    [[]],
  );
}
