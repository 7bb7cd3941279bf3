/** The rules of the ring, and wrong ones that were considered or could slip in. */
import { approvalOf, restoredLock, unlocked } from "../../src/consensus/height/lock-rules.js";
import type { VoteTally } from "../../src/consensus/height/vote-tally.js";
import { decidedBlocks, type Rules, type Wrong } from "./model.js";

export const rules: Rules = {
  approvalOf,
  restoredLock,
  commitsLate: false,
  decided: decidedBlocks,
};

/** Wrong rules, and what they lead to within four rounds. */
export const wrongRules: readonly {
  readonly what: string;
  readonly rules: Rules;
  readonly leadsTo: readonly Wrong[];
}[] = [
  {
    what: "a late lock certificate makes a manager COMMIT",
    rules: { ...rules, commitsLate: true },
    leadsTo: ["fork"],
  },
  {
    what: "COMMITs of different rounds are summed",
    rules: { ...rules, decided: summedOverRounds },
    leadsTo: ["fork"],
  },
  {
    what: "a lock is not looked at",
    rules: { ...rules, approvalOf: (proposal) => approvalOf(proposal, unlocked) },
    leadsTo: ["accusable", "fork"],
  },
  {
    what: "an older certificate unlocks",
    rules: {
      ...rules,
      approvalOf: (proposal, lock) =>
        approvalOf(proposal, proposal.validRound >= 0 ? unlocked : lock),
    },
    leadsTo: ["accusable", "fork"],
  },
  {
    what: "a valid round is not certified",
    rules: {
      ...rules,
      approvalOf: (proposal, lock) => approvalOf({ ...proposal, certified: true }, lock),
    },
    leadsTo: ["fork"],
  },
  {
    what: "the locked block is approved, however old its certificate",
    rules: {
      ...rules,
      approvalOf: (proposal, lock) => approvalOf(proposal, { ...lock, otherRound: -1 }),
    },
    leadsTo: ["accusable"],
  },
  {
    what: "a restart forgets the COMMITs of other blocks",
    rules: { ...rules, restoredLock: (lock) => restoredLock(lock, []) },
    leadsTo: ["accusable"],
  },
];

function summedOverRounds(tally: VoteTally): readonly string[] {
  const managers = new Map<string, Set<string>>();
  for (const { round, block } of tally.blocksCommittedBy(1)) {
    const all = managers.get(block) ?? new Set();
    for (const id of tally.commits(round, block).keys()) all.add(id);
    managers.set(block, all);
  }
  return [...managers].filter(([, ids]) => ids.size >= 3).map(([block]) => block);
}
