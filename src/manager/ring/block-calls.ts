/**
 * When this manager calls for a block: once there is something that the block can hold. Without
 * enough storage nodes a block holds no records, so what waits calls for none until they are back.
 *
 * Submissions that were ripe when an empty block was made may lack what no block here will bring.
 * They call again soon, and then less and less often, until a block places records: what they lack
 * may be among these. A block counts if whoever made it had them, and otherwise once in a round of
 * all active managers, so that what one manager alone has is ordered when it makes a block.
 *
 * Under load, submitters whose records have just become final send the next ones a moment later.
 * If others wait already and a block were made at once, the two groups would take turns for ever: a
 * block for each, and everybody waits for two. So when a block with records leaves some that call
 * for the next one, or when there were many, that is held until as many are ripe as both groups
 * had, or a part of a round has passed; two rounds where many are answered together and hardly
 * anybody else waits; a smaller part beside somebody else, who has waited for their block already.
 * What does not become ripe in a round, or was tried in vain, is no such group: beside it a lone
 * submission is ordered at once.
 *
 * While others fill every block, the next one begins as soon as one is appended. A lone submission
 * that came meanwhile may lack only what the other managers are about to say of it. It is waited
 * for a part of a round at most, or it would wait for two blocks.
 */
import type { BlockFacts } from "../../ledger/blocks/block-facts.js";
import { type ExecutedBlock, storageSuffices } from "../../ledger/blocks/executed-block.js";
import type { Members } from "../../ledger/members/members.js";
import { workOfAll } from "../../ledger/records/intervals.js";
import type { ParsedSubmission } from "../../ledger/records/submissions.js";
import type { ManagerContext } from "../manager-context.js";
import type { Pool, RelayAgain } from "../pool/pool.js";
import type { BlockSize } from "./block-size.js";

/** Records that a block is chosen from, in blocks: some of them may be refused. */
const candidateBlocks = 2;
/**
 * How long a block is held for those who have just been answered, of the time of a round. If they
 * are few, they may as well be gone, and whoever waits has waited in vain; of many some come in any
 * case. If hardly anybody else waits, they were answered together and will be back together: on a
 * busy machine after more than a round, and a block for the first one would make all others wait
 * for two. Where new ones come all the time, whoever was answered or not, somebody else waits.
 */
const gatherPart = { few: 1 / 3, many: 1, together: 2 } as const;
/** Records that wait besides those answered together, as a part of these, at most. */
const apartMax = 1 / 4;
/** The same for a lone submission that others are about to find accurate, when all else is ripe. */
const lonePart = 1 / 3;
/** However long rounds take. */
const holdMsMax = 250;
/** Submissions, those that were just placed included. */
const manyMin = 8;

export type BlockCallsPorts = Pick<
  ManagerContext,
  "selfId" | "policy" | "members" | "monotonicMs"
> & {
  readonly pool: Pick<
    Pool,
    | "ripe"
    | "calls"
    | "triedInVain"
    | "recordsPlaced"
    | "waitingOfEach"
    | "loneIsUnripe"
    | "recordCount"
    | "ripeCount"
    | "submissionCount"
    | "hasRipeOfOthers"
  >;
  readonly size: BlockSize;
  /** Some of the others may not have it. */
  readonly relayAgain: (own: RelayAgain) => void;
  /** Asks again whether a block is due, after this time. */
  readonly askAfter: (delayMs: number) => void;
  /** Since the last block. */
  readonly idleMs: () => number;
  /** Whether control operations that fit wait for a block; each asks once in a while. */
  readonly operations: readonly (() => boolean)[];
};

type Appended = Pick<ExecutedBlock, "placed"> & {
  readonly facts: Pick<BlockFacts, "leafCount" | "proposerId">;
};

export class BlockCalls {
  readonly #ports: BlockCallsPorts;
  /** The last block could hold records and has none. */
  #wasEmpty = false;
  /** The next block waits until so many records are ripe here, or this time has come. */
  #gathering = { records: 0, untilMs: Number.NEGATIVE_INFINITY };
  /** The next block waits for lone submissions until then. */
  #lonesUntilMs = Number.NEGATIVE_INFINITY;

  constructor(ports: BlockCallsPorts) {
    this.#ports = ports;
  }

  get due(): boolean {
    const { policy, idleMs, operations } = this.#ports;
    const { heartbeatMs } = policy;
    if (heartbeatMs > 0 && idleMs() >= heartbeatMs) return true;
    return this.#recordsCall() || operations.some((call) => call());
  }

  /**
   * What a block that this manager makes should hold, in this order, as far as it fits. However
   * small the block, more than one submission is tried, as what one lacks another may bring; after
   * an empty block as many as for the largest.
   */
  ripe(): readonly ParsedSubmission[] {
    const { pool, policy, monotonicMs } = this.#ports;
    const { blockRecordsMax } = policy;
    const size = this.#wasEmpty ? blockRecordsMax : this.recordsMax;
    const records = Math.max(size * candidateBlocks, blockRecordsMax + 1);
    return pool.ripe(monotonicMs(), this.#awaited(), records);
  }

  /** Records of a block that this manager makes, at most. */
  get recordsMax(): number {
    return this.#ports.size.recordsMax(this.#ports.monotonicMs());
  }

  /**
   * A block has been appended, on top of `before`. What it placed is still in the pool. `roundMs`
   * is how long its round took here, and undefined when a peer shipped the block.
   */
  onAppended({ facts, placed }: Appended, before: Members, roundMs?: number): void {
    const { leafCount, proposerId } = facts;
    const { pool, size, policy, selfId, monotonicMs, relayAgain } = this.#ports;
    const managers = before.activeManagerIds.length;
    const records = workOfAll(placed.map(({ record }) => record));
    const nowMs = monotonicMs();
    const waiting = pool.waitingOfEach;
    size.onAppended({ records, roundMs, waiting, managers, nowMs });
    this.#wasEmpty = leafCount === 0 && storageSuffices(before, policy);
    if (leafCount > 0 && roundMs !== undefined) this.#gather(placed, roundMs);
    // After this what was tried in vain calls again.
    if (leafCount > 0) pool.recordsPlaced();
    if (!this.#wasEmpty) return;
    const maker = proposerId === selfId ? undefined : proposerId;
    const block = { nowMs: monotonicMs(), maker, awaited: this.#awaited() };
    for (const each of pool.triedInVain(block)) relayAgain(each);
  }

  /** What was placed is still in the pool. */
  #gather(placed: Appended["placed"], roundMs: number): void {
    const { pool, monotonicMs } = this.#ports;
    if (pool.recordCount >= this.recordsMax) {
      this.#awaitLones(roundMs);
      return;
    }
    const isMany = pool.submissionCount >= manyMin;
    const hashes = new Set(placed.map(({ record }) => record.hashHex));
    // Of many the first one back would get a block of its own, and the rest wait for two.
    if (!isMany && !pool.calls(monotonicMs(), this.#awaited(), hashes)) return;
    const isBeside = isMany && pool.hasRipeOfOthers(monotonicMs(), this.#awaited(), hashes);
    // What has not become ripe in a round may not be for long, and nobody waits for it. Of what was
    // placed only whoever made the block heard all verdicts.
    const unripeMs = isMany ? roundMs : 0;
    const rest = { max: this.recordsMax, placed: hashes, unripeMs };
    const apart = pool.ripeCount(monotonicMs(), this.#awaited(), rest);
    const isTogether = apart <= hashes.size * apartMax;
    const part = !isMany || isBeside ? "few" : isTogether ? "together" : "many";
    const records = hashes.size + apart;
    this.#gathering = { records, untilMs: this.#holdUntil(roundMs, gatherPart[part]) };
  }

  /**
   * The next block is full without those that are on their way to being ripe. Whoever has little
   * would wait for all of it, and then for one more.
   */
  #awaitLones(roundMs: number): void {
    const { pool, monotonicMs } = this.#ports;
    if (!pool.loneIsUnripe(monotonicMs(), this.#awaited())) return;
    this.#lonesUntilMs = this.#holdUntil(roundMs, lonePart);
  }

  /** The end of a hold of a part of a round, at which it asks again whether a block is due. */
  #holdUntil(roundMs: number, part: number): number {
    const { monotonicMs, askAfter } = this.#ports;
    const forMs = Math.min(roundMs * part, holdMsMax);
    // A timer may end up to 1 ms too soon, and nobody would ask again.
    askAfter(Math.ceil(forMs) + 1);
    return monotonicMs() + forMs;
  }

  get #isAwaitingLones(): boolean {
    const { pool, monotonicMs } = this.#ports;
    const nowMs = monotonicMs();
    return nowMs < this.#lonesUntilMs && pool.loneIsUnripe(nowMs, this.#awaited());
  }

  get #isGathering(): boolean {
    const { pool, monotonicMs } = this.#ports;
    const { records, untilMs } = this.#gathering;
    const nowMs = monotonicMs();
    if (nowMs >= untilMs) return false;
    // Counting those that are ripe takes long when many wait, so it is done when all are here.
    if (pool.recordCount < records) return true;
    return pool.ripeCount(nowMs, this.#awaited(), { max: records }) < records;
  }

  #recordsCall(): boolean {
    const { pool, policy, members, monotonicMs } = this.#ports;
    if (this.#isGathering || this.#isAwaitingLones) return false;
    return storageSuffices(members(), policy) && pool.calls(monotonicMs(), this.#awaited());
  }

  /** The other active managers. */
  #awaited(): readonly string[] {
    const { members, selfId } = this.#ports;
    return members().activeManagerIds.filter((id) => id !== selfId);
  }
}
