import type { Metrics } from "./metrics.js";

/** What a gRPC server reports about its calls; `method` is its short name, `status` "OK" or so. */
export interface GrpcObserver {
  callStarted(service: string, method: string): void;
  callEnded(service: string, method: string, status: string, seconds: number): void;
  streamOpened(service: string, method: string): void;
  streamClosed(service: string, method: string): void;
}

/** Counts ended calls and open streams. A call that has only started is in no metric. */
export function grpcObserver(metrics: Metrics): GrpcObserver {
  return {
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
