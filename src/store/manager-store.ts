/**
 * All that a manager keeps on disk: the chain with its indexes, the state, what it has said about
 * the height that is being voted on, and the submissions that wait.
 *
 *     append ──▶ one synchronous batch ──▶ head            all of a block is there, or nothing
 *     saveStatements ──▶ one synchronous batch ──▶ send    see the vote log
 *
 * Records are stored sealed. Plaintext is on disk only in a submission that waits and in a
 * candidate, and is deleted with it. Callers await `append` and `saveStatements` one after the
 * other. After a write that failed the store accepts no other: the node stops, and opening it shows
 * what is on disk.
 */
import { create, fromBinary } from "@bufbuild/protobuf";
import { assert, defined } from "../base/assert.js";
import { equalBytes, toHex } from "../base/bytes.js";
import {
  type MeterState,
  MeterStateSchema,
  type ParticipantState,
  ParticipantStateSchema,
} from "../gen/bss/store/v1/state_pb.js";
import {
  type Block,
  type BlockCertificates,
  type CertifiedManagerBlock,
  CertifiedManagerBlockSchema,
  type ManagerBlock,
  ManagerBlockHeaderSchema,
  ManagerBlockSchema,
} from "../gen/bss/v1/block_pb.js";
import type { Submission } from "../gen/bss/v1/record_pb.js";
import type { Proposal, Vote } from "../gen/bss/v1/vote_pb.js";
import type { ExecutedBlock } from "../ledger/blocks/executed-block.js";
import type { GenesisState } from "../ledger/genesis.js";
import { isDeviceId, isId } from "../ledger/ids.js";
import { recordHash } from "../ledger/records/record-hash.js";
import type { ParsedSubmission } from "../ledger/records/submissions.js";
import { decodeHead, encodeHead, genesisHead, type LedgerHead } from "../ledger/state/head.js";
import { decodeRecordState, type RecordState } from "../ledger/state/record-state.js";
import { PrefetchedState, type StateWrite } from "../ledger/state/state.js";
import { stateKeys } from "../ledger/state/state-keys.js";
import { encode } from "../ledger/wire.js";
import { buckets } from "./buckets.js";
import { checkHead, readHead } from "./chain/chain-head.js";
import { ChainReads, type ReaderHead } from "./chain/chain-reads.js";
import { chainKeys, chainWrites } from "./chain/chain-writes.js";
import { extendTiles, type OpenTiles, readOpenTiles } from "./chain/log-tiles.js";
import {
  completedSubmissions,
  deletePooled,
  isPoolEmpty,
  loadPool,
  type PoolLimits,
  poolDeletions,
  savePooled,
} from "./chain/pooled-submissions.js";
import { RecentState, stateKey } from "./chain/recent-state.js";
import {
  type ListOptions,
  type ListPlace,
  listByMeter,
  listByParticipant,
  recordIndexWrites,
} from "./chain/record-index.js";
import {
  type BareBlock,
  decodeBare,
  encodeBare,
  readWithSealed,
  withoutLeaves,
} from "./chain/stored-blocks.js";
import { damaged, getAll, present, storedMessage } from "./chain/stored-values.js";
import { type Statements, type VotedHeight, VoteLog } from "./double-sign-protection/vote-log.js";
import { bucketKey, u64Part } from "./key-codec.js";
import type { Durability, KeyValueStore, WriteOperation } from "./key-value-store.js";
import { FalseObjections, OffenceLog } from "./offences.js";
import { identityWrite, isNewStore, type StoreOwner } from "./store-identity.js";

export type AppendedBlock = {
  readonly block: ManagerBlock;
  readonly executed: ExecutedBlock;
  /** The certificates by which this manager decided. */
  readonly certificates: BlockCertificates;
};

/** The bytes of a record, undefined when they cannot be unsealed. */
type Unseal = (recordHash: Uint8Array, sealed: Uint8Array) => Uint8Array | undefined;

export class ManagerStore extends ChainReads {
  /** Evidence against other managers. */
  readonly offences: OffenceLog;
  /** Objections of other managers that did not hold here. */
  readonly falseObjections: FalseObjections;
  readonly #consortiumId: Uint8Array;
  readonly #votes: VoteLog;
  readonly #recent: RecentState;
  #head: LedgerHead;
  #headCertificates: BlockCertificates | undefined;
  #tiles: OpenTiles = [];
  /** Ids of the submissions that wait on disk; undefined while earlier ones may be among them. */
  #pooled: Set<string> | undefined;

  private constructor(
    kv: KeyValueStore,
    genesis: GenesisState,
    parts: {
      readonly head: LedgerHead;
      readonly votes: VoteLog;
      readonly falseObjections: FalseObjections;
    },
  ) {
    super(kv, genesis);
    this.offences = new OffenceLog(kv);
    this.#consortiumId = genesis.consortiumId;
    this.#head = parts.head;
    this.#votes = parts.votes;
    this.#recent = new RecentState(kv);
    this.falseObjections = parts.falseObjections;
  }

  /**
   * Opens the store, and writes genesis into an empty one.
   *
   * @throws StoreError MISMATCH when it is another node's or consortium's, CORRUPT when its parts
   * do not agree
   */
  static async open(kv: KeyValueStore, genesis: GenesisState): Promise<ManagerStore> {
    const owner: StoreOwner = { role: "manager", consortiumId: genesis.consortiumId };
    if (await isNewStore(kv, owner)) {
      const { head, stateWrites } = genesisHead(genesis);
      const batch = [identityWrite(owner), headWrite(head), ...stateWrites.map(stateWrite)];
      await kv.write(batch, "sync");
    }
    const head = await readHead(kv, decodeHead);
    const [votes, falseObjections] = [await VoteLog.open(kv), await FalseObjections.open(kv)];
    const store = new ManagerStore(kv, genesis, { head, votes, falseObjections });
    store.#headCertificates = await checkHead(kv, store);
    store.#tiles = await readOpenTiles(kv, head.frontier.size);
    if (await isPoolEmpty(kv)) store.#pooled = new Set();
    return store;
  }

  /** The head after the last final block, which is always what is on disk. */
  get head(): LedgerHead {
    return this.#head;
  }

  override get readerHead(): ReaderHead {
    return this.#head;
  }

  /** The certificates by which this manager decided the head's block; undefined at height 0. */
  get headCertificates(): BlockCertificates | undefined {
    return this.#headCertificates;
  }

  /**
   * Makes the next block the head, with all that follows from it, or changes nothing: all is one
   * batch. A later write with "sync" also flushes what was "buffered" before it.
   */
  async append(
    { block, executed, certificates }: AppendedBlock,
    durability: Durability = "sync",
  ): Promise<void> {
    const { head, facts, newNodes, sealed, stateWrites, placed } = executed;
    const publicBlock = defined(block.block, "a final block has its public part");
    assertExtends(this.#head, publicBlock.header);
    const votes = this.#votes.clear();
    const indexWrites = await recordIndexWrites(this.kv, placed);
    const done = await this.#completed(block);
    const { height, blockId, treeSize } = facts;
    const tiles = extendTiles(this.#tiles, newNodes);
    const parts = { height, blockId, block: publicBlock, certificates, treeSize };
    const batch: WriteOperation[] = [
      blockWrite(height, publicBlock, block.privateEntries),
      ...chainWrites({ ...parts, sealedRecords: sealed, tileWrites: tiles.writes }),
      ...indexWrites,
      ...stateWrites.map(stateWrite),
      ...votes.writes,
      ...poolDeletions(done),
      headWrite(head),
    ];
    this.#forget(done);
    this.#recent.startWriting();
    await this.kv.write(batch, durability);
    this.#recent.endWriting(stateWrites);
    this.#head = head;
    this.#headCertificates = certificates;
    this.#tiles = tiles.open;
    votes.onWritten();
  }

  /** Resolves when every block that was appended is on stable storage. */
  flush(): Promise<void> {
    return this.kv.write([], "sync");
  }

  /**
   * Puts what this manager says about the next height on disk, before anybody hears it, in one
   * synchronous batch.
   */
  saveStatements(statements: Statements): Promise<void> {
    return this.#votes.save(this.#head.height + 1, statements);
  }

  /** Whether this manager has said exactly this about the next height. */
  holdsStatement(statement: Vote | Proposal): boolean {
    return this.#votes.holds(statement);
  }

  /** Whether this manager has said anything about the next height. */
  get hasSpoken(): boolean {
    return this.#votes.hasSpoken;
  }

  /** The height through which this manager must not vote; 0 for none. */
  get abstainsThrough(): number {
    return this.#votes.abstainsThrough;
  }

  /** Durable when it resolves. */
  saveAbstention(throughHeight: number): Promise<void> {
    return this.#votes.saveAbstention(throughHeight);
  }

  /** What this manager said about a height, and the bodies of the blocks that it stands by. */
  loadHeight(height: number): Promise<VotedHeight> {
    return this.#votes.load(height);
  }

  /** The state after the head, with exactly these keys. */
  async state(keys: readonly Uint8Array[]): Promise<PrefetchedState> {
    return new PrefetchedState(await this.#recent.read(keys));
  }

  /** Undefined for what is no id, too: callers may have been sent it. */
  async participant(id: string): Promise<ParticipantState | undefined> {
    if (!isId(id)) return undefined;
    const bytes = await this.kv.get(stateKey(stateKeys.participant(id)));
    return bytes && storedMessage(ParticipantStateSchema, bytes, `participant ${id}`);
  }

  /** The same for meters, by the id in whatever case. */
  async meter(id: string): Promise<MeterState | undefined> {
    if (!isDeviceId(id)) return undefined;
    const bytes = await this.kv.get(stateKey(stateKeys.meter(id)));
    return bytes && storedMessage(MeterStateSchema, bytes, `meter ${id}`);
  }

  /** What the rules know of a record: its owner, kind and place, and which one updates it. */
  async recordState(hash: Uint8Array): Promise<RecordState | undefined> {
    const bytes = await this.kv.get(stateKey(stateKeys.record(hash)));
    return bytes && storedRecordState(bytes, hash);
  }

  /**
   * Hash of the version that updates this one; undefined for the latest, and for unknown records.
   */
  async successor(hash: Uint8Array): Promise<Uint8Array | undefined> {
    return (await this.recordState(hash))?.successor;
  }

  /** A final block and its private entries, without records and leaves. */
  override async bareBlock(height: number): Promise<BareManagerBlock | undefined> {
    const value = await this.kv.get(blockKey(height));
    if (value === undefined) return undefined;
    const what = `block ${height}`;
    const { leafCount, message } = decodeBare(value, what);
    const { block, privateEntries } = storedMessage(ManagerBlockSchema, message, what);
    return { block: present(block, what), leafCount, privateEntries };
  }

  /**
   * A final block with its records, as it is shipped to other managers.
   *
   * @throws StoreError CORRUPT when a record cannot be unsealed or is not the one that the leaf
   * names
   */
  async managerBlockAt(height: number, unseal: Unseal): Promise<CertifiedManagerBlock | undefined> {
    const bare = await this.bareBlock(height);
    const certificates = await this.certificatesAt(height);
    if (bare === undefined || certificates === undefined) return undefined;
    const { privateEntries } = bare;
    const { block, sealedRecords } = await readWithSealed(this.kv, bare);
    const records = block.leaves.map((leaf, i) => {
      const sealed = defined(sealedRecords[i], "each leaf has its sealed record");
      const bytes = unseal(leaf.recordHash, sealed);
      if (bytes && equalBytes(recordHash(this.#consortiumId, bytes), leaf.recordHash)) return bytes;
      throw damaged(`record ${toHex(leaf.recordHash)}`, "cannot be unsealed");
    });
    const whole = create(ManagerBlockSchema, { block, privateEntries, records });
    return create(CertifiedManagerBlockSchema, { block: whole, certificates });
  }

  /** The records of a participant, owner or party, ascending by time and then position. */
  listByParticipant(id: string, options: ListOptions): Promise<readonly ListPlace[]> {
    return listByParticipant(this.kv, id, options);
  }

  /** The readings of a meter, all versions, ascending by time and then position. */
  listByMeter(id: string, options: ListOptions): Promise<readonly ListPlace[]> {
    return listByMeter(this.kv, id, options);
  }

  /** Makes a waiting submission survive any restart. */
  savePooled(submission: Pick<ParsedSubmission, "id" | "message">): Promise<void> {
    this.#pooled?.add(toHex(submission.id));
    return savePooled(this.kv, submission);
  }

  /**
   * For submissions of which nothing is left to add; those that blocks complete go by themselves.
   */
  async deletePooled(ids: readonly Uint8Array[]): Promise<void> {
    this.#forget(ids);
    await deletePooled(this.kv, ids);
  }

  /** The submissions that were waiting, in no particular order, up to the limits. */
  loadPool(limits: PoolLimits): Promise<readonly Submission[]> {
    return loadPool(this.kv, limits);
  }

  close(): Promise<void> {
    return this.kv.close();
  }

  /** The state of each record has its position. */
  protected override async positions(
    recordHashes: readonly Uint8Array[],
  ): Promise<readonly (number | undefined)[]> {
    const keys = recordHashes.map((hash) => stateKey(stateKeys.record(hash)));
    const values = await getAll(this.kv, keys);
    return values.map((bytes, i) => {
      return bytes && storedRecordState(bytes, defined(recordHashes[i], "a hash")).position;
    });
  }

  /**
   * To be called before the write that deletes them is issued: one that is saved again while that
   * is under way is on disk after it.
   */
  #forget(ids: readonly Uint8Array[]): void {
    for (const id of ids) this.#pooled?.delete(toHex(id));
  }

  /** Those that the block completes, among those that wait on disk. */
  async #completed(block: ManagerBlock): Promise<readonly Uint8Array[]> {
    const pooled = this.#pooled;
    if (pooled?.size === 0) return [];
    const done = await completedSubmissions(block, (hashes) => this.#areOnLedger(hashes));
    return pooled === undefined ? done : done.filter((id) => pooled.has(toHex(id)));
  }

  async #areOnLedger(recordHashes: readonly Uint8Array[]): Promise<boolean> {
    return (await this.areOnLedger(recordHashes)).every((isThere) => isThere);
  }
}

function storedRecordState(bytes: Uint8Array, hash: Uint8Array): RecordState {
  const state = decodeRecordState(bytes);
  if (state !== undefined) return state;
  throw damaged(`record ${toHex(hash)}`, "does not decode");
}

type BareManagerBlock = BareBlock & { readonly privateEntries: Uint8Array[] };

function blockWrite(height: number, block: Block, privateEntries: Uint8Array[]): WriteOperation {
  const bare = create(ManagerBlockSchema, { block: withoutLeaves(block), privateEntries });
  const value = encodeBare(block.leaves.length, encode(ManagerBlockSchema, bare));
  return { type: "put", key: blockKey(height), value };
}

function assertExtends(head: LedgerHead, headerBytes: Uint8Array): void {
  const { height, previousBlockId } = fromBinary(ManagerBlockHeaderSchema, headerBytes);
  assert(height === BigInt(head.height + 1), `block ${height} does not follow ${head.height}`);
  assert(equalBytes(previousBlockId, head.blockId), "a block follows the head");
}

function headWrite(head: LedgerHead): WriteOperation {
  return { type: "put", key: chainKeys.head, value: encodeHead(head) };
}

function stateWrite({ key, value }: StateWrite): WriteOperation {
  return { type: "put", key: stateKey(key), value };
}

function blockKey(height: number): Uint8Array {
  return bucketKey(buckets.blockByHeight, u64Part(height));
}
