/**
 * A storage node's process: its files, store, gRPC server, links and metrics around a `LiveChain`.
 *
 *     managers ◀──▶ links ◀──▶ live chain ──▶ store ◀── queries ◀── server ◀── anybody
 *
 * It talks to nobody before the store is open and the chain has taken up what the node had signed.
 * A fork stops it for good, also after a restart: then there is no live chain, and it goes on
 * telling managers and whoever asks why.
 */
import type { Logger } from "pino";
import { systemTime } from "../base/time.js";
import { type DescriptorPlan, descriptorPlanOf } from "../config/descriptors.js";
import type { StorageNodeConfig } from "../config/node-config.js";
import { QueryService } from "../gen/bss/v1/query_pb.js";
import { createMetrics, type Metrics } from "../metrics/metrics.js";
import { startMetricsServer } from "../metrics/metrics-server.js";
import { askManagersInTurn, CertificateRenewal } from "../node/certificate-renewal.js";
import { openLog } from "../node/node-log.js";
import { identities, rpcOptionsOf, sampleServer } from "../node/rpc-options.js";
import {
  type Closers,
  failNode,
  type NodeOptions,
  openNode,
  type RunningNode,
} from "../node/running-node.js";
import { sampleSync } from "../node/sync-observer.js";
import { HeadSignal } from "../query/head-signal.js";
import { checkListen } from "../rpc/server/listen-check.js";
import { createServer, type RpcServer } from "../rpc/server/server.js";
import { damageOf } from "../store/damage/store-comparison.js";
import type { AttestationMark } from "../store/double-sign-protection/attestation-mark.js";
import { HaltState, haltMessages, keptEvidence } from "./halting.js";
import { LiveChain } from "./live-chain.js";
import { grpcDial, ManagerLinks } from "./manager-links.js";
import {
  admissionOf,
  checkCheckpoint,
  type NodeFiles,
  readNodeFiles,
  refuseOtherKeys,
} from "./node-files.js";
import { openMark } from "./open-mark.js";
import { type OpenedStore, openStore } from "./open-store.js";
import { queryService } from "./query-service.js";
import { SelfRepair } from "./repair/self-repair.js";
import { linksObserver, repairObserver } from "./storage-node-observer.js";

type Parts = {
  readonly config: StorageNodeConfig;
  readonly log: Logger;
  readonly descriptors: DescriptorPlan;
  readonly files: NodeFiles;
  readonly metrics: Metrics;
  readonly mark: AttestationMark;
  readonly repair: SelfRepair;
  readonly opened: OpenedStore;
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
  const parts = await openParts(config, options, closers);
  const { log, files, metrics, opened } = parts;
  const { store } = opened;
  const heads = new HeadSignal();
  const onAppended = whenAppended(parts, heads);
  const server = openServer(parts);
  const haltState = new HaltState(log, metrics, server);
  const links = openLinks(parts);
  const onFatal = (cause: unknown) => fail(cause, { log, links, options });
  const evidence = await keptEvidence({ store, mark: parts.mark });
  const live =
    evidence === undefined
      ? await LiveChain.open({ ...parts, links, haltState, onAppended, onFatal })
      : undefined;
  const { name: consortiumName, consortiumId, policy } = files.genesis;
  const consortium = { consortiumName, consortiumId, policy };
  server.implement(
    QueryService,
    queryService({ nodeId: config.id, reader: store, heads, consortium, links, haltState, live }),
  );
  const { port } = await server.listen(config.listen);
  closers.add(() => server.close());
  const renewal = openRenewal(parts);
  closers.add(async () => renewal.close());
  if (live !== undefined) {
    closers.add(() => live.close());
    live.start();
    metrics.onScrape(() => sampleSync(metrics, store.head.height, live.chain.sync.progress()));
  }
  if (evidence !== undefined) {
    closers.add(() => links.close());
    haltState.halt(evidence);
    links.start({
      greeting: () => haltMessages(evidence),
      onMessage: async () => {},
      onDisconnected: () => {},
    });
  }
  log.info({ port, height: store.head.height }, "the storage node serves");
  return { port, reload: () => renewal.reload() };
}

/** What is on disk, held against genesis and the configuration. */
async function openParts(
  config: StorageNodeConfig,
  options: NodeOptions,
  closers: Closers,
): Promise<Parts> {
  const { processMetrics = true } = options;
  const log = openLog({ role: "storage", id: config.id, level: config.log.level }, options);
  const descriptors = await descriptorPlanOf(config);
  const files = readNodeFiles(config, log);
  const { genesis, signer } = files;
  await checkListen(config);
  const metrics = createMetrics({
    role: "storage",
    nodeId: config.id,
    consortium: genesis.name,
    processMetrics,
  });
  const {
    mark,
    kv: markStore,
    lost,
  } = await openMark(config.signerStateDirectory, signer.publicKey);
  closers.add(() => markStore.close());
  if (lost !== undefined) log.error({ reason: lost }, "the mark of what was attested is lost");
  const repair = new SelfRepair(repairObserver(log, metrics), systemTime.monotonicMs);
  const opened = await openStore(config, genesis, {
    mark,
    onDamage: (error) => repair.report(damageOf(error), { files: true }),
  });
  closers.add(() => opened.kv.close());
  const { head } = opened.store;
  await checkCheckpoint(config, opened.store, genesis);
  refuseOtherKeys(config, files, head.members);
  if (config.metrics !== undefined) {
    const metricsServer = await startMetricsServer(metrics, config.metrics);
    closers.add(() => metricsServer.close());
  }
  metrics.height.set(head.height);
  metrics.treeSize.set(head.frontier.size);
  return { config, log, descriptors, files, metrics, mark, repair, opened };
}

function openServer(parts: Parts): RpcServer {
  const { config, log, descriptors, files, metrics, opened } = parts;
  const { store } = opened;
  const server = createServer({
    tls: files.certificate.tls,
    consortiumName: files.genesis.name,
    registry: identities({
      members: () => store.head.members,
      participantSpki: (id) => store.participantSpki(id),
    }),
    ...rpcOptionsOf(config, descriptors, log, metrics),
  });
  metrics.onScrape(() => sampleServer(metrics, server));
  return server;
}

function openLinks({ config, log, files, metrics, opened }: Parts): ManagerLinks {
  const { members } = opened.store.head;
  const { limits, managerAddresses: addresses } = config;
  return new ManagerLinks({
    nodeId: config.id,
    members,
    dial: grpcDial({
      consortiumName: files.genesis.name,
      addresses,
      tls: files.certificate.tls,
      messageBytesMax: limits.peerMessageBytesMax,
      storageNodeCount: members.storageNodes.length,
    }),
    time: systemTime,
    queueMessagesMax: limits.peerQueueMessagesMax,
    queueBytesMax: limits.peerQueueBytesMax,
    observe: linksObserver(log, metrics, systemTime.monotonicMs),
  });
}

function openRenewal({ config, log, files, metrics, opened }: Parts): CertificateRenewal {
  const { id, managerAddresses: addresses } = config;
  const { certificate, genesis } = files;
  return new CertificateRenewal({
    id,
    certificate,
    log,
    metrics,
    time: systemTime,
    ask: askManagersInTurn({
      consortiumName: genesis.name,
      addresses,
      tls: certificate.tls,
      managers: () => opened.store.head.members.managers,
    }),
  });
}

/**
 * What is done after each block. It says once whether the chain knows this node, as far as it is
 * held here: one that has just joined holds nothing yet, follows the chain, and attests once it
 * holds the block that admits it.
 */
function whenAppended(parts: Parts, heads: HeadSignal): () => void {
  const { config, log, files, metrics, opened } = parts;
  const { store } = opened;
  const knowManagers = () => {
    metrics.knowManagers(store.head.members.managers.map(({ managerId }) => managerId));
  };
  const look = () => admissionOf(config, files.signer, store.head.members);
  knowManagers();
  let admission = look();
  if (admission === "none") {
    const { height } = store.head;
    log.info({ height }, "the chain as held here does not admit this node yet: it attests nothing");
  }
  return () => {
    knowManagers();
    if (admission === "none") {
      admission = look();
      const at = { height: store.head.height };
      if (admission === "own") log.info(at, "the chain admits this node: it may attest");
      if (admission === "another's") log.error(at, "another key is registered for this node's id");
    }
    heads.announce();
  };
}

/** It says and hears nothing any more while its process ends. */
function fail(
  cause: unknown,
  node: { readonly log: Logger; readonly links: ManagerLinks; readonly options: NodeOptions },
): void {
  const error = cause instanceof Error ? cause : new Error(String(cause));
  node.log.fatal({ err: error }, "the node cannot go on");
  void node.links.close();
  failNode(error, node.options);
}
