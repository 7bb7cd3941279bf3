/**
 * A manager's process: its files, store, gRPC server, links and metrics around a `Manager`.
 *
 * Nothing is said before the keys have been held against genesis and the disk has told what
 * was said before.
 */
import type { Logger } from "pino";
import { systemTime } from "../base/time.js";
import { descriptorPlanOf } from "../config/descriptors.js";
import { checkNodeDirectories } from "../config/file-access.js";
import { readGenesis } from "../config/genesis-file.js";
import { readManagerKeys } from "../config/key-files.js";
import type { ManagerConfig } from "../config/node-config.js";
import { BroadcastService } from "../gen/bss/v1/broadcast_pb.js";
import { GovernanceService } from "../gen/bss/v1/governance_pb.js";
import { QueryService } from "../gen/bss/v1/query_pb.js";
import { RegistrationService } from "../gen/bss/v1/registration_pb.js";
import { VerifyIntegrityService } from "../gen/bss/v1/verify_integrity_pb.js";
import { VoteService } from "../gen/bss/v1/vote_pb.js";
import type { GenesisState } from "../ledger/genesis.js";
import { createMetrics, type Metrics } from "../metrics/metrics.js";
import { startMetricsServer } from "../metrics/metrics-server.js";
import { askManagersInTurn, CertificateRenewal } from "../node/certificate-renewal.js";
import { checkLimits } from "../node/limits-check.js";
import { NodeCertificate } from "../node/node-certificate.js";
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
import type { IdentityRegistry } from "../rpc/server/authenticator.js";
import { checkListen } from "../rpc/server/listen-check.js";
import { createServer, type RpcServer } from "../rpc/server/server.js";
import type { ManagerStore } from "../store/manager-store.js";
import { RingHalted } from "./fail-stop.js";
import { Manager } from "./manager.js";
import { managerObserver } from "./manager-observer.js";
import { type MemoryBoundOptions, memoryBound } from "./memory-bound.js";
import { Issuer, requestOf } from "./operations/issuing.js";
import { registrationService } from "./operations/registration-service.js";
import { grpcDial, PeerLinks } from "./peers/peer-links.js";
import { forkAnswerOf, sampleStorage, sampleWaiting, statusOf } from "./queries/manager-status.js";
import { managerQueries } from "./queries/query-service.js";
import { checkManagerKeys, checkTlsKey, openEpochKey } from "./signing/manager-keys.js";
import { openSigner } from "./signing/signer-start.js";
import { openManagerStore } from "./store-start.js";
import { SubmitService } from "./submissions/submit-service.js";

type Parts = {
  readonly config: ManagerConfig;
  readonly genesis: GenesisState;
  readonly certificate: NodeCertificate;
  readonly store: ManagerStore;
  readonly heads: HeadSignal;
  readonly epochKey: Uint8Array;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly server: RpcServer;
  readonly rpcOptions: MemoryBoundOptions["server"];
  readonly registry: IdentityRegistry;
  readonly issuer: Issuer | undefined;
};

export type ManagerNodeOptions = NodeOptions & {
  /** Goes on with a signer that has no marks, although the store is not new. Default false. */
  readonly newSignerAccepted?: boolean;
};

/**
 * Starts a manager and resolves when it serves.
 *
 * @throws ConfigError, ListenError, StartError, StoreError
 */
export function startManager(
  config: ManagerConfig,
  options: ManagerNodeOptions = {},
): Promise<RunningNode> {
  return openNode((closers) => start(config, options, closers));
}

async function start(
  config: ManagerConfig,
  options: ManagerNodeOptions,
  closers: Closers,
): Promise<Pick<RunningNode, "port" | "reload">> {
  const log = openLog({ role: "manager", id: config.id, level: config.log.level }, options);
  const descriptors = await descriptorPlanOf(config);
  const genesis = readGenesis(config.genesisFile);
  checkLimits(config, genesis.policy);
  checkNodeDirectories(config);
  const keys = readManagerKeys(config);
  checkManagerKeys(config.id, keys, genesis);
  const epochKey = await openEpochKey(config.id, keys, genesis);
  const { wallMs } = systemTime;
  const certificate = NodeCertificate.open(config, {
    consortiumName: genesis.name,
    renewsItself: config.issuer !== undefined,
    wallMs,
    log,
  });
  const { tls } = certificate;
  checkTlsKey(config, tls.certPem, genesis);
  const trusted = { consortiumName: genesis.name, caPem: tls.caPem };
  const issuer =
    config.issuer &&
    Issuer.open(config.issuer, trusted, { members: genesis.members, nowMs: wallMs });
  await checkListen(config);
  const store = await openManagerStore(config, { genesis, epochKey, log }, closers);
  const { newSignerAccepted = false } = options;
  const signer = await openSigner(config, { keys, genesis, store, newSignerAccepted }, closers);
  const { processMetrics = true } = options;
  const consortium = genesis.name;
  const metrics = createMetrics({ role: "manager", nodeId: config.id, consortium, processMetrics });
  const registry = identities({
    members: () => store.head.members,
    participantSpki: async (id) => (await store.participant(id))?.tlsSpkiSha256,
  });
  const rpcOptions = rpcOptionsOf(config, descriptors, log, metrics);
  const server = createServer({
    tls,
    consortiumName: genesis.name,
    registry,
    ...rpcOptions,
    // Nobody calls before there is a manager.
    isPressed: () => manager.status().step !== "idle",
  });
  metrics.onScrape(() => sampleServer(metrics, server));
  const heads = new HeadSignal();
  const parts = {
    config,
    genesis,
    certificate,
    store,
    heads,
    epochKey,
    log,
    metrics,
    server,
    rpcOptions,
    registry,
    issuer,
  };
  const { poolSubmissionsMax, poolBytesMax } = config.limits;
  let links: PeerLinks | undefined;
  const manager = await Manager.open({
    selfId: config.id,
    genesis,
    store,
    epochKey,
    vrfSeed: keys.vrfSeed,
    signer,
    newSignerAccepted,
    poolLimits: { submissionsMax: poolSubmissionsMax, bytesMax: poolBytesMax },
    links: () => links ?? noLinks,
    heads,
    observer: managerObserver(log, metrics),
    onFatal: (error) => onFatal(error, parts, options),
    time: systemTime,
  });
  closers.add(() => manager.close());
  const renewal = openRenewal(parts, closers);
  // Before anybody is dialled or served.
  if (issuer !== undefined) await renewal.renewExpired();
  links = openLinks(parts, manager);
  closers.add(async () => links?.close());
  implement(parts, manager, links);
  observe(parts, manager, links);
  await manager.start();
  const { port } = await server.listen(config.listen);
  closers.add(() => server.close());
  if (config.metrics !== undefined) {
    const metricsServer = await startMetricsServer(metrics, config.metrics);
    closers.add(() => metricsServer.close());
  }
  log.info({ port, height: store.head.height }, "the manager serves");
  return { port, reload: () => renewal.reload() };
}

function implement(
  { config, genesis, store, heads, epochKey, server, registry, issuer }: Parts,
  manager: Manager,
  links: PeerLinks,
): void {
  const submit = new SubmitService(manager.submissions, config.limits.callWaitMsMax);
  const { name: consortiumName, consortiumId, policy } = genesis;
  server
    .implement(BroadcastService, {
      submit: (request, context) => submit.submit(request, context),
      submitStream: (context, stream) => submit.submitStream(context, stream),
      broadcast: (context, stream) => manager.broadcast.serve(context, stream),
    })
    .implement(VoteService, { vote: (context, stream) => manager.peers.serve(context, stream) })
    .implement(VerifyIntegrityService, {
      verifyIntegrity: (context, stream) => manager.storage.serve(context, stream),
    })
    .implement(
      QueryService,
      managerQueries({
        heads,
        consortium: { consortiumName, consortiumId, policy },
        isConnected: (nodeId) => manager.storageLinks.connectedIds.includes(nodeId),
        heardOf: (nodeId) => ({
          height: manager.storageLinks.heightOf(nodeId),
          halted: manager.storageLinks.haltOf(nodeId),
        }),
        store,
        consortiumId,
        epochKey,
        status: () => statusOf({ id: config.id, genesis, store, manager, links }),
        fork: () => forkAnswerOf(manager),
      }),
    )
    .implement(
      RegistrationService,
      registrationService({
        issuer,
        registry,
        operations: manager.storageSupervision.operations,
        waitMaxMs: config.limits.callWaitMsMax,
        members: () => store.head.members,
        participant: (id) => store.participant(id),
      }),
    )
    .implement(GovernanceService, {});
}

function openRenewal(parts: Parts, closers: Closers): CertificateRenewal {
  const { config, genesis, certificate, store, log, metrics, issuer } = parts;
  const { id, managerAddresses: addresses } = config;
  const others = askManagersInTurn({
    consortiumName: genesis.name,
    addresses,
    tls: certificate.tls,
    managers: () => store.head.members.managers.filter(({ managerId }) => managerId !== id),
  });
  const renewal = new CertificateRenewal({
    id,
    certificate,
    log,
    metrics,
    time: systemTime,
    ask: async (request, take) =>
      issuer === undefined
        ? others(request, take)
        : take(await issuer.issue({ role: "manager", id }, await requestOf(request))),
  });
  closers.add(async () => renewal.close());
  return renewal;
}

function openLinks(parts: Parts, manager: Manager): PeerLinks {
  const { config, genesis, certificate, store, log, metrics } = parts;
  const { limits } = config;
  const links: PeerLinks = new PeerLinks({
    peers: store.head.members.managers.filter(({ managerId }) => managerId !== config.id),
    dial: grpcDial({
      consortiumName: genesis.name,
      addresses: config.managerAddresses,
      tls: certificate.tls,
      messageBytesMax: limits.peerMessageBytesMax,
    }),
    time: systemTime,
    queueMessagesMax: limits.peerQueueMessagesMax,
    queueBytesMax: limits.peerQueueBytesMax,
    onVoteResponse: (from, response) => manager.peers.onResponse(from, response),
    onBroadcastResponse: (from, response) => manager.broadcast.onResponse(from, response),
    onLink: (peerId, connected, cause) => {
      metrics.peersConnected.set({ role: "manager" }, links.connectedIds.length);
      if (connected) manager.onPeerConnected(peerId);
      log.info({ peerId, connected, cause }, "the link to a manager has changed");
    },
    onBroadcastConnected: (peerId) => manager.broadcast.onConnected(peerId),
    onDropped: (_, messages) => metrics.queueDropped.inc({ queue: "manager-link" }, messages),
  });
  return links;
}

function observe(parts: Parts, manager: Manager, links: PeerLinks): void {
  const { config, genesis, store, metrics, rpcOptions } = parts;
  const { managers } = store.head.members;
  metrics.knowManagers(managers.map(({ managerId }) => managerId));
  const { policy } = genesis;
  metrics.memoryBound.set(
    memoryBound({
      policy,
      limits: config.limits,
      server: rpcOptions,
      managers: managers.length,
    }),
  );
  metrics.height.set(store.head.height);
  metrics.treeSize.set(store.head.frontier.size);
  metrics.onScrape(() => {
    const { round, step, sinceMs } = manager.status();
    sampleWaiting(metrics, manager.waiting());
    sampleStorage(metrics, store.head.members, manager.storageSupervision.waiting);
    sampleSync(metrics, store.head.height, manager.progress());
    metrics.round.set(round);
    metrics.waitingSeconds.reset();
    if (step !== "idle") {
      metrics.waitingSeconds.set({ step }, (performance.now() - sinceMs) / 1_000);
    }
    metrics.queueLength.set({ queue: "ring-events" }, manager.eventsWaiting);
    metrics.queueLength.set({ queue: "manager-link" }, links.queueLength);
  });
}

/** A halted ring goes on answering readers; anything else ends the process, which starts anew. */
function onFatal(error: Error, { log, server, metrics }: Parts, options: NodeOptions): void {
  if (error instanceof RingHalted) {
    const next = "halted: keep the data directory and call the other managers' operators";
    log.fatal({ reason: error.message }, next);
    metrics.halted.set(1);
    const { getStatus, getFork } = QueryService.method;
    server.refuseCalls("NODE_HALTED", error.message, [getStatus, getFork]);
    return;
  }
  log.fatal({ err: error }, "the manager cannot go on");
  failNode(error, options);
}

const noLinks = {
  peerIds: [],
  connectedIds: [],
  isConnected: () => false,
  sendVote: () => false,
  sendBroadcast: () => false,
} as const;
