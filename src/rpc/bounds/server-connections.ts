/**
 * The connections of a server, from the moment the system accepts them: how many each caller may
 * hold, and the end of those that do nothing or outlive their certificate. grpc-js limits none of
 * this, and ends a connection only in order, which never succeeds when the other end has stopped
 * reading.
 *
 * A connection begins as a stranger's. A stranger is never refused because there are many: the
 * oldest connection of the address that has most gives way. With the first call of somebody known,
 * a connection moves to a place in that caller's group.
 */
import type { ServerHttp2Session } from "node:http2";
import { isIPv6, type Socket } from "node:net";
import { type HoldingRefusal, Holdings } from "../../base/holdings.js";
import { RateLimits } from "../../base/rate-limits.js";
import { RpcError } from "../rpc-error.js";
import { causerOf, describeIdentity, type Identity } from "../tls/tls-identity.js";
import type { ConnectionLimits } from "./server-limits.js";

/** The addresses of both ends: what a socket, a session and a call can all tell. */
export type ConnectionEnds = {
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
};

/** Why a connection was refused or ended. */
export type ConnectionEnd =
  /** Its address makes too many that come to nothing. */
  | "rate"
  /** A newer one took its place, as its address or identity held most. */
  | "crowded"
  /** Its address, its identity or its whole group has as many as it may have. */
  | "share"
  /** Its caller went on calling after many refusals. */
  | "calls"
  /** Nobody known called over it in time. */
  | "silent"
  /** It took nothing, or too little, of what it was sent. */
  | "unread"
  /** Its certificate has expired; a renewed one needs a new connection. */
  | "expired"
  /** It was ended in order, and the other end did not let go. */
  | "abandoned"
  /** The process has no file descriptor left for it. */
  | "descriptors";

export type ConnectionGroup = "strangers" | "invited" | "clients" | "managers" | "storageNodes";

type Connection = {
  readonly socket: Socket;
  readonly key: string;
  group: ConnectionGroup;
  /** Whose place in the group it takes: its network's, or its identity's. */
  causer: string;
  /** Whether somebody known had called over its address before it came. */
  readonly isKnown: boolean;
  session: ServerHttp2Session | undefined;
  /** Sweeps since it came. */
  age: number;
  /** The age at which it is cut. */
  cutAt: number | undefined;
  /** When its certificate ends, Unix ms; TLS checks that only when a connection begins. */
  validToMs: number;
};

type ConnectionsOptions = {
  readonly limits: ConnectionLimits;
  readonly monotonicMs: () => number;
  readonly wallMs: () => number;
  readonly onEnded: (cause: ConnectionEnd) => void;
};

export class Connections {
  readonly #options: ConnectionsOptions;
  /** Of addresses, of all that are unknown together, and of those who are known. */
  readonly #rates: RateLimits;
  readonly #unknownRate: RateLimits;
  readonly #callerRates: RateLimits;
  /** Addresses over which somebody known has called; the latest are the last. */
  readonly #knownAddresses = new Set<string>();
  readonly #groups: Readonly<Record<ConnectionGroup, Holdings>>;
  /** By their addresses, in the order in which they came. */
  readonly #open = new Map<string, Connection>();
  #closing = false;

  constructor(options: ConnectionsOptions) {
    const { limits } = options;
    this.#options = options;
    this.#rates = new RateLimits({
      perSecond: limits.vainPerAddressPerSecond,
      burst: limits.vainPerAddressBurst,
      causersMax: addressesMax,
    });
    this.#unknownRate = new RateLimits({
      perSecond: limits.vainPerSecond,
      burst: limits.vainBurst,
      causersMax: 1,
    });
    this.#callerRates = new RateLimits({
      perSecond: limits.newPerCallerPerSecond,
      burst: limits.newPerCallerBurst,
      causersMax: callersMax,
    });
    const { strangersMax, strangersPerAddressMax, perClientMax, perPeerMax } = limits;
    const { clientsMax, invitedMax, peersMax, managersMax } = limits;
    const group = (totalMax: number, perCauserMax: number) =>
      new Holdings({ totalMax, perCauserMax });
    this.#groups = {
      strangers: group(strangersMax, strangersPerAddressMax),
      invited: group(invitedMax, invitedMax),
      clients: group(clientsMax - invitedMax, perClientMax),
      managers: group(managersMax, perPeerMax),
      storageNodes: group(peersMax - managersMax, perPeerMax),
    };
  }

  count(group: ConnectionGroup): number {
    return this.#groups[group].total;
  }

  /** Takes a connection that was accepted, or ends it and returns false. */
  take(socket: Socket): boolean {
    // It may have been closed already, and then it has no address.
    const { remoteAddress } = socket;
    if (remoteAddress === undefined || this.#closing) return refuse(socket);
    // First what refuses most and costs least.
    const causer = networkOf(remoteAddress);
    const isKnown = this.#knownAddresses.has(causer);
    if (!this.#mayCome(causer, isKnown)) {
      this.#options.onEnded("rate");
      return refuse(socket);
    }
    const key = keyOf(socket);
    if (key === undefined) return refuse(socket);
    // The other end can use the same port again before this process hears that it let go of it.
    const former = this.#open.get(key);
    if (former !== undefined) this.#end(former, undefined);
    this.#makeRoomFor(causer);
    if (this.#groups.strangers.take(causer, 1) !== undefined) {
      this.#options.onEnded("share");
      return refuse(socket);
    }
    const connection: Connection = {
      socket,
      key,
      causer,
      isKnown,
      group: "strangers",
      age: 0,
      session: undefined,
      cutAt: undefined,
      validToMs: Number.POSITIVE_INFINITY,
    };
    this.#open.set(key, connection);
    socket.once("close", () => this.#forget(connection));
    return true;
  }

  /** HTTP/2 has begun on a connection. */
  begin(session: ServerHttp2Session): void {
    const connection = this.#find(session.socket);
    if (connection === undefined) return;
    connection.session = session;
    let closed = false;
    session.once("close", () => {
      closed = true;
    });
    // A session that is destroyed while it writes may never emit "close", and grpc-js would keep it
    // for ever.
    const tell = () => closed || session.emit("close");
    connection.socket.once("close", () => setImmediate(tell));
  }

  /**
   * Somebody known calls: from now on the connection is theirs, until its certificate ends.
   *
   * @throws RpcError CONNECTIONS_EXHAUSTED, IDENTITY_INVALID; the connection is cut soon after
   */
  settle(ends: ConnectionEnds, identity: Identity, validToMs: number): void {
    const connection = this.#find(ends);
    if (connection === undefined || connection.group !== "strangers") return;
    if (this.#isOver(validToMs)) {
      // TLS resumes a session that began while the certificate was still valid.
      this.#options.onEnded("expired");
      connection.cutAt ??= connection.age + refusedSeconds;
      const message = `the certificate of ${describeIdentity(identity)} has expired`;
      throw new RpcError("IDENTITY_INVALID", message);
    }
    const group = groupOf(identity);
    const causer = causerOf(identity);
    const places = this.#groups[group];
    let refusal = places.take(causer, 1);
    if (refusal !== undefined && this.#mayTakeOver(group, causer, refusal)) {
      this.#endOldest(group, places.most()?.causer);
      refusal = places.take(causer, 1);
    }
    if (refusal !== undefined) {
      this.#options.onEnded("share");
      connection.cutAt ??= connection.age + refusedSeconds;
      throw exhausted(identity, refusal, places.limit(refusal));
    }
    this.#groups.strangers.giveBack(connection.causer, 1);
    // What it cost its address as a stranger's; but TLS is dear for whoever it is set up again.
    const nowMs = this.#options.monotonicMs();
    if (this.#callerRates.take(causer, 1, nowMs) === 0) {
      this.#rates.charge(connection.causer, -1, nowMs);
      if (!connection.isKnown) this.#unknownRate.charge(all, -1, nowMs);
      this.#noteKnown(connection.causer);
    }
    connection.group = group;
    connection.causer = causer;
    connection.validToMs = validToMs;
    // It may have been refused before, and was about to be cut.
    connection.cutAt = undefined;
  }

  /** However many addresses strangers have, those of members find a place. */
  #mayCome(address: string, isKnown: boolean): boolean {
    const nowMs = this.#options.monotonicMs();
    if (this.#rates.take(address, 1, nowMs) > 0) return false;
    return isKnown || this.#unknownRate.take(all, 1, nowMs) === 0;
  }

  #noteKnown(address: string): void {
    this.#knownAddresses.delete(address);
    this.#knownAddresses.add(address);
    const [oldest] = this.#knownAddresses;
    if (this.#knownAddresses.size > addressesMax && oldest !== undefined) {
      this.#knownAddresses.delete(oldest);
    }
  }

  /** Whether the oldest connection of the caller that holds most gives its place to this one. */
  #mayTakeOver(group: ConnectionGroup, causer: string, refusal: HoldingRefusal): boolean {
    // Those who are invited need a connection for a short time only, and count as one.
    if (group === "invited") return true;
    const places = this.#groups[group];
    // The other caller then still holds no fewer than this one.
    return refusal === "total" && (places.most()?.held ?? 0) > places.held(causer) + 1;
  }

  /** Bytes that the system has taken for a connection since it began. */
  sentOver(ends: ConnectionEnds): number {
    return this.#find(ends)?.socket.bytesWritten ?? 0;
  }

  /** Cuts the connection over which a call came. */
  end(ends: ConnectionEnds, cause: ConnectionEnd): void {
    const connection = this.#find(ends);
    if (connection !== undefined) this.#end(connection, cause);
  }

  /** To be called every second. Time is counted in sweeps: a busy node's delays harm nobody. */
  sweep(): void {
    const { strangerSeconds, endedSeconds } = this.#options.limits;
    for (const connection of [...this.#open.values()]) {
      connection.age += 1;
      const { age, cutAt, group, session } = connection;
      if (cutAt !== undefined && age >= cutAt) {
        this.#end(connection, session?.destroyed ? "abandoned" : undefined);
      } else if (group === "strangers" && age >= strangerSeconds) {
        this.#end(connection, "silent");
      } else if (this.#isOver(connection.validToMs)) {
        this.#end(connection, "expired");
      } else if (session?.destroyed) {
        connection.cutAt ??= age + endedSeconds;
      }
    }
  }

  /** From now on every connection is refused. */
  close(): void {
    this.#closing = true;
  }

  /** Cuts all that are left. */
  endAll(): void {
    for (const connection of [...this.#open.values()]) this.#end(connection, undefined);
  }

  #isOver(validToMs: number): boolean {
    return validToMs < this.#options.wallMs();
  }

  #makeRoomFor(causer: string): void {
    const { strangers } = this.#groups;
    const { strangersMax, strangersPerAddressMax } = this.#options.limits;
    if (strangers.held(causer) >= strangersPerAddressMax) this.#endOldest("strangers", causer);
    else if (strangers.total >= strangersMax) {
      this.#endOldest("strangers", strangers.most()?.causer);
    }
  }

  #endOldest(group: ConnectionGroup, causer: string | undefined): void {
    for (const connection of this.#open.values()) {
      if (connection.group !== group || connection.causer !== causer) continue;
      this.#end(connection, "crowded");
      return;
    }
  }

  /** At once, whatever is still to be sent: an end in order would wait for the other end. */
  #end(connection: Connection, cause: ConnectionEnd | undefined): void {
    if (cause !== undefined) this.#options.onEnded(cause);
    this.#forget(connection);
    // First the session: one that loses its socket may never notice.
    connection.session?.destroy();
    connection.socket.destroy();
  }

  #forget(connection: Connection): void {
    if (this.#open.get(connection.key) !== connection) return;
    this.#open.delete(connection.key);
    this.#groups[connection.group].giveBack(connection.causer, 1);
  }

  #find(ends: ConnectionEnds): Connection | undefined {
    const key = keyOf(ends);
    return key === undefined ? undefined : this.#open.get(key);
  }
}

/** Addresses whose recent connections are counted, and that are known. */
const addressesMax = 10_000;
/** Whose connections those of all unknown addresses are. */
const all = "";
const callersMax = 10_000;
/** A refused caller has this long to read why. */
const refusedSeconds = 2;

function groupOf({ role }: Identity): ConnectionGroup {
  switch (role) {
    case "manager":
      return "managers";
    case "storage":
      return "storageNodes";
    case "invited":
      return "invited";
    default:
      return "clients";
  }
}

/**
 * What an address is counted as: an IPv4 address as itself, an IPv6 address as its first half, as
 * one host is commonly given all 2^64 addresses that share it.
 */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped?.[1] !== undefined) return mapped[1];
  if (!isIPv6(address)) return address;
  const [start = "", end] = (address.split("%", 1)[0] ?? "").toLowerCase().split("::");
  const first = start === "" ? [] : start.split(":");
  if (end !== undefined) {
    const last = end === "" ? 0 : end.split(":").length;
    while (first.length + last < 8) first.push("0");
    first.push(...end.split(":"));
  }
  return `${first.slice(0, 4).join(":")}::/64`;
}

function refuse(socket: Socket): false {
  socket.destroy();
  return false;
}

function keyOf(ends: ConnectionEnds): string | undefined {
  const { localAddress, localPort, remoteAddress, remotePort } = ends;
  if (remoteAddress === undefined) return undefined;
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}

function exhausted(identity: Identity, refusal: HoldingRefusal, limit: number): RpcError {
  const who = describeIdentity(identity);
  const message =
    refusal === "share"
      ? `${who} has ${limit} connections to this node, the limit: close some, or share one`
      : `this node has ${limit} connections of this kind, as many as it may have: use another node`;
  return new RpcError("CONNECTIONS_EXHAUSTED", message, { metadata: { limit: String(limit) } });
}
