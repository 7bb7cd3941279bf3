/**
 * What a node of either role gives its gRPC server: who may call, how much, and what is written of
 * it into log and metrics.
 */
import type { Logger } from "pino";
import { RateLimits } from "../base/rate-limits.js";
import { systemTime } from "../base/time.js";
import type { DescriptorPlan } from "../config/descriptors.js";
import type { NetworkLimits } from "../config/limit-settings.js";
import type { NodeConfig } from "../config/node-config.js";
import type { Members } from "../ledger/members/members.js";
import { grpcObserver } from "../metrics/grpc-observer.js";
import { answerGroups, connectionGroups } from "../metrics/label-values.js";
import type { Metrics } from "../metrics/metrics.js";
import { connectionShares, defaultAnswerLimits } from "../rpc/bounds/server-limits.js";
import type { IdentityRegistry } from "../rpc/server/authenticator.js";
import type { RpcServer, RpcServerOptions } from "../rpc/server/server.js";

type Options = Omit<RpcServerOptions, "tls" | "consortiumName" | "registry">;

/** Room beside full queues, for what a peer has asked for. */
const besideQueueBytes = 32 * 1024 * 1024;
/** Lines about refused callers: of all, and of one address and reason. */
const refusalLines = { perSecond: 20 / 60, burst: 20, causersMax: 1 };
const refusalLinesOfOne = { perSecond: 1 / 60, burst: 1, causersMax: 4_096 };

export function rpcOptionsOf(
  config: NodeConfig,
  { connectionsMax, warning }: DescriptorPlan,
  log: Logger,
  metrics: Metrics,
): Options {
  if (warning !== undefined) log.warn(warning);
  return {
    ...rpcLimitsOf(config.limits, connectionsMax),
    metrics: grpcObserver(metrics),
    onInternalError: (error, method) => log.error({ err: error, method }, "a call failed"),
    onCallerRefused: refusalLog(log, systemTime.monotonicMs),
    onConnectionEnded: (cause) => metrics.connectionsEnded.inc({ cause }),
  };
}

/**
 * Who may call: those whose keys are registered on the chain.
 *
 * `participantSpki`: SHA-256 of the SPKI that is registered for a participant.
 */
export function identities({
  members,
  participantSpki,
}: {
  readonly members: () => Members;
  readonly participantSpki: (participantId: string) => Promise<Uint8Array | undefined>;
}): IdentityRegistry {
  return {
    async spkiOf(role, id) {
      switch (role) {
        case "manager":
          return members().manager(id)?.tlsSpkiSha256;
        case "storage":
          return members().storageNode(id)?.tlsSpkiSha256;
        case "participant":
          return participantSpki(id);
        case "operator":
        case "auditor": {
          const officer = members().officer(id);
          return officer?.role === role ? officer.tlsSpkiSha256 : undefined;
        }
      }
    },
  };
}

/**
 * The configured limits as the server takes them.
 *
 * @param connectionsMax as many as the process may have, or as the config says
 */
export function rpcLimitsOf(
  limits: NetworkLimits,
  connectionsMax: number,
): Pick<RpcServerOptions, "limits" | "connections" | "answers"> {
  // Queues of votes and of submissions to a manager, long ones or not; a storage node has one.
  const perManagerBytesMax = 2 * limits.peerQueueBytesMax + besideQueueBytes;
  const perStorageNodeBytesMax = limits.peerQueueBytesMax + besideQueueBytes;
  const { managersBytesMax, storageNodesBytesMax } = defaultAnswerLimits;
  return {
    limits: {
      participantMessageBytesMax: limits.messageBytesMax,
      peerMessageBytesMax: limits.peerMessageBytesMax,
      streamsPerPeerMax: limits.streamsPerPeerMax,
      callsPerPeerMax: limits.callsPerPeerMax,
      streamQueueMessagesMax: limits.peerQueueMessagesMax,
      streamQueueBytesMax: limits.peerQueueBytesMax,
    },
    connections: {
      ...connectionShares(connectionsMax),
      perClientMax: limits.connectionsPerClientMax,
      perPeerMax: limits.connectionsPerPeerMax,
    },
    answers: {
      perClientBytesMax: limits.answerBytesPerClientMax,
      clientsBytesMax: Math.max(limits.answerBytesMax, limits.answerBytesPerClientMax),
      perManagerBytesMax,
      managersBytesMax: Math.max(managersBytesMax, perManagerBytesMax),
      perStorageNodeBytesMax,
      storageNodesBytesMax: Math.max(storageNodesBytesMax, perStorageNodeBytesMax),
    },
  };
}

/**
 * Writes a line about a refused caller: one a minute for each address and reason, and a bound for
 * all, as anybody who reaches the port can cause them. `untold`: refusals since the line before.
 */
export function refusalLog(
  log: Pick<Logger, "warn">,
  monotonicMs: () => number,
): (peerAddress: string, reason: string) => void {
  const ofOne = new RateLimits(refusalLinesOfOne);
  const ofAll = new RateLimits(refusalLines);
  let untold = 0;
  return (peerAddress, reason) => {
    const nowMs = monotonicMs();
    const one = `${peerAddress} ${reason}`;
    const isNew = ofOne.take(one, 1, nowMs) === 0;
    const isTold = isNew && ofAll.take("", 1, nowMs) === 0;
    // A line that the bound for all refuses is not the one of this minute.
    if (isNew && !isTold) ofOne.charge(one, -1, nowMs);
    if (!isTold) {
      untold += 1;
      return;
    }
    log.warn({ peerAddress, reason, untold }, "refused a caller");
    untold = 0;
  };
}

/** Sets the gauges of connections and answers; called before every scrape. */
export function sampleServer(metrics: Metrics, server: RpcServer): void {
  for (const group of connectionGroups) {
    metrics.connections.set({ group }, server.connections(group));
  }
  for (const group of answerGroups) {
    metrics.answerBytes.set({ group }, server.unreadAnswerBytes(group));
  }
}
