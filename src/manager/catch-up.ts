/**
 * Brings a manager that is behind to the tip: asks one peer at a time for final blocks, and appends
 * them after checking every rule and every certificate. A peer that is silent or sends what does
 * not hold is left alone for a while.
 */
import type { BlockCertificates, ManagerBlock } from "../gen/bss/v1/block_pb.js";
import type { ManagerBlocks } from "../gen/bss/v1/vote_pb.js";

/** One block behind is normal while a height is being finished; longer than this it is not. */
const patienceMs = 400;
const answerTimeoutMs = 5_000;
const blameMs = 30_000;
const blocksPerRequest = 50;

export type CatchUpPorts = {
  readonly headHeight: () => number;
  readonly monotonicMs: () => number;
  /** False when there is no link to the peer. */
  readonly request: (peer: string, fromHeight: number, limit: number) => boolean;
  /** Appends the next block; the reason when it does not hold. */
  readonly append: (
    block: ManagerBlock,
    certificates: BlockCertificates,
  ) => Promise<string | undefined>;
  readonly onBlamed: (peer: string, reason: string) => void;
};

type Request = {
  readonly peer: string;
  readonly fromHeight: number;
  readonly sinceMs: number;
  appending: boolean;
};

export class CatchUp {
  readonly #ports: CatchUpPorts;
  readonly #heights = new Map<string, number>();
  readonly #blamedUntilMs = new Map<string, number>();
  #request: Request | undefined;
  #behindSinceMs: number | undefined;

  constructor(ports: CatchUpPorts) {
    this.#ports = ports;
  }

  /** Whether a peer is known to hold blocks that this manager does not. */
  get behind(): boolean {
    return this.#highest() > this.#ports.headHeight();
  }

  heightOf(peer: string): number {
    return this.#heights.get(peer) ?? 0;
  }

  /** A peer's signed head. */
  onHead(peer: string, height: number): void {
    this.#heights.set(peer, height);
    this.tick();
  }

  /** Looks whether there is something to ask for; called at intervals. */
  tick(): void {
    const nowMs = this.#ports.monotonicMs();
    const head = this.#ports.headHeight();
    const missing = this.#highest() - head;
    if (missing <= 0) {
      this.#behindSinceMs = undefined;
      return;
    }
    this.#behindSinceMs ??= nowMs;
    const request = this.#request;
    if (request !== undefined) {
      if (request.appending || nowMs - request.sinceMs < answerTimeoutMs) return;
      this.#blame(request.peer, "no answer to a request for blocks");
      this.#request = undefined;
    }
    if (missing === 1 && nowMs - this.#behindSinceMs < patienceMs) return;
    this.#ask(nowMs, head + 1);
  }

  /** A peer's answer. Answers that were not asked for are dropped. */
  async onBlocks(peer: string, answer: ManagerBlocks): Promise<void> {
    const request = this.#request;
    if (request === undefined || request.peer !== peer || request.appending) return;
    request.appending = true;
    const reason = await this.#appendAll(answer);
    if (reason !== undefined) this.#blame(peer, reason);
    else if (answer.blocks.length > 0 && this.#ports.headHeight() < request.fromHeight) {
      this.#blame(peer, "none of the blocks that were asked for");
    }
    if (answer.blocks.length === 0) this.#heights.delete(peer);
    this.#request = undefined;
    this.tick();
  }

  /** Up to the first block that does not hold; the reason of that one. */
  async #appendAll(answer: ManagerBlocks): Promise<string | undefined> {
    for (const { block, certificates } of answer.blocks) {
      const whole = block !== undefined && certificates !== undefined;
      const reason = whole
        ? await this.#ports.append(block, certificates)
        : "a block without its parts";
      if (reason !== undefined) return reason;
    }
    return undefined;
  }

  #ask(nowMs: number, fromHeight: number): void {
    for (const [peer, height] of [...this.#heights].sort((a, b) => b[1] - a[1])) {
      if (height < fromHeight || (this.#blamedUntilMs.get(peer) ?? 0) > nowMs) continue;
      if (!this.#ports.request(peer, fromHeight, blocksPerRequest)) continue;
      this.#request = { peer, fromHeight, sinceMs: nowMs, appending: false };
      return;
    }
  }

  #highest(): number {
    return Math.max(0, ...this.#heights.values());
  }

  #blame(peer: string, reason: string): void {
    this.#blamedUntilMs.set(peer, this.#ports.monotonicMs() + blameMs);
    this.#ports.onBlamed(peer, reason);
  }
}
