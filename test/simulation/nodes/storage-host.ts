/** A storage node's machine: the production chain over its production store and links. */
import { defined } from "../../../src/base/assert.js";
import { every } from "../../../src/base/time.js";
import { SignatureCache } from "../../../src/crypto/signature-cache.js";
import { parseBlock } from "../../../src/ledger/blocks/block-parsing.js";
import { Returning } from "../../../src/storage-node/chain/returning.js";
import { StorageChain } from "../../../src/storage-node/chain/storage-chain.js";
import { encodeHalt } from "../../../src/storage-node/halting.js";
import { ManagerLinks } from "../../../src/storage-node/manager-links.js";
import type { UpMessage } from "../../../src/storage-node/up-message.js";
import { StorageNodeStore } from "../../../src/store/storage-node-store.js";
import type { ByzantineStorage } from "../byzantine/byzantine-storage.js";
import { InvariantBroken, type StorageBlock } from "../events.js";
import type { Random } from "../random.js";
import { services } from "../services.js";
import type { World } from "../world.js";
import { Host } from "./host.js";
import type { Process } from "./process.js";

const tickMs = 50;

export class StorageHost extends Host {
  honest = true;
  store: StorageNodeStore | undefined;
  chain: StorageChain | undefined;
  #links: ManagerLinks | undefined;
  #told = 0;
  #twist: ByzantineStorage | undefined;
  readonly #backoff: Random;

  constructor(world: World, id: string, random: Random) {
    super(world, id, random, 0);
    this.#backoff = random.fork();
  }

  get height(): number {
    return this.store?.head.height ?? 0;
  }

  /** Whether it is on the chain that no committee is drawn with it. */
  get suspended(): boolean {
    return this.store?.head.members.storageNode(this.id)?.suspension !== undefined;
  }

  twist(twist: ByzantineStorage): void {
    this.honest = false;
    this.#twist = twist;
  }

  /** Hangs up on all managers; production code dials again. */
  hangUp(): void {
    this.world.network.died(this.id, false);
  }

  protected override async run(process: Process): Promise<void> {
    const { world, id } = this;
    const { genesis, scheme } = world.consortium;
    process.onDeath(() => {
      this.store = undefined;
      this.chain = undefined;
    });
    const store = await StorageNodeStore.open(this.disk.open(process), genesis);
    this.store = store;
    await this.#catchUpWatchers(store);
    world.notify((checker) => checker.started(id, store.head.height));
    this.#tap(store);
    const evidence = await store.forkEvidence();
    if (evidence !== undefined) return this.#halted(Buffer.from(evidence).toString());
    const { consortiumId, policy } = genesis;
    const sign = (digest: Uint8Array) => scheme.sign(id, digest);
    const returning: Returning = new Returning({
      nodeId: id,
      consortiumId,
      policy,
      sign,
      monotonicMs: process.time.monotonicMs,
      wallMs: process.time.wallMs,
      head: () => store.head,
      isReady: () => !chain.syncing,
      tell: (value) => void this.#say({ message: { case: "returnNode", value } }),
    });
    const chain = await StorageChain.open({
      nodeId: id,
      consortiumId,
      policy,
      store,
      sign,
      signatures: new SignatureCache((publicKey, digest, signature) =>
        Promise.resolve(scheme.verify({ publicKey, digest, signature })),
      ),
      monotonicMs: process.time.monotonicMs,
      tell: (message, managerId) => process.alive && this.#say(message, managerId),
      observe: {
        appended() {},
        attested() {},
        behind() {},
        wrote() {},
        syncNews() {},
        dropped: (from, reason) => {
          world.counters.count(`storage dropped ${reason}`);
          world.log(() => `${id} drops ${reason} from ${from}`);
        },
        blamed: (from, reason) => {
          world.counters.count("peer blamed by a storage node");
          world.log(() => `${id} blames ${from}: ${reason}`);
        },
      },
      isLinked: (managerId) => this.#links?.isConnected(managerId) ?? false,
      onAppended: () => returning.onAppended(),
      onFailed: (cause) => this.fatal(cause, process),
      onHalt: async (evidence) => {
        await store.saveForkEvidence(encodeHalt(evidence));
        this.#halted(evidence.message);
      },
      voice: { mayAttest: async () => true, raise: async () => {} },
      repairing: () => false,
      onDoubt: () => world.counters.count("a storage node doubted its store"),
    });
    this.chain = chain;
    this.#links = this.#openLinks(process, chain, store);
    every(process.time, tickMs, () => {
      chain.tick();
      returning.tick();
    });
  }

  protected override async close(): Promise<void> {
    await Promise.all([this.#links?.close(), this.chain?.close()]);
    await this.store?.close();
  }

  protected override onFatal(error: unknown): void {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.world.fail(new InvariantBroken("exception", `${this.id}: ${message}`));
  }

  #openLinks(process: Process, chain: StorageChain, store: StorageNodeStore): ManagerLinks {
    const { id, world } = this;
    const node = { id, role: "storage", process } as const;
    return new ManagerLinks({
      nodeId: id,
      members: store.head.members,
      dial: ({ managerId }) => ({
        verifyIntegrity: () => world.network.dial(node, managerId, services.verifyIntegrity),
        close: () => {},
      }),
      time: process.time,
      backoff: { initialMs: 100, maxMs: 2_000, random: () => this.#backoff.unit() },
      queueMessagesMax: world.plan.queueMessagesMax,
      queueBytesMax: 16_000_000,
      greeting: (): readonly UpMessage[] => chain.greeting(),
      onMessage: (managerId, message) => {
        for (const each of this.#twist?.answers(message) ?? []) this.#links?.send(each, managerId);
        return chain.take(managerId, message).catch((error) => this.fatal(error, process));
      },
      onState: (managerId, state) => {
        if (state === "disconnected" && process.alive) chain.onDisconnected(managerId);
      },
      onDropped: (_, messages) => world.counters.count("message dropped by a full queue", messages),
    });
  }

  #say(message: UpMessage, managerId?: string): boolean {
    const links = this.#links;
    if (links === undefined) return false;
    const twist = this.#twist;
    if (twist === undefined) return links.send(message, managerId);
    for (const to of managerId === undefined ? links.managerIds : [managerId]) {
      for (const each of twist.says(message)) links.send(each, to);
    }
    return true;
  }

  #halted(message: string): void {
    this.world.breach("halt", `${this.id}: ${message}`);
  }

  async #catchUpWatchers(store: StorageNodeStore): Promise<void> {
    while (this.#told < store.head.height) this.#tell(await this.readBlock(store, this.#told + 1));
  }

  async readBlock(store: StorageNodeStore, height: number): Promise<StorageBlock> {
    const stored = defined(await store.storageBlockAt(height), "a block is stored");
    const { block, sealedRecords, certificates } = stored;
    return storageBlock(block, sealedRecords, certificates);
  }

  #tell(block: StorageBlock): void {
    this.#told = block.parsed.height;
    this.world.notify((checker) => checker.storageAppended(this.id, block));
  }

  #tap(store: StorageNodeStore): void {
    const append = store.append.bind(store);
    store.append = async (appended) => {
      await append(appended);
      const { block, sealedRecords, certificates } = appended;
      this.#tell(storageBlock(block, sealedRecords, certificates));
    };
    const saveCandidate = store.saveCandidate.bind(store);
    store.saveCandidate = async (candidate) => {
      await saveCandidate(candidate);
      const { height, round } = candidate.attestation;
      this.world.log(() => `${this.id} attests ${height}/${round}`);
      this.world.notify((checker) => checker.attested(this.id, candidate.attestation));
    };
  }
}

function storageBlock(
  block: Parameters<typeof parseBlock>[0] | undefined,
  sealed: readonly Uint8Array[],
  certificates: StorageBlock["certificates"] | undefined,
): StorageBlock {
  const parsed = parseBlock(defined(block, "a final block is whole"));
  if (!parsed.ok) throw new Error(`a stored block does not parse: ${parsed.error.message}`);
  return {
    parsed: parsed.value,
    sealed,
    certificates: defined(certificates, "a final block has certificates"),
  };
}
