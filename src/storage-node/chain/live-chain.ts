/**
 * A storage node's chain with everything around it that keeps it going: links to managers, repair
 * of what its disk has lost, scrubbing, and its return after a suspension.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import { equalBytes } from "../../base/bytes.js";
import { every, systemTime } from "../../base/time.js";
import type { StorageNodeConfig } from "../../config/node-config.js";
import { checkFork } from "../../consensus/public/attestor.js";
import { sealProblem } from "../../consensus/public/public-block.js";
import { SignatureCache } from "../../crypto/signature-cache.js";
import type { CertifiedStorageBlock } from "../../gen/bss/v1/block_pb.js";
import { parseBlock } from "../../ledger/blocks/block-parsing.js";
import type { Metrics } from "../../metrics/metrics.js";
import type { Closers } from "../../node/closers.js";
import { openDiskSnapshot } from "../../store/rocksdb/disk-snapshot.js";
import type { AttestationMark } from "../../store/signing/attestation-mark.js";
import { damageOf } from "../../store/store-comparison.js";
import type { StoreError } from "../../store/store-error.js";
import { isDamage } from "../../store/store-error.js";
import { encodeHalt, type HaltEvidence } from "../halting.js";
import { grpcDial, ManagerLinks } from "../manager-links.js";
import type { NodeFiles } from "../node-files.js";
import { chainObserver, repairObserver } from "../node-log.js";
import { appendLeft, type OpenedStore } from "../open-store.js";
import { FailedAudits } from "../repair/failed-audits.js";
import { Scrubber } from "../repair/scrubber.js";
import { SelfRepair } from "../repair/self-repair.js";
import type { UpMessage } from "../up-message.js";
import { BlockFetcher } from "./block-fetcher.js";
import { Returning } from "./returning.js";
import { StorageChain } from "./storage-chain.js";
import { Voice } from "./voice.js";

/** How often the node looks whether there is something to fetch. */
const tickMs = 50;

export type LiveChainPorts = {
  readonly config: StorageNodeConfig;
  readonly files: NodeFiles;
  readonly opened: OpenedStore;
  readonly mark: AttestationMark;
  /** Sends damage that the store meets to `listener`, also what it has met already. */
  readonly watchDamage: (listener: (error: StoreError) => void) => void;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly closers: Closers;
  readonly onAppended: () => void;
  readonly onFatal: (cause: unknown) => void;
  readonly onHalt: (evidence: HaltEvidence) => void;
};

export class LiveChain {
  readonly #ports: LiveChainPorts;
  readonly links: ManagerLinks;
  readonly chain: StorageChain;
  readonly repair: SelfRepair;
  readonly #scrubber: Scrubber | undefined;

  private constructor(
    ports: LiveChainPorts,
    parts: Pick<LiveChain, "links" | "chain" | "repair">,
    scrubber: Scrubber | undefined,
  ) {
    this.#ports = ports;
    this.links = parts.links;
    this.chain = parts.chain;
    this.repair = parts.repair;
    this.#scrubber = scrubber;
  }

  /** Takes up the chain where it stopped, and dials the managers. */
  static async open(ports: LiveChainPorts): Promise<LiveChain> {
    const { config, files, opened, mark, log, metrics, closers, onFatal } = ports;
    const { store, kv } = opened;
    const { consortiumId, policy } = files.genesis;
    const { monotonicMs, wallMs } = systemTime;
    const node: { links?: ManagerLinks; repair?: SelfRepair; halted?: boolean } = {};
    const standing = () => store.head.members.storageNode(config.id);
    const voice = new Voice(mark, () => (standing()?.lastAttestedHeight ?? 0) > 0);
    if (opened.findings.length > 0 || store.head.height === 0) voice.forget();
    const tell = (message: UpMessage, managerId?: string) =>
      node.links?.send(message, managerId) ?? false;
    const signatures = new SignatureCache();
    const sign = (digest: Uint8Array) => files.signer.sign(digest);
    const returning: Returning = new Returning({
      nodeId: config.id,
      consortiumId,
      policy,
      sign,
      monotonicMs,
      wallMs,
      head: () => store.head,
      isReady: () => !chain.syncing && !repair.repairing && !node.halted,
      tell: (value) => void tell({ message: { case: "returnNode", value } }),
    });
    const early: string[] = [];
    const chain = await StorageChain.open({
      nodeId: config.id,
      consortiumId,
      policy,
      store,
      signatures,
      sign,
      monotonicMs,
      tell,
      voice,
      ...(config.checkpoint && { checkpoint: config.checkpoint }),
      repairing: () => node.repair?.repairing ?? false,
      onDoubt: (cause) => (node.repair === undefined ? early.push(cause) : repair.report(cause)),
      isLinked: (managerId) => node.links?.isConnected(managerId) ?? false,
      observe: chainObserver(log, metrics, monotonicMs),
      onAppended: () => {
        returning.onAppended();
        lost.onHeight(store.head.height);
        audits.look();
        ports.onAppended();
      },
      onFailed: onFatal,
      onHalt: async (evidence) => {
        node.halted = true;
        const kept = encodeHalt(evidence);
        await Promise.all([store.saveForkEvidence(kept), mark.keepHalt(kept)]);
        ports.onHalt(evidence);
      },
    });
    const fetcher = new BlockFetcher({
      managerIds: () => node.links?.managerIds.filter((id) => node.links?.isConnected(id)) ?? [],
      tell,
      after: (ms, work) => void systemTime.after(ms, work),
    });
    const repair = new SelfRepair({
      ...store.mendable,
      consortiumId,
      fetch: (height, blockId) => {
        return fetcher.fetch(height, (block) => isRight(ports, signatures, block, blockId));
      },
      inTurn: (job) => chain.inTurn(job),
      mend: () => kv.mend(),
      onMended: () => voice.forget(),
      onRepaired: () => chain.tellHead(),
      onFailed: onFatal,
      monotonicMs,
      observe: repairObserver(log, metrics),
    });
    node.repair = repair;
    const lost = lostBlocks(repair, store.head.height, mark);
    const audits = new FailedAudits({
      isFailed: () => standing()?.auditFailed ?? false,
      isBehind: () => chain.syncing,
      onFailed: () => repair.report("an audit of this node failed, as the chain says"),
    });
    const scrubber = await openScrubber(ports, repair);
    node.links = openLinks(ports, {
      greeting: () => chain.greeting(),
      onMessage: async (managerId, response) => {
        const { message } = response;
        if (message.case === "blocks" && fetcher.take(managerId, message.value)) return;
        await chain.take(managerId, response).catch((error: unknown) => {
          if (isDamage(error)) repair.report(damageOf(error));
          else onFatal(error);
        });
      },
      onDisconnected: (managerId) => chain.onDisconnected(managerId),
    });
    const timer = every(systemTime, tickMs, () => {
      chain.tick();
      returning.tick();
      scrubber?.tick();
    });
    closers.add(async () => {
      timer.cancel();
      fetcher.close();
      await Promise.all([node.links?.close(), chain.close(), repair.close(), scrubber?.close()]);
    });
    ports.watchDamage((error) => repair.report(damageOf(error), { files: true }));
    for (const finding of opened.findings) repair.reportMended(finding);
    if (store.doubt !== undefined) early.push(store.doubt.message);
    for (const cause of early) repair.report(cause);
    audits.look();
    if (opened.left !== undefined) {
      const { left } = opened;
      const append = (block: CertifiedStorageBlock) => chain.adopt(block);
      const isClosed = () => node.halted === true || chain.closed;
      const pause = () => sleep(4 * tickMs);
      void appendLeft(left, { height: () => store.head.height, append, isClosed, pause }).catch(
        onFatal,
      );
    }
    return new LiveChain(ports, { links: node.links, chain, repair }, scrubber);
  }

  /** As GetStatus says it. */
  get scrubStatus() {
    const { counts, lastDamage, repairing } = this.repair;
    const progress = this.#scrubber?.progress ?? { height: 0, lastPassUnixMs: 0 };
    return { ...progress, ...counts, lastDamage, repairing };
  }

  async stop(): Promise<void> {
    await this.links.close();
    await this.chain.close();
    this.#ports.log.debug("the chain has stopped");
  }
}

/** Links on which managers are told `greeting` first. */
export function openLinks(
  { config, files, opened, log, metrics }: Omit<LiveChainPorts, "onAppended" | "onHalt">,
  handlers: {
    readonly greeting: () => readonly UpMessage[];
    readonly onMessage: ConstructorParameters<typeof ManagerLinks>[0]["onMessage"];
    readonly onDisconnected: (managerId: string) => void;
  },
): ManagerLinks {
  const down = new Set<string>();
  const links: ManagerLinks = new ManagerLinks({
    nodeId: config.id,
    members: opened.store.head.members,
    dial: grpcDial({
      consortiumName: files.genesis.name,
      addresses: config.managerAddresses,
      tls: files.certificate.tls,
      messageBytesMax: config.limits.peerMessageBytesMax,
      storageNodeCount: opened.store.head.members.storageNodes.length,
    }),
    time: systemTime,
    queueMessagesMax: config.limits.peerQueueMessagesMax,
    queueBytesMax: config.limits.peerQueueBytesMax,
    greeting: handlers.greeting,
    onMessage: handlers.onMessage,
    onState: (managerId, state, cause) => {
      metrics.peersConnected.set({ role: "manager" }, links.connectedCount);
      if (state === "connected") {
        log.info({ managerId }, "linked to a manager");
        down.delete(managerId);
      }
      if (state !== "disconnected") return;
      handlers.onDisconnected(managerId);
      // Each attempt that fails would be a line; the first one says it.
      const level = down.has(managerId) ? "debug" : "warn";
      down.add(managerId);
      log[level]({ managerId, reason: cause?.reason, detail: cause?.message }, "a link is down");
    },
    onDropped: (_, messages) => metrics.queueDropped.inc({ queue: "manager-link" }, messages),
  });
  return links;
}

/** Whether a manager has given the block with this id, and all of it. */
async function isRight(
  { opened, files }: LiveChainPorts,
  signatures: SignatureCache,
  { block, sealedRecords, certificates }: CertifiedStorageBlock,
  blockId: Uint8Array,
): Promise<boolean> {
  const parsed = block === undefined ? undefined : parseBlock(block);
  if (!parsed?.ok || certificates === undefined) return false;
  if (!equalBytes(parsed.value.blockId, blockId)) return false;
  if (sealProblem(parsed.value, sealedRecords) !== undefined) return false;
  const { head } = opened.store;
  if (parsed.value.height !== head.height) return true;
  // The certificates of the head's block stand nowhere else yet.
  const commit = checkFork(certificates, { head, consortiumId: files.genesis.consortiumId });
  return commit.ok && (await signatures.firstInvalid(commit.value)) === undefined;
}

/** Blocks that the store held once, by what the key has signed, and lacks now. */
function lostBlocks(repair: SelfRepair, headHeight: number, mark: AttestationMark) {
  let upTo = (mark.place?.height ?? 0) - 1;
  if (upTo <= headHeight) upTo = 0;
  const missing = upTo - headHeight;
  if (upTo > 0) {
    const what = `${missing} blocks up to height ${upTo}, which this node had when it attested`;
    repair.notePending({ height: headHeight + 1, what: [what] });
  }
  return {
    onHeight(height: number): void {
      if (upTo === 0 || height < upTo) return;
      upTo = 0;
      repair.noteRepaired();
    },
  };
}

async function openScrubber(
  { config, files, opened, log }: LiveChainPorts,
  repair: SelfRepair,
): Promise<Scrubber | undefined> {
  if (config.scrubPeriodMs === 0) return undefined;
  const { store } = opened;
  const { monotonicMs, wallMs } = systemTime;
  const cacheBytes = 1024 * 1024;
  return new Scrubber({
    ...store.mendable,
    consortiumId: files.genesis.consortiumId,
    monotonicMs,
    wallMs,
    periodMs: config.scrubPeriodMs,
    progress: await store.scrubState(),
    save: (progress) => store.saveScrub(progress),
    openReadOnly: () => openDiskSnapshot(config.dataDirectory, cacheBytes),
    paused: () => repair.repairing,
    onDamage: (cause, how) => {
      log.error({ cause }, "reading the store again found damage");
      repair.report(cause, how);
    },
  });
}
