/**
 * Bodies of candidates that came as compact blocks: made of what waits in the pool here, and of
 * what the proposer sends of it on request. A manager that has missed a submission, or has just
 * started, asks once for what it lacks; if that does not come in time, or does not fit, the whole
 * body is fetched like any that is missing (block-judge.ts), from whoever holds it.
 *
 *     compact block ─▶ kept ─▶ rebuilt from the pool ─▶ body, to be judged
 *                                 │ some are missing       ▲
 *                                 └─▶ FetchEntries ─▶ CandidateEntries
 *
 * A few bytes may name a whole block, so nothing is made of them before the ring wants to judge the
 * block, and no second time of what the same proposer sends. Only the proposer's own word counts,
 * one block of each proposer is kept at a time, each block waits once, whoever proposes it again,
 * and each manager is answered once for each block. So nobody is made to send or keep more than a
 * block, or to wait longer for its body.
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
/** Compact blocks that are kept, one of each proposer. */
export const compactKeptMax = 8;

type Context = Pick<ManagerContext, "consortiumId" | "policy" | "epochKey" | "time">;

export type CompactBodiesParts = {
  readonly pool: Pick<Pool, "submission" | "sealed" | "seal">;
  readonly candidates: Pick<CandidateBlocks, "get">;
  readonly peers: Pick<PeerSender, "fetchEntries">;
};

type Kept = {
  readonly height: number;
  readonly idHex: string;
  readonly compact: CompactBlock;
  /** For entries that have been asked of its proposer. */
  readonly wait?: {
    /** Places that were asked for. */
    readonly places: readonly number[];
    /** Ends the wait. */
    readonly timer: Timer;
  };
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
  readonly #kept = new Map<string, Kept>();
  /** Proposers whose compact block was looked at, by block id in hex. */
  readonly #tried = new Map<string, Set<string>>();
  /** Blocks of which entries were asked for, by id in hex: nobody may prolong the wait for one. */
  readonly #asked = new Set<string>();
  /** Managers that were answered, by block id in hex. */
  readonly #answered = new Map<string, Set<string>>();

  constructor(context: Context, parts: CompactBodiesParts) {
    this.#context = context;
    this.#parts = parts;
  }

  /** Keeps a compact block until the ring asks for the body; false if it is of no use. */
  keep(compact: CompactBlock, { from, height, blockId: id }: CompactProposal): boolean {
    const idHex = toHex(id);
    if (this.#parts.candidates.get(id) !== undefined) return false;
    if (this.#kept.get(from)?.idHex === idHex || this.#tried.get(idHex)?.has(from)) return false;
    if (!isOfBlockSize(compact, this.#context.policy)) return false;
    if (toHex(blockId(compact.header)) !== idHex) return false;
    this.#drop(from);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= compactKeptMax && oldest !== undefined) this.#drop(oldest);
    this.#kept.set(from, { height, idHex, compact });
    return true;
  }

  /**
   * The body of a block that is to be judged, if it can be made of a compact block that is kept;
   * asks the proposer for what is missing. Another proposer's entries under this id may be wrong,
   * or nobody's, so one after the other is tried.
   */
  make(height: number, id: Uint8Array): ManagerBlock | undefined {
    const idHex = toHex(id);
    for (const [from, kept] of this.#kept) {
      if (kept.idHex !== idHex || kept.height !== height || kept.wait !== undefined) continue;
      const tried = this.#tried.get(idHex) ?? new Set();
      this.#tried.set(idHex, tried.add(from));
      this.#drop(from);
      const rebuilt = this.#rebuild(kept.compact);
      if (rebuilt.kind === "block") return rebuilt.block;
      if (rebuilt.kind === "missing") this.#ask(from, kept, id, rebuilt.entries);
    }
    return undefined;
  }

  /** What a peer sends of a block: the body, if that is all that was missing. */
  takeEntries(
    from: string,
    { blockId: id, entries }: CandidateEntries,
  ): { readonly height: number; readonly block: ManagerBlock } | undefined {
    const kept = this.#kept.get(from);
    if (kept?.wait === undefined || kept.idHex !== toHex(id)) return undefined;
    this.#drop(from);
    const { wait, compact, height } = kept;
    if (entries.length !== wait.places.length) return undefined;
    const fetched = new Map<number, FetchedEntry>();
    for (const [i, place] of wait.places.entries()) fetched.set(place, entries[i] as FetchedEntry);
    const rebuilt = this.#rebuild(compact, fetched);
    return rebuilt.kind === "block" ? { height, block: rebuilt.block } : undefined;
  }

  /** Whether a block's proposer still has time to send what is missing of it. */
  isAwaited(idHex: string): boolean {
    for (const kept of this.#kept.values()) {
      if (kept.idHex === idHex && kept.wait !== undefined) return true;
    }
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
    this.#tried.clear();
    for (const [proposer, { height }] of this.#kept) {
      if (height <= executed.facts.height) this.#drop(proposer);
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

  #ask(proposer: string, kept: Kept, id: Uint8Array, places: readonly number[]): void {
    const { height, idHex } = kept;
    if (places.length > entriesFetchedMax || this.#asked.has(idHex)) return;
    this.#asked.add(idHex);
    const timer = this.#context.time.after(entriesWaitMs, () => this.#drop(proposer));
    this.#kept.set(proposer, { ...kept, wait: { places, timer } });
    this.#parts.peers.fetchEntries(proposer, { height, blockId: id, entries: places });
  }

  /** With the timer, which would hold the block until it is due. */
  #drop(proposer: string): void {
    this.#kept.get(proposer)?.wait?.timer.cancel();
    this.#kept.delete(proposer);
  }
}
