/**
 * What the rules of credit do to a lazy node and to an honest one on a bad line.
 *
 * For one block in whose certificate n nodes are named, of which a are audited, a lazy node that is
 * named gains 1 and loses 100 with chance a/n: 1 − 100·a/n in expectation. So audits find the lazy
 * out as long as n < 100·a. An honest node that is drawn, whose attestation is lost with chance q,
 * and which is otherwise named with chance p, gains (1 − q)·p − q: it holds out as long as
 * p > q / (1 − q).
 */
import { type CreditPlan, runCredit } from "./credit-run.js";
import type { Random } from "./random.js";
import { nodeIds } from "./silence.js";

export type LazyResult = {
  readonly nodes: number;
  readonly credit: number;
  readonly auditsPerBlock: number;
  readonly runs: number;
  /** Runs in which the lazy node was boycotted within the blocks of a run. */
  readonly caught: number;
  readonly blocksMedian: number;
  readonly blocksMax: number;
};

/** One node invents its audit digests; all others are honest. */
export function measureLazy(
  plan: Pick<LazyResult, "nodes" | "credit" | "auditsPerBlock" | "runs">,
  blocks: number,
): LazyResult {
  const { nodes, credit, auditsPerBlock, runs } = plan;
  const lazy = nodeIds(nodes)[nodes - 1] ?? "";
  const after: number[] = [];
  for (let run = 0; run < runs; run++) {
    const { boycottedAt } = runCredit({
      nodes,
      credit,
      auditsPerBlock,
      blocks,
      seed: `lazy/${nodes}/${credit}/${run}`,
      lazy: new Set([lazy]),
      arrival: () => "in time",
      closesAtThreshold: true,
    });
    after.push(boycottedAt.get(lazy) ?? Number.POSITIVE_INFINITY);
  }
  after.sort((a, b) => a - b);
  const caught = after.filter((each) => Number.isFinite(each));
  return {
    ...plan,
    caught: caught.length,
    blocksMedian: after[Math.floor(runs / 2)] ?? 0,
    blocksMax: caught.at(-1) ?? 0,
  };
}

export type LossyCase = "lost" | "late" | "always slow, lost";

export type LossyResult = {
  readonly nodes: number;
  readonly line: LossyCase;
  readonly share: number;
  readonly blocks: number;
  readonly lowest: number;
  readonly last: number;
  /** The block that boycotted it; undefined if none did. */
  readonly boycottedAt: number | undefined;
};

/** One honest node on a bad line; all others are in time. */
export function measureLossy(
  { nodes, line, share }: Pick<LossyResult, "nodes" | "line" | "share">,
  blocks: number,
): LossyResult {
  const lossy = nodeIds(nodes)[0] ?? "";
  const arrivals: Record<LossyCase, (random: Random) => ReturnType<CreditPlan["arrival"]>> = {
    lost: (random) => (random.next() < share ? "lost" : "in time"),
    late: (random) => (random.next() < share ? "late" : "in time"),
    "always slow, lost": (random) => (random.next() < share ? "lost" : "late"),
  };
  const { lowest, members, boycottedAt } = runCredit({
    nodes,
    blocks,
    seed: `lossy/${nodes}/${line}/${share}`,
    lazy: new Set<string>(),
    arrival: (nodeId, random) => (nodeId === lossy ? arrivals[line](random) : "in time"),
    closesAtThreshold: true,
  });
  return {
    nodes,
    line,
    share,
    blocks,
    lowest: lowest.get(lossy) ?? 0,
    last: members.storageNode(lossy)?.credit ?? 0,
    boycottedAt: boycottedAt.get(lossy),
  };
}
