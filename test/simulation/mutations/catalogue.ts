/**
 * Mistakes that would break the protocol, each as one small change of a compiled file. Whoever
 * changes the code around such a place changes the text here: one that is not found fails the run.
 */
import type { Change } from "../../support/mutant.js";

export type Mutation = {
  readonly name: string;
  readonly changes: readonly Change[];
  /** Settings of the run, such as MANAGERS and SCENARIO. */
  readonly environment?: Readonly<Record<string, string>>;
};

const locks = "src/consensus/height/lock-rules.js";
const votes = "src/consensus/height/vote-tally.js";
const height = "src/consensus/height/height-state.js";
const abstention = "src/manager/ring/abstention.js";
const attestor = "src/consensus/attestation/attestor.js";
const loadProfile = "src/ledger/kinds/load-profile.js";
const publicBlock = "src/consensus/attestation/public-block.js";

const fourManagers = { MANAGERS: "4" } as const;

export const mutations: readonly Mutation[] = [
  {
    name: "COMMIT on a late lock certificate",
    environment: fourManagers,
    changes: [
      {
        file: locks,
        from: "if (polkaRound === now.round && !now.committedInRound) {",
        to: "if (polkaRound <= now.round && !now.committedInRound) {",
      },
    ],
  },
  {
    name: "COMMITs summed across rounds",
    environment: fourManagers,
    changes: [
      {
        file: votes,
        from: "return blocksWith(this.#commits, count);",
        to: `const sums = new Map();
        for (const [round, choices] of this.#commits) {
            for (const [block, votes] of choices) {
                if (block === nilBlock) continue;
                const sum = sums.get(block) ?? { round, block, voters: new Set() };
                for (const id of votes.keys()) sum.voters.add(id);
                sums.set(block, { ...sum, round: Math.max(sum.round, round) });
            }
        }
        return [...sums.values()].filter(({ voters }) => voters.size >= count);`,
      },
      {
        file: height,
        from: "if (commits.size < this.quorum || verified === undefined)",
        to: "if (verified === undefined)",
      },
    ],
  },
  {
    name: "vote sent before it is durable",
    changes: [
      {
        file: "src/manager/signing/statement-log.js",
        from: "await saved;",
        to: "void saved;",
      },
    ],
  },
  {
    name: "round skipped on f+1 messages instead of f+1 distinct managers",
    environment: fourManagers,
    changes: [
      {
        file: votes,
        from: "const rounds = [...this.#highestRound.values()].sort((a, b) => b - a);",
        to: "const rounds = [...(this.everyRound ?? [])].sort((a, b) => b - a);",
      },
      {
        file: votes,
        from: "const highest = this.#highestRound.get(managerId) ?? -1;",
        to: `(this.everyRound ??= []).push(round);
        const highest = this.#highestRound.get(managerId) ?? -1;`,
      },
    ],
  },
  {
    name: "lock certificate without integrity certificate",
    changes: [
      {
        file: height,
        from: "if (facts.leafCount === 0)\n            return { accepts };",
        to: "if (facts.leafCount >= 0)\n            return { accepts };",
      },
    ],
  },
  {
    name: "committee drawn from all who are admitted, not from those eligible before the block",
    changes: [
      {
        file: "src/ledger/storage-nodes/credit.js",
        from: "const share = ",
        to: "const share = 1_000 + ",
      },
    ],
  },
  {
    name: "the committee drawn from the state after the block, not before it",
    environment: { STORAGE: "7" },
    changes: [
      {
        file: "src/ledger/blocks/executed-block.js",
        from: "eligible: before.members.eligibleStorageNodes(policy)",
        to: "eligible: outcome.members.eligibleStorageNodes(policy)",
      },
      {
        file: publicBlock,
        from: "eligible: head.members.eligibleStorageNodes(policy)",
        to: "eligible: after.eligibleStorageNodes(policy)",
      },
      {
        file: attestor,
        from: "const eligible = head.members.eligibleStorageNodes(policy);",
        to: `const left = membersAfter(block, context);
    const eligible = (left.ok ? left.value : head.members).eligibleStorageNodes(policy);`,
      },
    ],
  },
  {
    name: "credit counted from a node's own certificates instead of the canonical ones",
    environment: { ...fourManagers, STORAGE: "7" },
    changes: [
      {
        file: attestor,
        from: "{ log, members, facts }",
        to: "{ log, members, facts: { ...facts, own: certificates.integrity } }",
      },
      {
        file: publicBlock,
        from: "integrity: previousCertificates?.integrity }",
        to: "integrity: facts.own ?? previousCertificates?.integrity }",
      },
    ],
  },
  {
    name: "audits drawn by the beacon of the attested block, not of the later one",
    changes: [
      {
        file: "src/ledger/storage-nodes/settlement.js",
        from: "{ ...settling, height }",
        to: "{ ...settling, beacon, height }",
      },
    ],
  },
  {
    name: "ACCEPT asked of those active before the block, not after its operations",
    environment: fourManagers,
    changes: [
      {
        file: "src/ledger/blocks/executed-block.js",
        from: "requiredAccepts: outcome.members.requiredAccepts",
        to: "requiredAccepts: before.members.requiredAccepts",
      },
    ],
  },
  {
    name: "another block approved against the lock",
    environment: fourManagers,
    changes: [
      {
        file: locks,
        from: "if (lock.lockedRound <= validRound)\n        return true;",
        to: "if (lock.lockedRound <= 1_000)\n        return true;",
      },
    ],
  },
  {
    name: "a manager votes on an old disk image as if nothing had happened",
    environment: fourManagers,
    changes: [
      {
        file: abstention,
        from: "if (this.#listening || height <= this.#through)\n            return false;",
        to: "if (height >= 0)\n            return true;",
      },
      {
        file: "src/manager/signing/local-signer.js",
        from: "if (refusal !== undefined)\n                    return err(refusal);",
        to: "if (refusal === null)\n                    return err(refusal);",
      },
    ],
  },
  {
    name: "evidence is not gossiped or proposed",
    environment: fourManagers,
    changes: [
      {
        file: "src/manager/supervision/suspension-pool.js",
        from: "this.#evidence.set(evidence.managerId, evidence);",
        to: "return false;",
      },
    ],
  },
  {
    name: "all blocks of a height suspend who is missing, however many have failed",
    environment: { ...fourManagers, STORAGE: "3", SCENARIO: "overlapping-absences" },
    changes: [
      {
        file: "src/manager/supervision/suspension-pool.js",
        from: "return resumed.length === 0 && suspended.length > 0;",
        to: "return false;",
      },
    ],
  },
  {
    name: "a storage node attests before the candidate is on its disk",
    changes: [
      {
        file: "src/storage-node/chain/attesting.js",
        from: "mark.raise(place), this.#save(candidate, attestation)",
        to: "mark.raise(place), void this.#save(candidate, attestation)",
      },
    ],
  },
  {
    name: "records that must wait keep others out of the blocks",
    changes: [
      {
        file: "src/manager/submissions/submissions.js",
        from: "pool.postpone(submission.idHex);",
        to: "void submission;",
      },
    ],
  },
  {
    name: "storage nodes are suspended and taken back only along with records",
    environment: { ...fourManagers, STORAGE: "7" },
    changes: [
      {
        file: "src/consensus/ring/rounds.js",
        from: "this.#unattested = true;",
        to: "",
      },
    ],
  },
  {
    name: "a load profile may have values for intervals that have some",
    changes: [
      {
        file: loadProfile,
        from: "if (taken === undefined || taken.position === own)",
        to: "if (taken === undefined || taken.position >= 0)",
      },
    ],
  },
  {
    name: "what a load profile has no more stays in the sums",
    changes: [
      {
        file: loadProfile,
        from: "if (value === undefined && own === undefined)",
        to: "if (value === undefined)",
      },
    ],
  },
];
