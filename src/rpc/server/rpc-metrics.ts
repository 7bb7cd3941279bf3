import type { StatusName } from "../status-codes.js";

/**
 * What a server reports about its calls. `service` and `method` are names of registered methods.
 */
export type RpcMetrics = {
  /** The server answers this method; told once, before any call. */
  methodServed(service: string, method: string): void;
  callStarted(service: string, method: string): void;
  callEnded(service: string, method: string, status: StatusName, seconds: number): void;
  streamOpened(service: string, method: string): void;
  streamClosed(service: string, method: string): void;
};

export const noRpcMetrics: RpcMetrics = {
  methodServed() {},
  callStarted() {},
  callEnded() {},
  streamOpened() {},
  streamClosed() {},
};
