/** A manager's machine: the production manager over its production store and links. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { defined } from "../../../src/base/assert.js";
import { toHex } from "../../../src/base/bytes.js";
import type { RingStatus } from "../../../src/consensus/ring/events.js";
import { unsealRecord } from "../../../src/crypto/seal.js";
import {
  type BroadcastRequest,
  BroadcastRequestSchema,
} from "../../../src/gen/bss/v1/broadcast_pb.js";
import {
  type VerifyIntegrityRequest,
  VerifyIntegrityResponseSchema,
} from "../../../src/gen/bss/v1/verify_integrity_pb.js";
import {
  type Proposal,
  type Vote,
  VoteKind,
  type VoteRequest,
  VoteRequestSchema,
  VoteResponseSchema,
} from "../../../src/gen/bss/v1/vote_pb.js";
import { parseBlock } from "../../../src/ledger/blocks/block-parsing.js";
import { Manager } from "../../../src/manager/manager.js";
import type { ManagerObserver } from "../../../src/manager/manager-observer.js";
import { PeerLinks } from "../../../src/manager/peers/peer-links.js";
import { LocalSigner } from "../../../src/manager/signing/local-signer.js";
import type { Signer } from "../../../src/manager/signing/signer.js";
import { HeadSignal } from "../../../src/query/head-signal.js";
import type { CallContext, ServerStream } from "../../../src/rpc/server/handlers.js";
import { ManagerStore } from "../../../src/store/manager-store.js";
import type { BroadcastMessage, Twist, VoteAnswer, VoteMessage } from "../byzantine/twist.js";
import { type FinalBlock, InvariantBroken, type Said } from "../events.js";
import type { Handler } from "../network/network.js";
import type { Random } from "../random.js";
import { services } from "../services.js";
import { signingKeyOf, vrfSeedOf } from "../signatures.js";
import type { World } from "../world.js";
import type { DiskImage, SimulatedDisk } from "./disk.js";
import { Host } from "./host.js";
import type { Process } from "./process.js";
import { UnreliableSigner } from "./unreliable-signer.js";

type VoteStream = ServerStream<VoteRequest, MessageInitShape<typeof VoteResponseSchema>>;
type StorageStream = ServerStream<
  VerifyIntegrityRequest,
  MessageInitShape<typeof VerifyIntegrityResponseSchema>
>;

const imagesMax = 10;
const poolLimits = { submissionsMax: 400, bytesMax: 2_000_000 };

export class ManagerHost extends Host {
  /** False for one that breaks the rules. */
  honest = true;
  manager: Manager | undefined;
  store: ManagerStore | undefined;
  #links: PeerLinks | undefined;
  /** The height up to which watchers know what is on this disk. */
  #told = 0;
  /** Own messages that went out already, each to several peers. */
  #sent = new WeakSet<object>();
  #status: RingStatus | undefined;
  #twist: Twist | undefined;
  readonly #backoff: Random;
  readonly #random: Random;
  /** Of the signer's marks: nobody puts it back to an old image. */
  readonly #signerDisk: SimulatedDisk;
  readonly #images: { readonly disk: DiskImage; readonly told: number }[] = [];

  constructor(world: World, id: string, random: Random, skewMs: number) {
    super(world, id, random, skewMs);
    this.#signerDisk = this.addDisk(this.#hasLocalSigner ? this.disk : undefined);
    this.#backoff = random.fork();
    this.#random = random.fork();
    world.network.tap(id, (...heard) => this.#hears(...heard));
  }

  get height(): number {
    return this.store?.head.height ?? 0;
  }

  get status(): RingStatus | undefined {
    return this.manager?.status();
  }

  /** Remembers what is on the disk, and before. */
  takeImage(): void {
    this.#images.push({ disk: this.disk.image(), told: this.#told });
    if (this.#images.length > imagesMax) this.#images.shift();
  }

  /** Puts the disk back to what it held at one of these times. */
  rollBack(): void {
    if (this.#images.length === 0 || this.leftForGood) return;
    // The newest one is the likeliest to be of the height that is voted on, where votes are lost.
    const newest = this.#images.length - 1;
    const at = this.#random.chance(0.5) ? newest : this.#random.below(this.#images.length);
    const { disk, told } = defined(this.#images[at], "it was drawn from those there are");
    // Later ones belong to a past that is gone.
    this.#images.length = at + 1;
    this.#told = told;
    this.world.notify((checker) => checker.rolledBack(this.id, told));
    this.restore(disk);
  }

  /** Lets a behaviour in between the manager and the network. */
  twist(twist: Twist): void {
    this.honest = false;
    this.#twist = twist;
  }

  /** Says something that the manager in here has not thought of. */
  say(message: VoteMessage, to: readonly string[]): void {
    const request = create(VoteRequestSchema, { message });
    for (const id of to) this.#links?.sendVote(id, request);
  }

  object(message: BroadcastMessage, to: readonly string[]): void {
    const request = create(BroadcastRequestSchema, { message });
    for (const id of to) this.#links?.sendBroadcast(id, request);
  }

  /** Tells watchers where the ring is, if that may have changed. */
  look(): void {
    if (!this.process?.takeActivity()) return;
    const status = this.status;
    const last = this.#status;
    if (status === undefined || !this.honest) return;
    const { height, round, step } = status;
    if (last?.height === height && last.round === round && last.step === step) return;
    this.#status = status;
    this.world.notify((checker) => checker.moved(this.id, status));
  }

  protected override async run(process: Process): Promise<void> {
    const { world, id } = this;
    const { genesis, epochKey, scheme } = world.consortium;
    this.#status = undefined;
    process.onDeath(() => {
      this.manager = undefined;
      this.store = undefined;
    });
    const store = await ManagerStore.open(this.disk.open(process), genesis);
    this.store = store;
    await this.catchUpWatchers(store);
    world.notify((checker) => checker.started(id, store.head.height));
    await this.#tellWhatWasSaid(store);
    this.#tap(store);
    const manager = await Manager.open({
      selfId: id,
      genesis,
      store,
      epochKey,
      poolLimits,
      vrfSeed: vrfSeedOf(id),
      vrf: scheme.vrf,
      signer: await this.#openSigner(process),
      verifySignature: (publicKey, digest, signature) =>
        Promise.resolve(scheme.verify({ publicKey, digest, signature })),
      links: () => this.#tappedLinks(process),
      heads: new HeadSignal(),
      observer: this.#observer(),
      onFatal: (error) => this.fatal(error, process),
      time: process.time,
    });
    this.manager = manager;
    this.#links = this.#openLinks(process, manager, store);
    await manager.start();
    this.#listen(process, manager);
  }

  /** In its own process; otherwise the signer is behind a network. */
  get #hasLocalSigner(): boolean {
    return this.world.plan.faults.signerTroubleChance === 0;
  }

  async #openSigner(process: Process): Promise<Signer> {
    const { genesis, scheme } = this.world.consortium;
    const key = {
      consortiumId: genesis.consortiumId,
      publicKey: signingKeyOf(this.id),
      sign: (digest: Uint8Array) => scheme.sign(this.id, digest),
    };
    const opened = await LocalSigner.open(this.#signerDisk.open(process), key, "create");
    const signer = defined(opened, "it is made where there is none");
    if (this.#hasLocalSigner) return signer;
    return new UnreliableSigner(signer, process, {
      chance: () => (this.world.faulty ? this.world.plan.faults.signerTroubleChance : 0),
      random: this.#random,
      count: (what) => this.world.counters.count(what),
    });
  }

  protected override async close(): Promise<void> {
    await this.#links?.close();
    await this.manager?.close();
    await this.store?.close();
  }

  protected override onFatal(error: unknown): void {
    if (!this.honest) {
      this.world.counters.count("byzantine manager ended itself");
      return;
    }
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const kind = error instanceof Error && error.name === "RingHalted" ? "halt" : "exception";
    this.world.fail(new InvariantBroken(kind, `${this.id}: ${message}`));
  }

  #openLinks(process: Process, manager: Manager, store: ManagerStore): PeerLinks {
    const { id, world } = this;
    const node = { id, role: "manager", process } as const;
    return new PeerLinks({
      peers: store.head.members.managers.filter(({ managerId }) => managerId !== id),
      dial: ({ managerId }) => ({
        vote: () => world.network.dial(node, managerId, services.vote),
        broadcast: () => world.network.dial(node, managerId, services.broadcast),
        close: () => {},
      }),
      time: process.time,
      backoff: { initialMs: 100, maxMs: 2_000, random: () => this.#backoff.unit() },
      queueMessagesMax: world.plan.queueMessagesMax,
      queueBytesMax: 16_000_000,
      onVoteResponse: (from, response) => manager.peers.onResponse(from, response),
      onBroadcastResponse: (from, response) => manager.broadcast.onResponse(from, response),
      onLink: (peerId, connected) => {
        world.log(() => `${id} ${connected ? "has" : "lost"} its link to ${peerId}`);
        if (connected && process.alive) manager.onPeerConnected(peerId);
      },
      onBroadcastConnected: (peerId) => manager.broadcast.onConnected(peerId),
      onDropped: (_, messages) => world.counters.count("message dropped by a full queue", messages),
    });
  }

  #listen(process: Process, manager: Manager): void {
    const handlers = new Map<string, Handler<never, never>>([
      [
        services.vote.name,
        (context, stream) => manager.peers.serve(context, this.#twistedVote(context, stream)),
      ],
      [services.broadcast.name, (context, stream) => manager.broadcast.serve(context, stream)],
      [
        services.verifyIntegrity.name,
        (context, stream) => manager.storage.serve(context, this.#twistedStorage(context, stream)),
      ],
    ]);
    this.world.network.listen({
      node: { id: this.id, role: "manager", process },
      handlers: handlers as never,
      onError: (error, service) => {
        const failure = error instanceof Error ? error : new Error(String(error));
        if (failure.name === "StoreError") return;
        this.world.fail(
          new InvariantBroken("exception", `${this.id} ${service}: ${failure.stack}`),
        );
      },
    });
  }

  #twistedVote(context: CallContext, stream: VoteStream): VoteStream {
    const twist = this.#twist;
    if (twist === undefined) return stream;
    const write: VoteStream["write"] = async (response) => {
      const { message } = create(VoteResponseSchema, response);
      let room = true;
      for (const each of twist.answer(context.identity.id, message)) {
        room = await stream.write(create(VoteResponseSchema, { message: each }));
      }
      return room;
    };
    const writeInTurn: VoteStream["writeInTurn"] = async (make) => write(await make());
    return { messages: stream.messages, write, writeInTurn, offer: stream.offer, end: stream.end };
  }

  #twistedStorage(context: CallContext, stream: StorageStream): StorageStream {
    const twist = this.#twist;
    if (twist === undefined) return stream;
    const offer: StorageStream["offer"] = (response) => {
      const { message } = create(VerifyIntegrityResponseSchema, response);
      return twist
        .toStorage(context.identity.id, message)
        .map((each) => stream.offer(create(VerifyIntegrityResponseSchema, { message: each })))
        .every((taken) => taken);
    };
    const { messages, write, writeInTurn, end } = stream;
    return { messages, write, writeInTurn, offer, end };
  }

  /** Blocks that came to the disk of a process that did not live to tell. */
  async catchUpWatchers(store: ManagerStore): Promise<void> {
    while (this.#told < store.head.height) {
      const block = await this.readBlock(store, this.#told + 1);
      this.world.counters.count("block appended by a process that died");
      this.#tell(block);
    }
  }

  /** A crash may have kept a write that nobody was told of. */
  async #tellWhatWasSaid(store: ManagerStore): Promise<void> {
    if (!this.honest) return;
    const { restored } = await store.loadHeight(store.head.height + 1);
    this.#tellSaved(restored.votes, restored.proposals);
  }

  #tellSaved(votes: readonly Vote[], proposals: readonly Proposal[]): void {
    for (const vote of votes) {
      this.world.notify((checker) => checker.saved(this.id, { kind: "vote", vote }));
    }
    for (const proposal of proposals) {
      this.world.notify((checker) => checker.saved(this.id, { kind: "proposal", proposal }));
    }
  }

  async readBlock(store: ManagerStore, height: number): Promise<FinalBlock> {
    const { epochKey } = this.world.consortium;
    const unseal = (hash: Uint8Array, bytes: Uint8Array) => unsealRecord(epochKey, hash, bytes);
    const certified = defined(await store.managerBlockAt(height, unseal), "a block is stored");
    const block = defined(certified.block, "it is whole");
    const parsed = parsedOf(block);
    const first = parsed.treeSize - parsed.leaves.length;
    const stored = await store.sealedRecordsAt(parsed.leaves.map((_, i) => first + i));
    const sealed = stored.map((record) => defined(record, "a record is stored").sealed);
    const certificates = defined(certified.certificates, "a final block has certificates");
    return { parsed, block, sealed, certificates };
  }

  #tell(block: FinalBlock): void {
    this.#told = block.parsed.height;
    this.world.log(() => `${this.id} appends ${this.#told}`);
    this.world.notify((checker) => checker.appended(this.id, block));
    for (const { operation } of block.parsed.control) {
      this.world.counters.count(`on a chain: ${operation.case}`);
    }
  }

  /** Tells watchers of what has come to the disk, before the manager goes on. */
  #tap(store: ManagerStore): void {
    const append = store.append.bind(store);
    store.append = async (appended) => {
      await append(appended);
      const { block, executed, certificates } = appended;
      this.#tell({ parsed: parsedOf(block), block, sealed: executed.sealed, certificates });
    };
    const saveStatements = store.saveStatements.bind(store);
    store.saveStatements = async (statements) => {
      await saveStatements(statements);
      if (!this.honest) return;
      this.#tellSaved(statements.votes, statements.proposals);
    };
  }

  /** The links, as far as they are open, seen from a manager that is watched. */
  #tappedLinks(process: Process) {
    const links = this.#links;
    if (links === undefined || !process.alive) return noLinks;
    return {
      peerIds: links.peerIds,
      connectedIds: links.connectedIds,
      isConnected: (peerId: string) => links.isConnected(peerId),
      sendBroadcast: (peerId: string, request: MessageInitShape<typeof BroadcastRequestSchema>) => {
        const twist = this.#twist;
        if (twist === undefined) return links.sendBroadcast(peerId, request);
        const { message } = create(BroadcastRequestSchema, request);
        for (const each of twist.broadcast(peerId, message)) this.object(each, [peerId]);
        return true;
      },
      sendVote: (peerId: string, request: MessageInitShape<typeof VoteRequestSchema>) => {
        const twist = this.#twist;
        if (twist === undefined) {
          this.#watchSent(request);
          return links.sendVote(peerId, request);
        }
        const { message } = create(VoteRequestSchema, request);
        for (const each of twist.vote(peerId, message)) this.say(each, [peerId]);
        return true;
      },
    };
  }

  #watchSent(request: MessageInitShape<typeof VoteRequestSchema>): void {
    if (this.#sent.has(request)) return;
    this.#sent.add(request);
    const { message } = request;
    let said: Said | undefined;
    if (message?.case === "vote") said = { kind: "vote", vote: message.value as never };
    if (message?.case === "proposal") said = { kind: "proposal", proposal: message.value as never };
    const signer = said?.kind === "vote" ? said.vote.managerId : said?.proposal.managerId;
    if (said === undefined || signer !== this.id) return;
    const own = said;
    this.world.log(() => `${this.id} says ${textOf(own)}`);
    this.world.notify((checker) => checker.sent(this.id, own));
  }

  #hears(from: string, service: string, read: unknown): void {
    if (service === services.broadcast.name) {
      this.#twist?.heardBroadcast(from, (read as BroadcastRequest).message);
    }
    if (service !== services.vote.name) return;
    const { message } = read as VoteRequest;
    this.#countBodies(message.case);
    if (this.honest) this.world.notify((checker) => checker.heard(this.id, from, message));
    else this.#twist?.heardVote(from, message);
  }

  /** How bodies come to those who lack them. */
  #countBodies(message: VoteMessage["case"] | VoteAnswer["case"]): void {
    const { counters } = this.world;
    if (message === "fetchEntries") counters.count("entries of a compact block asked for");
    if (message === "entries") counters.count("entries of a compact block sent");
    if (message === "fetchBody") counters.count("whole body asked for");
    if (message === "body") counters.count("whole body sent");
  }

  #observer(): ManagerObserver {
    const { world, id } = this;
    const hooks: Partial<ManagerObserver> = {
      expired: (step) => {
        world.counters.count(`timeout ${step}`);
        if (this.honest) world.notify((checker) => checker.expired(id, step));
      },
      blamed: (peer, reason) => {
        world.counters.count("peer blamed");
        world.log(() => `${id} blames ${peer}: ${reason}`);
      },
      dropped: (from, reason) => {
        world.counters.count(`dropped ${reason}`);
        world.log(() => `${id} drops ${reason} from ${from}`);
      },
      blockRefused: (block, reason, message) => {
        world.counters.count(`block refused ${reason}`);
        world.log(() => `${id} refuses ${block.slice(0, 8)} ${reason}: ${message}`);
      },
      eventDropped: () => world.counters.count("event dropped by a full queue"),
    };
    return new Proxy(hooks, {
      get: (known, name) => Reflect.get(known, name) ?? ignore,
    }) as ManagerObserver;
  }
}

function ignore(): void {}

function parsedOf(block: FinalBlock["block"]) {
  const parsed = parseBlock(defined(block.block, "a final block has its public part"));
  if (!parsed.ok) throw new Error(`a stored block does not parse: ${parsed.error.message}`);
  return parsed.value;
}

const voteNames: Readonly<Record<VoteKind, string>> = {
  [VoteKind.UNSPECIFIED]: "?",
  [VoteKind.ACCEPT]: "ACCEPT",
  [VoteKind.APPROVE]: "APPROVE",
  [VoteKind.COMMIT]: "COMMIT",
};

function textOf(said: Said): string {
  const value = said.kind === "vote" ? said.vote : said.proposal;
  const kind = said.kind === "vote" ? voteNames[said.vote.kind] : "PROPOSE";
  const block = toHex(value.blockId).slice(0, 8) || "nil";
  return `${kind} ${value.height}/${value.round} ${block} (valid round ${value.validRound})`;
}

const noLinks = {
  peerIds: [],
  connectedIds: [],
  isConnected: () => false,
  sendVote: () => false,
  sendBroadcast: () => false,
} as const;
