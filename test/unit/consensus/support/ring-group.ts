/**
 * All managers of one height as rings on virtual time: every message takes the same time, writes
 * take none, blocks are made up, and the committee attests whatever it is asked for. Some managers
 * may be dead, or say only what a test lets through.
 */
import { create } from "@bufbuild/protobuf";
import { defined } from "../../../../src/base/assert.js";
import { toHex } from "../../../../src/base/bytes.js";
import type {
  Decision,
  Outgoing,
  Ready,
  RingEvent,
  Statement,
  Task,
} from "../../../../src/consensus/ring/events.js";
import { Ring } from "../../../../src/consensus/ring/ring.js";
import type { Evidence, RoundTimeouts } from "../../../../src/gen/bss/v1/genesis_pb.js";
import {
  AttestationSchema,
  AttestationVerdict,
  ProposalSchema,
  VoteKind,
  VoteSchema,
} from "../../../../src/gen/bss/v1/vote_pb.js";
import type { BlockFacts } from "../../../../src/ledger/blocks/block-facts.js";
import { Members } from "../../../../src/ledger/members/members.js";
import { futureBoundMs, plainConsortium } from "../../../simulation/consortium.js";
import { seedOf } from "../../../simulation/signatures.js";

export type GroupOptions = {
  readonly managers: number;
  readonly height: number;
  readonly timeouts: Omit<RoundTimeouts, "$typeName" | "$unknown">;
  readonly suspendAfterMs?: number;
  /** One way. */
  readonly delayMs: number;
  readonly leaves?: boolean;
  /** Numbers of those that say nothing. */
  readonly dead?: readonly number[];
  /** Numbers of those that are suspended before this height, and want to be active again. */
  readonly suspended?: readonly number[];
  /** When a message arrives after all, ms from now; by default after the delay. Nothing: never. */
  readonly route?: (
    from: string,
    to: string,
    message: Outgoing,
    nowMs: number,
  ) => number | undefined;
};

export type Decided = { readonly atMs: number; readonly decision: Decision };

type Due = { readonly atMs: number; readonly order: number; readonly run: () => void };

const startWallMs = 1_700_000_000_000;
const resendMs = 1_000;

export class RingGroup {
  readonly members: Members;
  readonly decided = new Map<string, Decided>();
  readonly evidence: Evidence[] = [];
  /** Claims of the blocks that were made, as "r5 of manager-2 without manager-4". */
  readonly claims: string[] = [];
  readonly #options: GroupOptions;
  readonly #rings = new Map<string, Ring>();
  readonly #facts = new Map<string, BlockFacts>();
  readonly #due: Due[] = [];
  /** The latest deadline that is waited for, by ring. */
  readonly #timers = new Map<string, number>();
  #order = 0;
  nowMs = 0;

  constructor(options: GroupOptions) {
    this.#options = options;
    const { managers, storageNodes, officers } = plainConsortium(options.managers, 4).genesis
      .members;
    const suspended = options.suspended ?? [];
    this.members = new Members({
      storageNodes,
      officers,
      managers: managers.map((each) => ({
        ...each,
        active: !suspended.includes(numberOf(each.managerId)),
      })),
    });
    for (const { managerId } of this.members.managers) {
      if (options.dead?.includes(numberOf(managerId))) continue;
      this.#rings.set(managerId, this.#newRing(managerId));
    }
  }

  ring(id: string): Ring {
    return defined(this.#rings.get(id), `${id} is alive`);
  }

  get aliveIds(): readonly string[] {
    return [...this.#rings.keys()];
  }

  /** All live managers have something to order. */
  wake(): void {
    for (const id of this.#rings.keys()) this.#post(id, { kind: "wake" });
  }

  post(id: string, event: RingEvent): void {
    this.#post(id, event);
  }

  /** Until all live managers have decided, or for so long. */
  run(maxMs: number): void {
    const endMs = this.nowMs + maxMs;
    while (this.decided.size < this.#rings.size) {
      const next = this.#takeNext();
      if (next === undefined || next.atMs > endMs) {
        this.nowMs = endMs;
        return;
      }
      this.nowMs = next.atMs;
      next.run();
    }
  }

  #newRing(selfId: string): Ring {
    const { timeouts, suspendAfterMs, height } = this.#options;
    return new Ring({
      selfId,
      futureBoundMs,
      resendMs,
      clock: this.#clock(),
      timeouts: { $typeName: "bss.v1.RoundTimeouts", ...timeouts },
      context: { height, members: this.members },
      ...(suspendAfterMs === undefined ? {} : { suspendAfterMs }),
    });
  }

  #clock() {
    return {
      monotonicMs: this.nowMs,
      attentiveMs: this.nowMs,
      wallMs: startWallMs + this.nowMs,
    };
  }

  #after(delayMs: number, run: () => void): void {
    this.#due.push({ atMs: this.nowMs + delayMs, order: this.#order++, run });
  }

  #takeNext(): Due | undefined {
    let first: Due | undefined;
    for (const due of this.#due) {
      const isEarlier =
        first === undefined ||
        due.atMs < first.atMs ||
        (due.atMs === first.atMs && due.order < first.order);
      if (isEarlier) first = due;
    }
    if (first !== undefined) this.#due.splice(this.#due.indexOf(first), 1);
    return first;
  }

  #post(id: string, event: RingEvent, delayMs = 0): void {
    this.#after(delayMs, () => {
      const ring = this.#rings.get(id);
      ring?.tick(this.#clock());
      ring?.step(event);
      this.#carryOut(id);
    });
  }

  #carryOut(id: string): void {
    const ring = this.ring(id);
    for (let ready = ring.ready(); ready !== undefined; ready = ring.ready()) {
      this.#do(id, ring, ready);
    }
    const deadlineMs = ring.nextDeadlineMs;
    if (deadlineMs === undefined || this.#timers.get(id) === deadlineMs) return;
    this.#timers.set(id, deadlineMs);
    this.#after(Math.max(0, deadlineMs - this.nowMs), () => {
      if (ring.nextDeadlineMs !== deadlineMs) return;
      ring.tick(this.#clock());
      this.#carryOut(id);
    });
  }

  #do(id: string, ring: Ring, ready: Ready): void {
    for (const statement of ready.statements) {
      const said = this.#signed(id, statement);
      this.#send(id, said);
      ring.step(said);
    }
    for (const message of ready.messages) this.#send(id, message);
    for (const task of ready.tasks) this.#start(id, task);
    this.evidence.push(...ready.evidence);
    if (ready.decision !== undefined) {
      this.decided.set(id, { atMs: this.nowMs, decision: ready.decision });
    }
  }

  #send(from: string, message: Outgoing): void {
    for (const to of this.#rings.keys()) {
      if (to === from) continue;
      const { delayMs, route } = this.#options;
      const inMs = route === undefined ? delayMs : route(from, to, message, this.nowMs);
      if (inMs !== undefined) this.#post(to, message, inMs);
    }
  }

  #start(id: string, task: Task): void {
    const { height } = this.#options;
    switch (task.kind) {
      case "build": {
        const facts = this.#build(id, task.round, task.absent);
        this.#post(id, { kind: "built", height, round: task.round, facts }, 1);
        return;
      }
      case "validate": {
        const facts = this.#facts.get(toHex(task.blockId));
        if (facts === undefined) return;
        const judgement = { accurate: true, facts } as const;
        this.#post(id, { kind: "judged", height, blockId: task.blockId, judgement }, 1);
        return;
      }
      case "verify-integrity": {
        const facts = defined(this.#facts.get(toHex(task.blockId)), "the block was made");
        for (const nodeId of task.committee) {
          const attestation = create(AttestationSchema, {
            height: BigInt(height),
            round: task.round,
            blockId: task.blockId,
            nodeId,
            hash2: facts.hash1,
            treeSize: BigInt(facts.treeSize),
            verdict: AttestationVerdict.MATCH,
            audit: new Uint8Array(32),
            signature: new Uint8Array(64),
          });
          const event = { kind: "attestation", attestation } as const;
          for (const to of this.#rings.keys()) {
            this.#post(to, event, 2 * this.#options.delayMs);
          }
        }
        return;
      }
    }
  }

  /**
   * A block that suspends the absent, as long as a quorum stays active. In round 0, and together
   * with suspensions, it resumes who wants to be active again.
   */
  #build(proposerId: string, createdRound: number, absent: readonly string[]): BlockFacts {
    const { height, leaves = true } = this.#options;
    const { activeManagerIds, quorum } = this.members;
    const resumes = createdRound === 0 || absent.length > 0;
    const returning = this.aliveIds.filter((id) => !activeManagerIds.includes(id));
    const active = [...activeManagerIds, ...(resumes ? returning : [])];
    const absences = absent.slice(0, active.length - quorum);
    if (absent.length > 0) {
      this.claims.push(`r${createdRound} of ${proposerId} without ${absent.join(" ")}`);
    }
    const facts: BlockFacts = {
      height,
      createdRound,
      proposerId,
      absences,
      blockId: seedOf(`block ${createdRound} of ${proposerId}`),
      timestampMs: startWallMs + this.nowMs,
      treeSize: leaves ? 3 : 0,
      leafCount: leaves ? 3 : 0,
      hash1: seedOf("root"),
      beacon: new Uint8Array(64).fill(createdRound),
      requiredAccepts: active.filter((id) => !absences.includes(id)).sort(),
      eligible: this.members.storageNodes.map(({ nodeId }) => nodeId).sort(),
    };
    this.#facts.set(toHex(facts.blockId), facts);
    return facts;
  }

  #signed(managerId: string, statement: Statement): Outgoing {
    const { blockId } = statement;
    const base = {
      height: BigInt(this.#options.height),
      blockId,
      managerId,
      signature: seedOf(JSON.stringify({ ...statement, lock: 0, lockCertificate: 0, managerId })),
    };
    if (statement.kind === "propose") {
      const { round, validRound, lockCertificate } = statement;
      const certified = lockCertificate === undefined ? {} : { lockCertificate };
      const proposal = create(ProposalSchema, { ...base, round, validRound, ...certified });
      return { kind: "proposal", proposal };
    }
    const kind = { accept: VoteKind.ACCEPT, approve: VoteKind.APPROVE, commit: VoteKind.COMMIT };
    const round = statement.kind === "accept" ? 0 : statement.round;
    const validRound = statement.kind === "approve" ? statement.validRound : -1;
    const vote = create(VoteSchema, { ...base, kind: kind[statement.kind], round, validRound });
    return { kind: "vote", vote };
  }
}

function numberOf(id: string): number {
  return Number(id.replace(/^.*-/, ""));
}
