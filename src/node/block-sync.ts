/**
 * Brings a node of either role to the tip of the chain: asks peers and appends blocks as the plan
 * says (../sync/sync-plan.ts), and tells how far it is.
 */

import type { SyncAnswer, SyncEffect, SyncEvent } from "../sync/sync-events.js";
import { SyncPlan, type SyncPlanPorts } from "../sync/sync-plan.js";
import { BlockRate, type Progress, SyncReport } from "../sync/sync-progress.js";
import type { SyncBlock } from "../sync/sync-window.js";
import type { SyncObserver } from "./sync-observer.js";

type BlockSyncPorts<B> = SyncPlanPorts & {
  readonly monotonicMs: () => number;
  /** Asks a peer for final blocks; false when it could not be sent. */
  readonly request: (peer: string, fromHeight: number, limit: number) => boolean;
  /**
   * Appends blocks in their order and skips those that the chain has already. Resolves with the
   * reason when one does not hold, and leaves the rest. Rejects when the node itself is at fault.
   */
  readonly append: (blocks: readonly B[]) => Promise<string | undefined>;
  /** `append` has rejected. */
  readonly onFailed: (cause: unknown) => void;
  readonly observe: SyncObserver;
};

export class BlockSync<B extends SyncBlock> {
  readonly #ports: BlockSyncPorts<B>;
  readonly #plan: SyncPlan<B>;
  readonly #rate = new BlockRate();
  readonly #report = new SyncReport();
  #running: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(ports: BlockSyncPorts<B>) {
    this.#ports = ports;
    this.#plan = new SyncPlan(ports);
  }

  /** Whether blocks are missing here, by the word of more peers than may lie. */
  get behind(): boolean {
    return this.#missing > 0;
  }

  /** More is missing than the one block that may be on its way. */
  get farBehind(): boolean {
    return this.#missing > (this.#plan.source === undefined ? 1 : 0);
  }

  /** Undefined when nothing is missing. */
  progress(): Progress | undefined {
    const missing = this.#missing;
    if (missing === 0) return undefined;
    const nowMs = this.#ports.monotonicMs();
    const blocksPerSecond = this.#rate.perSecond(nowMs);
    return {
      targetHeight: this.#plan.targetHeight(nowMs),
      blocksPerSecond,
      secondsLeft: blocksPerSecond > 0 ? missing / blocksPerSecond : undefined,
      peer: this.#plan.source,
    };
  }

  /** The height that a peer has spoken of; 0 when unknown. */
  heightOf(peer: string): number {
    return this.#plan.heightOf(peer);
  }

  onHeight(
    peer: string,
    height: number,
    how: { readonly urgent?: boolean; readonly exact?: boolean } = {},
  ): void {
    this.#step({ kind: "claim", peer, height, ...how });
  }

  /** The link is gone, and with it what was asked for on it. */
  onDisconnected(peer: string): void {
    this.#step({ kind: "gone", peer });
  }

  /** Takes an answer; its blocks are appended in the background, in their turn. */
  take(answer: Omit<SyncAnswer<B>, "kind">): void {
    this.#step({ kind: "answer", ...answer });
  }

  /** The chain has grown by a block, from wherever it came. */
  onAppended(): void {
    this.#rate.note(this.#ports.monotonicMs());
    this.#step({ kind: "grown" });
  }

  /** To be called at intervals. */
  tick(): void {
    this.#step({ kind: "tick" });
    const { monotonicMs, headHeight, observe } = this.#ports;
    const news = this.#report.look(monotonicMs(), headHeight(), this.progress());
    if (news !== undefined) observe.syncNews(news);
  }

  /** Asks for nothing any more; resolves when nothing is being appended any more. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.settled();
  }

  /** Resolves when everything that has come so far is appended or refused. */
  async settled(): Promise<void> {
    for (let running: unknown; running !== this.#running; ) {
      running = this.#running;
      await running;
    }
  }

  get #missing(): number {
    return this.#plan.targetHeight(this.#ports.monotonicMs()) - this.#ports.headHeight();
  }

  #step(event: SyncEvent<B>): void {
    if (this.#closed) return;
    for (const effect of this.#plan.step(event, this.#ports.monotonicMs())) this.#carryOut(effect);
  }

  #carryOut(effect: SyncEffect<B>): void {
    const { request, observe, onFailed } = this.#ports;
    switch (effect.kind) {
      case "ask": {
        const { peer, fromHeight, limit } = effect;
        if (!request(peer, fromHeight, limit)) this.onDisconnected(peer);
        return;
      }
      case "append":
        this.#running = this.#append(effect.blocks).catch(onFailed);
        return;
      case "blame":
        observe.blamed(effect.peer, effect.reason, effect.detail, effect.forMs);
        return;
      case "drop":
        observe.dropped(effect.peer, "NOT_ASKED_FOR");
    }
  }

  async #append(blocks: readonly B[]): Promise<void> {
    const failure = await this.#ports.append(blocks);
    this.#step(failure === undefined ? { kind: "appended" } : { kind: "appended", failure });
  }
}
