/**
 * A storage node, put together: store, chain, links to managers, gRPC server, metrics.
 *
 *     links ◀──▶ chain ──▶ store ◀── queries ◀── server
 *
 * It talks to nobody before the store is open and the chain has taken up what the node had signed.
 * What stops it for good (a fork, a failing disk) stops its links at once; a fork is remembered
 * over restarts.
 */
import { performance } from "node:perf_hooks";
import type { Logger } from "pino";
import { utf8Decode } from "../base/bytes.js";
import { systemTime } from "../base/time.js";
import type { StorageNodeConfig } from "../config/node-config.js";
import { SignatureCache } from "../crypto/signature-cache.js";
import { QueryService } from "../gen/bss/v1/query_pb.js";
import { grpcObserver } from "../metrics/grpc-observer.js";
import { createMetrics, type Metrics } from "../metrics/metrics.js";
import { startMetricsServer } from "../metrics/metrics-server.js";
import type { Closers } from "../node/closers.js";
import { identities } from "../node/identities.js";
import { refusalLog } from "../node/refusal-log.js";
import { rpcLimitsOf } from "../node/rpc-limits.js";
import {
  failNode,
  type NodeOptions,
  openLog,
  openNode,
  type RunningNode,
} from "../node/running-node.js";
import { sampleSync } from "../node/sync-observer.js";
import { HeadSignal } from "../query/head-signal.js";
import { createServer, type RpcServer } from "../rpc/server.js";
import { openRocksDb } from "../store/rocksdb-store.js";
import { StorageNodeStore } from "../store/storage-node-store.js";
import { grpcDial, ManagerLinks } from "./manager-links.js";
import { checkAdmission, type NodeFiles, readNodeFiles } from "./node-files.js";
import { chainObserver } from "./node-log.js";
import { queryService } from "./query-service.js";
import { StorageChain } from "./storage-chain.js";

/** How often the node looks whether there is something to fetch. */
const tickMs = 50;

type Parts = {
  readonly config: StorageNodeConfig;
  readonly files: NodeFiles;
  readonly store: StorageNodeStore;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly heads: HeadSignal;
};

/** Starts a storage node and resolves when it serves. @throws ConfigError, StoreError */
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
): Promise<number> {
  const files = readNodeFiles(config);
  const { genesis, signer, tls } = files;
  const kv = await openRocksDb(config.dataDirectory);
  closers.add(() => kv.close());
  const store = await StorageNodeStore.open(kv, genesis);
  const log = openLog({ role: "storage", id: config.id, level: config.log.level }, options);
  const metrics = await openMetrics(config, genesis.name, options, closers);
  const heads = new HeadSignal();
  const parts: Parts = { config, files, store, log, metrics, heads };

  const admitted = checkAdmission(config, signer, store.head.members);
  if (!admitted) log.warn("this node is not admitted: it follows the chain and attests nothing");
  metrics.height.set(store.head.height);
  metrics.treeSize.set(store.head.frontier.size);

  const node: { links?: ManagerLinks; chain?: StorageChain } = {};
  const server = createServer({
    tls,
    consortiumName: genesis.name,
    registry: identities({
      members: () => store.head.members,
      participantSpki: (id) => store.participantSpki(id),
    }),
    limits: rpcLimitsOf(config.limits),
    metrics: grpcObserver(metrics),
    onInternalError: (error, method) => log.error({ err: error, method }, "a call failed"),
    onCallerRefused: refusalLog(log, systemTime.monotonicMs),
  });
  server.implement(QueryService, queriesOf(parts, node));
  const { port } = await server.listen(config.listen);
  closers.add(() => server.close());
  const evidence = await store.forkEvidence();
  if (evidence === undefined) await startChain(parts, node, { server, options, closers });
  else halt(server, log, haltMessage(evidence));
  log.info({ port, height: store.head.height }, "the storage node serves");
  return port;
}

/** Takes up the chain where it stopped, and dials the managers. */
async function startChain(
  { config, files, store, log, metrics, heads }: Parts,
  node: { links?: ManagerLinks; chain?: StorageChain },
  running: {
    readonly server: RpcServer;
    readonly options: NodeOptions;
    readonly closers: Closers;
  },
): Promise<void> {
  const { genesis, signer, tls } = files;
  const { server, options, closers } = running;
  const monotonicMs = () => performance.now();
  const stop = async () => {
    await Promise.all([node.links?.close(), chain.close()]);
  };
  const onFatal = (cause: unknown) => {
    const error = cause instanceof Error ? cause : new Error(String(cause));
    log.fatal({ err: error }, "the node cannot go on");
    void stop();
    failNode(error, options);
  };
  const chain = await StorageChain.open({
    ...{ nodeId: config.id, consortiumId: genesis.consortiumId, policy: genesis.policy, store },
    signatures: new SignatureCache(),
    sign: (digest) => signer.sign(digest),
    monotonicMs,
    tell: (message, managerId) => node.links?.send(message, managerId) ?? false,
    isLinked: (managerId) => node.links?.isConnected(managerId) ?? false,
    observe: chainObserver(log, metrics, monotonicMs),
    onAppended: () => heads.announce(),
    onFailed: onFatal,
    onHalt: (message) => {
      void stop();
      halt(server, log, message);
    },
  });
  node.chain = chain;
  metrics.onScrape(() => sampleSync(metrics, store.head.height, chain.progress()));
  const down = new Set<string>();
  const links = new ManagerLinks({
    nodeId: config.id,
    members: store.head.members,
    dial: grpcDial({
      consortiumName: genesis.name,
      addresses: config.managerAddresses,
      tls,
      messageBytesMax: config.limits.peerMessageBytesMax,
    }),
    time: systemTime,
    queueMessagesMax: config.limits.peerQueueMessagesMax,
    queueBytesMax: config.limits.peerQueueBytesMax,
    greeting: () => chain.greeting(),
    onMessage: (managerId, message) => chain.take(managerId, message).catch(onFatal),
    onState: (managerId, state, cause) => {
      metrics.peersConnected.set({ role: "manager" }, node.links?.connectedCount ?? 0);
      if (state === "connected") {
        log.info({ managerId }, "linked to a manager");
        down.delete(managerId);
      }
      if (state !== "disconnected") return;
      chain.onDisconnected(managerId);
      // Each attempt that fails would be a line; the first one says it.
      const level = down.has(managerId) ? "debug" : "warn";
      down.add(managerId);
      log[level]({ managerId, reason: cause?.reason, detail: cause?.message }, "a link is down");
    },
    onDropped: (_, messages) => metrics.queueDropped.inc({ queue: "manager-link" }, messages),
  });
  node.links = links;
  const timer = setInterval(() => chain.tick(), tickMs);
  closers.add(async () => {
    clearInterval(timer);
    await stop();
  });
}

function queriesOf(
  { config, files, store, heads }: Parts,
  node: { readonly links?: ManagerLinks; readonly chain?: StorageChain },
) {
  const { name: consortiumName, consortiumId, policy } = files.genesis;
  return queryService({
    nodeId: config.id,
    reader: store.reader,
    heads,
    consortium: { consortiumName, consortiumId, policy },
    peers: () => {
      const managerIds = node.links?.managerIds ?? [];
      return managerIds.map((managerId) => ({
        managerId,
        connected: node.links?.isConnected(managerId) ?? false,
        height: node.chain?.heightOf(managerId) ?? 0,
      }));
    },
    syncing: () => node.chain?.syncing ?? false,
    progress: () => node.chain?.progress(),
  });
}

async function openMetrics(
  config: StorageNodeConfig,
  consortium: string,
  { processMetrics = true }: NodeOptions,
  closers: Closers,
): Promise<Metrics> {
  const metrics = createMetrics({
    ...{ role: "storage", nodeId: config.id, consortium, processMetrics },
  });
  if (config.metrics !== undefined) {
    const server = await startMetricsServer(metrics, config.metrics);
    closers.add(() => server.close());
  }
  return metrics;
}

/** The node takes no part any more; whoever asks is told why, and its health says so. */
function halt(server: RpcServer, log: Logger, message: string): void {
  log.fatal(
    { reason: message },
    "halted: keep the data directory and tell the managers' operators",
  );
  server.refuseCalls("NODE_HALTED", message);
}

function haltMessage(evidence: Uint8Array): string {
  const kept: unknown = JSON.parse(utf8Decode(evidence) ?? "{}");
  const message = (kept as { message?: unknown }).message;
  return typeof message === "string" ? message : "the chain forks";
}
