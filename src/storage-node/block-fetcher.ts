/**
 * Brings a node that is behind to the tip: asks one manager at a time for final blocks. A manager
 * that is silent, or whose blocks do not hold, is left alone for a while. What a manager says about
 * its height is a hint and nothing else.
 *
 * One block behind is normal while that block is on its way; asking at once would only fetch it
 * twice.
 */

/** How long a block that somebody has spoken of may be on its way. */
export const patienceMs = 200;
export const answerTimeoutMs = 5_000;
export const blameMs = 10_000;
export const blocksPerRequest = 50;

export type BlockFetcherPorts = {
  readonly headHeight: () => number;
  readonly monotonicMs: () => number;
  /** False when there is no link to the manager. */
  readonly request: (managerId: string, fromHeight: number, limit: number) => boolean;
  readonly onBlamed: (managerId: string, reason: string) => void;
};

type Request = {
  readonly managerId: string;
  readonly fromHeight: number;
  readonly sinceMs: number;
  appending: boolean;
};

export class BlockFetcher {
  readonly #ports: BlockFetcherPorts;
  readonly #heights = new Map<string, number>();
  readonly #blamedUntilMs = new Map<string, number>();
  /** Since the manager last gave something that holds. */
  readonly #failures = new Map<string, number>();
  #request: Request | undefined;
  #behindSinceMs: number | undefined;
  #urgent = false;

  constructor(ports: BlockFetcherPorts) {
    this.#ports = ports;
  }

  /**
   * Whether some manager, that has not failed to show it lately, says that it holds blocks that are
   * missing here.
   */
  get missesBlocks(): boolean {
    return this.#missing(this.#ports.monotonicMs()) > 0;
  }

  /** More than the one block that may be on its way is missing, or it has been for too long. */
  get behind(): boolean {
    const missing = this.#missing(this.#ports.monotonicMs());
    return missing > (this.#request === undefined ? 1 : 0);
  }

  heightOf(managerId: string): number {
    return this.#heights.get(managerId) ?? 0;
  }

  /** A manager speaks of a final block of this height. `urgent`: it does not come by itself. */
  onHeight(managerId: string, height: number, urgent = false): void {
    this.#heights.set(managerId, Math.max(height, this.heightOf(managerId)));
    this.#urgent ||= urgent && height > this.#ports.headHeight();
    this.tick();
  }

  /** The link is gone, and with it whatever was under way on it. */
  onDisconnected(managerId: string): void {
    if (this.#request?.managerId === managerId && !this.#request.appending) {
      this.#request = undefined;
    }
    this.tick();
  }

  /**
   * The height from which blocks were asked for of this manager, if any were. No others are asked
   * for until `finish`.
   */
  begin(managerId: string): number | undefined {
    const request = this.#request;
    if (request?.managerId !== managerId || request.appending) return undefined;
    request.appending = true;
    return request.fromHeight;
  }

  /** The blocks of an answer have been appended, up to one that does not hold for `failure`. */
  finish(managerId: string, failure?: string): void {
    this.#request = undefined;
    if (failure === undefined) this.#failures.delete(managerId);
    else this.#blame(managerId, failure);
    this.tick();
  }

  /** Looks whether there is something to ask for; called at intervals and after each block. */
  tick(): void {
    const nowMs = this.#ports.monotonicMs();
    const missing = this.#missing(nowMs);
    const request = this.#request;
    if (request !== undefined) {
      if (request.appending || nowMs - request.sinceMs < answerTimeoutMs) return;
      this.#request = undefined;
      this.#blame(request.managerId, "no answer to a request for blocks");
      this.tick();
      return;
    }
    if (missing <= 0) {
      this.#behindSinceMs = undefined;
      this.#urgent = false;
      return;
    }
    this.#behindSinceMs ??= nowMs;
    if (!this.#urgent && nowMs - this.#behindSinceMs < patienceMs) return;
    this.#ask(nowMs);
  }

  /** The head has moved: what is still missing may be on its way. */
  onAppended(): void {
    if (this.#request !== undefined) return;
    this.#behindSinceMs = undefined;
    this.#urgent = false;
    this.tick();
  }

  /** Those who have not failed come first, and among them those who say that they hold most. */
  #ask(nowMs: number): void {
    const fromHeight = this.#ports.headHeight() + 1;
    const inOrder = [...this.#heights].sort(
      ([a, heightA], [b, heightB]) =>
        this.#failuresOf(a) - this.#failuresOf(b) || heightB - heightA,
    );
    for (const [managerId, height] of inOrder) {
      if (height < fromHeight || this.#isBlamed(managerId, nowMs)) continue;
      if (!this.#ports.request(managerId, fromHeight, blocksPerRequest)) continue;
      this.#request = { managerId, fromHeight, sinceMs: nowMs, appending: false };
      return;
    }
  }

  #missing(nowMs: number): number {
    let highest = 0;
    for (const [managerId, height] of this.#heights) {
      if (!this.#isBlamed(managerId, nowMs)) highest = Math.max(highest, height);
    }
    return highest - this.#ports.headHeight();
  }

  #isBlamed(managerId: string, nowMs: number): boolean {
    return (this.#blamedUntilMs.get(managerId) ?? 0) > nowMs;
  }

  #failuresOf(managerId: string): number {
    return this.#failures.get(managerId) ?? 0;
  }

  /** For a while it is not asked, and what it said about its height does not count. */
  #blame(managerId: string, reason: string): void {
    this.#failures.set(managerId, this.#failuresOf(managerId) + 1);
    this.#blamedUntilMs.set(managerId, this.#ports.monotonicMs() + blameMs);
    this.#ports.onBlamed(managerId, reason);
  }
}
