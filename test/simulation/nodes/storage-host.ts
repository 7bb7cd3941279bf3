/** A storage node's machine: the production chain over its production store and links. */
import { defined } from "../../../src/base/assert.js";
import { every } from "../../../src/base/time.js";
import { SignatureCache } from "../../../src/crypto/signature-cache.js";
import { parseBlock } from "../../../src/ledger/blocks/block-parsing.js";
import { Returning } from "../../../src/storage-node/chain/returning.js";
import { StorageChain } from "../../../src/storage-node/chain/storage-chain.js";
import { encodeHalt } from "../../../src/storage-node/halting.js";
import { ManagerLinks, type MessageToManager } from "../../../src/storage-node/manager-links.js";
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
    const sign = (digest: Uint8Array) => scheme.sign(id, digest);
    const links = this.#makeLinks(process, store);
    this.#links = links;
    const outbox = {
      isConnected: (managerId: string) => links.isConnected(managerId),
      send: (message: MessageToManager, managerId?: string) =>
        process.alive && this.#say(links, message, managerId),
    };
    const chain = await StorageChain.open({
      nodeId: id,
      genesis,
      store,
      sign,
      signatures: new SignatureCache((publicKey, digest, signature) =>
        Promise.resolve(scheme.verify({ publicKey, digest, signature })),
      ),
      monotonicMs: process.time.monotonicMs,
      links: outbox,
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
      onAppended() {},
      onFailed: (cause) => this.fatal(cause, process),
      onHalt: async (evidence) => {
        await store.saveForkEvidence(encodeHalt(evidence));
        this.#halted(evidence.message);
      },
      mark: { mayAttest: async () => true, raise: async () => {} },
      repair: {
        repairing: false,
        report: () => world.counters.count("a storage node doubted its store"),
      },
    });
    this.chain = chain;
    const returning = new Returning({
      nodeId: id,
      genesis,
      store,
      links: outbox,
      isReady: () => !chain.sync.behind,
      sign,
      time: process.time,
    });
    links.start({
      greeting: () => chain.greeting(),
      onMessage: (managerId, message) => {
        for (const each of this.#twist?.answers(message) ?? []) links.send(each, managerId);
        return chain.take(managerId, message).catch((error) => this.fatal(error, process));
      },
      onDisconnected: (managerId) => {
        if (process.alive) chain.onDisconnected(managerId);
      },
    });
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

  #makeLinks(process: Process, store: StorageNodeStore): ManagerLinks {
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
      observe: {
        changed() {},
        dropped: (messages) => world.counters.count("message dropped by a full queue", messages),
      },
    });
  }

  #say(links: ManagerLinks, message: MessageToManager, managerId?: string): boolean {
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
