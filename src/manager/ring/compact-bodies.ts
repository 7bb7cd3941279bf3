/**
 * Bodies of candidates that came as compact blocks: made of what waits in the pool here, and of
 * what the proposer sends of it on request. A manager that has missed a submission, or has just
 * started, asks once for what it lacks; if that does not come in time, or does not fit, the whole
 * body is fetched like any that is missing (block-judge.ts), from whoever holds it.
 *
 *     compact block ─▶ rebuild from the pool ─▶ body, to be judged
 *                         │ some are missing       ▲
 *                         └─▶ FetchEntries ─▶ CandidateEntries
 *
 * Only the proposer's own word starts this, one block of each proposer waits at a time, each block
 * waits once, whoever proposes it again, and each manager is answered once for each block. So nobody
 * is made to send or keep more than a block, or to wait longer for its body.
 */
import { create } from "@bufbuild/protobuf";
import { toHex } from "../../base/bytes.js";
import type { Timer } from "../../base/time.js";
import type { CompactBlock, ManagerBlock } from "../../gen/bss/v1/block_pb.js";
import {
  type CandidateEntries,
  CandidateEntriesSchema,
  type FetchEntries,
} from "../../gen/bss/v1/vote_pb.js";
import { blockId } from "../../ledger/blocks/block-hashes.js";
import {
  entriesOf,
  type FetchedEntry,
  isOfBlockSize,
  rebuildBlock,
} from "../../ledger/blocks/compact-blocks.js";
import { sealLeaf } from "../../ledger/records/records.js";
import type { AppendedBlock } from "../../store/manager-store.js";
import type { ManagerContext } from "../manager-context.js";
import type { PeerSender } from "../peers/peer-sender.js";
import type { Pool } from "../pool/pool.js";
import type { CandidateBlocks } from "./candidate-blocks.js";

/** The proposer has so long to send what is missing. */
const entriesWaitMs = 400;
/** Of more the whole body is fetched. */
const entriesFetchedMax = 1_000;
/** Compact blocks that wait for their entries, one of each proposer. */
export const compactWaitingMax = 8;

type Context = Pick<ManagerContext, "consortiumId" | "policy" | "epochKey" | "time">;

export type CompactBodiesParts = {
  readonly pool: Pick<Pool, "submission" | "sealed" | "seal">;
  readonly candidates: Pick<CandidateBlocks, "get">;
  readonly peers: Pick<PeerSender, "fetchEntries">;
};

/** A block whose entries have been asked of its proposer. */
type Waiting = {
  readonly height: number;
  readonly idHex: string;
  readonly compact: CompactBlock;
  /** Places that were asked for. */
  readonly places: readonly number[];
  /** Ends the wait. */
  readonly timer: Timer;
};

/** Where a compact block came from and what it is said to be; the signature has been verified. */
export type CompactProposal = {
  readonly from: string;
  readonly height: number;
  readonly blockId: Uint8Array;
};

export class CompactBodies {
  readonly #context: Context;
  readonly #parts: CompactBodiesParts;
  /** By proposer. */
  readonly #waiting = new Map<string, Waiting>();
  /** Blocks of which entries were asked for, by id in hex: nobody may prolong the wait for one. */
  readonly #asked = new Set<string>();
  /** Managers that were answered, by block id in hex. */
  readonly #answered = new Map<string, Set<string>>();

  constructor(context: Context, parts: CompactBodiesParts) {
    this.#context = context;
    this.#parts = parts;
  }

  /** The body, if it can be made here; asks the proposer for what is missing. */
  take(compact: CompactBlock, { from, height, blockId: id }: CompactProposal) {
    const { candidates, peers } = this.#parts;
    const idHex = toHex(id);
    if (candidates.get(id) !== undefined) return undefined;
    // Another proposer's entries under this id may be nobody's.
    if (this.#waiting.get(from)?.idHex === idHex) return undefined;
    if (!isOfBlockSize(compact, this.#context.policy)) return undefined;
    if (toHex(blockId(compact.header)) !== idHex) return undefined;
    const rebuilt = this.#rebuild(compact);
    if (rebuilt.kind === "block") return rebuilt.block;
    if (rebuilt.kind === "wrong" || rebuilt.entries.length > entriesFetchedMax) return undefined;
    if (this.#asked.has(idHex)) return undefined;
    this.#asked.add(idHex);
    this.#wait(from, { height, idHex, compact, places: rebuilt.entries });
    peers.fetchEntries(from, { height, blockId: id, entries: rebuilt.entries });
    return undefined;
  }

  /** What a peer sends of a block: the body, if that is all that was missing. */
  takeEntries(
    from: string,
    { blockId: id, entries }: CandidateEntries,
  ): { readonly height: number; readonly block: ManagerBlock } | undefined {
    const waiting = this.#waiting.get(from);
    if (waiting === undefined || waiting.idHex !== toHex(id)) return undefined;
    this.#endWait(from);
    const { places, compact, height } = waiting;
    if (entries.length !== places.length) return undefined;
    const fetched = new Map<number, FetchedEntry>();
    for (const [i, place] of places.entries()) fetched.set(place, entries[i] as FetchedEntry);
    const rebuilt = this.#rebuild(compact, fetched);
    return rebuilt.kind === "block" ? { height, block: rebuilt.block } : undefined;
  }

  /** Whether a block's proposer still has time to send what is missing of it. */
  isAwaited(idHex: string): boolean {
    for (const waiting of this.#waiting.values()) if (waiting.idHex === idHex) return true;
    return false;
  }

  /** The answer to a manager that lacks some of a block; undefined for the second time. */
  answer(to: string, { blockId: id, entries }: FetchEntries): CandidateEntries | undefined {
    const candidate = this.#parts.candidates.get(id);
    // One that has not been judged may be anything, and its proposer has it.
    if (candidate?.executed === undefined || entries.length > entriesFetchedMax) return undefined;
    const idHex = toHex(id);
    const answered = this.#answered.get(idHex) ?? new Set();
    if (answered.has(to)) return undefined;
    this.#answered.set(idHex, answered.add(to));
    const found = entriesOf(candidate.block, entries);
    if (found === undefined) return undefined;
    const copies = found.map(({ privateEntry, records }) => ({
      privateEntry,
      records: [...records],
    }));
    return create(CandidateEntriesSchema, { blockId: id, entries: copies });
  }

  /** Forgets what belongs to decided heights. */
  onAppended({ executed }: Pick<AppendedBlock, "executed">): void {
    this.#answered.clear();
    this.#asked.clear();
    for (const [proposer, { height }] of this.#waiting) {
      if (height <= executed.facts.height) this.#endWait(proposer);
    }
  }

  #rebuild(compact: CompactBlock, fetched?: ReadonlyMap<number, FetchedEntry>) {
    const { consortiumId, policy, epochKey } = this.#context;
    const { pool } = this.#parts;
    const known = {
      submission: (idHex: string) => pool.submission(idHex),
      sealed: (hashHex: string) => {
        pool.seal(hashHex, (record) => sealLeaf(epochKey, record));
        return pool.sealed(hashHex);
      },
    };
    const options = { consortiumId, policy, epochKey, known };
    return rebuildBlock(compact, fetched === undefined ? options : { ...options, fetched });
  }

  #wait(proposer: string, block: Omit<Waiting, "timer">): void {
    this.#endWait(proposer);
    const [oldest] = this.#waiting.keys();
    if (this.#waiting.size >= compactWaitingMax && oldest !== undefined) this.#endWait(oldest);
    const timer = this.#context.time.after(entriesWaitMs, () => this.#endWait(proposer));
    this.#waiting.set(proposer, { ...block, timer });
  }

  /** Without its timer, which would hold the block until it is due. */
  #endWait(proposer: string): void {
    this.#waiting.get(proposer)?.timer.cancel();
    this.#waiting.delete(proposer);
  }
}
