/**
 * The chain's growth: blocks that the ring decided, and final ones that a peer shipped. Both go to
 * the disk within a turn of the driver; then everybody hears of them.
 */
import { toHex } from "../../base/bytes.js";
import type { Time } from "../../base/time.js";
import type { BlockCertificates, ManagerBlock } from "../../gen/bss/v1/block_pb.js";
import { blockId, parseHeader } from "../../ledger/blocks/blocks.js";
import type { ExecutedBlock } from "../../ledger/blocks/executed-block.js";
import type { ManagerStore } from "../../store/manager-store.js";
import type { StatementStore } from "../signing/statement-log.js";
import type { BlockValidator } from "./block-validator.js";
import { type AppendedBlock, type RingDriver, RingHalted } from "./ring-driver.js";
import type { ShippedManagerBlock } from "./shipped-blocks.js";

export type ChainWriterPorts = {
  readonly store: ManagerStore;
  readonly time: Time;
  readonly validator: BlockValidator;
  readonly driver: () => RingDriver;
  /**
   * The block is on disk, and the ring at the next height. `more`: others follow at once, so that
   * nobody needs to hear of this one, and the disk may not have flushed it.
   */
  readonly onAppended: (appended: AppendedBlock, more: boolean) => Promise<void>;
  readonly observe: {
    wrote(seconds: number): void;
    appended(executed: ExecutedBlock, intervalMs: number): void;
  };
};

export class ChainWriter {
  readonly #ports: ChainWriterPorts;
  #appendedAtMs: number;
  readonly statements: StatementStore;

  constructor(ports: ChainWriterPorts) {
    this.#ports = ports;
    this.#appendedAtMs = ports.time.monotonicMs();
    this.statements = {
      saveStatements: (said) => this.#timed(() => ports.store.saveStatements(said)),
    };
  }

  /** Time since the last block, or since the start. */
  get idleMs(): number {
    return this.#ports.time.monotonicMs() - this.#appendedAtMs;
  }

  /** Only within a turn of the driver. */
  async append(appended: AppendedBlock, more = false): Promise<void> {
    const { store, driver, observe, onAppended, time } = this.#ports;
    const { height } = appended.executed.facts;
    await this.#timed(() => store.append(appended, more ? "buffered" : "sync"));
    driver().advance({ height: height + 1, members: store.head.members });
    observe.appended(appended.executed, this.idleMs);
    this.#appendedAtMs = time.monotonicMs();
    await onAppended(appended, more);
  }

  /**
   * Final blocks from a peer, in their order; the reason when one does not hold, after which the
   * rest is not looked at. Those that are here already are passed over. They reach the device
   * together: a crash of the machine may lose the last of them, never one from their middle, and
   * whatever this manager signs later is flushed after them.
   */
  async appendShipped(blocks: readonly ShippedManagerBlock[]): Promise<string | undefined> {
    for (const [i, { block, certificates }] of blocks.entries()) {
      const more = i < blocks.length - 1;
      const reason = await this.#appendOne(block, certificates, more);
      if (reason === undefined) continue;
      if (i > 0) await this.#ports.driver().exclusive(() => this.#ports.store.flush());
      return reason;
    }
    return undefined;
  }

  #appendOne(
    block: ManagerBlock,
    certificates: BlockCertificates,
    more: boolean,
  ): Promise<string | undefined> {
    const { store, driver, validator } = this.#ports;
    return driver().exclusive(async () => {
      const header = block.block?.header ?? new Uint8Array();
      const parsed = parseHeader(header);
      // Decided here while it was on its way: nobody is to blame.
      if (parsed.ok && parsed.value.height <= store.head.height) return undefined;
      const id = blockId(header);
      const judged = await validator.judge(id, block);
      if (judged === undefined) return "a block that does not hang together";
      if (!judged.ok) {
        const text = `${judged.error.reason}: ${judged.error.message}`;
        if (!(await validator.isCommitted(id, certificates))) return text;
        const halt = `Q managers committed ${toHex(id)}, which is wrong here: ${text}`;
        throw new RingHalted(halt, certificates.commit);
      }
      const refused = await validator.checkFinal(judged.value, certificates);
      if (refused !== undefined) return `${refused.reason}: ${refused.message}`;
      await this.append({ block, executed: judged.value, certificates }, more);
      return undefined;
    });
  }

  /** Runs a write and tells how long it took. */
  async #timed(write: () => Promise<void>): Promise<void> {
    const { time, observe } = this.#ports;
    const startedMs = time.monotonicMs();
    await write();
    observe.wrote((time.monotonicMs() - startedMs) / 1_000);
  }
}
