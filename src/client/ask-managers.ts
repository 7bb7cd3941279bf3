/**
 * Asking managers for what any of them can do alone, such as a certificate. Up to f of them may
 * lie, so the refusal of one proves nothing: every manager is asked before the caller gets a
 * refusal. Each round begins with another manager, and none may use up the time of the others: one
 * that does not even say how it is, is left.
 */
import { QueryService } from "../gen/bss/v1/query_pb.js";
import { RpcError } from "../rpc/rpc-error.js";
import { rpcErrorOf } from "../rpc/status-details.js";
import {
  type Connection,
  callUntilLeft,
  type Dial,
  mayRepeat,
  pause,
  type RetryOptions,
} from "./manager-connections.js";
import { isTlsFailure, isUnreachable, plainMessage } from "./manager-failures.js";

/** A block has to become final before a manager answers. */
const attemptMs = { min: 10_000, max: 60_000 } as const;
const timeoutDefaultMs = 120_000;
/** A call without a timeout of its own ends after this time if no manager can be reached. */
const unreachableTimeoutMs = 10_000;
const pauseMs = 500;
/** A manager that has not answered for so long is asked for its status, ms. */
const silenceDefaultMs = 3_000;
/** How long it may take to say that, ms. */
const statusMs = 2_000;

type Call<T> = (
  connection: Connection,
  options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
) => Promise<T>;

export type Asked = {
  readonly addresses: readonly string[];
  /** How many managers may be faulty: if more refuse for one reason, an honest one refuses. */
  readonly faultsMax: number;
  readonly dial: Dial;
  readonly silenceMs?: number;
};

/**
 * The first answer. Managers that may do it later are asked again, until time is up, none of them
 * can be reached, or more than `faultsMax` have refused for one reason.
 *
 * @throws RpcError the refusal that most managers gave, and who said what
 */
export async function askManagers<T>(
  { addresses: given, faultsMax, dial, silenceMs = silenceDefaultMs }: Asked,
  options: RetryOptions,
  call: Call<T>,
): Promise<T> {
  const { timeoutMs = timeoutDefaultMs, signal } = options;
  const addresses = [...new Set(given)];
  const startMs = performance.now();
  const deadlineMs = startMs + timeoutMs;
  const goneMs = options.timeoutMs === undefined ? startMs + unreachableTimeoutMs : deadlineMs;
  const failed = new Map<string, RpcError>();
  let first = Math.floor(Math.random() * addresses.length);
  for (;;) {
    const inTurn = [...addresses.slice(first), ...addresses.slice(0, first)];
    const open = inTurn.filter((address) => !isFinal(failed.get(address)));
    for (const [i, address] of open.entries()) {
      const leftMs = Math.ceil(deadlineMs - performance.now());
      if (leftMs <= 0) throw verdict(failed);
      const fairMs = Math.max(attemptMs.min, Math.ceil(leftMs / (open.length - i)));
      const ownMs = Math.min(leftMs, attemptMs.max, fairMs);
      const connection = dial(address);
      try {
        return await unlessSilent(connection, silenceMs, signal, (ownSignal) =>
          call(connection, { timeoutMs: ownMs, signal: ownSignal }),
        );
      } catch (thrown) {
        const error = rpcErrorOf(thrown);
        if (signal?.aborted) throw error;
        failed.set(address, error);
      } finally {
        connection.close();
      }
    }
    const isRefused = (mostGiven(failed, isRefusal)?.length ?? 0) > faultsMax;
    if (isRefused || [...failed.values()].every(isFinal)) throw verdict(failed);
    const isGone = [...failed.values()].every(isUnreachable) && performance.now() >= goneMs;
    if (isGone) throw verdict(failed);
    await pause(pauseMs, signal);
    first = (first + 1) % addresses.length;
  }
}

/** Fails with what asking for the status failed with if the manager does not answer that either. */
async function unlessSilent<T>(
  connection: Connection,
  silenceMs: number,
  signal: AbortSignal | undefined,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const left = new AbortController();
  const ask = async () => {
    try {
      await connection.unary(QueryService.method.getStatus, {}, { timeoutMs: statusMs });
    } catch (thrown) {
      const error = rpcErrorOf(thrown);
      if (isUnreachable(error) || error.status === "DEADLINE_EXCEEDED") left.abort(error);
    }
  };
  const timer = setTimeout(() => void ask(), silenceMs);
  return callUntilLeft(call, left.signal, signal).finally(() => clearTimeout(timer));
}

type Failure = readonly [address: string, error: RpcError];
type Failures = ReadonlyMap<string, RpcError>;

/** Whether the manager would say the same again. */
function isFinal(error: RpcError | undefined): boolean {
  return error !== undefined && (!mayRepeat(error) || isTlsFailure(error));
}

/** Whether it says that every honest manager would refuse. */
function isRefusal(error: RpcError): boolean {
  return isFinal(error) && error.reason !== "NOT_AN_ISSUER" && !isTlsFailure(error);
}

/** The failures with the reason that most have of those that `which` holds for. */
function mostGiven(
  failed: Failures,
  which: (error: RpcError) => boolean,
): readonly Failure[] | undefined {
  const byReason = new Map<string, Failure[]>();
  for (const [address, error] of failed) {
    if (!which(error)) continue;
    byReason.set(error.reason, [...(byReason.get(error.reason) ?? []), [address, error]]);
  }
  return [...byReason.values()].sort((a, b) => b.length - a.length)[0];
}

/** Refusals count first, then failures that may pass, then all others. */
function verdict(failed: Failures): RpcError {
  const most =
    mostGiven(failed, isRefusal) ??
    mostGiven(failed, (error) => !isFinal(error)) ??
    mostGiven(failed, () => true);
  const cause = most?.[0]?.[1];
  if (most === undefined || cause === undefined) {
    return new RpcError("NODE_UNREACHABLE", "no manager was asked");
  }
  if (failed.size === 1) return cause;
  const others = [...failed].filter((each) => !most.some(([address]) => address === each[0]));
  const said = [...who(most), ...who(others, true)].join("; ");
  const { field, metadata, retryAfterMs, status, reason } = cause;
  const received = { status, reason };
  const told = { field, metadata, retryAfterMs, received, cause };
  return new RpcError("NODE_UNREACHABLE", said, told);
}

/** Who said what. `withReason` adds the reason, if it is not the one of the whole error. */
function who(failures: readonly Failure[], withReason = false): readonly string[] {
  const byText = new Map<string, string[]>();
  for (const [address, error] of failures) {
    const plain = plainMessage(error, address).replace(/\.$/, "");
    const text = withReason ? `${plain} [${error.reason}]` : plain;
    byText.set(text, [...(byText.get(text) ?? []), address]);
  }
  return [...byText].map(([text, addresses]) => `${addresses.join(", ")}: ${text}`);
}
