/**
 * Connections to the managers of a profile, and the rule by which a call moves from one to the
 * next.
 *
 * Any manager answers any call. If one cannot be reached, is stopping, or lacks peers, the next one
 * gets the same request: everything that a client sends may be repeated. The manager that answered
 * last is asked first.
 */

import { setTimeout as sleep } from "node:timers/promises";
import type {
  DescMethod,
  DescMethodBiDiStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import { assert, defined } from "../base/assert.js";
import { type GetStatusResponse, QueryService } from "../gen/bss/v1/query_pb.js";
import { Backoff } from "../rpc/channels/backoff.js";
import { createChannel, type RpcChannel } from "../rpc/channels/channel.js";
import type { ClientStream } from "../rpc/channels/client-stream.js";
import { type CallOptions, createClient } from "../rpc/channels/typed-client.js";
import { RpcError } from "../rpc/rpc-error.js";
import { rpcErrorOf } from "../rpc/status-details.js";
import { readTerms } from "../rpc/tls/certificate.js";
import type { TlsCredentials } from "../rpc/tls/tls.js";
import type { ClientProfile } from "./client-profile.js";
import { isTlsFailure, isUnreachable, summary } from "./manager-failures.js";
import { ManagerWatch } from "./manager-watch.js";

export type RetryOptions = {
  /**
   * How long one call may take over all its attempts; when left out 30 s, and 3 s while no manager
   * can be reached.
   */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
};

/** One node, as far as the rest of the client needs it. */
export type Connection = {
  readonly address: string;
  unary<M extends DescMethodUnary>(
    method: M,
    request: MessageInitShape<M["input"]>,
    options: CallOptions,
  ): Promise<MessageShape<M["output"]>>;
  watch<M extends DescMethodServerStreaming>(
    method: M,
    request: MessageInitShape<M["input"]>,
    options: CallOptions,
  ): AsyncIterable<MessageShape<M["output"]>>;
  open<M extends DescMethodBiDiStreaming>(
    method: M,
    options: CallOptions,
  ): ClientStream<MessageInitShape<M["input"]>, MessageShape<M["output"]>>;
  /** The error to report instead if the cause is on the side of the caller. */
  explain?(error: RpcError): RpcError;
  close(): void;
};

export type Dial = (address: string) => Connection;

/** One attempt of a call may take this long, so that other managers can be asked after it. */
const attemptTimeoutMs = 10_000;
export const defaultCallTimeoutMs = 30_000;
/** A call without a timeout of its own ends after this time if no manager can be reached. */
export const unreachableTimeoutMs = 3_000;

export class Connections {
  readonly addresses: readonly string[];
  readonly #dial: Dial;
  readonly #open = new Map<string, Connection>();
  #current = 0;
  #closed = false;

  constructor(addresses: readonly string[], dial: Dial) {
    assert(addresses.length > 0, "a profile has an address");
    this.addresses = addresses;
    this.#dial = dial;
  }

  /** The manager to ask now. Throws after `close`. */
  current(): Connection {
    return this.at(defined(this.addresses[this.#current], "the current address is one of them"));
  }

  /** The connection to one of the addresses, or to another node. */
  at(address: string): Connection {
    if (this.#closed) throw new RpcError("CANCELLED", "the client is closed");
    let connection = this.#open.get(address);
    if (connection === undefined) {
      connection = this.#dial(address);
      this.#open.set(address, connection);
    }
    return connection;
  }

  /** Turns to the next manager, unless another call has done so already. */
  leave(failed: Connection): void {
    if (this.addresses[this.#current] !== failed.address) return;
    this.#current = (this.#current + 1) % this.addresses.length;
  }

  /** Makes this manager the current one. */
  turn(address: string): void {
    this.#current = Math.max(0, this.addresses.indexOf(address));
  }

  /** The other addresses, in the order in which to try them. */
  after(address: string): readonly string[] {
    const at = this.addresses.indexOf(address);
    return [...this.addresses.slice(at + 1), ...this.addresses.slice(0, Math.max(0, at))];
  }

  /** What one manager says about itself, without asking another in its place. */
  statusOf(address: string, timeoutMs: number): Promise<GetStatusResponse> {
    return this.at(address).unary(QueryService.method.getStatus, {}, { timeoutMs });
  }

  /**
   * Calls a method at one manager after the other, and waits when all have been tried. It ends
   * when a call succeeds, when it fails for a reason that another manager would give too, when TLS
   * refuses every manager, or when time is up. The error then says what each manager said. A
   * manager that is silent is left before its time is up if another one is better; see
   * manager-watch.ts.
   */
  async call<M extends DescMethodUnary>(
    method: M,
    request: MessageInitShape<M["input"]>,
    options: RetryOptions & { readonly attemptTimeoutMs?: number } = {},
  ): Promise<MessageShape<M["output"]>> {
    const { timeoutMs = defaultCallTimeoutMs, signal } = options;
    const startMs = performance.now();
    const deadlineMs = startMs + timeoutMs;
    const goneMs = options.timeoutMs === undefined ? startMs + unreachableTimeoutMs : deadlineMs;
    const attemptMs = options.attemptTimeoutMs ?? attemptTimeoutMs;
    const round = new ManagerRound(this);
    for (;;) {
      const connection = this.current();
      const leftMs = Math.ceil(deadlineMs - performance.now());
      try {
        const timeout = Math.max(1, Math.min(leftMs, attemptMs));
        return await this.#watched(connection, signal, (ownSignal) =>
          connection.unary(method, request, { timeoutMs: timeout, signal: ownSignal }),
        );
      } catch (thrown) {
        const error = rpcErrorOf(thrown);
        if (signal?.aborted === true || !mayRepeat(error)) throw error;
        const waitMs = round.leave(connection, error);
        const untilMs = round.allFail(isUnreachable) ? goneMs : deadlineMs;
        if (performance.now() + waitMs >= untilMs) throw round.summary(error);
        await pause(waitMs, signal);
      }
    }
  }

  async #watched<T>(
    connection: Connection,
    signal: AbortSignal | undefined,
    call: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const left = new AbortController();
    const watch = new ManagerWatch(this, connection.address, {
      isDue: () => true,
      onBetter: (why) => left.abort(why),
    });
    return callUntilLeft(call, left.signal, signal).finally(() => watch.stop());
  }

  /** Ends all connections and every call on them. */
  close(): void {
    this.#closed = true;
    for (const connection of this.#open.values()) connection.close();
    this.#open.clear();
  }
}

/**
 * Whether the same request may succeed later or at another manager. A call that the client has not
 * cancelled itself was cancelled by a node that stopped; callers check their own signal first.
 */
export function mayRepeat(error: RpcError): boolean {
  return error.retryable || error.status === "CANCELLED";
}

/** A call that ends when `left` is aborted, and then fails with the reason of that. */
export async function callUntilLeft<T>(
  call: (signal: AbortSignal) => Promise<T>,
  left: AbortSignal,
  signal: AbortSignal | undefined,
): Promise<T> {
  try {
    return await call(signal === undefined ? left : AbortSignal.any([signal, left]));
  } catch (error) {
    throw left.aborted ? left.reason : error;
  }
}

/** Waits; a signal ends the wait with CANCELLED. */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  } catch (cause) {
    throw new RpcError("CANCELLED", "the caller cancelled the call", { cause });
  }
}

/**
 * How long to wait before the next attempt. There is no wait while some managers have not failed in
 * this round. When all have failed, it is the time that the last one asked for or the client's own
 * backoff, whichever is longer. A manager that TLS has refused would be refused again, so it is not
 * asked again, and when TLS has refused all of them the call fails at once.
 */
export class ManagerRound {
  readonly #connections: Connections;
  readonly #backoff = new Backoff();
  /** What each manager failed with last, by address. */
  readonly #failed = new Map<string, RpcError>();
  #failures = 0;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  /**
   * Turns to the next manager; returns the wait before it is asked, ms.
   *
   * @throws RpcError when TLS refuses every manager
   */
  leave(failed: Connection, received: RpcError): number {
    const error = failed.explain?.(received) ?? received;
    this.#failed.set(failed.address, error);
    if (this.allFail(isTlsFailure)) throw this.summary(error);
    let waitMs = this.#turnFrom(failed, error);
    for (let next = this.#connections.current(); isTlsFailure(this.#failed.get(next.address)); ) {
      waitMs = Math.max(waitMs, this.#turnFrom(next, error));
      next = this.#connections.current();
    }
    return waitMs;
  }

  /** A manager has answered. */
  succeed(): void {
    this.#failures = 0;
    this.#failed.clear();
    this.#backoff.reset();
  }

  allFail(how: (error: RpcError | undefined) => boolean): boolean {
    return this.#connections.addresses.every((address) => how(this.#failed.get(address)));
  }

  /** One error that says what each manager failed with. */
  summary(last: RpcError): RpcError {
    return summary(this.#failed, last);
  }

  #turnFrom(failed: Connection, error: RpcError): number {
    this.#connections.leave(failed);
    this.#failures += 1;
    if (this.#failures % this.#connections.addresses.length !== 0) return 0;
    return Math.max(error.retryAfterMs, this.#backoff.nextMs());
  }
}

/**
 * Dials nodes with a profile's certificate. Managers must show the key that genesis names for them.
 */
export function dialWith(
  profile: Pick<ClientProfile, "genesis" | "tls">,
  role: "manager" | "storage" = "manager",
): Dial {
  const { name: consortiumName, members } = profile.genesis;
  const expected =
    role === "manager"
      ? { consortiumName, role, spkiSha256: (id: string) => members.manager(id)?.tlsSpkiSha256 }
      : // A storage node may have joined after genesis, so its key is not looked up there.
        { consortiumName, role };
  const { tls } = profile;
  return (address) => connectionOf(createChannel({ address, tls, expected }), tls);
}

function connectionOf(channel: RpcChannel, tls: TlsCredentials): Connection {
  const clients = new Map<DescService, Readonly<Record<string, unknown>>>();
  // The typed client is looked up by a method's name here, which its type cannot follow.
  const methodOf = ({ parent, localName }: DescMethod) => {
    const client = clients.get(parent) ?? createClient(parent, channel);
    clients.set(parent, client);
    return client[localName] as (...args: readonly unknown[]) => never;
  };
  return {
    address: channel.address,
    unary: (method, request, options) => methodOf(method)(request, options),
    watch: (method, request, options) => methodOf(method)(request, options),
    open: (method, options) => methodOf(method)(options),
    explain: (error) => explained(error, tls),
    close: () => channel.close(),
  };
}

/**
 * A program may run for longer than its certificate is valid. Then it looks as if the managers were
 * away.
 */
function explained(error: RpcError, { certPem }: TlsCredentials): RpcError {
  if (!isUnreachable(error)) return error;
  const { toMs = Number.POSITIVE_INFINITY } = readTerms(certPem) ?? {};
  if (Date.now() < toMs) return error;
  const text = `the certificate of this client expired at ${new Date(toMs).toISOString()}`;
  return new RpcError("NODE_UNREACHABLE", text, { cause: error });
}
