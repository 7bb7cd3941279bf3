/**
 * Reads everything that this node keeps, evenly over a period, again and again, so that damage is
 * found while others still have what is lost. It opens the store a second time, for reading only,
 * because what the node's own one has in memory says nothing about the disk. It only reports what
 * it finds: the repair looks at everything again.
 */

import type { Logger } from "pino";
import type { Time } from "../../base/time.js";
import { damaged } from "../../store/chain/stored-values.js";
import { ChainWalk, type ChainWalkPorts } from "../../store/damage/chain-walk.js";
import { damageOf } from "../../store/damage/store-comparison.js";
import type { KeyValueStore } from "../../store/key-value-store.js";
import { isDamage, isShortage } from "../../store/store-error.js";
import type { SelfRepair } from "./self-repair.js";

export type ScrubberPorts = Pick<ChainWalkPorts, "head" | "fixed" | "consortiumId"> & {
  /** Above 0, ms. */
  readonly periodMs: number;
  /** How far it had come when the node stopped. */
  readonly progress: ScrubProgress;
  /** Keeps the progress for the next start; need not be durable. */
  readonly save: (progress: ScrubProgress) => Promise<void>;
  readonly openReadOnly: () => Promise<KeyValueStore>;
  /** It pauses while the node repairs itself. */
  readonly repair: Pick<SelfRepair, "repairing" | "report">;
  readonly log: Pick<Logger, "error">;
  readonly time: Pick<Time, "monotonicMs" | "wallMs">;
};

export type ScrubProgress = {
  /** The last height that the present pass has read. */
  readonly height: number;
  /** When the last whole pass ended; 0 for never. */
  readonly lastPassUnixMs: number;
};

/** A finding counts if it is there each time: files may have been replaced while they were read. */
const looksMax = 3;
const restMsMin = 250;
const restMsMax = 60_000;

export class Scrubber {
  readonly #ports: ScrubberPorts;
  #passStartedMs: number;
  #lookedMs: number;
  #height: number;
  #lastPassUnixMs: number;
  #running: Promise<void> | undefined;
  #closed = false;

  constructor(ports: ScrubberPorts) {
    this.#ports = ports;
    const nowMs = ports.time.monotonicMs();
    const headHeight = ports.head().height;
    this.#height = Math.min(ports.progress.height, headHeight);
    this.#lastPassUnixMs = ports.progress.lastPassUnixMs;
    const share = headHeight === 0 ? 0 : this.#height / headHeight;
    this.#passStartedMs = nowMs - share * ports.periodMs;
    this.#lookedMs = nowMs;
  }

  get progress(): ScrubProgress {
    return { height: this.#height, lastPassUnixMs: this.#lastPassUnixMs };
  }

  /** To be called at intervals. */
  tick(): void {
    const { time, periodMs, repair } = this.#ports;
    const nowMs = time.monotonicMs();
    const restMs = Math.min(restMsMax, Math.max(restMsMin, periodMs / 100));
    if (this.#closed || this.#running !== undefined || repair.repairing) return;
    if (nowMs - this.#lookedMs < restMs) return;
    this.#lookedMs = nowMs;
    this.#running = this.#look()
      .catch((error: unknown) => this.#tellFailed(error))
      .finally(() => {
        this.#running = undefined;
      });
  }

  /** Looks at nothing any more; resolves when the height that is being read is through. */
  close(): Promise<void> {
    this.#closed = true;
    return this.settled();
  }

  /** Resolves when nothing is being read. */
  async settled(): Promise<void> {
    await this.#running;
  }

  /** Checks the heights that are due by now. Rejects when something is short, or cannot be kept. */
  async #look(): Promise<void> {
    const { time, periodMs, head, repair, log } = this.#ports;
    const share = Math.min(1, (time.monotonicMs() - this.#passStartedMs) / periodMs);
    const due = Math.floor(head().height * share);
    let finding: Finding | undefined;
    for (let look = 0; look < looksMax; look += 1) {
      finding = await this.#check(due);
      if (finding === undefined) break;
    }
    if (repair.repairing) return;
    if (finding !== undefined) {
      const { cause, files } = finding;
      this.#restart();
      log.error({ cause }, "reading the store again found damage");
      return repair.report(cause, { files });
    }
    if (share >= 1 && !this.#closed) {
      this.#lastPassUnixMs = time.wallMs();
      this.#restart();
    }
    await this.#ports.save(this.progress);
  }

  /** If the disk fails, the node's own reads and writes fail with it. */
  #tellFailed(error: unknown): void {
    const cause = error instanceof Error ? error.message : String(error);
    this.#ports.log.error({ cause }, "the store could not be read again; it is tried later");
  }

  #restart(): void {
    this.#height = 0;
    this.#passStartedMs = this.#ports.time.monotonicMs();
  }

  async #check(due: number): Promise<Finding | undefined> {
    const { head, fixed, consortiumId, openReadOnly } = this.#ports;
    let files = false;
    let kv: KeyValueStore | undefined;
    try {
      kv = await openReadOnly();
      const found: string[] = [];
      const walk = await ChainWalk.resume(
        {
          head,
          fixed,
          consortiumId,
          kv: readingOnly(kv, () => {
            files = true;
          }),
          found: ({ height, what }) => found.push(`height ${height}: ${what.join(", ")}`),
          fetch: async (height) => {
            throw damaged(`a sealed record of height ${height}`, "is missing or damaged");
          },
          inTurn: (job) => job(),
          replaceHead: async () => {},
          replaceTiles: () => {},
        },
        this.#height,
      );
      if (walk === undefined) throw damaged(`block ${this.#height}`, "is missing or damaged");
      while (walk.height < due && found.length === 0 && !this.#closed) await walk.step();
      await walk.checkOpenTiles();
      if (found.length === 0) this.#height = Math.max(this.#height, walk.height);
      return found.length === 0 ? undefined : { cause: found.join("; "), files };
    } catch (error) {
      // A second opening needs space for logs and as many files again.
      if (isShortage(error)) throw error;
      const cause = isDamage(error) ? damageOf(error) : String(error);
      return { cause, files: files || (kv === undefined && isDamage(error)) };
    } finally {
      await kv?.close().catch(() => {});
    }
  }
}

/** `files`: the store could not read what was written. */
type Finding = { readonly cause: string; readonly files: boolean };

/** The walk writes what it finds wrong; this reader finds it, and leaves it as it is. */
function readingOnly(kv: KeyValueStore, onUnreadable: () => void): KeyValueStore {
  const watched = async <T>(reading: Promise<T>): Promise<T> => {
    try {
      return await reading;
    } catch (error) {
      if (isDamage(error)) onUnreadable();
      throw error;
    }
  };
  return {
    get: (key) => watched(kv.get(key)),
    getMany: (keys) => watched(kv.getMany(keys)),
    range: (options) => watched(kv.range(options)),
    scan: (options) => kv.scan(options),
    write: async () => {},
    close: () => kv.close(),
  };
}
