/**
 * The client of a consortium: it submits, reads and watches through any manager that answers, and
 * checks the answers. Content must have its hash, receipts must be signed with the managers' keys
 * in genesis, and consistency proofs must fit the roots. An answer that fails such a check throws
 * `UntrueAnswer`. All other failures are `RpcError` with a stable reason (docs/errors.md).
 */
import { equalBytes } from "../base/bytes.js";
import { BroadcastService, type SubmitResponse, WaitFor } from "../gen/bss/v1/broadcast_pb.js";
import {
  type BlockView,
  type GetConsistencyProofResponse,
  type GetConsortiumResponse,
  type GetForkResponse,
  type GetStatusResponse,
  QueryService,
  type Receipt,
  type Settlement as SettlementMessage,
  type StorageNodeStatus,
} from "../gen/bss/v1/query_pb.js";
import type { Submission } from "../gen/bss/v1/record_pb.js";
import { RegistrationService } from "../gen/bss/v1/registration_pb.js";
import type { GenesisState } from "../ledger/genesis.js";
import type { ClientProfile } from "./client-profile.js";
import {
  type Connection,
  Connections,
  dialWith,
  type RetryOptions,
} from "./manager-connections.js";
import { buildSubmission, signPayout, signRetirement } from "./signing.js";
import {
  type SubmissionOutcome,
  type SubmitStreamOptions,
  submitStream,
} from "./submit/submit-stream.js";
import {
  checkConsistencyProof,
  checkedBlock,
  checkedRecord,
  checkedVersions,
  type LedgerRecord,
  type TreeHead,
  UntrueAnswer,
} from "./verify/answers.js";
import { verifyReceipt } from "./verify/receipt-check.js";
import { type WatchOptions, watchBlocks } from "./watch-blocks.js";

export type SubmitOptions = RetryOptions & {
  /** WaitFor.COMMITTED when left out. */
  readonly waitFor?: WaitFor;
};

/**
 * Which records to list: of one participant or of one meter. A reading's time is the END of its
 * interval, unless it was given another: the one of [s, s+i) is found from s+i to s+i+1 ms.
 */
export type RecordQuery = ({ readonly participantId: string } | { readonly meterId: string }) & {
  /** Unix ms of the record's time, inclusive. */
  readonly fromMs?: number;
  /** Unix ms of the record's time, exclusive. */
  readonly toMs?: number;
  readonly pageSize?: number;
};

export type SettlementQuery = {
  readonly participantId: string;
  /** Unix s; starts of delivery intervals, at most 366 days apart. */
  readonly fromS: number;
  /** Unix s, exclusive. */
  readonly toS: number;
  /** 32 bytes: the record of the tariff. */
  readonly tariffHash: Uint8Array;
  /** What stood after this block; the head when it is left out. */
  readonly height?: number;
};

export type BlockListOptions = {
  /** 1 when left out. */
  readonly fromHeight?: number;
  readonly pageSize?: number;
  /** Leave out leaves, control operations and certificates' signatures. */
  readonly headersOnly?: boolean;
};

/** Submitting may wait for a block; a manager says what is missing before this time is up. */
const submitTimeoutMs = 60_000;
const statusTimeoutMs = 5_000;

/**
 * Opens the client of a profile. The connection is made with the first call; a manager that cannot
 * be reached is left for the next one of the profile.
 */
export async function connect(profile: ClientProfile): Promise<BssClient> {
  return new BssClient(profile, new Connections(profile.addresses, dialWith(profile)));
}

/** The client of one storage node: it answers what concerns the public chain alone. */
export function connectToStorageNode(profile: ClientProfile, address: string): BssClient {
  return new BssClient(profile, new Connections([address], dialWith(profile, "storage")));
}

export class BssClient {
  readonly profile: ClientProfile;
  readonly #connections: Connections;

  constructor(profile: ClientProfile, connections: Connections) {
    this.profile = profile;
    this.#connections = connections;
  }

  get genesis(): GenesisState {
    return this.profile.genesis;
  }

  /** 32 bytes. */
  get consortiumId(): Uint8Array {
    return this.genesis.consortiumId;
  }

  /** Signs records (their exact bytes) in the profile's name; see `buildSubmission`. */
  sign(records: readonly Uint8Array[]): Submission {
    const { id: participantId, signingSeed } = this.profile;
    return buildSubmission({
      consortiumId: this.consortiumId,
      participantId,
      signingSeed,
      records,
    });
  }

  /**
   * Submits and waits for the outcome of each record. Goes on to the next manager with the same
   * submission where one fails, which is safe. When every record was refused it throws with the
   * first one's reason; when at least one was taken it does not: `orThrow` throws if any was
   * refused, `refusals` lists them.
   */
  submit(submission: Submission, options: SubmitOptions = {}): Promise<SubmitResponse> {
    const { waitFor = WaitFor.COMMITTED, ...rest } = options;
    const request = { submission, waitFor };
    return this.#connections.call(BroadcastService.method.submit, request, untilFinal(rest));
  }

  /**
   * Submits many with several in flight; see submit-stream.ts. Look at each outcome with `orThrow`
   * or `refusals`: a record may be refused although `refusal` is undefined.
   */
  submitStream(
    source: Iterable<Submission> | AsyncIterable<Submission>,
    options: SubmitStreamOptions = {},
  ): AsyncIterable<SubmissionOutcome> {
    return submitStream(this.#connections, source, options);
  }

  /** What the manager that is asked says about itself. */
  status(options: RetryOptions = {}): Promise<GetStatusResponse> {
    return this.#connections.call(QueryService.method.getStatus, {}, options);
  }

  /** What one node says about itself, without asking another in its place. */
  statusOf(
    address: string,
    options: { readonly role?: "manager" | "storage"; readonly signal?: AbortSignal } = {},
  ): Promise<GetStatusResponse> {
    const { role, signal } = options;
    return this.#askOne(address, role, (connection) => {
      const callOptions = { timeoutMs: statusTimeoutMs, ...(signal && { signal }) };
      return connection.unary(QueryService.method.getStatus, {}, callOptions);
    });
  }

  /** Why one node has halted, and by what evidence, without asking another in its place. */
  forkOf(
    address: string,
    { role }: { readonly role?: "manager" | "storage" } = {},
  ): Promise<GetForkResponse> {
    return this.#askOne(address, role, (connection) =>
      connection.unary(QueryService.method.getFork, {}, { timeoutMs: statusTimeoutMs }),
    );
  }

  #askOne<T>(
    address: string,
    role: "manager" | "storage" = "manager",
    ask: (connection: Connection) => Promise<T>,
  ): Promise<T> {
    const connection = dialWith(this.profile, role)(address);
    return ask(connection).finally(() => connection.close());
  }

  /** One record by its hash (32 bytes). Throws RECORD_UNKNOWN. */
  async getRecord(hash: Uint8Array, options: RetryOptions = {}): Promise<LedgerRecord> {
    const request = { recordHash: bytesOf(hash) };
    const { entry } = await this.#connections.call(QueryService.method.getRecord, request, options);
    const record = checkedRecord(entry, this.consortiumId);
    if (!equalBytes(record.hash, hash))
      throw new UntrueAnswer("the manager answered with another record");
    return record;
  }

  /** Every version of a record, oldest first, by the hash of any of them. Throws RECORD_UNKNOWN. */
  async getRecordHistory(
    hash: Uint8Array,
    options: RetryOptions = {},
  ): Promise<readonly LedgerRecord[]> {
    const versions: LedgerRecord[] = [];
    for await (const version of this.listRecordHistory(hash, options)) versions.push(version);
    return versions;
  }

  /**
   * The same, page by page as the caller reads on. Throws `UntrueAnswer` for a version that does
   * not update the one before it, and when the one that was asked for is not among them.
   */
  listRecordHistory(hash: Uint8Array, options: RetryOptions = {}): AsyncIterable<LedgerRecord> {
    const versions = pages(async (pageToken) => {
      const method = QueryService.method.getRecordHistory;
      const request = { recordHash: bytesOf(hash), pageToken };
      const page = await this.#connections.call(method, request, options);
      const items = page.entries.map((entry) => checkedRecord(entry, this.consortiumId));
      return { items, nextPageToken: page.nextPageToken };
    });
    return checkedVersions(versions, hash);
  }

  /**
   * Records by participant or meter, ascending by their time, page by page as the caller reads on.
   */
  listRecords(query: RecordQuery, options: RetryOptions = {}): AsyncIterable<LedgerRecord> {
    const { fromMs = 0, toMs = 0, pageSize = 0, ...rest } = query;
    const request = { ...rest, fromUnixMs: BigInt(fromMs), toUnixMs: BigInt(toMs), pageSize };
    return pages(async (pageToken) => {
      const method = QueryService.method.listRecords;
      const page = await this.#connections.call(method, { ...request, pageToken }, options);
      const items = page.entries.map((entry) => checkedRecord(entry, this.consortiumId));
      return { items, nextPageToken: page.nextPageToken };
    });
  }

  /**
   * What a manager says of a participant's period. `computeSettlement` (settlement.ts) comes to the
   * same from the records themselves.
   */
  async getSettlement(
    query: SettlementQuery,
    options: RetryOptions = {},
  ): Promise<SettlementMessage> {
    const { participantId, fromS, toS, tariffHash, height = 0 } = query;
    const request = {
      participantId,
      fromUnixS: BigInt(fromS),
      toUnixS: BigInt(toS),
      tariffHash,
      height: BigInt(height),
    };
    const method = QueryService.method.getSettlement;
    const { settlement } = await this.#connections.call(method, request, options);
    const isAnswer =
      settlement?.participantId === participantId &&
      settlement.fromUnixS === request.fromUnixS &&
      settlement.toUnixS === request.toUnixS &&
      equalBytes(settlement.tariffHash, tariffHash) &&
      (height === 0 || settlement.height === request.height);
    if (settlement === undefined || !isAnswer) {
      throw new UntrueAnswer("the manager answered with another settlement");
    }
    return settlement;
  }

  /**
   * The receipt of a record, verified against genesis. Throws RECORD_UNKNOWN, or `UntrueAnswer` for
   * one that proves nothing.
   */
  async getReceipt(hash: Uint8Array, options: RetryOptions = {}): Promise<Receipt> {
    const method = QueryService.method.getReceipt;
    const { receipt } = await this.#connections.call(
      method,
      { recordHash: bytesOf(hash) },
      options,
    );
    if (receipt === undefined || !equalBytes(receipt.recordHash, hash)) {
      throw new UntrueAnswer("the answer holds no receipt for this record");
    }
    const verified = verifyReceipt(receipt, this.genesis);
    if (!verified.ok)
      throw new UntrueAnswer(`the receipt proves nothing: ${verified.error.message}`);
    return receipt;
  }

  /** One block by its height or id. Throws BLOCK_UNKNOWN. */
  async getBlock(
    selector: { readonly height: number } | { readonly blockId: Uint8Array },
    options: RetryOptions = {},
  ): Promise<BlockView> {
    const choice =
      "height" in selector
        ? { case: "height" as const, value: BigInt(selector.height) }
        : { case: "blockId" as const, value: selector.blockId };
    const request = { selector: choice };
    const { block } = await this.#connections.call(QueryService.method.getBlock, request, options);
    return checkedBlock(block, selector).view;
  }

  /** Blocks ascending by height up to the head, page by page as the caller reads on. */
  listBlocks(query: BlockListOptions = {}, options: RetryOptions = {}): AsyncIterable<BlockView> {
    const { fromHeight = 1, pageSize = 0, headersOnly = false } = query;
    const request = { fromHeight: BigInt(fromHeight), pageSize, headersOnly };
    return pages(async (pageToken) => {
      const method = QueryService.method.listBlocks;
      const page = await this.#connections.call(method, { ...request, pageToken }, options);
      const items = page.blocks.map((block) => checkedBlock(block).view);
      return { items, nextPageToken: page.nextPageToken };
    });
  }

  /**
   * Every block from a height on, without gap or repeat; without a height, from the head on that a
   * manager names when the loop begins. To miss nothing of what you submit next, give the height of
   * `status()` + 1 that you asked for before. `close` ends the loop with CANCELLED, as a signal
   * does.
   */
  watchBlocks(fromHeight?: number, options: WatchOptions = {}): AsyncIterable<BlockView> {
    return watchBlocks(this.#connections, fromHeight, options);
  }

  /**
   * Proof that the ledger has only grown between two sizes, verified. Of `from` (and `to`) the
   * caller may hold the roots; then the proof has to be about those. Throws `UntrueAnswer` for a
   * ledger that was rewritten.
   */
  async consistencyProof(
    from: TreeHead,
    to?: TreeHead,
    options: RetryOptions = {},
  ): Promise<GetConsistencyProofResponse> {
    const method = QueryService.method.getConsistencyProof;
    const request = { fromTreeSize: BigInt(from.treeSize), toTreeSize: BigInt(to?.treeSize ?? 0) };
    const proof = await this.#connections.call(method, request, options);
    checkConsistencyProof(proof, from, to);
    return proof;
  }

  /**
   * Managers, policy, rules in force, and every change of membership, which may take several calls:
   * with `history` false only the first one.
   */
  async getConsortium(
    options: RetryOptions & { readonly history?: boolean } = {},
  ): Promise<GetConsortiumResponse> {
    const { history: wanted = true, ...rest } = options;
    const method = QueryService.method.getConsortium;
    const first = { historyPageSize: wanted ? 0 : 1 };
    const consortium = await this.#connections.call(method, first, rest);
    if (!wanted) return consortium;
    const { nextHistoryPageToken } = consortium;
    const later = pages(async (token) => {
      const historyPageToken = token === "" ? nextHistoryPageToken : token;
      const page = await this.#connections.call(method, { historyPageToken }, rest);
      return { items: page.history, nextPageToken: page.nextHistoryPageToken };
    });
    if (nextHistoryPageToken !== "") {
      for await (const change of later) consortium.history.push(change);
    }
    return consortium;
  }

  /** Storage nodes ascending by id. */
  listStorageNodes(options: RetryOptions = {}): AsyncIterable<StorageNodeStatus> {
    return pages(async (pageToken) => {
      const method = QueryService.method.listStorageNodes;
      const page = await this.#connections.call(method, { pageToken }, options);
      return { items: page.nodes, nextPageToken: page.nextPageToken };
    });
  }

  /** One storage node as the chain has it; undefined for one that nobody has admitted. */
  async storageNode(
    nodeId: string,
    options: RetryOptions = {},
  ): Promise<StorageNodeStatus | undefined> {
    for await (const node of this.listStorageNodes(options)) {
      if (node.nodeId === nodeId) return node;
    }
    return undefined;
  }

  /**
   * Sends a storage node away for good, as an operator of its sponsor. The height of the block that
   * carries it.
   */
  async retireStorageNode(
    node: Pick<StorageNodeStatus, "nodeId" | "admittedHeight">,
    options: RetryOptions = {},
  ): Promise<number> {
    const request = { retirement: signRetirement(this.profile, node) };
    const { retireStorageNode: method } = RegistrationService.method;
    const { height } = await this.#connections.call(method, request, untilFinal(options));
    return Number(height);
  }

  /**
   * States, as an operator of the node's sponsor, that it was paid reward units. The height of the
   * block that carries it.
   */
  async recordPayout(
    node: Pick<StorageNodeStatus, "nodeId" | "paid">,
    payment: { readonly amount: bigint; readonly reference: string },
    options: RetryOptions = {},
  ): Promise<number> {
    const request = { payout: signPayout(this.profile, node, payment) };
    const { recordPayout: method } = RegistrationService.method;
    const { height } = await this.#connections.call(method, request, untilFinal(options));
    return Number(height);
  }

  /** Ends all connections, and all calls and loops, which throw CANCELLED. */
  close(): void {
    this.#connections.close();
  }
}

/** A manager answers such a call when a block is final: it gets the whole time. */
function untilFinal(options: RetryOptions) {
  const { timeoutMs = submitTimeoutMs } = options;
  return { ...options, timeoutMs, attemptTimeoutMs: timeoutMs };
}

/** One page of a listing. */
export type Page<Item> = { readonly items: readonly Item[]; readonly nextPageToken: string };

/** All items of a listing, page by page, as the caller reads on. */
export async function* pages<Item>(
  fetchPage: (pageToken: string) => Promise<Page<Item>>,
): AsyncGenerator<Item, void, undefined> {
  let token = "";
  for (;;) {
    const { items, nextPageToken } = await fetchPage(token);
    yield* items;
    if (nextPageToken === "") return;
    if (nextPageToken === token)
      throw new UntrueAnswer("a listing names the same page as its next page");
    token = nextPageToken;
  }
}

/** Throws `TypeError` for digits, which programs without types give. */
function bytesOf(hash: Uint8Array): Uint8Array {
  if (ArrayBuffer.isView(hash)) return hash;
  throw new TypeError("a hash is 32 bytes, as recordHash gives; of hex: Buffer.from(text, 'hex')");
}
