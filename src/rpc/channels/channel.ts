/** One client's connection to one node, shared by the clients of all its services. */
import { Client, connectivityState } from "@grpc/grpc-js";
import { setUpGrpc } from "../bounds/grpc-internals.js";
import { defaultRpcLimits } from "../bounds/server-limits.js";
import { channelCredentials, type ExpectedServer, type TlsCredentials } from "../tls/tls.js";

export type ChannelOptions = {
  /** "host:port". */
  readonly address: string;
  readonly tls: TlsCredentials;
  readonly expected: ExpectedServer;
  /** Longest message that the server may send; what peers may send each other when left out. */
  readonly messageBytesMax?: number;
  readonly keepaliveMs?: number;
  /** Shorter than a server's by default, as it is the client that has to connect again. */
  readonly keepaliveTimeoutMs?: number;
  /** How long connecting may go on without success before another channel takes over. */
  readonly connectTimeoutMs?: number;
  /** Longest wait between attempts to connect: they begin at 100 ms and grow. */
  readonly reconnectMaxMs?: number;
};

const defaultConnectTimeoutMs = 10_000;
const defaultKeepaliveTimeoutMs = 5_000;

/** The channel's own wait between attempts to connect; calls meanwhile fail at once. */
const reconnectInitialMs = 100;
const defaultReconnectMaxMs = 1_000;
/** A channel that waits between attempts is not stuck: it may make this many attempts first. */
const attemptsBeforeStuck = 3;

export function createChannel(options: ChannelOptions): RpcChannel {
  return new RpcChannel(options);
}

export class RpcChannel {
  readonly address: string;
  readonly #options: ChannelOptions;
  #grpcClient: Client;
  /** With which the client was made. */
  #certificates: Pick<TlsCredentials, "certPem" | "caPem"> | undefined;
  #stopWatching: () => void;

  constructor(options: ChannelOptions) {
    this.address = options.address;
    this.#options = options;
    setUpGrpc();
    this.#grpcClient = this.#makeClient();
    this.#stopWatching = this.#watch();
  }

  /** For createClient, which asks for it at each call, as it may be another one by then. */
  get grpcClient(): Client {
    // A connection that is up may go on with the certificate with which it was made.
    if (this.#isOutdated() && !this.connected) this.#replaceClient();
    return this.#grpcClient;
  }

  #isOutdated(): boolean {
    const { certPem, caPem } = this.#options.tls;
    return this.#certificates?.certPem !== certPem || this.#certificates.caPem !== caPem;
  }

  get connected(): boolean {
    return this.#grpcClient.getChannel().getConnectivityState(false) === connectivityState.READY;
  }

  /** Ends the connection and every call on it. */
  close(): void {
    this.#stopWatching();
    this.#grpcClient.close();
  }

  #watch(): () => void {
    const { connectTimeoutMs, reconnectMaxMs = defaultReconnectMaxMs } = this.#options;
    const timeoutMs =
      connectTimeoutMs ?? Math.max(defaultConnectTimeoutMs, attemptsBeforeStuck * reconnectMaxMs);
    return watchConnection(this.#grpcClient, timeoutMs, () => this.#replaceClient());
  }

  #replaceClient(): void {
    const former = this.#grpcClient;
    this.#stopWatching();
    this.#grpcClient = this.#makeClient();
    this.#stopWatching = this.#watch();
    // Calls that wait for its connection end with UNAVAILABLE.
    former.close();
  }

  #makeClient(): Client {
    const options = this.#options;
    const { certPem, caPem } = options.tls;
    this.#certificates = { certPem, caPem };
    const credentials = channelCredentials(options.tls, options.expected);
    const reconnectMaxMs = options.reconnectMaxMs ?? defaultReconnectMaxMs;
    return new Client(options.address, credentials, {
      "grpc.max_receive_message_length":
        options.messageBytesMax ?? defaultRpcLimits.peerMessageBytesMax,
      "grpc.keepalive_time_ms": options.keepaliveMs ?? defaultRpcLimits.keepaliveMs,
      "grpc.keepalive_timeout_ms": options.keepaliveTimeoutMs ?? defaultKeepaliveTimeoutMs,
      "grpc.initial_reconnect_backoff_ms": reconnectInitialMs,
      "grpc.max_reconnect_backoff_ms": reconnectMaxMs,
      "grpc.dns_min_time_between_resolutions_ms": reconnectMaxMs,
      // Nodes are verified by identity and key; a fixed name keeps IP addresses out of SNI.
      "grpc.ssl_target_name_override": "bss-node",
      "grpc.service_config_disable_resolution": 1,
      "grpc.enable_http_proxy": 0,
      "grpc.use_local_subchannel_pool": 1,
      "grpc.enable_channelz": 0,
    });
  }
}

/**
 * Calls `onStuck` once when the client's channel has tried to connect for `timeoutMs` without
 * being ready in between. An idle channel is not stuck. Returns a function that ends the watch.
 *
 * grpc-js sets no time limit on an attempt: if the peer accepts the connection and then says
 * nothing, or the connection breaks while TLS takes it over, the attempt may neither succeed nor
 * fail, and the channel never tries again (github.com/grpc/grpc-node/issues/2785). Only another
 * channel helps.
 */
function watchConnection(client: Client, timeoutMs: number, onStuck: () => void): () => void {
  const channel = client.getChannel();
  let over = false;
  let timer: NodeJS.Timeout | undefined;
  const stop = () => {
    over = true;
    clearTimeout(timer);
  };
  const look = () => {
    if (over) return;
    const state = channel.getConnectivityState(false);
    if (state === connectivityState.SHUTDOWN) return stop();
    if (state === connectivityState.READY || state === connectivityState.IDLE) {
      clearTimeout(timer);
      timer = undefined;
    } else if (timer === undefined) {
      timer = setTimeout(() => {
        stop();
        onStuck();
      }, timeoutMs);
      // The watch alone does not keep the process alive; a call that waits does.
      timer.unref();
    }
    channel.watchConnectivityState(state, Number.POSITIVE_INFINITY, look);
  };
  look();
  return stop;
}
