/**
 * How many of each primitive the protocol itself asks of a node, for a record, a submission and a
 * block: the *limit* to hold an implementation against. A run's share of the limit is what these
 * cost on its machine (primitives.ts), divided by the processor time that was spent.
 *
 * The counts are those of a round 0 without faults, in which everybody answers and everything is
 * verified once. They leave out what has no natural unit (decoding, rules, memory, timers), what
 * one node may spare another (relays of a proposal that everybody has, records that everybody
 * holds) and what may stand for several blocks (heads). So 100 % cannot be reached by ordinary
 * means, but a figure that rises has come nearer.
 *
 *     N managers, Q = N − ⌊(N−1)/3⌋     X storage nodes     c = min(X, ⌊2X/3⌋ + 1) of them in a
 *     committee, m = ⌊2c/3⌋ + 1 matches                     L managers that a storage node dials
 *     r bytes of a record                                   ends: messages sent plus received
 *
 * The table is in docs/performance.md as well; a test holds the two together.
 */
import type { Role } from "../usage/snapshot.js";
import type { Primitive, PrimitiveCosts } from "./primitives.js";

export type Shape = {
  readonly managers: number;
  readonly storage: number;
  readonly batchRecords: number;
  readonly recordsPerBlock: number;
  readonly recordBytes: number;
};

/** A shape with what the protocol derives from it; the letters are those of the table. */
type Letters = {
  readonly N: number;
  readonly Q: number;
  readonly X: number;
  readonly c: number;
  readonly m: number;
  readonly L: number;
  readonly r: number;
};

export type Unit = "record" | "submission" | "block";

export type Count = {
  readonly role: Role;
  readonly per: Unit;
  readonly primitive: Primitive;
  /** As people read it; `of` computes it. */
  readonly formula: string;
  readonly of: (letters: Letters) => number;
  readonly why: string;
};

/** Records of a block's audits: `audits_per_block` nodes with `audit_records` each, by default. */
const auditedRecords = { perBlock: 8, perNode: 4 };

export const counts: readonly Count[] = [
  {
    role: "manager",
    per: "record",
    primitive: "sha256Of300",
    formula: "3",
    of: () => 3,
    why: "record hash; seal digest; what the record writes, in the state digest",
  },
  {
    role: "manager",
    per: "record",
    primitive: "sha256Of65",
    formula: "5",
    of: () => 5,
    why: "record key (HKDF: 2); leaf; a node of the log; a node of the leaves root",
  },
  {
    role: "manager",
    per: "record",
    primitive: "aesGcmOf300",
    formula: "1",
    of: () => 1,
    why: "every manager seals [R2.1.4]",
  },
  {
    role: "manager",
    per: "record",
    primitive: "put",
    formula: "2",
    of: () => 2,
    why: "the sealed record where its hash leads; its state",
  },
  {
    role: "manager",
    per: "record",
    primitive: "kibibyte",
    formula: "(1/N + 2(N−1)/N + X/N) · r/1024",
    of: ({ N, X, r }) => ((1 / N + (2 * (N - 1)) / N + X / N) * r) / 1_024,
    why: "taken in; relayed, at both ends; sealed to home nodes",
  },
  {
    role: "manager",
    per: "submission",
    primitive: "ed25519Verify",
    formula: "1",
    of: () => 1,
    why: "the submitter's signature [R2.3.1]",
  },
  {
    role: "manager",
    per: "submission",
    primitive: "sha256Of300",
    formula: "3",
    of: () => 3,
    why: "what was signed; submission id; the private entry",
  },
  {
    role: "manager",
    per: "submission",
    primitive: "messageInRow",
    formula: "2/N + 2(N−1)/N + 2(N−1)²/N²",
    of: ({ N }) => 2 / N + (2 * (N - 1)) / N + (2 * (N - 1) ** 2) / N ** 2,
    why: "call and answer; relay; verdicts, to the next proposer [R3.3]",
  },
  {
    role: "manager",
    per: "block",
    primitive: "ed25519Sign",
    formula: "3 + 1/N",
    of: ({ N }) => 3 + 1 / N,
    why: "ACCEPT, APPROVE, COMMIT; PROPOSE in its turn",
  },
  {
    role: "manager",
    per: "block",
    primitive: "ed25519Verify",
    formula: "3(N−1) + (N−1)/N + c",
    of: ({ N, c }) => 3 * (N - 1) + (N - 1) / N + c,
    why: "the same of the others; attestations",
  },
  {
    role: "manager",
    per: "block",
    primitive: "vrfProve",
    formula: "1/N",
    of: ({ N }) => 1 / N,
    why: "the beacon in its turn [R5.1.1]",
  },
  {
    role: "manager",
    per: "block",
    primitive: "vrfVerify",
    formula: "(N−1)/N",
    of: ({ N }) => (N - 1) / N,
    why: "the beacon of others [R4.2.5]",
  },
  {
    role: "manager",
    per: "block",
    primitive: "messageAlone",
    formula: "2(N−1)/N + 4(N−1) + c/N + c + X/N",
    of: ({ N, c, X }) => (2 * (N - 1)) / N + 4 * (N - 1) + c / N + c + X / N,
    why: "proposal; ACCEPT with APPROVE, and COMMIT, to and from all; candidates, attestations, final blocks",
  },
  {
    role: "manager",
    per: "block",
    primitive: "syncWrite",
    formula: "5",
    of: () => 5,
    why: "votes and lock, each with its mark [R4.0.1]; the block",
  },
  {
    role: "manager",
    per: "block",
    primitive: "sha256Of300",
    formula: "6 + m + 8",
    of: ({ m }) => 6 + m + auditedRecords.perBlock,
    why: "header, body, certificates, state; entries of members that changed; audits",
  },
  {
    role: "manager",
    per: "block",
    primitive: "sha256Of65",
    formula: "N + X",
    of: ({ N, X }) => N + X,
    why: "nodes of the members digest",
  },
  {
    role: "storage",
    per: "record",
    primitive: "sha256Of300",
    formula: "1",
    of: () => 1,
    why: "the sealed record against its seal digest [R5.4.1]",
  },
  {
    role: "storage",
    per: "record",
    primitive: "sha256Of65",
    formula: "3",
    of: () => 3,
    why: "leaf; a node of the log; a node of the leaves root",
  },
  {
    role: "storage",
    per: "record",
    primitive: "put",
    formula: "1",
    of: () => 1,
    why: "the sealed record with its entry",
  },
  {
    role: "storage",
    per: "record",
    primitive: "kibibyte",
    formula: "(r + 16)/1024",
    of: ({ r }) => (r + 16) / 1_024,
    why: "comes once, from the home manager [R5.6.4]",
  },
  {
    role: "storage",
    per: "block",
    primitive: "ed25519Sign",
    formula: "c/X",
    of: ({ c, X }) => c / X,
    why: "an attestation when it is drawn",
  },
  {
    role: "storage",
    per: "block",
    primitive: "ed25519Verify",
    formula: "N + m + Q",
    of: ({ N, m, Q }) => N + m + Q,
    why: "AC, IC and CC, each once [R5.6.2]",
  },
  {
    role: "storage",
    per: "block",
    primitive: "messageAlone",
    formula: "c/X + L·c/X + 1",
    of: ({ c, X, L }) => c / X + (L * c) / X + 1,
    why: "candidate; attestation to all managers; final block or certificates",
  },
  {
    role: "storage",
    per: "block",
    primitive: "syncWrite",
    formula: "1 + 2c/X",
    of: ({ c, X }) => 1 + (2 * c) / X,
    why: "the block; mark and attestation [R5.4.2], [R5.4.6]",
  },
  {
    role: "storage",
    per: "block",
    primitive: "sha256Of300",
    formula: "6 + m + 4c/X",
    of: ({ m, c, X }) => 6 + m + (auditedRecords.perNode * c) / X,
    why: "headers, control root; entries of members that changed; audit digest",
  },
  {
    role: "storage",
    per: "block",
    primitive: "sha256Of65",
    formula: "N + X",
    of: ({ N, X }) => N + X,
    why: "nodes of the members digest",
  },
  {
    role: "client",
    per: "record",
    primitive: "sha256Of300",
    formula: "1",
    of: () => 1,
    why: "record hash",
  },
  {
    role: "client",
    per: "record",
    primitive: "kibibyte",
    formula: "r/1024",
    of: ({ r }) => r / 1_024,
    why: "sent once",
  },
  {
    role: "client",
    per: "submission",
    primitive: "ed25519Sign",
    formula: "1",
    of: () => 1,
    why: "one signature for all its records",
  },
  {
    role: "client",
    per: "submission",
    primitive: "messageInRow",
    formula: "2",
    of: () => 2,
    why: "call and answer",
  },
];

/** A storage node dials all managers up to this many, and f + 1 if these are more [R5.6.1]. */
const linksMin = 7;

export function lettersOf({ managers: N, storage: X, recordBytes: r }: Shape): Letters {
  const f = Math.floor((N - 1) / 3);
  const c = Math.min(X, Math.floor((2 * X) / 3) + 1);
  const m = Math.floor((2 * c) / 3) + 1;
  return { N, Q: N - f, X, c, m, L: Math.min(N, Math.max(linksMin, f + 1)), r };
}

/** What the protocol has to spend on one node of the role, ms of processor time for one block. */
export function mustSpendMsPerBlock(role: Role, shape: Shape, costs: PrimitiveCosts): number {
  const names = Object.keys(costs) as Primitive[];
  return names.reduce((sum, primitive) => sum + spentOn(primitive, role, shape, costs), 0);
}

/** The part of it that is one primitive's, ms. */
export function spentOn(
  primitive: Primitive,
  role: Role,
  shape: Shape,
  costs: PrimitiveCosts,
): number {
  const letters = lettersOf(shape);
  const units: Readonly<Record<Unit, number>> = {
    record: shape.recordsPerBlock,
    submission: shape.recordsPerBlock / shape.batchRecords,
    block: 1,
  };
  const of = counts.filter((count) => count.role === role && count.primitive === primitive);
  const times = of.reduce((sum, count) => sum + units[count.per] * count.of(letters), 0);
  return (times * costs[primitive]) / 1_000;
}

/** The table as docs/performance.md has it. */
export function renderCounts(): string {
  const rows = counts.map(({ role, per, primitive, formula, why }) => {
    return `| ${role} | ${per} | ${primitive} | ${formula} | ${why} |`;
  });
  return [
    "| role | per | primitive | how many | what for |",
    "|---|---|---|---|---|",
    ...rows,
  ].join("\n");
}
