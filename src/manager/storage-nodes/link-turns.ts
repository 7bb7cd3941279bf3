/**
 * Notices that two processes connect with the key of one storage node: of a cloned machine, or of a
 * backup that was restored beside the running node. Each pushes the other one off its link, and
 * comes back on the connection that it still has.
 *
 * One process alone never does that. It dials anew only when its connection is gone, and does not
 * come back on the old one. So a connection that was pushed off, and then takes the link again, is
 * proof, also where both processes have one address.
 */

/** Longer than a process waits between attempts. */
const rememberedMs = 5 * 60_000;
/** The line about one node is repeated so often while it goes on. */
const toldEveryMs = 10 * 60_000;
/** Connections of one node that are remembered. */
const connectionsMax = 8;

type Turns = {
  /** By its address: when a connection was last pushed off. */
  readonly pushedOffAtMs: Map<string, number>;
  toldAtMs: number;
};

export class LinkTurns {
  readonly #monotonicMs: () => number;
  /** By node, so there are at most as many as are registered. */
  readonly #nodes = new Map<string, Turns>();

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
  }

  /**
   * A connection has taken the link of another one that was still alive; `former` and `latter` are
   * their "host:port". Undefined unless that proves two processes; then whether to tell of it.
   */
  takenOver(
    nodeId: string,
    { former, latter }: { readonly former: string; readonly latter: string },
  ): { readonly isToTell: boolean } | undefined {
    const nowMs = this.#monotonicMs();
    const turns = this.#nodes.get(nodeId) ?? {
      pushedOffAtMs: new Map<string, number>(),
      toldAtMs: Number.NEGATIVE_INFINITY,
    };
    this.#nodes.set(nodeId, turns);
    const { pushedOffAtMs } = turns;
    for (const [address, atMs] of pushedOffAtMs) {
      if (nowMs - atMs > rememberedMs) pushedOffAtMs.delete(address);
    }
    const isBack = pushedOffAtMs.delete(latter);
    pushedOffAtMs.delete(former);
    pushedOffAtMs.set(former, nowMs);
    const [oldest] = pushedOffAtMs.keys();
    if (pushedOffAtMs.size > connectionsMax && oldest !== undefined) pushedOffAtMs.delete(oldest);
    if (!isBack) return undefined;
    const isToTell = nowMs - turns.toldAtMs >= toldEveryMs;
    if (isToTell) turns.toldAtMs = nowMs;
    return { isToTell };
  }
}
