/** Looks through nodes' own logs for what a node only says when something is wrong with itself. */
import { readFileSync } from "node:fs";

const errorLevel = 50;
const namedMax = 3;

/** Lines of a log at level error or above, and lines that are no log entries at all. */
export function errorLines(log: string): readonly string[] {
  return log.split("\n").filter((line) => line !== "" && levelOf(line) >= errorLevel);
}

/**
 * What is wrong in a node's log. Of a node whose disk was full it is expected that it says so.
 */
export function badLogLines(
  node: { readonly id: string; readonly logFile: string },
  phases: readonly { readonly kind: string; readonly targets: readonly string[] }[],
): readonly string[] {
  const diskWasFull = phases.some(
    ({ kind, targets }) => kind.startsWith("fill-disk") && targets.includes(node.id),
  );
  if (diskWasFull) return [];
  const lines = errorLines(readFileSync(node.logFile, "utf8"));
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
