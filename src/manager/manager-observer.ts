/**
 * What a manager writes to its log and its metrics. Ids, heights, reasons and counts only: no
 * record, no key, nothing that a submitter sent.
 */

import type { Logger } from "pino";
import { toHex } from "../base/bytes.js";
import type { ExpiredStep, Statement } from "../consensus/ring/events.js";
import { type RingWaiting, waitingText } from "../consensus/ring/waiting.js";
import type { Objection } from "../gen/bss/v1/broadcast_pb.js";
import type { ControlOperation, Evidence } from "../gen/bss/v1/genesis_pb.js";
import {
  type Attestation,
  AttestationVerdict,
  type Vote,
  VoteKind,
} from "../gen/bss/v1/vote_pb.js";
import type { ExecutedBlock } from "../ledger/blocks/executed-block.js";
import type { Manager, StorageNode } from "../ledger/members/member-lists.js";
import type { RuleReason } from "../ledger/violation.js";
import type { DropReason, offences } from "../metrics/label-values.js";
import type { Metrics } from "../metrics/metrics.js";
import { syncObserver } from "../node/sync-observer.js";
import type { StoreError } from "../store/store-error.js";
import type { Pool } from "./pool/pool.js";

export type ManagerObserver = ReturnType<typeof managerObserver>;

/** Why a manager does not vote. */
export type Abstaining = {
  readonly kind: "signer" | "listening" | "loss" | "behind";
  /** For people. */
  readonly text: string;
};

const voteNames = new Map<VoteKind, "accept" | "approve" | "commit">([
  [VoteKind.ACCEPT, "accept"],
  [VoteKind.APPROVE, "approve"],
  [VoteKind.COMMIT, "commit"],
]);

const offenceNames = new Map<Evidence["offence"]["case"], (typeof offences)[number]>([
  ["proposals", "two proposals"],
  ["votes", "two votes"],
  ["brokenLock", "a broken lock"],
]);

export function managerObserver(log: Logger, metrics: Metrics) {
  const suspended = (managers: readonly Manager[]) =>
    metrics.managersSuspended.set(managers.filter(({ active }) => !active).length);
  const differing = new Map<string, string | undefined>();
  return {
    appended({ facts }: ExecutedBlock, intervalMs: number): void {
      const { height, treeSize, leafCount: records, createdRound, proposerId } = facts;
      metrics.height.set(height);
      metrics.treeSize.set(treeSize);
      metrics.blocks.inc();
      metrics.records.inc(records);
      metrics.blockIntervalSeconds.observe(intervalMs / 1_000);
      log.debug({ height, treeSize, records, createdRound, proposerId }, "appended a block");
    },
    wrote(seconds: number): void {
      metrics.storeWriteSeconds.observe(seconds);
    },
    statement({ kind }: Statement): void {
      metrics.votes.inc({ kind, direction: "sent" });
    },
    voteReceived({ kind }: Vote): void {
      const name = voteNames.get(kind);
      if (name !== undefined) metrics.votes.inc({ kind: name, direction: "received" });
    },
    attestationReceived({ verdict, nodeId, height }: Attestation): void {
      const match = verdict === AttestationVerdict.MATCH;
      metrics.attestations.inc({ verdict: match ? "match" : "mismatch" });
      if (!match) log.warn({ nodeId, height: Number(height) }, "a storage node attests a mismatch");
    },
    expired(step: ExpiredStep): void {
      metrics.roundTimeouts.inc({ step });
      log.debug({ step }, "a step of the round timed out");
    },
    eventDropped(): void {
      metrics.queueDropped.inc({ queue: "ring-events" });
    },
    blockRefused(block: string, reason: string, message: string): void {
      log.warn({ block, reason, detail: message }, "refused a candidate block");
    },
    ...syncObserver(log, metrics),
    dropped(from: string, reason: DropReason): void {
      metrics.messagesDropped.inc({ reason });
      log.debug({ from, reason }, "dropped a message");
    },
    /** Counted each time, told when it is new: a manager says its head every second. */
    headDiffers(managerId: string, height: number, what: string | undefined): void {
      metrics.headsDiffering.inc({ manager: managerId });
      if (differing.get(managerId) === what) return;
      differing.set(managerId, what);
      log.warn({ managerId, height, what }, "a manager holds something else than this one");
    },
    /** Evidence against a manager that was not known here. */
    accused({ managerId, offence }: Evidence): void {
      const kind = offenceNames.get(offence.case);
      if (kind !== undefined) metrics.evidence.inc({ kind });
      log.warn({ managerId, kind }, "a manager has contradicted itself");
    },
    suspended,
    /** The managers after a block that has been appended. */
    standings(managers: readonly Manager[], height: number): void {
      metrics.knowManagers(managers.map(({ managerId }) => managerId));
      suspended(managers);
      for (const manager of managers) {
        const { managerId, active, offenceHeight, changedHeight, absences } = manager;
        if (offenceHeight === height) {
          log.warn({ managerId, height }, "the chain holds evidence against a manager");
        }
        if (changedHeight !== height) continue;
        if (active) {
          metrics.resumes.inc();
          log.warn({ managerId, height }, "a suspended manager is active again");
        } else {
          const { reason = "absent" } = manager;
          metrics.suspensions.inc({ reason });
          log.warn({ managerId, height, reason, absences }, "a manager is suspended");
        }
      }
    },
    /** The storage nodes after a block that has been appended. */
    storageStandings(nodes: readonly StorageNode[], height: number): void {
      for (const { nodeId, suspension, changedHeight, credit } of nodes) {
        if (changedHeight !== height) continue;
        if (suspension === undefined) log.info({ nodeId, height }, "a storage node joins in");
        else log.warn({ nodeId, height, suspension, credit }, "a storage node is out");
      }
    },
    /** An operation of a block that has been appended. */
    operationFinal({ operation }: ControlOperation): void {
      if (operation.case === undefined) return;
      metrics.controlOperations.inc({ kind: operation.case });
      if (operation.case === "carryAttestations") {
        metrics.lateAttestations.inc(operation.value.attestations.length);
      }
      if (operation.case !== "failAudit") return;
      const { nodeId, height } = operation.value;
      log.warn({ nodeId, height: Number(height) }, "the chain holds that an audit failed");
    },
    audited(nodeId: string, height: number, passed: boolean): void {
      metrics.audits.inc({ result: passed ? "passed" : "failed" });
      if (!passed) log.warn({ nodeId, height }, "a storage node has signed a false audit digest");
    },
    auditUnreadable(height: number, error: StoreError): void {
      log.error({ err: error, height }, "own records cannot be read, so nobody is audited here");
    },
    storageHalted(nodeId: string, height: number, why: string): void {
      log.error({ nodeId, height, why }, "a storage node has halted");
    },
    /** Counted each time; `isToTell` once in a while. */
    storageDoubled(nodeId: string, addresses: readonly string[], isToTell: boolean): void {
      metrics.linksTakenOver.inc();
      if (!isToTell) return;
      const what = "two processes with the key of one storage node push each other off";
      const next = "stop one of them; a copy needs an invitation, an id and a key of its own";
      log.error({ nodeId, addresses }, `${what}: ${next}`);
    },
    storageLinks(connected: number): void {
      metrics.peersConnected.set({ role: "storage" }, connected);
    },
    poolChanged({ submissionCount, recordCount, byteCount }: Pool): void {
      metrics.poolSubmissions.set(submissionCount);
      metrics.poolRecords.set(recordCount);
      metrics.poolBytes.set(byteCount);
    },
    verdict(result: "accepted" | "objected"): void {
      metrics.verdicts.inc({ result });
    },
    objection(rule: RuleReason): void {
      metrics.objections.inc({ rule });
    },
    falseObjection(managerId: string, { reason, height, recordHash }: Objection): void {
      metrics.falseObjections.inc({ manager: managerId });
      const claim = { managerId, reason, height: Number(height), record: toHex(recordHash) };
      log.warn(claim, "a manager objects to a record that keeps every rule there");
    },
    stalled(waiting: RingWaiting): void {
      const { height, round, step, heightMs, stepMs } = waiting;
      const times = { heightMs: Math.round(heightMs), stepMs: Math.round(stepMs) };
      const waitsFor = waitingText(waiting);
      log.warn({ height, round, step, ...times, waitsFor }, "the height does not end");
    },
    held(what: string, heldMs: number): void {
      log.warn({ heldMs: Math.round(heldMs) }, `submissions wait, no block can hold them: ${what}`);
    },
    wentOn(height: number, stalledMs: number): void {
      log.info({ height, stalledMs: Math.round(stalledMs) }, "the ring goes on");
    },
    abstains({ kind, text }: Abstaining): void {
      metrics.abstaining.reset();
      metrics.abstaining.set({ why: kind }, 1);
      const isUsual = kind === "listening" || kind === "behind";
      log[isUsual ? "info" : "warn"]({ why: text }, "the manager does not vote");
    },
    votes(): void {
      metrics.abstaining.reset();
      log.info("the manager votes");
    },
    committed(seconds: number): void {
      metrics.commitLatencySeconds.observe(seconds);
    },
  } as const;
}
