/**
 * How long a submission waits before it calls for a block again, after blocks that could have held
 * it and were empty: not at all the first time, then longer and longer.
 */
export type VainTries = {
  /** Counts the blocks with records: what one of them brought may set right what was tried. */
  readonly since: number;
  readonly times: number;
  /** Blocks after the last of these times whose makers may not have had it. */
  readonly passed: number;
  readonly callsAtMs: number;
};

const waitMs = { first: 50, max: 30_000 } as const;

export function noVainTries(since: number): VainTries {
  return { since, times: 0, passed: 0, callsAtMs: 0 };
}

/**
 * After one more empty block. One that had no chance counts when there was one of each of the
 * active managers, `others` and this one, since the last that counts.
 */
export function oneMore(
  { since, times, passed, callsAtMs }: VainTries,
  block: { readonly nowMs: number; readonly hadChance: boolean; readonly others: number },
): VainTries {
  if (!block.hadChance && passed < block.others) {
    return { since, times, passed: passed + 1, callsAtMs };
  }
  const wait = times === 0 ? 0 : Math.min(waitMs.first * 2 ** (times - 1), waitMs.max);
  return { since, times: times + 1, passed: 0, callsAtMs: block.nowMs + wait };
}
