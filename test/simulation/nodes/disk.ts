/**
 * A disk that outlives processes and power, under a production store.
 *
 * Writes take time. A batch is there as a whole or not at all. What a crash finds:
 *
 *     resolved "sync" ──────────── there, with all that had resolved before
 *     resolved "buffered" since ── there after the death of a process; after a loss of power any
 *                                  prefix of it in the order of the writes
 *     under way ────────────────── any prefix, if everything before is there
 *
 * A full disk refuses writes; whether the refused batch is there after all, chance decides.
 *
 * Two disks may be written by one thread. Then the second takes a batch when the first has done
 * what it was asked for before, and none when that was refused.
 */
import {
  assertBatch,
  assertKeys,
  assertRange,
  type Durability,
  type Entry,
  type KeyValueStore,
  type RangeOptions,
  type ScanOptions,
  scanPages,
  type WriteOperation,
} from "../../../src/store/key-value-store.js";
import { closedError, refusedAfterFailure, StoreError } from "../../../src/store/store-error.js";
import { copyOfOperation, SortedMap } from "../../support/sorted-map.js";
import type { Random } from "../random.js";
import type { Scheduler } from "../scheduler.js";
import { never, type Process } from "./process.js";

/** What is done to the owner of a disk at a write. */
export type WriteFault = "none" | "during" | "after" | "while-sending";

export type DiskPorts = {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly count: (what: string) => void;
  /** Asked at each write. */
  readonly writeFault: () => WriteFault;
  readonly crash: () => void;
  /** Mean duration of a write. */
  readonly writeMs: number;
  /** Share of reads that take time, and how long they take at most. */
  readonly slowReads: { readonly chance: number; readonly maxMs: number };
};

/** What a disk holds at some time. */
export type DiskImage = { readonly content: SortedMap };

type Undo = { readonly key: Uint8Array; readonly before: Uint8Array | undefined };
type Pending = { readonly batch: readonly WriteOperation[] };

const slowWriteMs = 30;
const slowWriteChance = 0.02;
const sendsBeforeDeathMax = 8;

export class SimulatedDisk {
  readonly ports: DiskPorts;
  /** The other one that the same thread writes. */
  readonly first: SimulatedDisk | undefined;
  content = new SortedMap();
  full = false;
  /** What the process that has it open asked it to write last. */
  lastWrite: Promise<void> = Promise.resolve();
  /** Sees every batch that is written, for checkers. */
  onWrite: (batch: readonly WriteOperation[]) => void = () => {};
  /** Batches that have been acknowledged and not been synced, the oldest first. */
  #unsynced: (readonly Undo[])[] = [];
  #underWay: Pending[] = [];

  constructor(ports: DiskPorts, first?: SimulatedDisk) {
    this.ports = ports;
    this.first = first;
  }

  open(process: Process): KeyValueStore {
    this.lastWrite = Promise.resolve();
    return new DiskStore(this, process);
  }

  /** As `open`, without delays and faults: for who looks at it in the end. */
  openToRead(process: Process): KeyValueStore {
    const ports = { ...this.ports, slowReads: { chance: 0, maxMs: 0 } };
    const disk = new SimulatedDisk(ports);
    disk.content = this.content;
    return disk.open(process);
  }

  /** The process is gone, and what the operating system had is not. */
  processDied(): void {
    this.#applyPrefix();
    // The system writes them out sooner or later.
    this.#unsynced = [];
  }

  powerFailed(): void {
    const { random, count } = this.ports;
    const kept = random.chance(0.3)
      ? this.#unsynced.length
      : random.below(this.#unsynced.length + 1);
    if (kept === this.#unsynced.length) this.#applyPrefix();
    else {
      count("acknowledged write lost in a power failure");
      this.#underWay = [];
    }
    for (const undo of this.#unsynced.splice(kept).reverse()) {
      for (const { key, before } of [...undo].reverse()) this.content.put(key, before);
    }
    this.#unsynced = [];
  }

  image(): DiskImage {
    return { content: this.content.copy() };
  }

  /** Puts an old image in place of what is there. Only between two processes. */
  restore({ content }: DiskImage): void {
    this.content = content.copy();
    this.#unsynced = [];
    this.#underWay = [];
  }

  begin(batch: readonly WriteOperation[]): Pending {
    const pending = { batch };
    this.#underWay.push(pending);
    return pending;
  }

  /** False when a crash has taken it. */
  finish(pending: Pending, durability: Durability): boolean {
    const at = this.#underWay.indexOf(pending);
    if (at === -1) return false;
    this.#underWay.splice(at, 1);
    const undo = this.#apply(pending.batch);
    if (durability === "sync") this.#unsynced = [];
    else this.#unsynced.push(undo);
    return true;
  }

  #applyPrefix(): void {
    const { random, count } = this.ports;
    const pending = this.#underWay;
    this.#underWay = [];
    if (pending.length === 0) return;
    const kept = random.below(pending.length + 1);
    count(kept > 0 ? "write kept in a crash" : "write lost in a crash");
    for (const { batch } of pending.slice(0, kept)) this.#apply(batch);
  }

  #apply(batch: readonly WriteOperation[]): readonly Undo[] {
    this.onWrite(batch);
    return batch.map((operation) => {
      const { key } = operation;
      const before = this.content.get(key);
      this.content.put(key, operation.type === "put" ? operation.value : undefined);
      return { key, before };
    });
  }
}

class DiskStore implements KeyValueStore {
  readonly #disk: SimulatedDisk;
  readonly #process: Process;
  #closed = false;
  #failure: StoreError | undefined;

  constructor(disk: SimulatedDisk, process: Process) {
    this.#disk = disk;
    this.#process = process;
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return (await this.getMany([key]))[0];
  }

  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    assertKeys(keys);
    return this.#read(() => this.#disk.content.getMany(keys));
  }

  range(options: RangeOptions): Promise<readonly Entry[]> {
    assertRange(options);
    return this.#read(() => this.#disk.content.range(options));
  }

  scan(options: ScanOptions): AsyncIterable<Entry> {
    return scanPages(this, options);
  }

  write(batch: readonly WriteOperation[], durability: Durability): Promise<void> {
    const before = this.#disk.first?.lastWrite;
    const written = this.#write(batch, durability, before);
    this.#disk.lastWrite = written;
    // Whoever asked hears of it.
    written.catch(() => {});
    return written;
  }

  async #write(
    batch: readonly WriteOperation[],
    durability: Durability,
    before: Promise<void> | undefined,
  ): Promise<void> {
    assertBatch(batch);
    if (before !== undefined) await before;
    this.#assertOpen();
    if (!this.#process.alive) return never();
    if (this.#failure !== undefined) throw refusedAfterFailure(this.#failure);
    if (this.#disk.full && batch.length > 0) throw this.#refuse(batch);
    const { writeMs, random, scheduler, writeFault } = this.#disk.ports;
    const pending = this.#disk.begin(batch.map(copyOfOperation));
    const slowMs = random.chance(slowWriteChance) ? random.between(0, slowWriteMs) : 0;
    const fault = writeFault();
    return new Promise((resolve) => {
      scheduler.after(random.exponential(writeMs) + slowMs, () => {
        if (fault === "during") return this.#crash();
        if (!this.#disk.finish(pending, durability)) return;
        if (fault === "after") return this.#crash();
        if (!this.#process.alive) return;
        this.#process.touch();
        if (fault === "while-sending") {
          this.#process.sendsLeft = random.below(sendsBeforeDeathMax);
          // Dies at the latest when it has nothing more to send for a while.
          scheduler.after(1, () => this.#crash());
        }
        resolve();
      });
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #read<T>(read: () => T): Promise<T> {
    this.#assertOpen();
    if (!this.#process.alive) return never();
    const { slowReads, random, scheduler } = this.#disk.ports;
    if (slowReads.chance === 0 || !random.chance(slowReads.chance)) return Promise.resolve(read());
    return new Promise((resolve) => {
      scheduler.after(random.between(0, slowReads.maxMs), () => {
        this.#process.touch();
        if (this.#process.alive) resolve(read());
      });
    });
  }

  #refuse(batch: readonly WriteOperation[]): StoreError {
    const { random, count } = this.#disk.ports;
    count("write refused by a full disk");
    if (random.chance(0.3)) this.#disk.finish(this.#disk.begin(batch.map(copyOfOperation)), "sync");
    this.#failure = new StoreError("DISK_FULL", "the simulated disk is full");
    return this.#failure;
  }

  #crash(): void {
    if (this.#process.alive) this.#disk.ports.crash();
  }

  #assertOpen(): void {
    if (this.#closed) throw closedError();
  }
}
