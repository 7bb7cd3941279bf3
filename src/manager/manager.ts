/**
 * A manager at work: its parts, made in the order in which they depend on each other.
 *
 *     callers ─▶ Submissions ─▶ Pool ─▶ BlockProducer ─┐
 *     others  ─▶ receivers ───▶ RingInbox ─▶ RingDriver ┴▶ ChainWriter ─▶ senders ─▶ others
 *
 * What others say comes in through receivers, which are made last; what is said to them goes out
 * through senders, which are made first, as does the inbox of the ring. So data flows one way. Only
 * the driver's loop changes the chain; everything else reads the head as it finds it.
 */
import { every, type Timer } from "../base/time.js";
import type { RestoredHeight, RingStatus } from "../consensus/ring/events.js";
import { Ring } from "../consensus/ring/ring.js";
import type { RingWaiting } from "../consensus/ring/waiting.js";
import { SuspensionMode } from "../gen/bss/v1/genesis_pb.js";
import type { ForkProof } from "../gen/bss/v1/vote_pb.js";
import type { Members } from "../ledger/members/members.js";
import { timeoutsOf } from "../ledger/policy.js";
import { BlockSync } from "../node/block-sync.js";
import type { Progress } from "../sync/sync-progress.js";
import { BackgroundWork } from "./background-work.js";
import { FailStop, type RingHalted } from "./fail-stop.js";
import { type ManagerContext, type ManagerOptions, managerContext } from "./manager-context.js";
import type { OperationExchange } from "./operations/operation-exchange.js";
import { PeerReceiver } from "./peers/peer-receiver.js";
import { PeerSender } from "./peers/peer-sender.js";
import { ProposalRelays } from "./peers/proposal-relays.js";
import { Pool } from "./pool/pool.js";
import { Abstention } from "./ring/abstention.js";
import { BlockCalls } from "./ring/block-calls.js";
import { BlockJudge } from "./ring/block-judge.js";
import { BlockProducer } from "./ring/block-producer.js";
import { BlockSize } from "./ring/block-size.js";
import { BlockTrigger } from "./ring/block-trigger.js";
import { BlockValidator } from "./ring/block-validator.js";
import { CandidateBlocks } from "./ring/candidate-blocks.js";
import { type BlockFollower, ChainWriter } from "./ring/chain-writer.js";
import { CompactBodies } from "./ring/compact-bodies.js";
import { clockOf, RingDriver } from "./ring/ring-driver.js";
import { RingInbox } from "./ring/ring-inbox.js";
import { RingTasks } from "./ring/ring-tasks.js";
import { ShippedBlocks, type ShippedManagerBlock } from "./ring/shipped-blocks.js";
import { StallWatch } from "./ring/stall-watch.js";
import { TipWatch } from "./screening/tip-watch.js";
import { StatementLog } from "./signing/statement-log.js";
import { StorageLinks } from "./storage-nodes/storage-links.js";
import { StorageReceiver } from "./storage-nodes/storage-receiver.js";
import { StorageSupervision } from "./storage-nodes/storage-supervision.js";
import { Availability } from "./submissions/availability.js";
import { BroadcastReceiver } from "./submissions/broadcast-receiver.js";
import { BroadcastSender } from "./submissions/broadcast-sender.js";
import { Submissions } from "./submissions/submissions.js";
import { HeadAnnouncer } from "./supervision/head-announcer.js";
import { Supervision } from "./supervision/supervision.js";

/** How often everything that waits for time to pass is looked at. */
const pulseMs = 100;
/** One block behind is normal while a height is being finished; longer than this it is not. */
const patienceMs = 400;
/** What is known of an undecided height is sent again after this time. */
const resendMs = 1_000;

export class Manager {
  readonly #context: ManagerContext;
  readonly #ring: Ring;
  readonly #restored: RestoredHeight;
  readonly #parts: ReturnType<typeof wire>;
  #pulse: Timer | undefined;

  private constructor(context: ManagerContext, ring: Ring, restored: RestoredHeight) {
    this.#context = context;
    this.#ring = ring;
    this.#restored = restored;
    this.#parts = wire(context, ring);
    const { failStop, driver, storageSupervision } = this.#parts;
    failStop.connect(() => {
      this.#pulse?.cancel();
      storageSupervision.close();
      void driver.close();
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
    const manager = new Manager(managerContext(options), ring, restored);
    for (const body of bodies) manager.#parts.candidates.add(height + 1, body);
    return manager;
  }

  /** Starts to take part. The links must be there. */
  async start(): Promise<void> {
    const { supervision, statements, driver, submissions } = this.#parts;
    const { store, poolLimits, time } = this.#context;
    if (!(await supervision.restore())) return;
    statements.open(this.#restored);
    driver.start();
    await submissions.restore(await store.loadPool(poolLimits));
    const ticking = tickingOf(this.#parts);
    this.#pulse = every(time, pulseMs, () => {
      for (const part of ticking) part.tick();
    });
  }

  /** Ends after what is running; the store may be closed then. */
  async close(): Promise<void> {
    const { background, statements, storageLinks, storageSupervision, driver, sync } = this.#parts;
    background.close();
    statements.close();
    this.#pulse?.cancel();
    storageLinks.close();
    storageSupervision.close();
    await driver.close();
    await sync.close();
    await background.settled();
  }

  /** A stream to a peer is up. */
  onPeerConnected(peerId: string): void {
    const { sync, announcer, supervision, failStop } = this.#parts;
    // What was asked on the stream before will not be answered.
    sync.onDisconnected(peerId);
    if (!failStop.failed) announcer.announce(peerId);
    supervision.onPeerConnected(peerId);
  }

  get submissions(): Submissions {
    return this.#parts.submissions;
  }

  /** VoteService: what other managers say. */
  get peers(): PeerReceiver {
    return this.#parts.peerReceiver;
  }

  /** BroadcastService.Broadcast: what other managers relay. */
  get broadcast(): BroadcastReceiver {
    return this.#parts.broadcastReceiver;
  }

  /** VerifyIntegrityService: what storage nodes say. */
  get storage(): StorageReceiver {
    return this.#parts.storageReceiver;
  }

  get storageLinks(): Pick<StorageLinks, "connectedIds" | "heightOf" | "haltOf"> {
    return this.#parts.storageLinks;
  }

  get storageSupervision(): StorageSupervision {
    return this.#parts.storageSupervision;
  }

  /** Control operations that callers have authorised. */
  get operations(): Pick<OperationExchange, "submit"> {
    return this.#parts.storageSupervision.operations;
  }

  get pool(): Pick<Pool, "submissionCount" | "recordCount" | "byteCount"> {
    return this.#parts.pool;
  }

  status(): RingStatus & { readonly syncing: boolean; readonly pooled: number } {
    const { sync, pool } = this.#parts;
    return { ...this.#ring.status(), syncing: sync.behind, pooled: pool.submissionCount };
  }

  /** How far catching up is; undefined when nothing is missing. */
  progress(): Progress | undefined {
    return this.#parts.sync.progress();
  }

  /** What the height that is being voted on waits for; undefined while the ring is idle. */
  waiting(): RingWaiting | undefined {
    return this.#ring.waiting(this.#context.monotonicMs());
  }

  /** Why this manager does not vote at present, for people; undefined when it does. */
  abstaining(): string | undefined {
    return this.#parts.abstention.reason?.text;
  }

  /** Why it has halted for good; undefined while it has not. */
  get halt(): Pick<RingHalted, "message" | "contradicting"> | undefined {
    return this.#parts.failStop.halt;
  }

  /** The proof by which it has halted, if the chain forks. */
  get forkProof(): ForkProof | undefined {
    return this.#parts.supervision.forkProof;
  }

  get eventsWaiting(): number {
    return this.#parts.inbox.length;
  }

  heightOfPeer(peerId: string): number {
    return this.#parts.sync.heightOf(peerId);
  }
}

/**
 * Makes the parts. Each takes what it needs of those that were made before it, so the compiler sees
 * the order. Three things are connected at the end, because they lead back to where it begins: what
 * calls for a block, what follows a block, and what stops when the manager fails.
 */
function wire(context: ManagerContext, ring: Ring) {
  const { store, policy, observer } = context;
  // Into these the others post, and through these they send.
  const failStop = new FailStop(context.onFatal);
  const inbox = new RingInbox(observer);
  const candidates = new CandidateBlocks(ring);
  const pool = new Pool({ limits: context.poolLimits, verdictWaitMs: policy.verdictWaitMs });
  const ends = {
    ring,
    failStop,
    inbox,
    candidates,
    background: new BackgroundWork(failStop),
    trigger: new BlockTrigger(ring, inbox),
    pool,
    size: new BlockSize({ recordsMax: policy.blockRecordsMax, timeouts: timeoutsOf(policy) }),
    peers: new PeerSender(context.links),
    broadcast: new BroadcastSender({
      ...context,
      nextProposer: () => nextProposer(ring, context.members()),
      isWaiting: (idHex) => pool.has(idHex),
    }),
    storageLinks: new StorageLinks(context, candidates),
    blocks: new ShippedBlocks(store, context.epochKey),
  };
  // What the manager may say, and how it signs.
  const abstention = new Abstention(context, ends);
  const statements = new StatementLog(context, { ...ends, abstention });
  const tip = new TipWatch(context, { ring, abstention });
  const availability = new Availability(context, ends.storageLinks);
  const signing = { ...ends, abstention, statements, tip, availability };
  // The chain, and how this manager and the others watch each other.
  const validator = new BlockValidator(context, ends.pool);
  const chain = new ChainWriter(context, { ...ends, validator });
  const sync = blockSyncOf(context, ends.peers, chain);
  const announcer = new HeadAnnouncer(context, signing);
  const relays = new ProposalRelays(context, ends);
  const supervision = new Supervision(context, { ...signing, sync });
  const storageSupervision = new StorageSupervision(context, signing);
  const stall = new StallWatch(context, signing);
  const watching = { announcer, relays, supervision, storageSupervision, stall };
  const watched = { ...signing, ...watching, chain, sync };
  // From submissions to blocks.
  const submissions = new Submissions(context, signing);
  const calls = blockCallsOf(context, watched);
  const producer = blockProducerOf(context, { ...watched, calls });
  const compact = new CompactBodies(context, ends);
  const judge = new BlockJudge(context, { ...ends, validator, compact });
  const tasks = new RingTasks({ ...ends, producer, judge, submissions });
  const driver = new RingDriver(ring, inbox, { ...context, ...watched, tasks });
  // What comes from others.
  const peerReceiver = new PeerReceiver(context, { ...watched, judge, compact });
  const broadcastReceiver = new BroadcastReceiver(context, { ...ends, submissions });
  const storageReceiver = new StorageReceiver(context, { ...watched, peerReceiver });
  const parts = { ...watched, submissions, calls, judge, compact, driver, producer };
  ends.trigger.connect(calls);
  chain.connect(followersOf(context, parts));
  return { ...parts, peerReceiver, broadcastReceiver, storageReceiver };
}

/**
 * What follows a block that has been appended, within the turn of the driver that wrote it. First
 * what belongs to the old height is dropped, so that nobody below works on it. Then others hear of
 * the block: storage nodes and managers may go on, and readers see it. Then it is held against what
 * others say; what that finds is said beside the turn, as no turn waits for a signer that is far
 * away. Then callers are answered, who may ask for anything that has been done above, and what is
 * left is said and done for the next block.
 */
function followersOf(
  { heads, time }: ManagerContext,
  parts: FollowerParts,
): readonly BlockFollower[] {
  const { calls, candidates, judge, compact, storageLinks, announcer, relays, sync } = parts;
  const { supervision, storageSupervision, submissions, broadcast, producer, background } = parts;
  return [
    {
      onAppended: ({ executed, roundMs }) =>
        calls.onAppended(executed, executed.head.electorate, roundMs),
    },
    candidates,
    judge,
    compact,
    storageLinks,
    announcer,
    relays,
    sync,
    { onAppended: () => heads.announce() },
    supervision,
    storageSupervision,
    { onAppended: () => supervision.tick() },
    { onAppended: () => storageSupervision.tick() },
    submissions,
    broadcast,
    {
      onAppended: (_, more) => {
        if (!more) background.follow(time.breathe().then(() => producer.prepare()));
      },
    },
  ];
}

/** Who makes the block that can hold what becomes ripe now. */
function nextProposer(ring: Pick<Ring, "status">, members: Members): string {
  const { height, step } = ring.status();
  return members.proposer(step === "idle" ? height : height + 1, 0);
}

/** What is to be done when time has passed, in this order. */
function tickingOf(parts: TickingParts): readonly { tick(): void }[] {
  const { sync, announcer, relays, stall, tip, abstention } = parts;
  const { supervision, storageSupervision, trigger } = parts;
  const saying = [sync, announcer, relays, stall, tip, abstention];
  return [...saying, supervision, storageSupervision, trigger];
}

type SyncOfManagers = BlockSync<ShippedManagerBlock>;

type FollowerParts = {
  readonly calls: BlockCalls;
  readonly candidates: CandidateBlocks;
  readonly judge: BlockJudge;
  readonly compact: CompactBodies;
  readonly storageLinks: StorageLinks;
  readonly announcer: HeadAnnouncer;
  readonly relays: ProposalRelays;
  readonly sync: SyncOfManagers;
  readonly supervision: Supervision;
  readonly storageSupervision: StorageSupervision;
  readonly submissions: Submissions;
  readonly broadcast: BroadcastSender;
  readonly producer: BlockProducer;
  readonly background: BackgroundWork;
};

type TickingParts = Pick<
  FollowerParts,
  "sync" | "announcer" | "relays" | "supervision" | "storageSupervision"
> & {
  readonly stall: StallWatch;
  readonly tip: TipWatch;
  readonly abstention: Abstention;
  readonly trigger: BlockTrigger;
};

function blockSyncOf(
  context: ManagerContext,
  peers: PeerSender,
  chain: ChainWriter,
): SyncOfManagers {
  const { store, links, members, monotonicMs, observer } = context;
  return new BlockSync({
    headHeight: () => store.head.height,
    isLinked: (peer) => links().isConnected(peer),
    faultsMax: () => members().faultsMax,
    monotonicMs,
    patience: { blocks: 1, ms: patienceMs },
    request: (peer, from, limit) => peers.fetchBlocks(peer, from, limit),
    append: (blocks) => chain.appendShipped(blocks),
    // What made it fail has ended the driver's loop, which says so.
    onFailed: () => {},
    observe: observer,
  });
}

type Sources = {
  readonly pool: Pool;
  readonly supervision: Supervision;
  readonly storageSupervision: StorageSupervision;
};

function blockCallsOf(
  context: ManagerContext,
  parts: Sources & {
    readonly broadcast: BroadcastSender;
    readonly chain: ChainWriter;
    readonly trigger: BlockTrigger;
    readonly size: BlockSize;
  },
): BlockCalls {
  const { pool, size, supervision, storageSupervision, broadcast, chain, trigger } = parts;
  return new BlockCalls({
    ...context,
    pool,
    size,
    relayAgain: ({ waiting, to }) => broadcast.relayOpen(waiting, to),
    askAfter: (delayMs) => void context.time.after(delayMs, () => trigger.check()),
    idleMs: () => chain.idleMs,
    operations: [() => supervision.callsForBlock(), () => storageSupervision.callsForBlock()],
  });
}

function blockProducerOf(
  context: ManagerContext,
  parts: Sources & { readonly calls: BlockCalls },
): BlockProducer {
  const { pool, supervision, storageSupervision, calls } = parts;
  return new BlockProducer({
    ...context,
    headCertificates: () => context.store.headCertificates,
    operations: (round, absent) => [
      ...supervision.operations(round, absent),
      ...storageSupervision.operationsForBlock(),
    ],
    known: pool,
    onBuilt: (built) => supervision.onBuilt(built),
    candidates: () => calls.ripe(),
    recordsMax: () => calls.recordsMax,
    settled: (held) => pool.settledOf(held),
  });
}
