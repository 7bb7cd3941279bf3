/**
 * A manager at work: its parts, and how they hear of each other.
 *
 *     callers ─▶ Submissions ─▶ Pool ─▶ BlockProducer ─▶ RingDriver ─▶ append ─▶ Submissions, storage nodes
 *     peers   ─▶ InboundVotes ──────────────────────────▶    │   ▲
 *                                       BlockJudge, StorageExchange: tasks and their answers
 *
 * Only the driver's loop changes the chain. Everything else reads the head as it finds it.
 */
import { defined } from "../base/assert.js";
import { toHex } from "../base/bytes.js";
import { every, type Time, type Timer } from "../base/time.js";
import type { RingStatus, Task } from "../consensus/events.js";
import { Ring } from "../consensus/ring.js";
import { SignatureCache } from "../crypto/signature-cache.js";
import type { BlockCertificates, ManagerBlock } from "../gen/bss/v1/block_pb.js";
import { blockId, parseHeader } from "../ledger/blocks.js";
import type { GenesisState } from "../ledger/genesis.js";
import type { HeadSignal } from "../query/head-signal.js";
import type { ManagerStore } from "../store/manager-store.js";
import { Availability } from "./availability.js";
import { BlockJudge } from "./block-judge.js";
import { BlockProducer } from "./block-producer.js";
import { BlockValidator } from "./block-validator.js";
import { BroadcastExchange, type BroadcastLinks } from "./broadcast-exchange.js";
import { CandidateBlocks } from "./candidate-blocks.js";
import { CatchUp } from "./catch-up.js";
import { HeadAnnouncer } from "./head-announcer.js";
import { InboundVotes } from "./inbound-votes.js";

import type { ManagerObserver } from "./manager-observer.js";
import { PeerExchange, type VoteLinks } from "./peer-exchange.js";
import { Pool, type PoolLimits } from "./pool.js";
import { type AppendedBlock, clockOf, RingDriver, RingHalted } from "./ring-driver.js";
import { ShippedBlocks } from "./shipped-blocks.js";
import { StorageExchange } from "./storage-exchange.js";
import { Submissions } from "./submissions.js";
import { submitResponse } from "./submit-response.js";

export type ManagerOptions = {
  readonly selfId: string;
  readonly genesis: GenesisState;
  readonly store: ManagerStore;
  /** 32 bytes: the key of epoch 0. */
  readonly epochKey: Uint8Array;
  /** 32 bytes. */
  readonly vrfSeed: Uint8Array;
  /** Signs a 32-byte digest with this manager's key. */
  readonly sign: (digest: Uint8Array) => Uint8Array;
  readonly poolLimits: PoolLimits;
  readonly links: () => VoteLinks & BroadcastLinks & { readonly connectedIds: readonly string[] };
  readonly heads: HeadSignal;
  readonly observer: ManagerObserver;
  readonly onFatal: (error: Error) => void;
  readonly time: Time;
};

/**
 * How often waiting submissions, heartbeats and peers ahead are looked at besides when they change.
 */
const pulseMs = 100;
/** What is known of an undecided height is sent again after this time. */
const resendMs = 1_000;
/** A body that is on its way is not asked for as long. */
const bodyGraceMs = 150;
/** Records that a block is chosen from, in blocks: some of them may be refused. */
const candidateBlocks = 2;

export class Manager {
  readonly #options: ManagerOptions;
  readonly #candidates: CandidateBlocks;
  readonly #driver: RingDriver;
  readonly #validator: BlockValidator;
  readonly #producer: BlockProducer;
  readonly #judge: BlockJudge;
  readonly #pool: Pool;
  readonly #catchUp: CatchUp;
  readonly #announcer: HeadAnnouncer;
  readonly submissions: Submissions;
  readonly peers: PeerExchange;
  readonly broadcast: BroadcastExchange;
  readonly storage: StorageExchange;
  readonly #tasks = new Set<Promise<void>>();
  #pulse: Timer | undefined;
  #appendedAtMs = 0;
  #closing = false;

  private constructor(options: ManagerOptions, ring: Ring) {
    this.#options = options;
    const { genesis, store, observer, selfId, epochKey, time } = options;
    const { consortiumId, policy } = genesis;
    this.#candidates = new CandidateBlocks((id) => ring.isBoundTo(id));
    const signatures = new SignatureCache();
    const readState = (keys: readonly Uint8Array[]) => store.state(keys);
    const head = () => store.head;
    const shared = { consortiumId, policy, epochKey, head, readState };
    const availability = new Availability({
      policy,
      selfId,
      members: () => store.head.members,
      connectedManagers: () => options.links().connectedIds,
      connectedStorage: () => this.storage.connectedIds,
    });
    const limits = options.poolLimits;
    this.#pool = new Pool({ limits, verdictWaitMs: policy.verdictWaitMs });
    this.#validator = new BlockValidator({ ...shared, signatures });
    this.#producer = new BlockProducer({
      ...shared,
      selfId,
      vrfSeed: options.vrfSeed,
      wallMs: time.wallMs,
      headCertificates: () => store.headCertificates,
      candidates: () => this.#ripe(policy.blockRecordsMax * candidateBlocks),
      settled: (submissions) => this.#pool.settledOf(submissions),
    });
    this.#driver = new RingDriver(ring, {
      selfId,
      consortiumId,
      sign: options.sign,
      store: {
        saveStatements: (said) => this.#timed(() => store.saveStatements(said)),
      },
      candidates: this.#candidates,
      time,
      send: (message, body) => this.peers.send(message, body),
      start: (task) => this.#start(task),
      append: (appended) => this.#append(appended),
      observe: observer,
      onFatal: options.onFatal,
    });
    const height = () => this.#driver.ring.height;
    const post = this.#driver.post.bind(this.#driver);
    this.#judge = new BlockJudge({
      validator: this.#validator,
      candidates: this.#candidates,
      height,
      fetchBody: (holders, at, id) => this.peers.fetchBody(holders, at, id),
      defer: (work) => time.after(bodyGraceMs, work),
      post,
      onRefused: observer.blockRefused,
    });
    this.#announcer = new HeadAnnouncer({
      consortiumId,
      selfId,
      sign: options.sign,
      head,
      send: (signed, to) => this.peers.sendHead(signed, to),
      monotonicMs: time.monotonicMs,
    });
    this.#catchUp = new CatchUp({
      headHeight: () => store.head.height,
      monotonicMs: time.monotonicMs,
      request: (peer, from, limit) => this.peers.fetchBlocks(peer, from, limit),
      append: (block, certificates) => this.#appendShipped(block, certificates),
      onBlamed: observer.blamed,
    });
    const inbound = new InboundVotes({
      consortiumId,
      members: () => store.head.members,
      height,
      signatures,
      candidates: this.#candidates,
      post,
      onBody: (block) => this.#judge.takeBody(block),
      onHead: (from, signed) => this.#catchUp.onHead(from, Number(signed.height)),
      onLagging: (from) => this.#announcer.remind(from),
      onDropped: observer.dropped,
      onVote: observer.voteReceived,
      onAttestation: observer.attestationReceived,
    });
    const shipped = new ShippedBlocks(store, epochKey);
    this.peers = new PeerExchange({
      links: options.links,
      inbound,
      candidates: this.#candidates,
      readBlocks: (from, limit) => shipped.forManagers(from, limit),
      onBody: (_, body) => this.#judge.takeBody(body.block),
      onBlocks: (from, blocks) => this.#catchUp.onBlocks(from, blocks),
    });
    this.storage = new StorageExchange({
      selfId,
      managerIds: () => store.head.members.managers.map(({ managerId }) => managerId),
      candidates: this.#candidates,
      head: () => headOf(store),
      readBlocks: (from, limit) => shipped.forStorage(from, limit),
      takeAttestation: (from, attestation) => inbound.takeAttestation(from, attestation),
      onDropped: observer.dropped,
      onLinks: observer.storageLinks,
      after: time.after,
    });
    this.submissions = new Submissions({
      consortiumId,
      policy,
      signatures,
      head,
      readState,
      wallMs: time.wallMs,
      monotonicMs: time.monotonicMs,
      pool: this.#pool,
      savePooled: (submission) => store.savePooled(submission),
      deletePooled: (ids) => store.deletePooled(ids),
      relay: (submission) => this.broadcast.relay(submission),
      sendVerdict: (id) => this.broadcast.sendVerdict(id),
      sendObjection: (objection) => this.broadcast.sendObjection(objection),
      onPoolChanged: () => this.#onPoolChanged(),
      locate: (hash) => store.location(hash),
      respond: (outcomes) => submitResponse(store, outcomes),
      whatIsMissing: () => availability.whatIsMissing(),
      observe: observer,
    });
    this.broadcast = new BroadcastExchange({
      links: options.links,
      takeRelayed: (_, submission) => this.submissions.takeRelayed(submission),
      takeVerdict: (from, id) => {
        this.#pool.verdict(from, id);
        this.#wakeIfDue();
      },
      takeObjection: (_, objection) => this.submissions.takeObjection(objection),
      own: () => this.#pool.own().map(({ message }) => message),
      onDropped: observer.dropped,
    });
  }

  /** Takes up the height that was being voted on when the manager stopped. */
  static async open(options: ManagerOptions): Promise<Manager> {
    const { store, genesis, selfId } = options;
    const { height, members } = store.head;
    const { restored, bodies } = await store.loadHeight(height + 1);
    const { futureBoundMs, timeouts } = genesis.policy;
    const ring = new Ring({
      selfId,
      timeouts: defined(timeouts, "a policy has timeouts"),
      futureBoundMs,
      resendMs,
      context: { height: height + 1, members },
      restored,
      clock: clockOf(options.time),
    });
    const manager = new Manager(options, ring);
    for (const body of bodies) manager.#candidates.add(height + 1, body);
    return manager;
  }

  /** Starts to take part. The links must be there. */
  async start(): Promise<void> {
    this.#appendedAtMs = this.#options.time.monotonicMs();
    this.#driver.start();
    await this.submissions.restore(await this.#options.store.loadPool(this.#options.poolLimits));
    this.#pulse = every(this.#options.time, pulseMs, () => this.#onPulse());
  }

  /** Ends after what is running; the store may be closed then. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#pulse?.cancel();
    this.storage.close();
    await this.#driver.close();
    await Promise.all(this.#tasks);
  }

  /** A stream to a peer is up. */
  onPeerConnected(peerId: string): void {
    this.#announcer.announce(peerId);
  }

  status(): RingStatus & { readonly syncing: boolean; readonly pooled: number } {
    const pooled = this.#pool.submissionCount;
    return { ...this.#driver.ring.status(), syncing: this.#catchUp.behind, pooled };
  }

  get pool(): Pick<Pool, "submissionCount" | "recordCount" | "byteCount"> {
    return this.#pool;
  }

  get eventsWaiting(): number {
    return this.#driver.queueLength;
  }

  heightOfPeer(peerId: string): number {
    return this.#catchUp.heightOf(peerId);
  }

  #start(task: Task): void {
    const running = this.#run(task)
      .catch((error) => {
        // Nobody waits for the answer any more, and a store that is closing refuses to read.
        if (!this.#closing) this.#options.onFatal(asError(error));
      })
      .finally(() => this.#tasks.delete(running));
    this.#tasks.add(running);
  }

  async #run(task: Task): Promise<void> {
    switch (task.kind) {
      case "build": {
        const { block, executed, objections } = await this.#producer.build(task.round);
        if (executed.facts.height !== task.height) return;
        this.#candidates.add(task.height, block, executed);
        const { height, round } = task;
        this.#driver.post({ kind: "built", height, round, facts: executed.facts });
        await this.submissions.reportObjections(objections, executed);
        return;
      }
      case "validate":
        return this.#judge.judge(task);
      case "verify-integrity":
        return this.storage.verify(task);
    }
  }

  /** A turn of the driver: on disk, then everybody hears of it. */
  async #append(appended: AppendedBlock): Promise<void> {
    const { store, observer, heads } = this.#options;
    const { executed, certificates, block } = appended;
    const { height } = executed.facts;
    await this.#timed(() => store.append(appended));
    this.#driver.advance({ height: height + 1, members: store.head.members });
    this.#candidates.dropThrough(height);
    this.#judge.onHeightChanged();
    this.storage.announce({ height, block, executed }, certificates);
    this.#announcer.announce();
    heads.announce();
    const nowMs = this.#options.time.monotonicMs();
    observer.appended(executed, nowMs - this.#appendedAtMs);
    this.#appendedAtMs = nowMs;
    await this.submissions.onAppended(executed, block);
  }

  /**
   * A final block from a peer; the reason when it does not hold. One that is here already is passed
   * over.
   */
  #appendShipped(
    block: ManagerBlock,
    certificates: BlockCertificates,
  ): Promise<string | undefined> {
    return this.#driver.exclusive(async () => {
      const header = block.block?.header ?? new Uint8Array();
      const parsed = parseHeader(header);
      // Decided here while it was on its way: nobody is to blame.
      if (parsed.ok && parsed.value.height <= this.#options.store.head.height) return undefined;
      const id = blockId(header);
      const judged = await this.#validator.judge(id, block);
      if (judged === undefined) return "a block that does not hang together";
      if (!judged.ok) {
        const text = `${judged.error.reason}: ${judged.error.message}`;
        if (!(await this.#validator.isCommitted(id, certificates))) return text;
        throw new RingHalted(`Q managers committed ${toHex(id)}, which is wrong here: ${text}`);
      }
      const refused = await this.#validator.checkFinal(judged.value, certificates);
      if (refused !== undefined) return `${refused.reason}: ${refused.message}`;
      await this.#append({ block, executed: judged.value, certificates });
      return undefined;
    });
  }

  /** Runs a write and tells how long it took. */
  async #timed(write: () => Promise<void>): Promise<void> {
    const { time, observer } = this.#options;
    const startedMs = time.monotonicMs();
    await write();
    observer.wrote((time.monotonicMs() - startedMs) / 1_000);
  }

  #onPulse(): void {
    this.#catchUp.tick();
    this.#announcer.tick();
    this.#wakeIfDue();
  }

  #onPoolChanged(): void {
    this.#options.observer.poolChanged(this.#pool);
    this.#wakeIfDue();
  }

  #wakeIfDue(): void {
    if (this.#driver.ring.status().step !== "idle") return;
    const { heartbeatMs } = this.#options.genesis.policy;
    const idleMs = this.#options.time.monotonicMs() - this.#appendedAtMs;
    const heartbeat = heartbeatMs > 0 && idleMs >= heartbeatMs;
    if (heartbeat || this.#ripe(1).length > 0) this.#driver.post({ kind: "wake" });
  }

  #ripe(recordsMax: number) {
    const others = this.#options.store.head.members.activeManagerIds;
    const awaited = others.filter((id) => id !== this.#options.selfId);
    return this.#pool.ripe(this.#options.time.monotonicMs(), awaited, recordsMax);
  }
}

function headOf(store: ManagerStore) {
  const { height } = store.head;
  const certificates = store.headCertificates;
  return certificates === undefined ? { height } : { height, certificates };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
