/**
 * Blocks that have come and wait for their turn, each batch with its sender: if a block is not
 * valid, its sender is to blame, and not the peer that is asked by then.
 */

/** What the plan needs to know of a block. */
export type SyncBlock = {
  readonly height: number;
  /** About as much memory as it takes. */
  readonly byteCount: number;
};

/** Consecutive blocks of one answer. */
export type SyncBatch<B> = { readonly peer: string; readonly blocks: readonly B[] };

/** Heights `from` to `to`, both included. */
type HeightRange = { readonly from: number; readonly to: number };

export class SyncWindow<B extends SyncBlock> {
  #batches: readonly SyncBatch<B>[] = [];

  get byteCount(): number {
    const blocks = this.#batches.flatMap((batch) => batch.blocks);
    return blocks.reduce((sum, { byteCount }) => sum + byteCount, 0);
  }

  get ranges(): readonly HeightRange[] {
    return this.#batches.map(rangeOf);
  }

  add(batch: SyncBatch<B>): void {
    this.#batches = [...this.#batches, batch].sort((a, b) => rangeOf(a).from - rangeOf(b).from);
  }

  /** Takes out the batch that goes on after `head`, without what is decided by now. */
  takeNext(head: number): SyncBatch<B> | undefined {
    const live = this.#batches.filter((batch) => rangeOf(batch).to > head);
    const next = live.find((batch) => rangeOf(batch).from <= head + 1);
    this.#batches = live.filter((batch) => batch !== next);
    if (next === undefined) return undefined;
    return { peer: next.peer, blocks: next.blocks.filter(({ height }) => height > head) };
  }

  /** Drops everything that this peer sent. */
  discard(peer: string): void {
    this.#batches = this.#batches.filter((batch) => batch.peer !== peer);
  }
}

export function rangeOf({ blocks }: SyncBatch<SyncBlock>): HeightRange {
  return { from: blocks[0]?.height ?? 0, to: blocks.at(-1)?.height ?? 0 };
}

/** The lowest heights after `head` that no range covers. */
export function firstGap(head: number, ranges: readonly HeightRange[]): HeightRange {
  let from = head + 1;
  const inOrder = [...ranges].sort((a, b) => a.from - b.from);
  for (const range of inOrder) {
    if (range.from > from) return { from, to: range.from - 1 };
    from = Math.max(from, range.to + 1);
  }
  return { from, to: Number.MAX_SAFE_INTEGER };
}
