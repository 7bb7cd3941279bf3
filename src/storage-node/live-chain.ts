/**
 * A storage node that takes part in its consortium: its chain, with what keeps that going.
 *
 *     managers ◀──▶ ManagerLinks ◀──▶ StorageChain ──▶ StorageNodeStore ◀── Scrubber
 *                        ▲                 │ damage          │ damage          │ damage
 *                        │                 ▼                 ▼                 ▼
 *                        └─ BlockFetcher ◀── SelfRepair ◀──────────────────────┘
 *
 * The parts are made in the order in which they need each other. The links and the repair come
 * first, as the others send and report to them; both do nothing before `start`.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import { equalBytes } from "../base/bytes.js";
import { every, systemTime, type Timer } from "../base/time.js";
import type { StorageNodeConfig } from "../config/node-config.js";
import { checkFork } from "../consensus/attestation/attestor.js";
import { sealProblem } from "../consensus/attestation/public-block.js";
import { SignatureCache } from "../crypto/signature-cache.js";
import type { CertifiedStorageBlock } from "../gen/bss/v1/block_pb.js";
import type { VerifyIntegrityResponse } from "../gen/bss/v1/verify_integrity_pb.js";
import { parseBlock } from "../ledger/blocks/block-parsing.js";
import type { Metrics } from "../metrics/metrics.js";
import { damageOf } from "../store/damage/store-comparison.js";
import type { AttestationMark } from "../store/double-sign-protection/attestation-mark.js";
import { openDiskSnapshot } from "../store/rocksdb/disk-snapshot.js";
import { isDamage } from "../store/store-error.js";
import { Returning } from "./chain/returning.js";
import { StorageChain } from "./chain/storage-chain.js";
import { type HaltState, haltForGood } from "./halting.js";
import type { ManagerLinks } from "./manager-links.js";
import type { NodeFiles } from "./node-files.js";
import { appendLeft, type OpenedStore } from "./open-store.js";
import { BlockFetcher } from "./repair/block-fetcher.js";
import { Scrubber } from "./repair/scrubber.js";
import type { SelfRepair } from "./repair/self-repair.js";
import { chainObserver } from "./storage-node-observer.js";

/** How often the node looks whether there is something to fetch, to say or to read again. */
const tickMs = 100;
const scrubCacheBytes = 1024 * 1024;

/** What it is made of, and whom it tells. */
export type LiveChainParts = {
  readonly config: StorageNodeConfig;
  readonly files: NodeFiles;
  readonly mark: AttestationMark;
  readonly repair: SelfRepair;
  readonly opened: OpenedStore;
  readonly links: ManagerLinks;
  readonly haltState: HaltState;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly onAppended: () => void;
  /** The node cannot go on. */
  readonly onFatal: (cause: unknown) => void;
};

export class LiveChain {
  readonly chain: StorageChain;
  readonly #parts: LiveChainParts;
  readonly #signatures: SignatureCache;
  readonly #fetcher: BlockFetcher;
  readonly #returning: Returning;
  readonly #scrubber: Scrubber | undefined;
  #timer: Timer | undefined;

  private constructor(
    parts: LiveChainParts,
    made: {
      readonly signatures: SignatureCache;
      readonly chain: StorageChain;
      readonly scrubber: Scrubber | undefined;
    },
  ) {
    const { config, files, opened, links, repair } = parts;
    const { chain } = made;
    this.#parts = parts;
    this.#signatures = made.signatures;
    this.chain = chain;
    this.#scrubber = made.scrubber;
    this.#fetcher = new BlockFetcher(links, systemTime);
    this.#returning = new Returning({
      nodeId: config.id,
      genesis: files.genesis,
      store: opened.store,
      links,
      isReady: () => !chain.sync.behind && !repair.repairing && !chain.halted,
      sign: (digest) => files.signer.sign(digest),
      time: systemTime,
    });
  }

  /** Takes up the chain where it stopped. */
  static async open(parts: LiveChainParts): Promise<LiveChain> {
    const { config, files, mark, repair, opened, links, log, metrics } = parts;
    const { monotonicMs } = systemTime;
    const signatures = new SignatureCache();
    const chain = await StorageChain.open({
      nodeId: config.id,
      genesis: files.genesis,
      ...(config.checkpoint && { checkpoint: config.checkpoint }),
      store: opened.store,
      mark,
      repair,
      links,
      signatures,
      sign: (digest) => files.signer.sign(digest),
      monotonicMs,
      observe: chainObserver(log, metrics, monotonicMs),
      onAppended: parts.onAppended,
      onFailed: parts.onFatal,
      onHalt: (evidence) =>
        haltForGood(evidence, { store: opened.store, mark, haltState: parts.haltState, links }),
    });
    return new LiveChain(parts, { signatures, chain, scrubber: await openScrubber(parts) });
  }

  /** Dials the managers, and repairs what was found damaged so far. */
  start(): void {
    const { links, onFatal } = this.#parts;
    this.#startRepair();
    links.start({
      greeting: () => this.chain.greeting(),
      onMessage: (managerId, response) => this.#take(managerId, response),
      onDisconnected: (managerId) => this.chain.onDisconnected(managerId),
    });
    this.#timer = every(systemTime, tickMs, () => {
      this.chain.tick();
      this.#returning.tick();
      this.#scrubber?.tick();
    });
    void this.#appendLeft().catch(onFatal);
  }

  /** As GetStatus says it. */
  get scrubStatus() {
    const { counts, lastDamage, repairing } = this.#parts.repair;
    const progress = this.#scrubber?.progress ?? { height: 0, lastPassUnixMs: 0 };
    return { ...progress, ...counts, lastDamage, repairing };
  }

  async close(): Promise<void> {
    const { links, repair } = this.#parts;
    this.#timer?.cancel();
    this.#fetcher.close();
    const parts = [links, this.chain, repair, this.#scrubber];
    await Promise.all(parts.map((part) => part?.close()));
  }

  #startRepair(): void {
    const { files, mark, repair, opened, onFatal } = this.#parts;
    const { store, kv, findings } = opened;
    repair.start({
      ...store.mendable,
      consortiumId: files.genesis.consortiumId,
      fetch: (height, blockId) =>
        this.#fetcher.fetch(height, (block) => this.#isWhole(block, blockId)),
      inTurn: (job) => this.chain.runExclusive(job),
      mend: () => kv.mend(),
      hadUpTo: (mark.place?.height ?? 0) - 1,
      onRepaired: () => this.chain.tellHead(),
      onFailed: onFatal,
    });
    // After the blocks that are missing, so that GetStatus names the cause as the last damage.
    for (const finding of findings) repair.reportMended(finding);
    if (store.doubt !== undefined) repair.report(store.doubt.message);
  }

  async #take(managerId: string, response: VerifyIntegrityResponse): Promise<void> {
    const { repair, onFatal } = this.#parts;
    const { message } = response;
    if (message.case === "blocks" && this.#fetcher.take(managerId, message.value)) return;
    await this.chain.take(managerId, response).catch((error: unknown) => {
      if (isDamage(error)) repair.report(damageOf(error));
      else onFatal(error);
    });
  }

  /** Whether a manager has given the block with this id, and all of it. */
  async #isWhole(
    { block, sealedRecords, certificates }: CertifiedStorageBlock,
    blockId: Uint8Array,
  ): Promise<boolean> {
    const parsed = block === undefined ? undefined : parseBlock(block);
    if (!parsed?.ok || certificates === undefined) return false;
    if (!equalBytes(parsed.value.blockId, blockId)) return false;
    if (sealProblem(parsed.value, sealedRecords) !== undefined) return false;
    const { opened, files } = this.#parts;
    const { head } = opened.store;
    if (parsed.value.height !== head.height) return true;
    // The certificates of the head's block stand nowhere else yet.
    const commit = checkFork(certificates, { head, consortiumId: files.genesis.consortiumId });
    return commit.ok && (await this.#signatures.firstInvalid(commit.value)) === undefined;
  }

  /** What is left of a store that was put aside. */
  async #appendLeft(): Promise<void> {
    const { left, store } = this.#parts.opened;
    if (left === undefined) return;
    await appendLeft(left, { store, chain: this.chain, pause: () => sleep(2 * tickMs) });
  }
}

async function openScrubber(parts: LiveChainParts): Promise<Scrubber | undefined> {
  const { config, files, repair, opened, log } = parts;
  const { dataDirectory, scrubPeriodMs: periodMs } = config;
  if (periodMs === 0) return undefined;
  const { store } = opened;
  return new Scrubber({
    ...store.mendable,
    consortiumId: files.genesis.consortiumId,
    periodMs,
    progress: await store.scrubState(),
    save: (progress) => store.saveScrub(progress),
    openReadOnly: () => openDiskSnapshot(dataDirectory, scrubCacheBytes),
    repair,
    log,
    time: systemTime,
  });
}
