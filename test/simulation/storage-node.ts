/**
 * A storage node around the production attestor: what it attests and what it appends is decided
 * there. The disk stays; what it knows of managers, and candidates that came early, is gone after a
 * crash.
 */
import { create } from "@bufbuild/protobuf";
import { defined } from "../../src/base/assert.js";
import { equalBytes, toHex } from "../../src/base/bytes.js";
import { checkFinal, judgeCandidate } from "../../src/consensus/attestor.js";
import { auditDigest } from "../../src/consensus/audit.js";
import type { Block } from "../../src/gen/bss/v1/block_pb.js";
import {
  type Attestation,
  AttestationSchema,
  AttestationVerdict,
} from "../../src/gen/bss/v1/vote_pb.js";
import { type ParsedBlock, parseBlock } from "../../src/ledger/blocks.js";
import { type AttestationClaim, attestationDigest } from "../../src/ledger/vote-digests.js";
import { FakeDisk } from "./disk.js";
import { InvariantBroken } from "./events.js";
import type { Message, ShippedStorageBlock } from "./messages.js";
import { StorageDisk, type StoredCandidate } from "./storage-disk.js";
import { notify, type World } from "./world.js";

export type StorageBehaviour = "honest" | "silent" | "lying";

const pulseMs = 150;
const askAgainMs = 150;

export class StorageNode {
  readonly id: string;
  readonly disk: StorageDisk;
  readonly #world: World;
  readonly #device: FakeDisk;
  behaviour: StorageBehaviour = "honest";
  onCrashed: () => void = () => {};
  #up = false;
  #incarnation = 0;
  #busy = false;
  #queue: (readonly [from: string, message: Message])[] = [];
  #early = new Map<string, readonly [from: string, message: Message]>();
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #sendsLeft = Number.POSITIVE_INFINITY;

  constructor(world: World, id: string) {
    this.#world = world;
    this.id = id;
    this.disk = new StorageDisk(world.consortium.genesis);
    this.#device = new FakeDisk({
      ...{ scheduler: world.scheduler, counters: world.counters },
      random: world.random.fork(),
      crashChance: () => (world.faulty ? world.plan.faults.diskCrashChance : 0),
      crash: (afterSends) => {
        if (afterSends !== undefined && afterSends > 0) this.#sendsLeft = afterSends;
        else this.#crashByDisk();
      },
    });
  }

  get up(): boolean {
    return this.#up;
  }

  start(): void {
    if (this.#up) return;
    this.#up = true;
    this.#sendsLeft = Number.POSITIVE_INFINITY;
    this.#incarnation += 1;
    this.#world.network.connect(this.id, (from, message) => {
      this.#queue.push([from, message]);
      this.#run();
    });
    // What was signed stands, and is told again.
    for (const attestation of this.disk.attestations.values()) {
      this.#tellAll({ kind: "attestation", attestation });
    }
    this.#pulse(this.#incarnation);
  }

  crash(): void {
    if (!this.#up) return;
    this.#up = false;
    this.#incarnation += 1;
    this.#world.network.disconnect(this.id);
    this.#busy = false;
    this.#queue = [];
    this.#early = new Map();
    this.#askedAtMs = Number.NEGATIVE_INFINITY;
    this.#device.interrupt();
  }

  #run(): void {
    while (this.#up && !this.#busy) {
      const next = this.#queue.shift();
      if (next === undefined) return;
      this.#take(...next);
    }
  }

  #take(from: string, message: Message): void {
    switch (message.kind) {
      case "verify":
        this.#takeCandidate(from, message);
        return;
      case "commit":
        this.#takeCommit(from, message);
        return;
      case "storage-blocks":
        this.#askedAtMs = Number.NEGATIVE_INFINITY;
        this.#takeBlocks(message.blocks);
        return;
      default:
        this.#world.counters.count(`stray message: ${message.kind}`);
    }
  }

  #takeCandidate(from: string, message: Message & { kind: "verify" }): void {
    const { genesis, scheme } = this.#world.consortium;
    const { consortiumId, policy } = genesis;
    const parsed = parsedBlock(message.block);
    if (!parsed.ok) return;
    const { round, sealedRecords, approval } = message;
    const candidate = { round, block: parsed.value, sealedRecords, approval };
    const context = { consortiumId, policy, head: this.disk.head };
    const judged = judgeCandidate(candidate, context, this.id);
    if (judged.kind === "refuse") {
      this.#world.counters.count(`candidate refused: ${judged.violation.reason}`);
    }
    if (judged.kind === "behind") {
      this.#early.set(from, [from, message]);
      this.#ask(from);
    }
    if (judged.kind !== "attest" || this.behaviour === "silent") return;
    const signed = this.disk.attestations.get(round);
    if (signed !== undefined) {
      if (!equalBytes(signed.blockId, parsed.value.blockId)) return;
      this.#send(from, { kind: "attestation", attestation: signed });
      return;
    }
    if (!judged.signatures.every((check) => scheme.verify(check))) return;
    if (judged.claim.verdict !== AttestationVerdict.MATCH) {
      throw new InvariantBroken("integrity", `${this.id} finds another root than the managers`);
    }
    const audit = this.#audit(parsed.value, judged.auditPositions);
    const claim = { ...judged.claim, audit };
    const attestation = this.#sign(claim);
    const save = () => {
      this.disk.candidates.set(toHex(claim.blockId), { block: parsed.value, sealedRecords });
      this.disk.attestations.set(round, attestation);
    };
    this.#write(save, () => {
      if (this.behaviour === "lying") return this.#lie(claim);
      notify(this.#world, (checker) => checker.attested(this.id, attestation));
      this.#tellAll({ kind: "attestation", attestation });
    });
  }

  /** The audited records are read from the disk. */
  #audit({ header }: ParsedBlock, positions: readonly number[]): Uint8Array {
    const sealed = positions.map((at) =>
      defined(this.disk.sealed[at], "every record of the log is stored"),
    );
    return auditDigest(header.beacon, this.id, sealed);
  }

  #sign(claim: AttestationClaim): Attestation {
    const { height, round, blockId, hash2, treeSize, verdict, audit } = claim;
    return create(AttestationSchema, {
      ...{ height: BigInt(height), round, blockId, hash2, treeSize: BigInt(treeSize), verdict },
      ...{ audit, nodeId: this.id },
      signature: this.#world.consortium.scheme.sign(this.id, attestationDigest(claim)),
    });
  }

  /** A mismatch, another root, or the truth: to each manager what chance says. */
  #lie(claim: AttestationClaim): void {
    const mismatch = this.#sign({ ...claim, verdict: AttestationVerdict.MISMATCH });
    const versions = [mismatch, this.#sign({ ...claim, hash2: claim.audit }), this.#sign(claim)];
    for (const managerId of this.#world.consortium.managerIds) {
      const attestation = this.#world.random.pick(versions);
      this.#world.counters.count("lie of a storage node");
      this.#send(managerId, { kind: "attestation", attestation });
    }
  }

  #takeCommit(from: string, message: Message & { kind: "commit" }): void {
    const { height, blockId, certificates, shipped } = message;
    if (height <= this.disk.head.height) return;
    if (height > this.disk.head.height + 1) {
      this.#ask(from);
      return;
    }
    const held = this.disk.candidates.get(toHex(blockId)) ?? parsedOf(shipped);
    if (held === undefined) {
      this.#ask(from);
      return;
    }
    this.#append({ ...held, certificates });
  }

  #takeBlocks(blocks: readonly ShippedStorageBlock[]): void {
    for (const [i, shipped] of blocks.entries()) {
      const held = parsedOf(shipped);
      if (held === undefined) return;
      if (held.block.height !== this.disk.head.height + 1) continue;
      // The rest waits until this one is on the disk.
      const rest = blocks.slice(i + 1);
      if (rest.length > 0) {
        this.#queue.unshift([this.id, { kind: "storage-blocks", blocks: rest }]);
      }
      this.#append({ ...held, certificates: shipped.certificates });
      return;
    }
  }

  #append(final: Parameters<typeof checkFinal>[0]): void {
    const { genesis, scheme } = this.#world.consortium;
    const { consortiumId, policy } = genesis;
    const checked = checkFinal(final, { consortiumId, policy, head: this.disk.head });
    if (!checked.ok || !checked.value.signatures.every((check) => scheme.verify(check))) {
      this.#world.counters.count("final block refused by a storage node");
      return;
    }
    if ("contradiction" in checked.value) {
      const { reason, message } = checked.value.contradiction;
      throw new InvariantBroken("integrity", `${this.id}: ${reason}: ${message}`);
    }
    const { append } = checked.value;
    const apply = () => {
      this.disk.append(append);
      notify(this.#world, (checker) => checker.storageAppended(this.id, append));
    };
    this.#write(apply, () => {
      this.#world.counters.count("block stored");
      this.#sendHead();
      const early = [...this.#early.values()];
      this.#early.clear();
      this.#queue.unshift(...early);
    });
  }

  #write(apply: () => void, done: () => void): void {
    this.#busy = true;
    const incarnation = this.#incarnation;
    this.#device.write(apply, () => {
      if (incarnation !== this.#incarnation) return;
      this.#busy = false;
      done();
      this.#run();
    });
  }

  #ask(managerId: string): void {
    const { nowMs } = this.#world.scheduler;
    if (nowMs - this.#askedAtMs < askAgainMs) return;
    this.#askedAtMs = nowMs;
    const fromHeight = this.disk.head.height + 1;
    this.#send(managerId, { kind: "fetch-storage-blocks", fromHeight });
  }

  #pulse(incarnation: number): void {
    if (incarnation !== this.#incarnation) return;
    this.#sendHead();
    this.#world.scheduler.after(pulseMs, () => this.#pulse(incarnation));
  }

  #sendHead(): void {
    this.#tellAll({ kind: "storage-head", height: this.disk.head.height });
  }

  #tellAll(message: Message): void {
    for (const id of this.#world.consortium.managerIds) this.#send(id, message);
  }

  #send(to: string, message: Message): void {
    if (!this.#up) return;
    if (this.#sendsLeft === 0) {
      this.#crashByDisk();
      return;
    }
    this.#sendsLeft -= 1;
    this.#world.counters.count("message sent");
    this.#world.network.send(this.id, to, message);
  }

  #crashByDisk(): void {
    this.crash();
    this.onCrashed();
  }
}

function parsedOf(
  shipped: Pick<ShippedStorageBlock, "block" | "sealedRecords"> | undefined,
): StoredCandidate | undefined {
  if (shipped === undefined) return undefined;
  const parsed = parsedBlock(shipped.block);
  return parsed.ok ? { block: parsed.value, sealedRecords: shipped.sealedRecords } : undefined;
}

const parsedBlocks = new WeakMap<Block, ReturnType<typeof parseBlock>>();

/** One object goes to many nodes. */
function parsedBlock(block: Block): ReturnType<typeof parseBlock> {
  const parsed = parsedBlocks.get(block) ?? parseBlock(block);
  parsedBlocks.set(block, parsed);
  return parsed;
}
