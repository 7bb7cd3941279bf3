import type { grpcCodes } from "./label-values.js";
import type { Metrics } from "./metrics.js";

type GrpcCode = (typeof grpcCodes)[number];

/**
 * What a gRPC server reports about its calls. `service` and `method` are names of registered
 * methods ("bss.v1.QueryService", "GetStatus"), never a caller's text.
 */
export interface GrpcObserver {
  /** The server offers this method; told once, before any call. */
  methodServed(service: string, method: string): void;
  callEnded(service: string, method: string, status: GrpcCode, seconds: number): void;
  streamOpened(service: string, method: string): void;
  streamClosed(service: string, method: string): void;
}

/** Counts ended calls and open streams. */
export function grpcObserver(metrics: Metrics): GrpcObserver {
  return {
    methodServed(service, method) {
      metrics.knowMethod(service, method);
    },
    callEnded(service, method, status, seconds) {
      metrics.grpcCalls.inc({ service, method, code: status });
      metrics.grpcCallSeconds.observe({ service, method }, seconds);
    },
    streamOpened(_service, method) {
      metrics.grpcStreams.inc({ method });
    },
    streamClosed(_service, method) {
      metrics.grpcStreams.dec({ method });
    },
  };
}
