/**
 * What the nodes say about themselves, in words: what keeps the ring from going on, what they are
 * doing, and whether their disks are right. What several nodes say alike is said once.
 */

import { SuspensionReason } from "../../gen/bss/v1/members_pb.js";
import {
  type GetStatusResponse,
  type ManagerStatus,
  NodeRole,
  type SyncProgress,
  type Waiting,
} from "../../gen/bss/v1/query_pb.js";
import type { Tint } from "./colours.js";
import { formatDuration, formatTime } from "./output.js";

/** A height takes this long even if all is well. */
const patienceMs = 2_000;
const reasonNames: Readonly<Record<number, string>> = {
  [SuspensionReason.ABSENT]: "absent",
  [SuspensionReason.EQUIVOCATED]: "equivocated",
};
export const equivocation = "signed contradicting statements";
/** A sentence holds at most this many names of one kind. */
const namesMax = 5;

/** Whose signatures are missing: "the ACCEPT of manager-3"; undefined while that is normal. */
export function waitsFor(waiting: Waiting | undefined): string | undefined {
  if (waiting === undefined || waiting.heightMs < patienceMs) return undefined;
  const proposer = waiting.missingProposer === "" ? [] : [waiting.missingProposer];
  const parts = [
    of("the proposal of", proposer),
    of("the ACCEPT of", waiting.missingAccepts),
    of("the APPROVE of", waiting.missingApprovals),
    of("the attestation of", waiting.missingAttestations),
    of("the COMMIT of", waiting.missingCommits),
  ].flat();
  return parts.length === 0 ? "the next round" : listed(parts);
}

/** One word for a table: what the node is doing. */
export function doingOf(status: GetStatusResponse): string {
  if (status.halted !== "") return "halted";
  if (status.abstaining !== "") return "abstains";
  if (status.scrub?.repairing) return "repairs itself";
  if (status.syncing) return "catching up";
  if (waitsFor(status.waiting) !== undefined) return `waits (${status.step}, ${status.round})`;
  return status.step || "in step";
}

/** A node that goes on needs no colour. */
export function tintOfState(doing: string): Tint | undefined {
  if (/halted|no answer/.test(doing)) return "bad";
  return /suspended|abstains|waits|repairs|catching up/.test(doing) ? "warn" : undefined;
}

/** "812 of 1200, 35 blocks/s, 11 s left, from manager-2". */
export function syncWords(height: bigint | number, sync: SyncProgress): string {
  const { targetHeight, blocksPerSecond, secondsLeft, peerId } = sync;
  const parts = [`block ${height} of ${targetHeight}`];
  if (blocksPerSecond > 0) parts.push(`${blocksPerSecond.toFixed(1)} blocks/s`);
  if (secondsLeft > 0n) parts.push(`${formatDuration(Number(secondsLeft) * 1000)} left`);
  if (peerId !== "") parts.push(`from ${peerId}`);
  return parts.join(", ");
}

/** A suspension's reason by its name, for programs. */
export function reasonOf({ reason }: Pick<ManagerStatus, "reason">): string {
  return reasonNames[reason] ?? "unknown";
}

/** "absent", and how often in close succession; or what it did. */
export function suspensionWords({ reason, absences }: ManagerStatus): string {
  if (reason === SuspensionReason.EQUIVOCATED) return equivocation;
  if (reason !== SuspensionReason.ABSENT) return "for a reason that this version does not know";
  return absences > 1 ? `absent, ${absences} times in succession` : "absent";
}

/** Sentences about everything that is not as it should be. */
export function troublesOf(
  statuses: readonly GetStatusResponse[],
  managers: readonly ManagerStatus[],
): readonly string[] {
  const going = statuses.filter(({ halted }) => halted === "");
  return [
    ...statuses.flatMap(haltsOf),
    ...waits(going),
    ...managers.flatMap(suspension),
    ...going.flatMap(({ nodeId, abstaining }) =>
      abstaining === "" ? [] : [`${nodeId} signs nothing: ${abstaining}`],
    ),
    ...statuses.flatMap(({ nodeId, height, sync }) =>
      sync === undefined ? [] : [`${nodeId} is catching up: ${syncWords(height, sync)}`],
    ),
    ...statuses.flatMap(storeTroubles),
    ...statuses.flatMap(falseObjections),
  ];
}

/** Whether the node has halted, and which storage nodes have told it that they have. */
function haltsOf({ nodeId, halted, peers }: GetStatusResponse): readonly string[] {
  const own = halted === "" ? [] : [`${nodeId} has halted: ${halted}`];
  const told = peers
    .filter((peer) => peer.halted !== "")
    .map((peer) => `${peer.peerId} has halted, as it told ${nodeId}: ${peer.halted}`);
  return [...own, ...told];
}

/** Nodes that wait for the same are named together. */
function waits(statuses: readonly GetStatusResponse[]): readonly string[] {
  const groups = new Map<string, { readonly ids: string[]; longestMs: number }>();
  for (const { nodeId, waiting } of statuses) {
    const what = waitsFor(waiting);
    if (what === undefined || waiting === undefined) continue;
    const group = groups.get(what) ?? { ids: [], longestMs: 0 };
    group.ids.push(nodeId);
    group.longestMs = Math.max(group.longestMs, Number(waiting.heightMs));
    groups.set(what, group);
  }
  return [...groups].map(([what, { ids, longestMs }]) => {
    const verb = ids.length === 1 ? "waits" : "wait";
    return `no block for ${formatDuration(longestMs)}: ${listed(ids)} ${verb} for ${what}`;
  });
}

function suspension(manager: ManagerStatus): readonly string[] {
  const { member, active, changedHeight, changedAtUnixMs, offenceHeight } = manager;
  const id = member?.managerId ?? "?";
  if (!active) {
    const since = `since ${formatTime(changedAtUnixMs)} (block ${changedHeight})`;
    return [`${id} is suspended ${since}: ${suspensionWords(manager)}`];
  }
  if (offenceHeight === 0n) return [];
  const recorded = `recorded in block ${offenceHeight}`;
  return [`${id} ${equivocation} (${recorded}); it stays, as too few would be left`];
}

function falseObjections({ nodeId, peers }: GetStatusResponse): readonly string[] {
  return peers
    .filter(({ role, falseObjections }) => role === NodeRole.MANAGER && falseObjections > 0n)
    .map(({ peerId, falseObjections: count }) => {
      const what = count === 1n ? "1 false objection" : `${count} false objections`;
      return `${nodeId} has found ${what} of ${peerId}`;
    });
}

function of(what: string, ids: readonly string[]): readonly string[] {
  return ids.length === 0 ? [] : [`${what} ${namesOf(ids)}`];
}

/** "a, b and 3 more", in a sentence. */
export function namesOf(ids: readonly string[]): string {
  const more = ids.length - namesMax;
  return listed([...ids.slice(0, namesMax), ...(more > 0 ? [`${more} more`] : [])]);
}

/** "a", "a and b", "a, b and c". */
function listed(parts: readonly string[]): string {
  const last = parts.at(-1) ?? "";
  return parts.length < 2 ? last : `${parts.slice(0, -1).join(", ")} and ${last}`;
}

/** Damage that a storage node has found on its disk since it started. */
function storeTroubles({ nodeId, scrub }: GetStatusResponse): readonly string[] {
  if (scrub === undefined) return [];
  const { damaged, repaired, lastDamage, repairing } = scrub;
  const last = lastDamage === "" ? "" : `; the last: ${lastDamage}`;
  const found = `${damaged} found damaged since its start, ${repaired} repaired${last}`;
  if (repairing) {
    return [`${nodeId} checks its whole store and attests nothing meanwhile: ${found}`];
  }
  return damaged === 0n ? [] : [`look at the disk of ${nodeId}: ${found}`];
}
