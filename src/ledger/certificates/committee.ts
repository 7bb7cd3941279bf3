/**
 * The committee of storage nodes that verifies one block in one round.
 *
 * Whoever knows the eligible nodes, the block's beacon and the round draws the same committee:
 *
 *     stream = SHAKE256("bss/v1/committee" ‖ beacon ‖ u64be(round))
 *     nodes  = the eligible ids, sorted by their UTF-8 bytes; X = how many
 *     for i = 0 .. committeeSize(X) − 1:
 *         bound = X − i
 *         do draw = the next 4 bytes of the stream, big-endian
 *         while draw ≥ ⌊2^32 / bound⌋ · bound
 *         swap nodes[i] with nodes[i + draw mod bound]
 *     committee = nodes[0 .. committeeSize(X) − 1], in the order drawn
 *
 * It is the Fisher–Yates shuffle, stopped once the committee is complete. Draws from the last,
 * incomplete stretch of 2^32 are rejected because they would favour low remainders. A draw is made
 * for every place, also where only one node is left for it.
 */
import { assert, defined } from "../../base/assert.js";
import { compareBytes, toHex, u64be, utf8 } from "../../base/bytes.js";
import { createShake256Reader, domain, domainBytes } from "../../crypto/hash.js";

/** Reads the next `lengthBytes` bytes of an endless stream. */
export type ByteReader = (lengthBytes: number) => Uint8Array;

type CommitteeDraw = {
  /** Ids of the eligible storage nodes: distinct, in any order. */
  readonly eligible: readonly string[];
  /** The block's beacon. */
  readonly beacon: Uint8Array;
  readonly round: number;
};

const drawBytes = 4;
const drawRange = 2 ** 32;

/** Members of a committee drawn from `eligibleCount` nodes: ⌊2X/3⌋+1, and none when X is 0. */
export function committeeSize(eligibleCount: number): number {
  return Math.min(eligibleCount, Math.floor((2 * eligibleCount) / 3) + 1);
}

/**
 * Matches by distinct members that make an integrity certificate: more than 2/3 of the committee.
 * It is 1 for a committee of 0: without storage nodes there is no certificate.
 */
export function matchesNeeded(committeeCount: number): number {
  return Math.floor((2 * committeeCount) / 3) + 1;
}

/**
 * Storage nodes that have to take part for blocks with records: as many eligible ones as the policy
 * demands, and as many as the matches of a committee. Fewer certainly do not suffice.
 */
export function attestersNeeded(eligibleCount: number, minStorage: number): number {
  return Math.max(minStorage, matchesNeeded(committeeSize(eligibleCount)));
}

/**
 * The committee for a block's beacon and a round, in the order drawn. The latest draws from a list
 * are remembered with it: several checks of a block, and of the next one, ask for the same.
 */
export function drawCommittee({ eligible, beacon, round }: CommitteeDraw): readonly string[] {
  assert(Number.isSafeInteger(round) && round >= 0, "a round is a safe integer from 0");
  const known = drawn.get(eligible) ?? new Map<string, readonly string[]>();
  const key = `${round}/${toHex(beacon)}`;
  let committee = known.get(key);
  if (committee === undefined) {
    const nodes = sortedById(eligible);
    const size = committeeSize(nodes.length);
    const read = createShake256Reader(domainBytes(domain.committee), beacon, u64be(round));
    committee = drawAmong(nodes, size, read);
    if (known.size >= drawnMax) known.clear();
    drawn.set(eligible, known.set(key, committee));
  }
  return committee;
}

/** Draws that are remembered with one list. */
const drawnMax = 8;
const drawn = new WeakMap<readonly string[], Map<string, readonly string[]>>();

/**
 * `count` of the ids, in the order drawn: the Fisher–Yates shuffle of above, stopped once enough
 * are drawn. `count` is at most the number of ids.
 */
export function drawAmong(ids: readonly string[], count: number, read: ByteReader): string[] {
  const shuffled = [...ids];
  for (let place = 0; place < count; place++) {
    const chosen = place + drawBelow(shuffled.length - place, read);
    const id = defined(shuffled[chosen], "a draw stays within the ids");
    shuffled[chosen] = defined(shuffled[place], "no more are drawn than there are");
    shuffled[place] = id;
  }
  return shuffled.slice(0, count);
}

/** A uniform integer from 0 to `bound` − 1, by rejection sampling of 4-byte big-endian draws. */
export function drawBelow(bound: number, read: ByteReader): number {
  assert(Number.isInteger(bound) && bound >= 1 && bound <= drawRange, "a bound is 1 to 2^32");
  const limit = Math.floor(drawRange / bound) * bound;
  for (;;) {
    const bytes = read(drawBytes);
    const draw = new DataView(bytes.buffer, bytes.byteOffset, drawBytes).getUint32(0);
    if (draw < limit) return draw % bound;
  }
}

/** Sorted by UTF-8 bytes: JavaScript's own order is that of UTF-16 and differs outside the BMP. */
function sortedById(ids: readonly string[]): string[] {
  const keyed = ids.map((id) => ({ id, bytes: utf8(id) }));
  keyed.sort((a, b) => compareBytes(a.bytes, b.bytes));
  for (let i = 1; i < keyed.length; i++) {
    assert(keyed[i]?.id !== keyed[i - 1]?.id, "an id is eligible once");
  }
  return keyed.map(({ id }) => id);
}
