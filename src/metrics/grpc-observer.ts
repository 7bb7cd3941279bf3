import type { Metrics } from "./metrics.js";

/** What a gRPC server reports about its calls; methods have their short name, codes are "OK", ... */
export interface GrpcObserver {
  callStarted(service: string, method: string): void;
  callEnded(service: string, method: string, code: string, seconds: number): void;
  streamOpened(service: string, method: string): void;
  streamClosed(service: string, method: string): void;
}

/** Counts calls and open streams. A call that has only started is in no metric: it may be a stream. */
export function grpcObserver(metrics: Metrics): GrpcObserver {
  return {
    callStarted() {},
    callEnded(service, method, code, seconds) {
      metrics.grpcCalls.inc({ service, method, code });
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
