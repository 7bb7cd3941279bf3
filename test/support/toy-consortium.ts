/**
 * A consortium for tests of clients: a directory as `bss init` makes it, and managers that serve
 * one toy ledger over the real gRPC layer, with the certificates of that directory. Managers can be
 * stopped, started again and told to misbehave.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { create, fromBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { defined } from "../../src/base/assert.js";
import { equalBytes, toHex } from "../../src/base/bytes.js";
import { initConsortium } from "../../src/cli/init/init-consortium.js";
import { type ClientProfile, readProfile } from "../../src/client/client-profile.js";
import { readGenesis } from "../../src/config/genesis-file.js";
import { readSeedFile, readTlsFiles } from "../../src/config/key-files.js";
import {
  BroadcastService,
  type RecordOutcome,
  RecordOutcomeSchema,
  type SubmitResponseSchema,
  type SubmitStreamRequest,
} from "../../src/gen/bss/v1/broadcast_pb.js";
import { NodeRole, QueryService } from "../../src/gen/bss/v1/query_pb.js";
import { RecordSchema, type Submission } from "../../src/gen/bss/v1/record_pb.js";
import type { GenesisState } from "../../src/ledger/genesis.js";
import { rootOf } from "../../src/ledger/merkle/frontier.js";
import { parseSubmission } from "../../src/ledger/records/submissions.js";
import { blockSummary } from "../../src/query/block-views.js";
import { publicRecordEntry } from "../../src/query/record-queries.js";
import { sharedQueries } from "../../src/query/shared-queries.js";
import type { Reason } from "../../src/rpc/reasons.js";
import { RpcError, rpcErrorOfViolation } from "../../src/rpc/rpc-error.js";
import { createServer, type RpcServer } from "../../src/rpc/server/server.js";
import { refusalOf } from "../../src/rpc/status-details.js";
import type { Identity, Role } from "../../src/rpc/tls/tls-identity.js";
import { ToyLedger } from "./toy-ledger.js";

/** What a test can do to a manager. Each is asked before the manager does its own part. */
export type Misbehaviour = {
  /** Fails a submission as a whole. */
  refuse?: (submission: Submission) => RpcError | undefined;
  /** Runs before a submission is ordered; a test delays or kills here. */
  beforeOrder?: (submission: Submission) => Promise<void> | void;
  /** Runs when a submission is on the ledger and not answered yet. */
  beforeAnswer?: (submission: Submission) => Promise<void> | void;
  /** Changes what is answered by hash. */
  tamper?: (answer: Record<string, unknown>) => void;
  /** Changes a block of WatchBlocks, or ends the stream with undefined. */
  watched?: (block: Record<string, unknown>, sent: number) => unknown;
  /** Why it signs nothing, as its status says. */
  abstaining?: string;
};

/** Records on the longest page of a list. */
export const toyPageMax = 20;

export class ToyConsortium {
  readonly directory: string;
  readonly genesisFile: string;
  readonly genesis: GenesisState;
  readonly ledger: ToyLedger;
  readonly managers: readonly ToyManager[];
  readonly internalErrors: unknown[] = [];
  /** Refuses single records, as a rule does. */
  objectTo: (record: Uint8Array) => { reason: Reason; message: string } | undefined = () =>
    undefined;

  private constructor(directory: string) {
    this.directory = directory;
    this.genesisFile = join(directory, "genesis.json");
    this.genesis = readGenesis(this.genesisFile);
    const signers = this.genesis.members.managers.map(({ managerId }) => ({
      managerId,
      seed: readSeedFile(join(directory, "managers", managerId, "signing.key")),
    }));
    this.ledger = new ToyLedger(this.genesis, signers);
    this.managers = signers.map(({ managerId }) => new ToyManager(this, managerId));
  }

  /** Makes the directory, and starts all managers unless told otherwise. */
  static async create(
    directory: string,
    options: { readonly managers?: number; readonly participants?: number } = {},
  ): Promise<ToyConsortium> {
    const { managers = 4, participants = 3 } = options;
    const plan = { name: "toy", managers, storage: 2, participants, basePort: 7400 };
    await initConsortium(directory, plan);
    const consortium = new ToyConsortium(directory);
    for (const manager of consortium.managers) await manager.start();
    consortium.#writeAddresses();
    return consortium;
  }

  manager(index: number): ToyManager {
    return defined(this.managers[index], "the test names a manager that there is");
  }

  profileFile(id: string, parent = "participants"): string {
    return join(this.directory, parent, id, "profile.yaml");
  }

  profile(id: string, parent?: string): ClientProfile {
    return readProfile(this.profileFile(id, parent));
  }

  readonly registry = {
    spkiOf: async (role: Role, id: string): Promise<Uint8Array | undefined> => {
      const { members, operations } = this.genesis;
      if (role === "manager") return members.manager(id)?.tlsSpkiSha256;
      if (role === "storage") return members.storageNode(id)?.tlsSpkiSha256;
      if (role !== "participant") return members.officer(id)?.tlsSpkiSha256;
      const found = operations.find(
        ({ operation }) =>
          operation.case === "registerParticipant" && operation.value.participantId === id,
      )?.operation;
      return found?.case === "registerParticipant" ? found.value.tlsSpkiSha256 : undefined;
    },
  };

  async close(): Promise<void> {
    for (const manager of this.managers) await manager.stop();
  }

  /** The ports are the system's choice, so the profiles learn them when the servers listen. */
  #writeAddresses(): void {
    const addresses = this.managers.map(({ address }) => `  - ${address}`).join("\n");
    const participants = this.genesis.operations.flatMap(({ operation }) =>
      operation.case === "registerParticipant" ? [operation.value.participantId] : [],
    );
    const files = participants.map((id) => this.profileFile(id));
    for (const file of [...files, this.profileFile("auditor-1", "auditors")]) {
      const text = readFileSync(file, "utf8");
      writeFileSync(file, text.replace(/addresses:\n( {2}- .*\n)+/, `addresses:\n${addresses}\n`));
    }
  }
}

export class ToyManager {
  readonly id: string;
  readonly misbehaviour: Misbehaviour = {};
  /** Calls by "Service/Method". */
  readonly calls: string[] = [];
  #server: RpcServer | undefined;
  #port = 0;
  readonly #consortium: ToyConsortium;

  constructor(consortium: ToyConsortium, id: string) {
    this.#consortium = consortium;
    this.id = id;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** Listens; after the first time on the same port. */
  async start(): Promise<void> {
    const { directory, genesis, registry, internalErrors } = this.#consortium;
    const own = join(directory, "managers", this.id);
    const server = createServer({
      tls: readTlsFiles({
        certificate: join(own, "tls.crt"),
        key: join(own, "tls.key"),
        ca: join(directory, "ca-bundle.pem"),
      }),
      consortiumName: genesis.name,
      registry,
      onInternalError: (error) => internalErrors.push(error),
    });
    server.implement(QueryService, this.#queries());
    server.implement(BroadcastService, {
      submit: (request) => {
        this.calls.push("submit");
        return this.#submit(request.submission);
      },
      submitStream: async (_context, { messages, write }) => {
        this.calls.push("submitStream");
        const running = new Set<Promise<unknown>>();
        for await (const request of messages) {
          const answering = this.#answer(request).then(write, () => false);
          running.add(answering);
          void answering.finally(() => running.delete(answering));
        }
        await Promise.all(running);
      },
    });
    const { port } = await server.listen({ host: "127.0.0.1", port: this.#port });
    this.#port = port;
    this.#server = server;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    await server?.close(0);
  }

  async #answer({ requestId, submission }: SubmitStreamRequest) {
    try {
      const response = await this.#submit(submission, false);
      return { requestId, result: { case: "response" as const, value: response } };
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      return { requestId, result: { case: "refusal" as const, value: refusalOf(error) } };
    }
  }

  async #submit(
    submission: Submission | undefined,
    failWhenAllRefused = true,
  ): Promise<MessageInitShape<typeof SubmitResponseSchema>> {
    const { genesis, ledger, objectTo } = this.#consortium;
    const { misbehaviour } = this;
    if (submission === undefined) throw new RpcError("SUBMISSION_MALFORMED", "no submission");
    const refusal = misbehaviour.refuse?.(submission);
    if (refusal !== undefined) throw refusal;
    const parsed = parseSubmission(genesis.consortiumId, submission, genesis.policy);
    if (!parsed.ok) throw rpcErrorOfViolation(parsed.error, "submission");
    await misbehaviour.beforeOrder?.(submission);
    const { records } = parsed.value;
    const accepted = records.filter(({ bytes }) => objectTo(bytes) === undefined);
    const fresh = accepted.filter(({ hash }) => ledger.record(hash) === undefined);
    if (fresh.length > 0) ledger.append(fresh.map(({ bytes }) => bytes));
    await misbehaviour.beforeAnswer?.(submission);
    const outcomes: RecordOutcome[] = [];
    for (const { hash, bytes } of records) outcomes.push(await this.#outcome(hash, bytes));
    const first = outcomes[0]?.outcome;
    if (failWhenAllRefused && accepted.length === 0 && first?.case === "objection") {
      throw new RpcError(first.value.reason as Reason, first.value.message);
    }
    const heights = outcomes.flatMap(({ outcome }) =>
      outcome.case === "committed" ? [Number(outcome.value.height)] : [],
    );
    const blocks = [...new Set(heights)]
      .toSorted((a, b) => a - b)
      .map(async (height) => {
        const final = defined(await ledger.finalBlock(height), "the block is there");
        return blockSummary(final, { height, headHeight: ledger.height });
      });
    return { outcomes, blocks: await Promise.all(blocks) };
  }

  async #outcome(recordHash: Uint8Array, bytes: Uint8Array): Promise<RecordOutcome> {
    const place = await this.#consortium.ledger.location(recordHash);
    if (place === undefined) {
      const objection = this.#consortium.objectTo(bytes) ?? { reason: "INTERNAL", message: "" };
      const value = { ...objection, recordHash, height: BigInt(this.#consortium.ledger.height) };
      return create(RecordOutcomeSchema, { recordHash, outcome: { case: "objection", value } });
    }
    const { height, position, sealDigest } = place;
    const value = { height: BigInt(height), position: BigInt(position), sealDigest };
    return create(RecordOutcomeSchema, { recordHash, outcome: { case: "committed", value } });
  }

  #queries() {
    const { genesis, ledger } = this.#consortium;
    const shared = sharedQueries({
      reader: ledger,
      heads: ledger.heads,
      consortium: { ...genesis, consortiumName: genesis.name },
      isConnected: () => true,
    });
    return {
      ...shared,
      getStatus: () => ({
        role: NodeRole.MANAGER,
        nodeId: this.id,
        consortiumName: genesis.name,
        consortiumId: genesis.consortiumId,
        height: BigInt(ledger.height),
        blockId: ledger.readerHead.blockId,
        treeSize: BigInt(ledger.readerHead.frontier.size),
        root: rootOf(ledger.readerHead.frontier),
        step: "idle",
        version: "0.1.0",
        stateDigest: new Uint8Array(32),
        abstaining: this.misbehaviour.abstaining ?? "",
        peers: genesis.members.managers
          .filter(({ managerId }) => managerId !== this.id)
          .map(({ managerId }) => ({
            peerId: managerId,
            role: NodeRole.MANAGER,
            connected: true,
            height: BigInt(ledger.height),
          })),
      }),
      getReceipt: async (request: Parameters<typeof shared.getReceipt>[0]) => {
        const answer = await shared.getReceipt(request);
        this.misbehaviour.tamper?.(answer.receipt as Record<string, unknown>);
        return answer;
      },
      getBlock: async (request: Parameters<typeof shared.getBlock>[0]) => {
        const answer = await shared.getBlock(request);
        this.misbehaviour.tamper?.(answer.block as Record<string, unknown>);
        return answer;
      },
      getConsistencyProof: async (request: Parameters<typeof shared.getConsistencyProof>[0]) => {
        const answer = await shared.getConsistencyProof(request);
        this.misbehaviour.tamper?.(answer as Record<string, unknown>);
        return answer;
      },
      watchBlocks: (...args: Parameters<typeof shared.watchBlocks>) => {
        this.calls.push("watchBlocks");
        return this.#watched(shared.watchBlocks(...args));
      },
      getRecord: async (
        { recordHash }: { recordHash: Uint8Array },
        { identity }: { identity: Identity },
      ) => ({ entry: await this.#entry(recordHash, identity) }),
      getRecordHistory: async (
        { recordHash, pageToken }: { recordHash: Uint8Array; pageToken: string },
        { identity }: { identity: Identity },
      ) => {
        const chain = this.#versions(recordHash);
        // The first page is empty, as that of a manager that looks for the oldest version.
        const start = pageToken === "" ? 0 : Number(pageToken);
        const page = pageToken === "" ? [] : chain.slice(start, start + 1);
        const end = start + page.length;
        const entries = await Promise.all(page.map((hash) => this.#entry(hash, identity)));
        return { entries, nextPageToken: end < chain.length ? String(end) : "" };
      },
      listRecords: async (
        request: { participantId: string; meterId: string; pageToken: string; pageSize: number },
        { identity }: { identity: Identity },
      ) => {
        const hashes = await this.#hashesOf(request);
        const start = request.pageToken === "" ? 0 : Number(request.pageToken);
        const end = start + Math.min(request.pageSize || 2, toyPageMax);
        const page = hashes.slice(start, end);
        const entries = await Promise.all(page.map((hash) => this.#entry(hash, identity)));
        return { entries, nextPageToken: end < hashes.length ? String(end) : "" };
      },
    };
  }

  async *#watched(blocks: AsyncIterable<{ block?: unknown }>) {
    let sent = 0;
    for await (const { block } of blocks) {
      const shown = this.misbehaviour.watched
        ? this.misbehaviour.watched(block as Record<string, unknown>, sent)
        : block;
      if (shown === undefined) throw new RpcError("NODE_STOPPING", "the node is stopping");
      sent += 1;
      yield { block: shown as object };
    }
  }

  async #entry(recordHash: Uint8Array, identity: Identity) {
    const { ledger } = this.#consortium;
    const place = await publicRecordEntry(ledger, { recordHash });
    const bytes = defined(ledger.record(recordHash), "a record that has a place is there");
    const record = fromBinary(RecordSchema, bytes);
    if (identity.role !== "manager" && identity.id !== record.ownerId) return place;
    const versions = this.#versions(recordHash);
    const at = versions.findIndex((hash) => equalBytes(hash, recordHash));
    const entry = { ...place, record: bytes, successor: versions[at + 1] ?? new Uint8Array() };
    this.misbehaviour.tamper?.(entry as Record<string, unknown>);
    return entry;
  }

  /** Hashes of all versions of a record, oldest first. */
  #versions(hash: Uint8Array): Uint8Array[] {
    const { ledger } = this.#consortium;
    const records = this.#decoded();
    const parentOf = (of: Uint8Array) => records.get(toHex(of))?.parent;
    let first = hash;
    for (let parent = parentOf(first); parent?.length; parent = parentOf(first)) first = parent;
    const chain = [first];
    for (;;) {
      const last = defined(chain.at(-1), "a chain has a beginning");
      const next = [...records].find(([, { parent }]) => equalBytes(parent, last));
      if (next === undefined || ledger.record(first) === undefined) return chain;
      chain.push(new Uint8Array(Buffer.from(next[0], "hex")));
    }
  }

  async #hashesOf({ participantId, meterId }: { participantId: string; meterId: string }) {
    return [...this.#decoded()]
      .filter(([, { ownerId, payload }]) =>
        meterId === ""
          ? ownerId === participantId
          : payload.case === "meterReading" && payload.value.meterId === meterId,
      )
      .map(([hash]) => new Uint8Array(Buffer.from(hash, "hex")));
  }

  #decoded() {
    return new Map(
      this.#consortium.ledger.entries.map(([hash, bytes]) => [
        hash,
        fromBinary(RecordSchema, bytes),
      ]),
    );
  }
}
