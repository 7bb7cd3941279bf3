/** Looks through nodes' own logs for what a node only says when something is wrong with itself. */
import { readFileSync } from "node:fs";

const errorLevel = 50;
const namedMax = 3;

/** Lines of a log at level error or above, and lines that are no log entries at all. */
export function errorLines(log: string): readonly string[] {
  return log.split("\n").filter((line) => line !== "" && levelOf(line) >= errorLevel);
}

/** What a storage node says that lacks what it had. */
const lostPattern =
  /"what":\["\d+ blocks up to height \d+, which this node had when it attested"\]/;

/**
 * What is wrong in a node's log. Of a node whose disk was full it is expected that it says so, and
 * of one that has lost its directory that it misses what was there.
 */
export function badLogLines(
  node: { readonly id: string; readonly logFile: string },
  phases: readonly { readonly kind: string; readonly targets: readonly string[] }[],
): readonly string[] {
  const kinds = phases.filter(({ targets }) => targets.includes(node.id)).map(({ kind }) => kind);
  if (kinds.some((kind) => kind.startsWith("fill-disk"))) return [];
  const hasLost = kinds.includes("wipe-storage");
  const lines = errorLines(readFileSync(node.logFile, "utf8")).filter(
    (line) => !(hasLost && lostPattern.test(line)),
  );
  const named = lines.slice(0, namedMax).map((line) => `${node.id} logged: ${line.slice(0, 400)}`);
  return lines.length > namedMax ? [...named, `and ${lines.length - namedMax} more`] : named;
}

function levelOf(line: string): number {
  try {
    const { level } = JSON.parse(line);
    return typeof level === "number" ? level : errorLevel;
  } catch {
    return errorLevel;
  }
}
