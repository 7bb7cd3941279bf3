/**
 * The connections of a server, from the moment the system accepts them: who holds how many, and the
 * end of those that do nothing or outlive their certificate. grpc-js limits none of this, and ends
 * a connection only in order, which never comes about when the other end takes nothing any more.
 *
 * A connection begins as a stranger's. Strangers are never refused for being many: the oldest of
 * the address that has most of them gives way. With its first call as somebody known, a connection
 * takes a place among those of its kind instead.
 */
import type { ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import { type HoldingRefusal, Holdings } from "../../base/holdings.js";
import { RateLimits } from "../../base/rate-limits.js";
import { RpcError } from "../rpc-error.js";
import { causerOf, describeIdentity, type Identity } from "../tls/identity.js";
import { networkOf } from "./address-network.js";
import type { ConnectionEnd, ConnectionLimits } from "./connection-limits.js";

/** Both ends of a connection, as its socket, its session and its calls know them. */
export type ConnectionEnds = {
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
};

export type ConnectionGroup = "strangers" | "invited" | "clients" | "managers" | "storageNodes";

type Connection = {
  readonly socket: Socket;
  readonly key: string;
  group: ConnectionGroup;
  /** Its address's network, or its identity: whose place in the group it takes. */
  causer: string;
  session: ServerHttp2Session | undefined;
  /** Sweeps since it came. */
  age: number;
  /** The age at which it is cut. */
  cutAt: number | undefined;
  /** The end of its certificate, Unix ms. TLS looks at that when a connection begins only. */
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
  readonly #rates: RateLimits;
  readonly #groups: Readonly<Record<ConnectionGroup, Holdings>>;
  /** In the order in which they came. */
  readonly #open = new Map<string, Connection>();
  #closing = false;

  constructor(options: ConnectionsOptions) {
    const { limits } = options;
    this.#options = options;
    this.#rates = new RateLimits({
      perSecond: limits.newPerAddressPerSecond,
      burst: limits.newPerAddressBurst,
      causersMax: addressesMax,
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
    const key = keyOf(socket);
    // It can be gone by now, and is of no address then.
    if (key === undefined || this.#closing) return refuse(socket);
    // Its address and port can be taken again before this process hears that the former has gone.
    const former = this.#open.get(key);
    if (former !== undefined) this.#end(former, undefined);
    const causer = networkOf(socket.remoteAddress ?? "");
    if (this.#rates.take(causer, 1, this.#options.monotonicMs()) > 0) {
      this.#options.onEnded("rate");
      return refuse(socket);
    }
    this.#makeRoomFor(causer);
    if (this.#groups.strangers.take(causer, 1) !== undefined) {
      this.#options.onEnded("share");
      return refuse(socket);
    }
    const connection: Connection = {
      socket,
      key,
      causer,
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
    // A session that was writing when it was destroyed may never tell that it is closed, and
    // grpc-js would keep it for ever.
    const tell = () => closed || session.emit("close");
    connection.socket.once("close", () => setImmediate(tell));
  }

  /**
   * Somebody known calls: from now on the connection is theirs, until their certificate ends.
   *
   * @throws RpcError CONNECTIONS_EXHAUSTED, IDENTITY_INVALID; the connection is cut soon after
   */
  settle(ends: ConnectionEnds, identity: Identity, validToMs: number): void {
    const connection = this.#find(ends);
    if (connection === undefined || connection.group !== "strangers") return;
    if (this.#isOver(validToMs)) {
      // TLS lets a session be resumed that began when the certificate was valid.
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
    connection.group = group;
    connection.causer = causer;
    connection.validToMs = validToMs;
    // One that was about to be cut for an earlier refusal has found a place after all.
    connection.cutAt = undefined;
  }

  /** Whether the oldest of whoever holds most gives its place to another. */
  #mayTakeOver(group: ConnectionGroup, causer: string, refusal: HoldingRefusal): boolean {
    // Whoever is invited needs one for a short time, and cannot be told from others who are.
    if (group === "invited") return true;
    const places = this.#groups[group];
    // The other one holds no less than the causer even then.
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

  /** To be called every second: time is counted in calls, so a busy node blames nobody for it. */
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

  /** At once, whatever is still to be sent: what ends in order waits for the other end. */
  #end(connection: Connection, cause: ConnectionEnd | undefined): void {
    if (cause !== undefined) this.#options.onEnded(cause);
    this.#forget(connection);
    // A session that loses its socket first may never notice.
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

/** Addresses of which it is known how many connections they made lately. */
const addressesMax = 10_000;
/** A refused caller has so long to read why. */
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
      : `this node has ${limit} such connections, as many as it may have: ask another one`;
  return new RpcError("CONNECTIONS_EXHAUSTED", message, { metadata: { limit: String(limit) } });
}
