/** Checks of who took part: unanimity of the active, and the history of absences. */
import type { BlockFact, ManagerChange, NodeLedger } from "../findings.js";
import { type FaultKind, takesAway } from "../plan.js";

/** What a phase did to whom and when, ms. */
type Strike = {
  readonly kind: FaultKind;
  readonly targets: readonly string[];
  readonly struckMs: number;
  readonly healingMs: number;
  readonly healedMs: number;
};

/**
 * Managers may have accepted what becomes final just after they were struck: the block that was
 * under way, and the one before, of which everybody may hear late.
 */
const underWay = 2;

/**
 * Each block was accepted by all managers that were active after it, and by nobody else; committed
 * by a quorum; and a quorum stayed active.
 */
export function checkUnanimity(
  { id, blocks }: NodeLedger,
  managers: readonly string[],
): readonly string[] {
  const quorum = Math.floor((2 * managers.length) / 3) + 1;
  const active = new Set(managers);
  const wrong: string[] = [];
  for (const block of blocks) {
    const at = `${id}, height ${block.height}:`;
    for (const change of block.changes) apply(active, change);
    const required = [...active].toSorted().join(", ");
    const accepted = block.accepters.toSorted().join(", ");
    if (required !== accepted) wrong.push(`${at} ${required} had to accept, ${accepted} did`);
    if (active.size < quorum) wrong.push(`${at} only ${active.size} managers are active`);
    if (new Set(block.committers).size < quorum) wrong.push(`${at} too few commits`);
  }
  return wrong;
}

/** GetConsortium tells the changes of membership that are in the blocks. */
export function checkHistory({ id, blocks, history }: NodeLedger): readonly string[] {
  const inBlocks = blocks.flatMap(changesOf).join("; ");
  const told = history.map(describe).join("; ");
  return inBlocks === told ? [] : [`${id} tells of "${told}", its blocks of "${inBlocks}"`];
}

/**
 * What became final while a manager was away became so without its ACCEPT: the chain says that it
 * was absent.
 */
export function checkAbsencesNamed(
  { id, blocks }: NodeLedger,
  commitMs: ReadonlyMap<number, number>,
  strikes: readonly Omit<Strike, "healedMs">[],
): readonly string[] {
  return strikes
    .filter(({ kind }) => takesAway.has(kind))
    .flatMap(({ kind, targets, struckMs, healingMs }) => {
      const meanwhile = blocks.filter(({ height }) => {
        const ms = commitMs.get(height);
        return ms !== undefined && ms > struckMs && ms < healingMs;
      });
      return meanwhile
        .slice(underWay)
        .flatMap(({ height, accepters }) =>
          targets
            .filter((target) => accepters.includes(target))
            .map((target) => `${id}, height ${height}: accepted by ${target} during ${kind}`),
        );
    });
}

/** Suspensions of managers that nothing had happened to since `slackMs` before. */
export function unfoundedSuspensions(
  { history }: NodeLedger,
  commitMs: ReadonlyMap<number, number>,
  strikes: readonly Omit<Strike, "healingMs">[],
  slackMs: number,
): readonly string[] {
  const founded = (managerId: string, ms: number) =>
    strikes.some(
      ({ targets, struckMs, healedMs }) =>
        targets.includes(managerId) && ms > struckMs && ms < healedMs + slackMs,
    );
  return history
    .filter(({ kind }) => kind === "suspend")
    .filter(({ managerId, height }) => !founded(managerId, commitMs.get(height) ?? 0))
    .map((change) => describe(change));
}

/** Managers that nobody made break the rules are not accused of it. */
export function checkNobodyAccused({ id, blocks }: NodeLedger): readonly string[] {
  const accused = blocks.flatMap(changesOf).filter((text) => text.startsWith("evidence"));
  return accused.map((text) => `${id}: ${text}, though all keep the rules`);
}

function apply(active: Set<string>, { managerId, kind }: ManagerChange): void {
  if (kind === "suspend") active.delete(managerId);
  if (kind === "resume") active.add(managerId);
}

function changesOf({ height, changes }: BlockFact): readonly string[] {
  return changes.map((change) => describe({ ...change, height }));
}

function describe({ kind, managerId, height }: ManagerChange & { height: number }): string {
  return `${kind} ${managerId} at ${height}`;
}
