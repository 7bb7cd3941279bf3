/**
 * A storage node, put together: store, chain, links to managers, gRPC server, metrics.
 *
 *     links ◀──▶ chain ──▶ store ◀── queries ◀── server
 *                  ▲         ▲
 *                  └─ repair ┘ ◀── scrubbing
 *
 * It talks to nobody before the store is open and the chain has taken up what the node had signed.
 * A fork stops it for good, also after a restart: it goes on telling managers and whoever asks why.
 */
import type { Logger } from "pino";
import { systemTime } from "../base/time.js";
import type { StorageNodeConfig } from "../config/node-config.js";
import { QueryService } from "../gen/bss/v1/query_pb.js";
import { createMetrics, type Metrics } from "../metrics/metrics.js";
import { startMetricsServer } from "../metrics/metrics-server.js";
import { certificateObserver } from "../node/certificate-observer.js";
import { askManagersInTurn, CertificateRenewal } from "../node/certificate-renewal.js";
import type { Closers } from "../node/closers.js";
import { identities } from "../node/identities.js";
import { openLog } from "../node/node-log.js";
import { rpcOptionsOf, sampleServer } from "../node/rpc-options.js";
import { failNode, type NodeOptions, openNode, type RunningNode } from "../node/running-node.js";
import { sampleSync } from "../node/sync-observer.js";
import { HeadSignal } from "../query/head-signal.js";
import { checkListen } from "../rpc/server/listen-check.js";
import { createServer, type RpcServer } from "../rpc/server/server.js";
import type { AttestationMark } from "../store/double-sign-protection/attestation-mark.js";
import type { StoreError } from "../store/store-error.js";
import { isDamage } from "../store/store-error.js";
import { LiveChain, openLinks } from "./chain/live-chain.js";
import { decodeHalt, type HaltEvidence, haltMessages } from "./halting.js";
import type { ManagerLinks } from "./manager-links.js";
import {
  admissionOf,
  checkCheckpoint,
  type NodeFiles,
  readNodeFiles,
  refuseOtherKeys,
} from "./node-files.js";
import { type OpenedStore, openMark, openStore } from "./open-store.js";
import { queryService } from "./query-service.js";

type Parts = {
  readonly config: StorageNodeConfig;
  readonly files: NodeFiles;
  readonly opened: OpenedStore;
  readonly mark: AttestationMark;
  readonly damage: DamageSignal;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly heads: HeadSignal;
  readonly closers: Closers;
};

/** What runs, as far as it does by now. */
type Running = {
  /** To be called after each block. */
  readonly sawAppended: () => void;
  live?: LiveChain;
  links?: ManagerLinks;
  halted?: HaltEvidence;
};

/**
 * Starts a storage node and resolves when it serves.
 *
 * @throws ConfigError, ListenError, StoreError
 */
export function startStorageNode(
  config: StorageNodeConfig,
  options: NodeOptions = {},
): Promise<RunningNode> {
  return openNode((closers) => start(config, options, closers));
}

async function start(
  config: StorageNodeConfig,
  options: NodeOptions,
  closers: Closers,
): Promise<Pick<RunningNode, "port" | "reload">> {
  const log = openLog({ role: "storage", id: config.id, level: config.log.level }, options);
  const files = readNodeFiles(config, log);
  const { genesis, signer } = files;
  const { tls } = files.certificate;
  await checkListen(config);
  const openedMark = await openMark(config.signerStateDirectory, signer.publicKey);
  const { mark, kv: markStore, lost } = openedMark;
  closers.add(() => markStore.close());
  if (lost !== undefined) log.error({ reason: lost }, "the mark of what was attested is lost");
  const damage = new DamageSignal();
  const opened = await openStore(config, genesis, (error) => damage.told(error));
  closers.add(() => opened.kv.close());
  const { store } = opened;
  await checkCheckpoint(config, store, genesis);
  const metrics = await openMetrics(config, genesis.name, options, closers);
  const heads = new HeadSignal();
  const parts: Parts = { config, files, opened, mark, damage, log, metrics, heads, closers };

  const sawAppended = watchAdmission(parts);
  knowManagers(parts);
  metrics.height.set(store.head.height);
  metrics.treeSize.set(store.head.frontier.size);

  const running: Running = { sawAppended };
  const server = createServer({
    tls,
    consortiumName: genesis.name,
    registry: identities({
      members: () => store.head.members,
      participantSpki: (id) => store.participantSpki(id),
    }),
    ...(await rpcOptionsOf(config, log, metrics)),
  });
  metrics.onScrape(() => sampleServer(metrics, server));
  server.implement(QueryService, queriesOf(parts, running));
  const { port } = await server.listen(config.listen);
  closers.add(() => server.close());
  const renewal = openRenewal(parts);
  const evidence = await haltEvidence(parts);
  if (evidence === undefined) await startChain(parts, running, server, options);
  else {
    halt(parts, running, server, evidence);
    const links = openLinks(livePorts(parts, running, server, options), {
      greeting: () => haltMessages(evidence),
      onMessage: async () => {},
      onDisconnected: () => {},
    });
    running.links = links;
    closers.add(() => links.close());
  }
  log.info({ port, height: store.head.height }, "the storage node serves");
  return { port, reload: () => renewal.reload() };
}

function openRenewal(parts: Parts): CertificateRenewal {
  const { config, files, opened, log, metrics, closers } = parts;
  const { id, managerAddresses: addresses } = config;
  const { certificate, genesis } = files;
  const renewal = new CertificateRenewal({
    id,
    certificate,
    log,
    observer: certificateObserver(metrics),
    time: systemTime,
    ask: askManagersInTurn({
      consortiumName: genesis.name,
      addresses,
      tls: certificate.tls,
      managers: () => opened.store.head.members.managers,
    }),
  });
  closers.add(async () => renewal.close());
  return renewal;
}

async function startChain(
  parts: Parts,
  running: Running,
  server: RpcServer,
  options: NodeOptions,
): Promise<void> {
  const { metrics, opened } = parts;
  const live = await LiveChain.open(livePorts(parts, running, server, options));
  running.live = live;
  running.links = live.links;
  metrics.onScrape(() => sampleSync(metrics, opened.store.head.height, live.chain.progress()));
}

function livePorts(parts: Parts, running: Running, server: RpcServer, options: NodeOptions) {
  const { damage, heads, log } = parts;
  return {
    ...parts,
    watchDamage: (listener: (error: StoreError) => void) => damage.watch(listener),
    onAppended: () => {
      knowManagers(parts);
      running.sawAppended();
      heads.announce();
    },
    onFatal: (cause: unknown) => {
      const error = cause instanceof Error ? cause : new Error(String(cause));
      log.fatal({ err: error }, "the node cannot go on");
      void running.live?.stop();
      failNode(error, options);
    },
    onHalt: (evidence: HaltEvidence) => {
      halt(parts, running, server, evidence);
      for (const message of haltMessages(evidence)) running.links?.send(message);
    },
  };
}

function queriesOf({ config, files, opened, heads }: Parts, running: Running) {
  const { name: consortiumName, consortiumId, policy } = files.genesis;
  return queryService({
    nodeId: config.id,
    reader: opened.store.reader,
    heads,
    consortium: { consortiumName, consortiumId, policy },
    peers: () => {
      const managerIds = running.links?.managerIds ?? [];
      return managerIds.map((managerId) => ({
        managerId,
        connected: running.links?.isConnected(managerId) ?? false,
        height: running.live?.chain.heightOf(managerId) ?? 0,
      }));
    },
    syncing: () => running.live?.chain.syncing ?? false,
    progress: () => running.live?.chain.progress(),
    scrub: () => running.live?.scrubStatus ?? noScrub,
    halted: () => running.halted,
  });
}

/**
 * Says whether the chain knows this node, as far as it is held here: one that has just joined holds
 * nothing yet, follows the chain, and attests once it holds the block that admits it. Returns what
 * looks again after a block.
 */
function watchAdmission({ config, files, opened, log }: Parts): () => void {
  const look = () => admissionOf(config, files.signer, opened.store.head.members);
  const { height } = opened.store.head;
  let admission = look();
  refuseOtherKeys(config, files, opened.store.head.members);
  if (admission === "none") {
    log.info({ height }, "the chain as held here does not admit this node yet: it attests nothing");
  }
  return () => {
    if (admission !== "none") return;
    admission = look();
    const at = { height: opened.store.head.height };
    if (admission === "own") log.info(at, "the chain admits this node: it may attest");
    if (admission === "another's") log.error(at, "another key is registered for this node's id");
  };
}

function knowManagers({ metrics, opened }: Pick<Parts, "metrics" | "opened">): void {
  metrics.knowManagers(opened.store.head.members.managers.map(({ managerId }) => managerId));
}

const noScrub = {
  height: 0,
  lastPassUnixMs: 0,
  damaged: 0,
  repaired: 0,
  lastDamage: "",
  repairing: false,
} as const;

/** Also when the store has lost it. */
async function haltEvidence({ opened, mark }: Parts): Promise<HaltEvidence | undefined> {
  const stored = opened.store.forkEvidence().catch((error: unknown) => {
    if (isDamage(error)) return undefined;
    throw error;
  });
  const bytes = (await mark.halt()) ?? (await stored);
  return bytes && decodeHalt(bytes);
}

async function openMetrics(
  config: StorageNodeConfig,
  consortium: string,
  { processMetrics = true }: NodeOptions,
  closers: Closers,
): Promise<Metrics> {
  const metrics = createMetrics({
    role: "storage",
    nodeId: config.id,
    consortium,
    processMetrics,
  });
  if (config.metrics !== undefined) {
    const server = await startMetricsServer(metrics, config.metrics);
    closers.add(() => server.close());
  }
  return metrics;
}

/**
 * The node takes no part any more; whoever asks is told why, and its health says so.
 */
function halt(
  { log, metrics }: Parts,
  running: Running,
  server: RpcServer,
  evidence: HaltEvidence,
): void {
  running.halted = evidence;
  const { message } = evidence;
  log.fatal(
    { reason: message },
    "halted: keep the data directory and tell the managers' operators",
  );
  metrics.halted.set(1);
  const { getStatus, getFork } = QueryService.method;
  server.refuseCalls("NODE_HALTED", message, [getStatus, getFork]);
}

/** Damage that the store meets before somebody listens is told later. */
class DamageSignal {
  #listener: ((error: StoreError) => void) | undefined;
  readonly #early: StoreError[] = [];

  told(error: StoreError): void {
    if (this.#listener === undefined) this.#early.push(error);
    else this.#listener(error);
  }

  watch(listener: (error: StoreError) => void): void {
    this.#listener = listener;
    for (const error of this.#early.splice(0)) listener(error);
  }
}
