/**
 * One manager, and everybody else sends what they like: random histories of votes, proposals,
 * certificates, attestations, judgements, time and restarts. Whatever comes, the manager stays
 * honest, supports no wrong block, and takes nothing for decided that is not.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { equalBytes } from "../../../src/base/bytes.js";
import { type Vote, VoteKind } from "../../../src/gen/bss/v1/vote_pb.js";
import { assertHonest } from "./support/honesty.js";
import { nil, RingBench } from "./support/ring-bench.js";

const { ACCEPT, APPROVE, COMMIT } = VoteKind;
const self = 3;
const others = [1, 2, 4] as const;
const managerIds = [1, 2, 3, 4].map((i) => `manager-${i}`);

type Action =
  | {
      readonly kind: "votes";
      readonly of: VoteKind;
      readonly round: number;
      readonly block: string;
      readonly managers: readonly number[];
      readonly validRound: number;
    }
  | { readonly kind: "propose"; readonly round: number; readonly block: string }
  | { readonly kind: "re-propose"; readonly round: number; readonly block: string }
  | { readonly kind: "certify"; readonly round: number; readonly block: string }
  | { readonly kind: "attest"; readonly round: number; readonly block: string }
  | { readonly kind: "judge"; readonly block: string }
  | { readonly kind: "build" }
  | { readonly kind: "tick"; readonly ms: number }
  | { readonly kind: "restart" };

/** "W…" are wrong; the number is the round in which a block was made. */
const block = fc.constantFrom("A0", "A0", "A0", "B1", "B1", "C2", "E0", "W0");
const round = fc.constantFrom(0, 0, 0, 1, 1, 2, 3);
const managers = fc.oneof(fc.constant(others), fc.subarray([...others], { minLength: 1 }));
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("votes" as const),
      of: fc.constantFrom(ACCEPT, APPROVE, COMMIT),
      round,
      block: fc.oneof(block, block, fc.constant(nil)),
      managers,
      validRound: fc.constantFrom(-1, -1, 0, 1),
    }),
  },
  ...(["propose", "re-propose", "certify", "attest"] as const).map((kind) => ({
    weight: kind === "propose" ? 4 : 2,
    arbitrary: fc.record({ kind: fc.constant(kind), round, block }),
  })),
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("judge" as const), block }) },
  { weight: 1, arbitrary: fc.constant({ kind: "build" as const }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("tick" as const),
      ms: fc.constantFrom(0, 100, 410, 5_000),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "restart" as const }) },
);

test("whatever the others send, a manager is honest and decides only what is decided", () => {
  const reached = { accepts: 0, locks: 0, relocks: 0, reproposals: 0, decisions: 0, halts: 0 };
  const property = fc.property(fc.array(action, { minLength: 20, maxLength: 80 }), (actions) => {
    const bench = new RingBench({ managers: 4, self });
    const sent: Vote[] = [];
    for (const each of actions) {
      const said = bench.votes.length;
      const lines = carryOut(bench, each, sent);
      assertHonest(bench);
      assertSupportsNothingWrong(bench);
      for (const vote of bench.votes.slice(said)) {
        if (vote.kind === APPROVE) assertWasProposed(bench, vote, actions);
      }
      const end = lines.find((line) => line.startsWith("decides") || line.startsWith("halts"));
      if (end === undefined) continue;
      if (end.startsWith("halts")) reached.halts++;
      else reached.decisions++;
      assertEnd(bench, end, [...sent, ...bench.votes]);
      assert.equal(lines.at(-1), end, "nothing is said after the end");
      break;
    }
    reached.accepts += countOf(bench, ACCEPT);
    const locks = countOf(bench, COMMIT);
    if (locks > 0) reached.locks++;
    if (locks > 1) reached.relocks++;
    if (bench.proposals.some(({ validRound }) => validRound >= 0)) reached.reproposals++;
  });
  fc.assert(property, { numRuns: 300, seed: 20_270_101 });
  for (const [what, count] of Object.entries(reached)) {
    assert.ok(count >= 3, `${what}: ${count} are too few to mean something`);
  }
});

function carryOut(bench: RingBench, action: Action, sent: Vote[]): string[] {
  switch (action.kind) {
    case "votes":
      return action.managers.flatMap((manager) => {
        const { of, round, block, validRound } = action;
        if (of === ACCEPT && block === nil) return [];
        const vote = bench.vote(of, of === ACCEPT ? 0 : round, block, manager, validRound);
        sent.push(vote);
        return bench.step({ kind: "vote", vote });
      });
    case "propose":
    case "re-propose": {
      const { round, block } = action;
      if (bench.members.proposer(bench.height, round) === bench.selfId) return [];
      const certified = action.kind === "re-propose" && round > 0;
      const certificate = certified ? certify(bench, round - 1, block, sent) : undefined;
      const proposal = bench.proposal(round, block, certificate);
      return bench.step({ kind: "proposal", proposal });
    }
    case "certify": {
      const certificate = certify(bench, action.round, action.block, sent);
      return bench.step({ kind: "lock-certificate", certificate });
    }
    case "attest":
      return bench.committee(action.block, action.round).flatMap((node) => {
        const attestation = bench.attestation(action.round, action.block, node);
        return bench.step({ kind: "attestation", attestation });
      });
    case "judge":
      return judge(bench, action.block);
    case "build": {
      const { round } = bench.ring.status();
      const facts = bench.facts(`P${round}`);
      if (facts.proposerId !== bench.selfId) return [];
      return bench.step({ kind: "built", height: bench.height, round, facts });
    }
    case "tick":
      return bench.tick(action.ms);
    case "restart":
      return bench.restart();
  }
}

/** A polka of the others; this manager's own ACCEPT is among the ACCEPTs only once it was given. */
function certify(bench: RingBench, round: number, block: string, sent: Vote[]) {
  for (const manager of others) {
    sent.push(bench.vote(APPROVE, round, block, manager), bench.vote(ACCEPT, 0, block, manager));
  }
  const certificate = bench.lockCertificate(round, block, others);
  const accepted = bench.votes.some(
    (vote) => vote.kind === ACCEPT && equalBytes(vote.blockId, bench.id(block)),
  );
  if (certificate.approval !== undefined && !accepted) {
    const { signatures } = certificate.approval;
    certificate.approval.signatures = signatures.filter((each) => each.managerId !== bench.selfId);
  }
  return certificate;
}

function judge(bench: RingBench, block: string): string[] {
  const { height } = bench;
  const facts = bench.facts(block);
  const violation = { reason: "DOUBLE_SPEND", message: "sold twice" } as const;
  const judgement = block.startsWith("W")
    ? ({ accurate: false, violation } as const)
    : ({ accurate: true, facts } as const);
  return bench.step({ kind: "judged", height, blockId: facts.blockId, judgement });
}

function assertSupportsNothingWrong(bench: RingBench): void {
  const wrong = bench.id("W0");
  const said = [...bench.votes, ...bench.proposals];
  assert.ok(said.every(({ blockId }) => !equalBytes(blockId, wrong)));
}

/** A block is approved only as it was proposed in that round. */
function assertWasProposed(bench: RingBench, vote: Vote, actions: readonly Action[]): void {
  const { round, validRound, blockId } = vote;
  if (blockId.length === 0) return;
  const byOthers = actions.some(
    (each) =>
      (each.kind === "propose" || each.kind === "re-propose") &&
      each.round === round &&
      validRound === (each.kind === "re-propose" ? round - 1 : -1) &&
      equalBytes(bench.id(each.block), blockId),
  );
  const bySelf = bench.proposals.some(
    (each) =>
      each.round === round && each.validRound === validRound && equalBytes(each.blockId, blockId),
  );
  assert.ok(byOthers || bySelf, `round ${round}: approved what was not proposed`);
}

/** A decision: Q COMMITs of one round and all ACCEPTs were sent. A halt: Q COMMITs of W0. */
function assertEnd(bench: RingBench, end: string, votes: readonly Vote[]): void {
  const words = end.split(" ");
  const name = end.startsWith("halts") ? "W0" : (words[1] ?? nil);
  const inRound = (round: number) => votersOf(bench, votes, COMMIT, name, round).size;
  if (end.startsWith("halts")) {
    assert.ok(
      [0, 1, 2, 3].some((round) => inRound(round) >= bench.members.quorum),
      end,
    );
    return;
  }
  const decidedIn = Number(/ in r(\d+):/.exec(end)?.[1]);
  assert.ok(name !== "W0", end);
  assert.ok(inRound(decidedIn) >= bench.members.quorum, end);
  assert.deepEqual([...votersOf(bench, votes, ACCEPT, name, 0)].sort(), managerIds, end);
  assert.equal(/ IC r\d+/.test(end), !name.startsWith("E"), end);
}

function votersOf(
  bench: RingBench,
  votes: readonly Vote[],
  kind: VoteKind,
  name: string,
  round: number,
): ReadonlySet<string> {
  const of = votes.filter(
    (vote) =>
      vote.kind === kind && vote.round === round && equalBytes(vote.blockId, bench.id(name)),
  );
  return new Set(of.map(({ managerId }) => managerId));
}

function countOf({ votes }: RingBench, kind: VoteKind): number {
  return votes.filter((vote) => vote.kind === kind && vote.blockId.length > 0).length;
}
