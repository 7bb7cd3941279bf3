/**
 * A manager at work: its parts, and how they hear of each other.
 *
 *     callers ─▶ Submissions ─▶ Pool ─▶ BlockProducer ─▶ RingDriver ─▶ ChainWriter ─▶ Submissions, storage nodes
 *     peers   ─▶ InboundVotes ──────────────────────────▶    │   ▲
 *                                       BlockJudge, StorageExchange: tasks and their answers
 *
 * Only the driver's loop changes the chain. Everything else reads the head as it finds it.
 */
import { every, type Timer } from "../base/time.js";
import { standInMs } from "../consensus/public/home-manager.js";
import type { RestoredHeight, RingStatus } from "../consensus/ring/events.js";
import { Ring } from "../consensus/ring/ring.js";
import type { RingWaiting } from "../consensus/ring/waiting.js";
import { SuspensionMode } from "../gen/bss/v1/genesis_pb.js";
import type { ForkProof } from "../gen/bss/v1/vote_pb.js";
import { timeoutsOf } from "../ledger/policy.js";
import { BlockSync } from "../node/block-sync.js";
import type { ManagerStore } from "../store/manager-store.js";
import type { Progress } from "../sync/sync-progress.js";
import { type ManagerOptions, type SharedPorts, sharedPorts } from "./manager-options.js";
import type { OperationExchange } from "./operations/operation-exchange.js";
import { PeerExchange } from "./peers/peer-exchange.js";
import type { Pool } from "./pool/pool.js";
import { BlockCalls } from "./ring/block-calls.js";
import { BlockJudge } from "./ring/block-judge.js";
import { BlockProducer } from "./ring/block-producer.js";
import { BlockSize } from "./ring/block-size.js";
import { BlockValidator } from "./ring/block-validator.js";
import { CandidateBlocks } from "./ring/candidate-blocks.js";
import { ChainWriter } from "./ring/chain-writer.js";
import { InboundVotes } from "./ring/inbound-votes.js";
import { type AppendedBlock, clockOf, RingDriver, RingHalted } from "./ring/ring-driver.js";
import { RingTasks } from "./ring/ring-tasks.js";
import { readAnswer, ShippedBlocks, type ShippedManagerBlock } from "./ring/shipped-blocks.js";
import { StallWatch } from "./ring/stall-watch.js";
import { createVoting, type Voting } from "./ring/voting.js";
import { PublicSide } from "./storage/public-side.js";
import { StorageExchange } from "./storage/storage-exchange.js";
import type { BroadcastExchange } from "./submissions/broadcast-exchange.js";
import { createIntake } from "./submissions/intake.js";
import type { Submissions } from "./submissions/submissions.js";
import { HeadAnnouncer } from "./supervision/head-announcer.js";
import { Supervision } from "./supervision/supervision.js";

/**
 * How often waiting submissions, heartbeats and peers ahead are looked at besides when they change.
 */
const pulseMs = 100;
/** One block behind is normal while a height is being finished; longer than this it is not. */
const patienceMs = 400;
/** What is known of an undecided height is sent again after this time. */
const resendMs = 1_000;
/** A body that is on its way is not asked for as long. */
const bodyGraceMs = 150;

export class Manager {
  readonly #options: ManagerOptions;
  readonly #shared: SharedPorts;
  readonly #candidates: CandidateBlocks;
  readonly #chain: ChainWriter;
  readonly #driver: RingDriver;
  readonly #judge: BlockJudge;
  readonly #tasks: RingTasks;
  readonly #pool: Pool;
  readonly #sync: BlockSync<ShippedManagerBlock>;
  readonly #announcer: HeadAnnouncer;
  readonly #supervision: Supervision;
  readonly #stall: StallWatch;
  readonly #calls: BlockCalls;
  readonly #voting: Voting;
  readonly submissions: Submissions;
  readonly publicSide: PublicSide;
  readonly peers: PeerExchange;
  readonly broadcast: BroadcastExchange;
  readonly storage: StorageExchange;
  readonly #restored: RestoredHeight;
  #pulse: Timer | undefined;
  #ended = false;
  #halt: RingHalted | undefined;

  private constructor(options: ManagerOptions, ring: Ring, restored: RestoredHeight) {
    const shared = sharedPorts(options);
    this.#options = options;
    this.#shared = shared;
    this.#restored = restored;
    const { store, observer, time } = options;
    const candidates = new CandidateBlocks((id) => ring.isBoundTo(id));
    this.#candidates = candidates;
    const onFatal = (error: Error) => this.#end(error);
    const isIdle = () => ring.status().step === "idle";
    this.#voting = createVoting(options, shared, {
      candidates,
      height: () => ring.height,
      isIdle,
      onFatal,
      store: { saveStatements: (said) => this.#chain.statements.saveStatements(said) },
      wake: () => this.#driver.wake(),
    });
    const { abstention, statements, tip } = this.#voting;
    const connectedStorage = () => this.storage.connectedIds;
    const atTip = () => abstention.mayVote(store.head.height + 1);
    const intake = createIntake(options, shared, {
      candidates,
      atTip,
      knowsAllFinal: () => tip.knowsAllFinal,
      connectedStorage,
      isVoting: () => !isIdle(),
      sign: statements.sign.bind(statements),
      follow: (work) => this.#tasks.follow(work),
      wake: () => this.#wakeIfDue(),
    });
    const { pool, submissions, availability } = intake;
    this.#pool = pool;
    this.submissions = submissions;
    this.broadcast = intake.broadcast;
    const validator = new BlockValidator(shared);
    this.#chain = new ChainWriter({
      store,
      time,
      validator,
      observe: observer,
      driver: () => this.#driver,
      onAppended: (appended, more) => this.#onAppended(appended, more),
    });
    this.#driver = new RingDriver(ring, {
      candidates,
      time,
      statements,
      onFatal,
      listening: () => abstention.listening,
      send: (message, body) => this.peers.send(message, body),
      start: (task) => this.#tasks.start(task),
      accuse: (evidence) => this.#supervision.accuse(evidence),
      append: (appended) => this.#chain.append(appended),
      observe: observer,
    });
    const post = this.#driver.post.bind(this.#driver);
    this.#supervision = new Supervision(options, shared, {
      peers: () => this.peers,
      post,
      wake: () => this.#wakeIfDue(),
      heightOf: (peer) => this.#sync.heightOf(peer),
      takesPart: () => !abstention.listening,
      sign: (digest) => statements.sign("resume", store.head.height, digest),
      halt: (message) => this.#end(new RingHalted(message)),
    });
    this.publicSide = new PublicSide(options, shared, {
      tell: (message, to) => this.peers.tell(message, to),
      sign: (kind, digest) => statements.sign(kind, store.head.height, digest),
      wake: () => this.#wakeIfDue(),
      connectedStorage,
      atTip,
      whatIsMissing: () => availability.whatIsMissing(),
    });
    this.#calls = new BlockCalls({
      ...shared,
      pool,
      size: new BlockSize({
        recordsMax: shared.policy.blockRecordsMax,
        timeouts: timeoutsOf(shared.policy),
      }),
      relayAgain: intake.relayAgain,
      idleMs: () => this.#chain.idleMs,
      operations: [() => this.#supervision.callsForBlock(), () => this.publicSide.callsForBlock()],
    });
    const height = () => this.#driver.ring.height;
    this.#judge = new BlockJudge({
      validator,
      candidates,
      height,
      post,
      fetchBody: (holders, at, id) => this.peers.fetchBody(holders, at, id),
      defer: (work) => time.after(bodyGraceMs, work),
      onRefused: observer.blockRefused,
    });
    this.#announcer = new HeadAnnouncer({
      ...shared,
      sign: (at, digest) => statements.sign("head", at, digest),
      send: (value, to) => this.peers.tell({ case: "head", value }, to),
    });
    this.#sync = new BlockSync({
      headHeight: () => store.head.height,
      isLinked: (peer) => options.links().isConnected(peer),
      faultsMax: () => shared.members().faultsMax,
      monotonicMs: time.monotonicMs,
      patience: { blocks: 1, ms: patienceMs },
      request: (peer, from, limit) => this.peers.fetchBlocks(peer, from, limit),
      append: (blocks) => this.#chain.appendShipped(blocks),
      // What made it fail has ended the driver's loop, which says so.
      onFailed: () => {},
      observe: observer,
    });
    const inbound = new InboundVotes({
      ...shared,
      candidates,
      height,
      post,
      onBody: (block) => this.#judge.takeBody(block),
      isNews: (head) => abstention.listening || this.#supervision.isNews(head),
      onOwn: (statement) => abstention.hearOwn(statement),
      onHead: async (from, head, verified) => {
        if (this.#ended) return;
        this.#sync.onHeight(from, Number(head.height), { exact: true });
        this.#voting.hearHead(from, Number(head.height));
        if (verified) await this.#supervision.takeHead(head);
      },
      onSupervision: (from, message) => this.#supervision.take(from, message),
      onPublic: (from, message) => this.publicSide.take(from, message),
      wantsLate: (attestation) => this.publicSide.wantsLate(attestation),
      onLagging: (from) => {
        if (!this.#ended) this.#announcer.remind(from);
      },
      onDropped: observer.dropped,
      onVote: observer.voteReceived,
      onAttestation: (attestation, from) => {
        observer.attestationReceived(attestation);
        this.publicSide.noteAttestation(attestation, from);
      },
    });
    const shipped = new ShippedBlocks(store, options.epochKey);
    this.peers = new PeerExchange({
      links: options.links,
      inbound,
      candidates,
      readBlocks: (from, limit) => shipped.forManagers(from, limit),
      onBody: (_, body) => this.#judge.takeBody(body.block),
      onBlocks: async (from, blocks) => {
        const taken = await this.#supervision.takeBlocks(from, blocks);
        if (!taken && !this.#ended) this.#sync.take(readAnswer(from, blocks));
      },
    });
    this.storage = new StorageExchange({
      selfId: options.selfId,
      candidates,
      after: time.after,
      standInMs: standInMs(timeoutsOf(shared.policy)),
      managerIds: () => shared.members().managers.map(({ managerId }) => managerId),
      head: () => headOf(store),
      readBlocks: (from, limit) => shipped.forStorage(from, limit),
      takeAttestation: (from, attestation) => inbound.takeAttestation(from, attestation),
      takeReturn: (nodeId, statement) => this.publicSide.takeReturn(nodeId, statement),
      takeFork: (nodeId, proof) => this.#supervision.takeFork(nodeId, proof),
      onHalt: observer.storageHalted,
      onDropped: observer.dropped,
      onLinks: observer.storageLinks,
    });
    const producer = new BlockProducer({
      ...shared,
      vrfSeed: options.vrfSeed,
      headCertificates: () => store.headCertificates,
      operations: (round, absent) => [
        ...this.#supervision.operations(round, absent),
        ...this.publicSide.operationsForBlock(),
      ],
      onBuilt: (built) => this.#supervision.onBuilt(built),
      candidates: () => this.#calls.ripe(),
      recordsMax: () => this.#calls.recordsMax,
      settled: (held) => pool.settledOf(held),
    });
    this.#stall = new StallWatch({
      waiting: () => this.waiting(),
      held: () => (pool.submissionCount === 0 ? undefined : availability.whatIsMissing()?.message),
      monotonicMs: time.monotonicMs,
      observe: observer,
    });
    this.#tasks = new RingTasks({
      producer,
      judge: this.#judge,
      candidates,
      storage: this.storage,
      submissions,
      post,
      onFatal,
    });
  }

  /** Takes up the height that was being voted on when the manager stopped. */
  static async open(options: ManagerOptions): Promise<Manager> {
    const { store, genesis, selfId } = options;
    const { height, members } = store.head;
    const { restored, bodies } = await store.loadHeight(height + 1);
    const { futureBoundMs, suspension, suspendAfterMs } = genesis.policy;
    const suspends = suspension === SuspensionMode.FLOOR;
    const ring = new Ring({
      selfId,
      timeouts: timeoutsOf(genesis.policy),
      futureBoundMs,
      ...(suspends ? { suspendAfterMs } : {}),
      resendMs,
      context: { height: height + 1, members },
      restored,
      clock: clockOf(options.time),
    });
    const manager = new Manager(options, ring, restored);
    for (const body of bodies) manager.#candidates.add(height + 1, body);
    return manager;
  }

  /** Starts to take part. The links must be there. */
  async start(): Promise<void> {
    if (!(await this.#supervision.restore())) return;
    this.#voting.statements.open(this.#restored);
    this.#driver.start();
    await this.submissions.restore(await this.#options.store.loadPool(this.#options.poolLimits));
    this.#pulse = every(this.#options.time, pulseMs, () => this.#onPulse());
  }

  /** Ends after what is running; the store may be closed then. */
  async close(): Promise<void> {
    this.#tasks.close();
    this.#voting.statements.close();
    this.#pulse?.cancel();
    this.storage.close();
    this.publicSide.close();
    await this.#driver.close();
    await this.#sync.close();
    await this.#tasks.settled();
  }

  /** A stream to a peer is up. */
  onPeerConnected(peerId: string): void {
    // What was asked on the stream before will not be answered.
    this.#sync.onDisconnected(peerId);
    if (!this.#ended) this.#announcer.announce(peerId);
    this.#supervision.onPeerConnected(peerId);
  }

  status(): RingStatus & { readonly syncing: boolean; readonly pooled: number } {
    const pooled = this.#pool.submissionCount;
    return { ...this.#driver.ring.status(), syncing: this.#sync.behind, pooled };
  }

  /** How far catching up is; undefined when nothing is missing. */
  progress(): Progress | undefined {
    return this.#sync.progress();
  }

  /** What the height that is being voted on waits for; undefined while the ring is idle. */
  waiting(): RingWaiting | undefined {
    return this.#driver.ring.waiting(this.#shared.monotonicMs());
  }

  /** Why this manager does not vote at present, for people; undefined when it does. */
  abstaining(): string | undefined {
    return this.#voting.abstention.reason?.text;
  }

  /** Why it has halted for good; undefined while it has not. */
  get halt(): Pick<RingHalted, "message" | "contradicting"> | undefined {
    return this.#halt;
  }

  /** The proof by which it has halted, if the chain forks. */
  get forkProof(): ForkProof | undefined {
    return this.#supervision.forkProof;
  }

  /** Control operations that callers have authorised. */
  get operations(): Pick<OperationExchange, "submit"> {
    return this.publicSide.operations;
  }

  get pool(): Pick<Pool, "submissionCount" | "recordCount" | "byteCount"> {
    return this.#pool;
  }

  get eventsWaiting(): number {
    return this.#driver.queueLength;
  }

  heightOfPeer(peerId: string): number {
    return this.#sync.heightOf(peerId);
  }

  /** Within the turn that wrote the block. */
  async #onAppended(appended: AppendedBlock, more: boolean): Promise<void> {
    const { executed, certificates, block, roundMs } = appended;
    const { height } = executed.facts;
    this.#calls.onAppended(executed.facts, executed.head.electorate, roundMs);
    this.#candidates.dropThrough(height);
    this.#judge.onHeightChanged();
    if (!more) {
      this.storage.announce({ height, block, executed }, certificates);
      this.#announcer.announce();
    }
    this.#sync.onAppended();
    this.#options.heads.announce();
    await this.#supervision.onAppended(appended);
    this.publicSide.onAppended(appended);
    // No turn of the driver waits for a signer that is far away.
    this.#supervise();
    await this.submissions.onAppended(executed, block);
  }

  /** Nothing is signed after the turn that is running; others may still read. */
  #end(error: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    if (error instanceof RingHalted) this.#halt = error;
    this.#pulse?.cancel();
    this.publicSide.close();
    void this.#driver.close();
    this.#options.onFatal(error);
  }

  #onPulse(): void {
    this.#sync.tick();
    this.#announcer.tick();
    this.#stall.tick();
    this.#voting.tick();
    this.#supervise();
    this.#wakeIfDue();
  }

  #supervise(): void {
    this.#supervision.tick().catch((error) => this.#end(error));
    this.publicSide.tick().catch((error) => this.#end(error));
  }

  #wakeIfDue(): void {
    if (this.#driver.ring.status().step !== "idle") return;
    if (this.#calls.due) this.#driver.post({ kind: "wake" });
  }
}

function headOf(store: ManagerStore) {
  const { height } = store.head;
  const certificates = store.headCertificates;
  return certificates === undefined ? { height } : { height, certificates };
}
