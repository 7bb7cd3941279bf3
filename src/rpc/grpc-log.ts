/**
 * grpc-js writes lines of its own to standard error, such as "E No address added" where a port is
 * taken, amid JSON logs. What it means is reported by errors here; who wants its lines all the same
 * sets GRPC_VERBOSITY.
 */
import { logVerbosity, setLogVerbosity } from "@grpc/grpc-js";

export function silenceGrpc(): void {
  if (process.env.GRPC_VERBOSITY === undefined) setLogVerbosity(logVerbosity.NONE);
}
