import type { grpcCodes } from "./label-values.js";
import type { Metrics } from "./metrics.js";

type GrpcCode = (typeof grpcCodes)[number];

/** What a gRPC server reports about its calls; `method` is its short name, `status` "OK" or so. */
export interface GrpcObserver {
  /** The server answers this method; told once, before any call. */
  methodServed(service: string, method: string): void;
  callStarted(service: string, method: string): void;
  callEnded(service: string, method: string, status: GrpcCode, seconds: number): void;
  streamOpened(service: string, method: string): void;
  streamClosed(service: string, method: string): void;
}

/** Counts ended calls and open streams. A call that has only started is in no metric. */
export function grpcObserver(metrics: Metrics): GrpcObserver {
  return {
    methodServed(service, method) {
      metrics.knowMethod(service, method);
    },
    callStarted() {},
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
