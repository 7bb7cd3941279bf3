/** What a node gives its gRPC server besides its identity, alike for both roles. */
import type { Logger } from "pino";
import { systemTime } from "../base/time.js";
import { descriptorLimit, filesIn, planDescriptors } from "../config/descriptors.js";
import type { NodeConfig } from "../config/node-config.js";
import { grpcObserver } from "../metrics/grpc-observer.js";
import { answerGroups, connectionGroups } from "../metrics/label-values.js";
import type { Metrics } from "../metrics/metrics.js";
import type { RpcServer, RpcServerOptions } from "../rpc/server/server.js";
import { refusalLog } from "./refusal-log.js";
import { rpcLimitsOf } from "./rpc-limits.js";

type Options = Omit<RpcServerOptions, "tls" | "consortiumName" | "registry">;

/** @throws ConfigError when the process may have too few connections */
export async function rpcOptionsOf(
  config: NodeConfig,
  log: Logger,
  metrics: Metrics,
): Promise<Options> {
  const { connectionsMax, warning } = planDescriptors(descriptorLimit(), {
    file: config.file,
    configured: config.limits.connectionsMax,
    storeFiles: await filesIn(config.dataDirectory),
  });
  if (warning !== undefined) log.warn(warning);
  return {
    ...rpcLimitsOf(config.limits, connectionsMax),
    metrics: grpcObserver(metrics),
    onInternalError: (error, method) => log.error({ err: error, method }, "a call failed"),
    onCallerRefused: refusalLog(log, systemTime.monotonicMs),
    onConnectionEnded: (cause) => metrics.connectionsEnded.inc({ cause }),
  };
}

/** Before every scrape. */
export function sampleServer(metrics: Metrics, server: RpcServer): void {
  for (const group of connectionGroups) {
    metrics.connections.set({ group }, server.connections(group));
  }
  for (const group of answerGroups) {
    metrics.answerBytes.set({ group }, server.unreadAnswerBytes(group));
  }
}
