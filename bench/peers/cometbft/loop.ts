/**
 * A closed loop on CometBFT: so many slots, each with one transaction that is not final. Few in
 * flight wait in `broadcast_tx_commit`, which answers once the block is executed; a node serves
 * only so many of these, so many in flight are handed over by `broadcast_tx_sync` and looked for in
 * the blocks, which are asked for as they come.
 */
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Entry, Loop } from "../../../src/cli/bench/loop.js";
import type { PeerLoad } from "../peer.js";
import { CometRpc, type TxResult } from "./rpc.js";

/** The most transactions that wait in `broadcast_tx_commit`. */
export const commitInFlightMax = 16;

/** Between two looks at the height; a transaction may have been final for so long. */
const pollMs = 5;
/** After a call that failed: the node may be busy. */
const restMs = 50;
const warmUpAnswersMin = 4;

/** A pair of the kvstore app, of exactly so many bytes: a key that nobody used, and filling. */
export function kvTransaction(bytes: number): Buffer {
  const key = `${randomBytes(12).toString("hex")}=`;
  if (bytes <= key.length) throw new Error(`a transaction has more than ${key.length} bytes`);
  return Buffer.from(key.padEnd(bytes, "v"), "latin1");
}

export class CometLoop implements Loop {
  readonly entries: Entry[] = [];
  readonly reconnects = 0;
  readonly warm: Promise<void>;
  failure: string | undefined;
  readonly #rpc: CometRpc;
  readonly #load: PeerLoad;
  readonly #running: Promise<void>;
  readonly #giveUp = new AbortController();
  /** Resolves when nobody is waited for any longer. */
  readonly #givenUp = new Promise<undefined>((resolve) => {
    this.#giveUp.signal.addEventListener("abort", () => resolve(undefined));
  });
  /** Who waits to see a transaction in a block, by its base64. */
  readonly #waiting = new Map<string, (code: number) => void>();
  #stopped = false;
  #answered = 0;
  #onWarm = () => {};

  constructor(port: number, load: PeerLoad, warmUpMs: number) {
    this.#load = load;
    // One for each slot, and for those who look at blocks.
    this.#rpc = new CometRpc(port, load.inFlight + 2);
    const enough = new Promise<void>((resolve) => {
      this.#onWarm = resolve;
    });
    this.#running = this.#run().catch((error) => {
      this.failure ??= String(error);
    });
    const both = Promise.all([enough, sleep(warmUpMs)]);
    this.warm = Promise.race([both, this.#running]).then(() => {});
  }

  async stop(drainMsMax: number): Promise<number> {
    this.#stopped = true;
    const timer = setTimeout(() => this.#giveUp.abort(), drainMsMax);
    await Promise.race([this.#running, this.#givenUp]);
    clearTimeout(timer);
    this.#giveUp.abort();
    this.#rpc.close();
    return performance.now();
  }

  async #run(): Promise<void> {
    const bySync = this.#load.inFlight > commitInFlightMax;
    // Asked for before anything is handed over: no block with a transaction of ours is missed.
    const from = bySync ? (await this.#rpc.height()) + 1 : 0;
    const slots = Array.from({ length: this.#load.inFlight }, () => this.#slot(bySync));
    const watching = bySync ? this.#watchBlocks(from) : undefined;
    // Without it nobody would ever see an answer.
    watching?.catch((error) => {
      // At the end its connection is closed under it.
      if (this.#giveUp.signal.aborted) return;
      this.failure ??= String(error);
      this.#giveUp.abort();
    });
    await Promise.all(slots);
    this.#giveUp.abort();
  }

  async #slot(bySync: boolean): Promise<void> {
    while (!this.#stopped) {
      const tx = kvTransaction(this.#load.recordBytes);
      const dueMs = performance.now();
      const entry: Entry = { dueMs, answeredMs: undefined, committed: 0, refused: {}, heights: [] };
      this.entries.push(entry);
      const refusal = await (bySync ? this.#untilInBlock(tx) : this.#committed(tx));
      if (this.#giveUp.signal.aborted) return;
      entry.answeredMs = performance.now();
      if (refusal === undefined) entry.committed = 1;
      else {
        entry.refused = { [refusal]: 1 };
        await sleep(restMs);
      }
      this.#answered += 1;
      if (this.#answered >= Math.max(warmUpAnswersMin, this.#load.inFlight)) this.#onWarm();
    }
  }

  /** Undefined when it is final; else why not. */
  #committed(tx: Buffer): Promise<string | undefined> {
    return this.#rpc.commit(tx).then(refusalOf, (error) => String(error));
  }

  async #untilInBlock(tx: Buffer): Promise<string | undefined> {
    const seen = new Promise<number>((resolve) => {
      this.#waiting.set(tx.toString("base64"), resolve);
    });
    const refusal = await this.#rpc.sync(tx).then(refusalOf, (error) => String(error));
    if (refusal !== undefined) {
      this.#waiting.delete(tx.toString("base64"));
      return refusal;
    }
    const code = await Promise.race([seen, this.#givenUp]);
    return code === 0 ? undefined : `CODE_${code}`;
  }

  /** Looks at one block after the other, until nobody waits any longer. */
  async #watchBlocks(from: number): Promise<void> {
    let next = from;
    while (!this.#giveUp.signal.aborted) {
      const txs = (await this.#rpc.height()) < next ? undefined : await this.#rpc.block(next);
      if (txs === undefined) {
        await sleep(pollMs);
        continue;
      }
      next += 1;
      for (const [tx, code] of txs) {
        this.#waiting.get(tx)?.(code);
        this.#waiting.delete(tx);
      }
    }
  }
}

function refusalOf({ code }: TxResult): string | undefined {
  return code === 0 ? undefined : `CODE_${code}`;
}
