/**
 * One ring on a bench: its blocks are made up, its peers say what a test lets them say, and what it
 * wants done comes back as lines. Statements are signed and stepped back at once, as after a write.
 *
 * A block is named by a letter and the round in which it was made: "A0", "B2". Blocks "E…" add no
 * leaves, "F…" are from the future, "S…" suspend the last manager. Managers and storage nodes are
 * called by their numbers.
 */
import { create } from "@bufbuild/protobuf";
import { defined } from "../../../../src/base/assert.js";
import { emptyBytes, toHex } from "../../../../src/base/bytes.js";
import type {
  Outgoing,
  Ready,
  RestoredHeight,
  RingEvent,
  Statement,
  Task,
} from "../../../../src/consensus/ring/events.js";
import { Ring } from "../../../../src/consensus/ring/ring.js";
import { waitingText } from "../../../../src/consensus/ring/waiting.js";
import type { LockCertificate } from "../../../../src/gen/bss/v1/block_pb.js";
import {
  type Attestation,
  AttestationSchema,
  AttestationVerdict,
  type Proposal,
  ProposalSchema,
  type Vote,
  VoteKind,
  VoteSchema,
} from "../../../../src/gen/bss/v1/vote_pb.js";
import type { BlockFacts } from "../../../../src/ledger/blocks/block-facts.js";
import {
  buildApproval,
  buildIntegrity,
  buildLock,
  buildPolka,
} from "../../../../src/ledger/certificates/certificate-builders.js";
import { drawCommittee } from "../../../../src/ledger/certificates/committee.js";
import type { Members } from "../../../../src/ledger/members/members.js";
import { futureBoundMs, plainConsortium } from "../../../simulation/consortium.js";
import { seedOf } from "../../../simulation/signatures.js";

export type BenchOptions = {
  readonly managers?: number;
  readonly storage?: number;
  /** Number of the manager on the bench. */
  readonly self?: number;
  readonly height?: number;
  /** Ms until absences are claimed; never without it. */
  readonly suspend?: number;
  readonly restored?: RestoredHeight;
};

export const benchTimeouts = {
  proposeMs: 100,
  approveMs: 200,
  verifyMs: 300,
  commitMs: 400,
  stepMs: 10,
  maxMs: 1_000,
} as const;
export const benchResendMs = 5_000;
const startWallMs = 1_700_000_000_000;

export const nil = "nil";

export class RingBench {
  readonly members: Members;
  readonly height: number;
  readonly selfId: string;
  ring: Ring;
  readonly #suspendAfterMs: number | undefined;
  #nowMs = 0;
  #busyMs = 0;
  /** What was said, as a disk holds it. */
  readonly votes: Vote[] = [];
  readonly proposals: Proposal[] = [];
  lock: RestoredHeight["lock"];
  readonly #names = new Map<string, string>([["", nil]]);

  constructor(options: BenchOptions = {}) {
    const { managers = 4, storage = 4, self = 1, height = 4 } = options;
    this.members = plainConsortium(managers, storage).genesis.members;
    this.height = height;
    this.selfId = `manager-${self}`;
    this.#suspendAfterMs = options.suspend;
    this.ring = this.#open(options.restored);
  }

  /** Steps an event in and returns what comes of it. */
  step(event: RingEvent): string[] {
    this.ring.step(event);
    return this.flush();
  }

  /** Lets time pass; this manager was busy, and so not attentive, for `busyMs` of it. */
  tick(ms: number, busyMs = 0): string[] {
    this.#nowMs += ms;
    this.#busyMs += busyMs;
    this.ring.tick(this.#clock());
    return this.flush();
  }

  /** A new process that finds on its disk what was said. */
  restart(): string[] {
    const said = { votes: [...this.votes], proposals: [...this.proposals] };
    this.ring = this.#open(this.lock === undefined ? said : { ...said, lock: this.lock });
    return this.flush();
  }

  flush(): string[] {
    const lines: string[] = [];
    for (let ready = this.ring.ready(); ready !== undefined; ready = this.ring.ready()) {
      lines.push(...this.#carryOut(ready));
    }
    return lines;
  }

  /** 32 bytes; empty for nil. */
  id(name: string): Uint8Array {
    if (name === nil) return emptyBytes;
    const id = seedOf(`block ${name}`);
    this.#names.set(toHex(id), name);
    return id;
  }

  facts(name: string): BlockFacts {
    const createdRound = Number(name.slice(1));
    const active = this.members.activeManagerIds;
    const absences = name.startsWith("S") ? active.slice(-1) : [];
    return {
      blockId: this.id(name),
      height: this.height,
      createdRound,
      proposerId: this.members.proposer(this.height, createdRound),
      timestampMs: startWallMs + (name.startsWith("F") ? futureBoundMs + 1_000 : 0),
      treeSize: 7,
      hash1: seedOf(`root ${name}`),
      beacon: new Uint8Array(64).fill(name.charCodeAt(0)),
      leafCount: name.startsWith("E") ? 0 : 3,
      requiredAccepts: active.filter((id) => !absences.includes(id)).sort(),
      absences,
      eligible: this.members.storageNodes.map(({ nodeId }) => nodeId).sort(),
    };
  }

  committee(name: string, round: number): readonly string[] {
    const { eligible, beacon } = this.facts(name);
    return drawCommittee({ eligible, beacon, round });
  }

  vote(kind: VoteKind, round: number, name: string, manager: number, validRound = -1): Vote {
    return create(VoteSchema, {
      kind,
      round,
      validRound,
      blockId: this.id(name),
      height: BigInt(this.height),
      managerId: `manager-${manager}`,
      signature: new Uint8Array(64),
    });
  }

  attestation(round: number, name: string, node: string, matches = true): Attestation {
    const { blockId, hash1, treeSize } = this.facts(name);
    const { MATCH, MISMATCH } = AttestationVerdict;
    return create(AttestationSchema, {
      height: BigInt(this.height),
      round,
      blockId,
      treeSize: BigInt(treeSize),
      hash2: hash1,
      verdict: matches ? MATCH : MISMATCH,
      nodeId: node,
      audit: new Uint8Array(32),
      signature: new Uint8Array(64),
    });
  }

  /** LC(height, round, block) by these approvers, attested in `attestedIn`; −1 for by nobody. */
  lockCertificate(
    round: number,
    name: string,
    approvers: readonly number[],
    attestedIn = round,
  ): LockCertificate {
    const { hash1, leafCount, requiredAccepts } = this.facts(name);
    const all = requiredAccepts.map((id) => Number(id.slice("manager-".length)));
    const committee = attestedIn < 0 ? [] : this.committee(name, attestedIn);
    const matches = committee.map((node) => this.attestation(attestedIn, name, node));
    const polka = approvers.map((i) => this.vote(VoteKind.APPROVE, round, name, i));
    const accepts = all.map((i) => this.vote(VoteKind.ACCEPT, 0, name, i));
    return buildLock({
      polka: buildPolka(polka),
      approval: buildApproval(accepts),
      ...(leafCount === 0 || attestedIn < 0
        ? {}
        : { integrity: buildIntegrity({ round: attestedIn, hash2: hash1, matches }) }),
    });
  }

  /** By the manager whose turn it is; with `lockCertificate` it names a valid round. */
  proposal(round: number, name: string, lockCertificate?: LockCertificate): Proposal {
    return create(ProposalSchema, {
      height: BigInt(this.height),
      round,
      blockId: this.id(name),
      validRound: lockCertificate?.polka?.round ?? -1,
      managerId: this.members.proposer(this.height, round),
      signature: new Uint8Array(64),
      ...(lockCertificate === undefined ? {} : { lockCertificate }),
    });
  }

  status(): string {
    const { height, round, step } = this.ring.status();
    return `at height ${height} round ${round} step ${step}`;
  }

  waiting(): string {
    const waiting = this.ring.waiting(this.#nowMs);
    if (waiting === undefined) return "nobody";
    return waitingText(waiting).replace(
      /[0-9a-f]{8}…/,
      this.#names.get(waiting.block ?? "") ?? "?",
    );
  }

  #open(restored: RestoredHeight | undefined): Ring {
    return new Ring({
      selfId: this.selfId,
      timeouts: { $typeName: "bss.v1.RoundTimeouts", ...benchTimeouts },
      futureBoundMs,
      resendMs: benchResendMs,
      context: { height: this.height, members: this.members },
      clock: this.#clock(),
      ...(this.#suspendAfterMs === undefined ? {} : { suspendAfterMs: this.#suspendAfterMs }),
      ...(restored === undefined ? {} : { restored }),
    });
  }

  #clock() {
    const monotonicMs = this.#nowMs;
    return {
      monotonicMs,
      attentiveMs: monotonicMs - this.#busyMs,
      wallMs: startWallMs + monotonicMs,
    };
  }

  #carryOut(ready: Ready): string[] {
    const lines = ready.expired.map((step) => `expires ${step}`);
    for (const statement of ready.statements) {
      lines.push(`says ${this.#statement(statement)}`);
      if (statement.kind === "commit" && statement.lock !== undefined) this.lock = statement.lock;
      this.ring.step(this.#signed(statement));
    }
    lines.push(...this.#sent(ready.messages));
    for (const task of ready.tasks) lines.push(`asks ${this.#task(task)}`);
    for (const { managerId, offence } of ready.evidence) {
      lines.push(`accuses ${numbers([managerId])} of ${offence.case}`);
    }
    const { decision, halt } = ready;
    if (decision !== undefined) {
      const { approval, commit, integrity } = decision.certificates;
      const accepts = approval?.signatures.map((each) => each.managerId) ?? [];
      const commits = commit?.signatures.map((each) => each.managerId) ?? [];
      const matches = integrity?.signatures.map((each) => each.nodeId) ?? [];
      const attested = integrity && ` IC r${integrity.round} ${numbers(matches)}`;
      lines.push(
        `decides ${this.#name(decision.blockId)} in r${decision.round}: ` +
          `AC ${numbers(accepts)}${attested ?? ""} CC r${commit?.round} ${numbers(commits)}`,
      );
    }
    if (halt !== undefined) lines.push(`halts: ${halt.message.replace(/[0-9a-f]{64}/, "…")}`);
    return lines;
  }

  #signed(statement: Statement): RingEvent {
    const manager = Number(this.selfId.slice("manager-".length));
    if (statement.kind === "propose") {
      const { round, validRound, blockId, lockCertificate } = statement;
      const proposal = create(ProposalSchema, {
        height: BigInt(this.height),
        round,
        validRound,
        blockId,
        managerId: this.selfId,
        signature: new Uint8Array(64),
        ...(lockCertificate === undefined ? {} : { lockCertificate }),
      });
      this.proposals.push(proposal);
      return { kind: "proposal", proposal };
    }
    const kind = voteKinds[statement.kind];
    const round = statement.kind === "accept" ? 0 : statement.round;
    const validRound = statement.kind === "approve" ? statement.validRound : -1;
    const vote = this.vote(kind, round, this.#name(statement.blockId), manager, validRound);
    this.votes.push(vote);
    return { kind: "vote", vote };
  }

  #statement(statement: Statement): string {
    const block = this.#name(statement.blockId);
    if (statement.kind === "accept") return `ACCEPT ${block}`;
    const name = statement.kind.toUpperCase();
    const valid = "validRound" in statement ? validText(statement.validRound) : "";
    const locked = statement.kind === "commit" && statement.lock !== undefined ? ", locked" : "";
    return `${name} r${statement.round} ${block}${valid}${locked}`;
  }

  /** Equal things that several have signed stand in one line. */
  #sent(messages: readonly Outgoing[]): string[] {
    const signers = new Map<string, string[]>();
    for (const message of messages) {
      const [what, who] = this.#message(message);
      signers.set(what, [...(signers.get(what) ?? []), who]);
    }
    return [...signers].map(([what, who]) => {
      const from = who.includes("") ? "" : ` of ${numbers(who)}`;
      return `sends ${what}${from}`;
    });
  }

  #message(message: Outgoing): readonly [what: string, who: string] {
    switch (message.kind) {
      case "proposal": {
        const { round, blockId, validRound, managerId } = message.proposal;
        return [`PROPOSE r${round} ${this.#name(blockId)}${validText(validRound)}`, managerId];
      }
      case "vote": {
        const { kind, round, blockId, validRound, managerId } = message.vote;
        const at = kind === VoteKind.ACCEPT ? "" : `r${round} `;
        const what = `${voteNames[kind]} ${at}${this.#name(blockId)}${validText(validRound)}`;
        return [what, managerId];
      }
      case "attestation": {
        const { round, blockId, verdict, nodeId } = message.attestation;
        return [
          `${verdict === AttestationVerdict.MATCH ? "MATCH" : "MISMATCH"} r${round} ${this.#name(blockId)}`,
          nodeId,
        ];
      }
      case "lock-certificate": {
        const polka = defined(message.certificate.polka, "an LC has a polka");
        return [`LC r${polka.round} ${this.#name(polka.blockId)}`, ""];
      }
    }
  }

  #task(task: Task): string {
    if (task.kind === "build") {
      const { round, absent, unattested } = task;
      const without = absent.length === 0 ? "" : ` without ${numbers(absent)}`;
      return `build r${round}${without}${unattested ? ", after one that went unattested" : ""}`;
    }
    const block = this.#name(task.blockId);
    if (task.kind === "validate") return `validate ${block}, held by ${numbers(task.holders)}`;
    return `verify r${task.round} ${block} by ${numbers(task.committee)}`;
  }

  #name(blockId: Uint8Array): string {
    return this.#names.get(toHex(blockId)) ?? toHex(blockId).slice(0, 8);
  }
}

const voteKinds = {
  accept: VoteKind.ACCEPT,
  approve: VoteKind.APPROVE,
  commit: VoteKind.COMMIT,
} as const;

const voteNames: Readonly<Record<VoteKind, string>> = {
  [VoteKind.UNSPECIFIED]: "?",
  [VoteKind.ACCEPT]: "ACCEPT",
  [VoteKind.APPROVE]: "APPROVE",
  [VoteKind.COMMIT]: "COMMIT",
};

function validText(validRound: number): string {
  return validRound === -1 ? "" : ` valid r${validRound}`;
}

/** "manager-3", "storage-1" → "1 3". */
function numbers(ids: readonly string[]): string {
  const all = ids.map((id) => Number(id.replace(/^.*-/, ""))).sort((a, b) => a - b);
  return all.length === 0 ? "nobody" : all.join(" ");
}
