/**
 * A manager that follows no rules: it has the keys and the address of one of a live consortium that
 * does not run, hears what another manager says to it, and says whatever a test wants.
 */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { readManagerKeys, readTlsFiles } from "../../src/config/key-files.js";
import type { NodeConfig } from "../../src/config/node-config.js";
import { ed25519Signer } from "../../src/crypto/ed25519.js";
import { BroadcastService } from "../../src/gen/bss/v1/broadcast_pb.js";
import {
  type VoteRequest,
  type VoteRequestSchema,
  VoteService,
} from "../../src/gen/bss/v1/vote_pb.js";
import type { GenesisState } from "../../src/ledger/genesis.js";
import { identities } from "../../src/node/rpc-options.js";
import { createChannel, type RpcChannel } from "../../src/rpc/channels/channel.js";
import type { ClientStream } from "../../src/rpc/channels/client-stream.js";
import { createClient } from "../../src/rpc/channels/typed-client.js";
import { createServer, type RpcServer } from "../../src/rpc/server/server.js";

type Message = Exclude<VoteRequest["message"], { case: undefined }>;
type Sent = MessageInitShape<typeof VoteRequestSchema>;

export class ScriptedManager {
  readonly id: string;
  /** Signs a 32-byte digest with the manager's key. */
  readonly sign: (digest: Uint8Array) => Uint8Array;
  readonly #server: RpcServer;
  readonly #channel: RpcChannel;
  readonly #listen: NodeConfig["listen"];
  #stream: ClientStream<Sent, unknown> | undefined;

  /** `target` is the manager that it talks with; `hear` gets all that it says on this link. */
  constructor(
    config: NodeConfig,
    target: NodeConfig,
    genesis: GenesisState,
    hear: (message: Message) => void,
  ) {
    if (config.role !== "manager") throw new Error(`${config.id} is no manager`);
    this.id = config.id;
    this.sign = ed25519Signer(readManagerKeys(config).signingSeed).sign;
    this.#listen = config.listen;
    const tls = readTlsFiles(config.tls);
    const { members, name: consortiumName } = genesis;
    const registry = identities({ members: () => members, participantSpki: async () => undefined });
    this.#server = createServer({ tls, consortiumName, registry, onInternalError: () => {} });
    this.#server
      .implement(VoteService, {
        vote: async (_, stream) => {
          for await (const { message } of stream.messages) {
            if (message.case !== undefined) hear(message);
          }
        },
      })
      .implement(BroadcastService, {});
    const { host, port } = target.listen;
    const expected = { consortiumName, role: "manager", id: target.id } as const;
    this.#channel = createChannel({ address: `${host}:${port}`, tls, expected });
  }

  async listen(): Promise<void> {
    await this.#server.listen(this.#listen);
  }

  /** Opens a stream to the target, which must run. */
  async dial(): Promise<void> {
    const stream = createClient(VoteService, this.#channel).vote();
    await stream.opened;
    this.#stream = stream;
  }

  async say(message: NonNullable<Sent["message"]>): Promise<void> {
    await this.#stream?.write({ message });
  }

  async close(): Promise<void> {
    this.#channel.close();
    await this.#server.close();
  }
}
