/**
 * Suspension: the ring goes on without a manager that is absent or broke the rules ([R4.8.1] to
 * [R4.8.5], [R4.9.1]).
 *
 *     active ──SuspendManager──▶ absent ──ResumeManager──▶ active
 *        │                          │
 *        └────────── Evidence ──────┴──▶ equivocated, until governance resolves it
 *
 * A suspended manager neither proposes nor accepts; it approves, commits and counts in Q as ever.
 * At least Q managers stay active, the *floor*: else the ring could not go on anyway, and f+1
 * managers that lie about absences could take the ring over. So an offender is suspended by the
 * first block that leaves room, which is known to all from the standings alone.
 *
 * All of it is decided by heights and the blocks' timestamps, by no clock.
 */
import { type Policy, SuspensionMode } from "../../gen/bss/v1/genesis_pb.js";
import { type Manager, quorumOf, type StorageNode } from "./member-lists.js";

/** Blocks by which a manager that resumes may be behind the block that resumes it. */
export const resumeLagMax = 3;

/** How old the head may be at which a manager found a storage node unreachable, in blocks. */
const claimAgeMax = 100;

/**
 * The lowest height of a claim that a storage node is unreachable, for the block at `height`. What
 * was said before an attestation that the chain holds was a passing fault of a line: nobody may
 * keep it for later.
 */
export function oldestClaim(
  { changedHeight, lastAttestedHeight }: Pick<StorageNode, "changedHeight" | "lastAttestedHeight">,
  height: number,
): number {
  return Math.max(changedHeight, lastAttestedHeight, height - claimAgeMax);
}

/**
 * The earliest timestamp of a block that may resume this manager, Unix ms: each suspension in close
 * succession doubles the wait, up to the policy's maximum. For a manager that is active, or will
 * not resume, it says nothing.
 */
export function resumePossibleAtMs(
  { changedAtMs, absences }: Pick<Manager, "changedAtMs" | "absences">,
  { resumeWaitMs, resumeWaitMaxMs }: Pick<Policy, "resumeWaitMs" | "resumeWaitMaxMs">,
): number {
  // No wait of 1 ms or more stays below the maximum, a uint32, when it is doubled so often.
  const doublings = Math.min(Math.max(absences - 1, 0), 32);
  return changedAtMs + Math.min(resumeWaitMs * 2 ** doublings, resumeWaitMaxMs);
}

/** How many of the active managers may be suspended: none unless the policy says so. */
export function suspensionRoom(
  managers: readonly Pick<Manager, "active">[],
  policy: Pick<Policy, "suspension">,
): number {
  if (policy.suspension !== SuspensionMode.FLOOR) return 0;
  const activeCount = managers.filter((each) => each.active).length;
  return Math.max(0, activeCount - quorumOf(managers.length));
}

/** How often a manager that is suspended now has been suspended in close succession. */
export function absencesWith(
  { changedAtMs, absences }: Pick<Manager, "changedAtMs" | "absences">,
  timestampMs: number,
  { resumeWaitMaxMs }: Pick<Policy, "resumeWaitMaxMs">,
): number {
  return (timestampMs - changedAtMs < resumeWaitMaxMs ? absences : 0) + 1;
}
