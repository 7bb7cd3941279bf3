/**
 * A consortium on disk as `bss init` makes it, with fake managers: real gRPC servers under the
 * managers' certificates, whose chain is made up and whose messages a test sends by hand.
 */
import { join } from "node:path";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { defined } from "../../src/base/assert.js";
import { initConsortium } from "../../src/cli/init/init-consortium.js";
import { readGenesisFile, readSeedFile, readTlsFiles } from "../../src/config/key-files.js";
import { loadNodeConfig, type StorageNodeConfig } from "../../src/config/node-config.js";
import { ed25519Sign } from "../../src/crypto/ed25519.js";
import type { CertifiedStorageBlock } from "../../src/gen/bss/v1/block_pb.js";
import { CertifiedStorageBlockSchema } from "../../src/gen/bss/v1/block_pb.js";
import {
  type VerifyIntegrityRequest,
  type VerifyIntegrityResponseSchema,
  VerifyIntegrityService,
} from "../../src/gen/bss/v1/verify_integrity_pb.js";
import { type GenesisState, parseGenesis } from "../../src/ledger/genesis.js";
import { identities } from "../../src/node/rpc-options.js";
import type { ServerStream } from "../../src/rpc/server/handlers.js";
import { createServer, type RpcServer } from "../../src/rpc/server/server.js";
import { type MadeBlock, StorageLedger } from "./storage-ledger.js";

type Down = MessageInitShape<typeof VerifyIntegrityResponseSchema>;
type Stream = ServerStream<VerifyIntegrityRequest, Down>;

export class StorageConsortium {
  readonly directory: string;
  readonly genesis: GenesisState;
  readonly ledger: StorageLedger;
  readonly managers: FakeManager[] = [];

  private constructor(directory: string) {
    this.directory = directory;
    const parsed = parseGenesis(readGenesisFile(join(directory, "genesis.json")));
    if (!parsed.ok) throw new Error(parsed.error.message);
    this.genesis = parsed.value;
    this.ledger = new StorageLedger(this.genesis, (id, digest) => {
      const role = id.startsWith("manager") ? "managers" : "storage";
      return ed25519Sign(readSeedFile(join(directory, role, id, "signing.key")), digest);
    });
  }

  /** In `directory`, which does not exist yet. */
  static async create(directory: string): Promise<StorageConsortium> {
    const counts = { managers: 4, storage: 3, participants: 1 };
    await initConsortium(directory, { name: "demo", ...counts, basePort: 20_000 });
    return new StorageConsortium(directory);
  }

  /** A fake manager that listens; `certificateOf` puts it under another one's certificate. */
  async startManager(id: string, options: { certificateOf?: string } = {}): Promise<FakeManager> {
    const manager = new FakeManager(id, this);
    await manager.listen(0, options.certificateOf);
    this.managers.push(manager);
    return manager;
  }

  async startManagers(): Promise<readonly FakeManager[]> {
    for (const { managerId } of this.genesis.members.managers) await this.startManager(managerId);
    return this.managers;
  }

  /** A storage node's config, on a port of its own and with the addresses of the fake managers. */
  config(nodeId = "storage-1"): StorageNodeConfig {
    const loaded = loadNodeConfig(join(this.directory, "storage", nodeId, "config.yaml"));
    if (loaded.role !== "storage") throw new Error("the config is not a storage node's");
    const { metrics: _, ...config } = loaded;
    // A port on which nobody listens: a test starts the managers that it wants.
    const nobody = this.genesis.members.managers.map(({ managerId }) => [managerId, "127.0.0.1:1"]);
    const addresses = new Map(nobody as [string, string][]);
    for (const manager of this.managers) addresses.set(manager.id, manager.address);
    return {
      ...config,
      listen: { host: "127.0.0.1", port: 0 },
      managerAddresses: addresses,
      log: { level: "trace" },
    };
  }

  tlsOf(party: string) {
    const at = (name: string) => join(this.directory, party, name);
    const ca = join(this.directory, "ca-bundle.pem");
    return readTlsFiles({ certificate: at("tls.crt"), key: at("tls.key"), ca });
  }

  async close(): Promise<void> {
    await Promise.all(this.managers.map((manager) => manager.close()));
  }
}

export class FakeManager {
  readonly id: string;
  /** Everything that storage nodes have said, in order. */
  readonly heard: VerifyIntegrityRequest["message"][] = [];
  /** Answers requests for blocks; a manager without it is silent. */
  blocks: ((fromHeight: number) => readonly CertifiedStorageBlock[]) | undefined;
  #streams: Stream[] = [];
  #server: RpcServer | undefined;
  #port = 0;
  readonly #consortium: StorageConsortium;

  constructor(id: string, consortium: StorageConsortium) {
    this.id = id;
    this.#consortium = consortium;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  get linked(): boolean {
    return this.#streams.length > 0;
  }

  async listen(port = this.#port, certificateOf = this.id): Promise<void> {
    const { genesis } = this.#consortium;
    this.#server = createServer({
      tls: this.#consortium.tlsOf(`managers/${certificateOf}`),
      consortiumName: genesis.name,
      registry: identities({
        members: () => genesis.members,
        participantSpki: async () => undefined,
      }),
      onInternalError: (error) => {
        throw error;
      },
    }).implement(VerifyIntegrityService, {
      verifyIntegrity: (_, stream) => this.#serve(stream),
    });
    this.#port = (await this.#server.listen({ host: "127.0.0.1", port })).port;
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    for (const stream of this.#streams) stream.end();
    await server?.close(0);
  }

  async send(down: Down): Promise<void> {
    for (const stream of this.#streams) await stream.write(down);
  }

  verify({ block, sealedRecords, approval }: MadeBlock, round = 0): Promise<void> {
    const value = { round, block, sealedRecords: [...sealedRecords], approval };
    return this.send({ message: { case: "verify", value } });
  }

  commit(made: MadeBlock, options: { readonly block: boolean }): Promise<void> {
    const { certificates } = made;
    const value = options.block ? { certificates, block: certified(made) } : { certificates };
    return this.send({ message: { case: "commit", value } });
  }

  /** What was said of one kind. */
  heardOf<Case extends VerifyIntegrityRequest["message"]["case"]>(kind: Case) {
    return this.heard.filter(
      (message): message is Extract<VerifyIntegrityRequest["message"], { case: Case }> =>
        message.case === kind,
    );
  }

  /** The last height that a node has said it holds. */
  get heightHeard(): number {
    return Number(this.heardOf("head").at(-1)?.value.height ?? -1);
  }

  async #serve(stream: Stream): Promise<void> {
    this.#streams.push(stream);
    try {
      for await (const { message } of stream.messages) {
        this.heard.push(message);
        if (message.case !== "fetchBlocks" || this.blocks === undefined) continue;
        const blocks = [...this.blocks(Number(message.value.fromHeight))];
        const headHeight = BigInt(this.#consortium.ledger.head.height);
        await stream.write({ message: { case: "blocks", value: { blocks, headHeight } } });
      }
    } finally {
      this.#streams = this.#streams.filter((each) => each !== stream);
    }
  }
}

export function certified({
  block,
  sealedRecords,
  certificates,
}: MadeBlock): CertifiedStorageBlock {
  return create(CertifiedStorageBlockSchema, {
    block,
    certificates,
    sealedRecords: [...sealedRecords],
  });
}

/** All blocks of a ledger from a height on, as a manager ships them. */
export function blocksFrom(ledger: StorageLedger) {
  return (fromHeight: number): readonly CertifiedStorageBlock[] =>
    ledger.appended.slice(fromHeight - 1).map((made) => certified(defined(made, "it is there")));
}
