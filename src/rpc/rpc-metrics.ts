import type { StatusName } from "./status-codes.js";

/**
 * What a server reports about its calls. `service` and `method` are names of registered methods.
 */
export type RpcMetrics = {
  callStarted(service: string, method: string): void;
  callEnded(service: string, method: string, status: StatusName, seconds: number): void;
  streamOpened(service: string, method: string): void;
  streamClosed(service: string, method: string): void;
};

export const noRpcMetrics: RpcMetrics = {
  callStarted() {},
  callEnded() {},
  streamOpened() {},
  streamClosed() {},
};
