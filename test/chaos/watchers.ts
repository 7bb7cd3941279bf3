/**
 * Streams of blocks held open across all faults: one of each node, taken down as it comes, and one
 * of the client library over all managers. When each height was first seen by anybody is the time
 * of its commit.
 */
import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { toHex } from "../../src/base/bytes.js";
import type { BssClient, ClientProfile } from "../../src/client/index.js";
import { type Connection, dialWith } from "../../src/client/manager-connections.js";
import { QueryService } from "../../src/gen/bss/v1/query_pb.js";
import { RpcError } from "../../src/rpc/rpc-error.js";
import type { Journal } from "./journal.js";

export type Seen = { readonly height: number; readonly blockId: string };

/** What one watcher saw, in the order in which it came. */
export type Watch = { readonly name: string; readonly seen: readonly Seen[] };

type Target = {
  readonly id: string;
  readonly role: "manager" | "storage";
  readonly address: string;
};

const redialMs = 200;
/** A stream of a node that is paused or cut off says nothing; then it is opened anew. */
const silenceMaxMs = 15_000;

export class Watchers {
  /** When each height was first seen, ms of the journal. */
  readonly commitMs = new Map<number, number>();
  readonly #journal: Journal;
  readonly #profile: ClientProfile;
  readonly #abort = new AbortController();
  readonly #watches: { readonly name: string; readonly seen: Seen[] }[] = [];
  readonly #running: Promise<void>[] = [];

  constructor(journal: Journal, profile: ClientProfile) {
    this.#journal = journal;
    this.#profile = profile;
    // Every watcher listens to it.
    setMaxListeners(0, this.#abort.signal);
  }

  /** Of each watcher. */
  get watches(): readonly Watch[] {
    return this.#watches;
  }

  /** Follows one node through every loss of its stream. */
  follow(target: Target): void {
    const seen = this.#open(target.id);
    this.#running.push(this.#followNode(target, seen));
  }

  /** Follows the chain over all managers, as integrators do. */
  followAll(client: BssClient): void {
    const seen = this.#open("client library");
    const { signal } = this.#abort;
    const watching = async () => {
      for await (const block of client.watchBlocks(1, { headersOnly: true, signal })) {
        this.#take(seen, { height: Number(block.height), blockId: toHex(block.blockId) });
      }
    };
    this.#running.push(
      watching().catch((error: unknown) => {
        if (!signal.aborted) this.#journal.log(`the client's watch ended: ${error}`);
      }),
    );
  }

  /** Waits until each has seen this height, or time is up. */
  async until(height: number, timeoutMs: number): Promise<void> {
    const deadlineMs = performance.now() + timeoutMs;
    const behind = () => this.#watches.some(({ seen }) => (seen.at(-1)?.height ?? 0) < height);
    while (behind() && performance.now() < deadlineMs) await sleep(50);
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await Promise.all(this.#running);
  }

  #open(name: string): Seen[] {
    const seen: Seen[] = [];
    this.#watches.push({ name, seen });
    return seen;
  }

  #take(seen: Seen[], block: Seen): void {
    seen.push(block);
    if (!this.commitMs.has(block.height)) this.commitMs.set(block.height, this.#journal.nowMs);
  }

  async #followNode({ role, address }: Target, seen: Seen[]): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      const connection = dialWith(this.#profile, role)(address);
      try {
        await this.#readFrom(connection, seen);
      } catch (error) {
        if (!(error instanceof RpcError)) throw error;
      } finally {
        connection.close();
      }
      await sleep(redialMs, undefined, { signal }).catch(() => {});
    }
  }

  async #readFrom(connection: Connection, seen: Seen[]): Promise<void> {
    const quiet = new AbortController();
    const signal = AbortSignal.any([this.#abort.signal, quiet.signal]);
    const request = { fromHeight: BigInt((seen.at(-1)?.height ?? 0) + 1), headersOnly: true };
    const arm = () => setTimeout(() => quiet.abort(), silenceMaxMs);
    let timer = arm();
    try {
      const { watchBlocks } = QueryService.method;
      for await (const { block } of connection.watch(watchBlocks, request, { signal })) {
        clearTimeout(timer);
        timer = arm();
        if (block === undefined) continue;
        this.#take(seen, { height: Number(block.height), blockId: toHex(block.blockId) });
      }
    } finally {
      clearTimeout(timer);
    }
  }
}
