import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import type { ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import { beforeEach, describe, test } from "node:test";
import {
  type ConnectionEnd,
  Connections,
  networkOf,
} from "../../../../src/rpc/bounds/server-connections.js";
import {
  type ConnectionLimits,
  connectionShares,
  defaultConnectionLimits,
} from "../../../../src/rpc/bounds/server-limits.js";
import type { Identity, Role } from "../../../../src/rpc/tls/tls-identity.js";

let ports = 0;

class FakeSocket extends EventEmitter {
  readonly localAddress = "10.0.0.1";
  readonly localPort = 7401;
  readonly remoteAddress: string;
  destroyed = false;

  readonly remotePort: number;

  constructor(remoteAddress: string, remotePort = ++ports) {
    super();
    this.remotePort = remotePort;
    this.remoteAddress = remoteAddress;
  }

  destroy(): void {
    this.destroyed = true;
    this.emit("close");
  }
}

describe("the connections of a server", () => {
  let nowMs = 0;
  let ended: ConnectionEnd[] = [];

  beforeEach(() => {
    nowMs = 0;
    ended = [];
  });

  function connections(limits: Partial<ConnectionLimits> = {}): Connections {
    return new Connections({
      limits: { ...defaultConnectionLimits, ...limits },
      monotonicMs: () => nowMs,
      wallMs: () => nowMs,
      onEnded: (cause) => ended.push(cause),
    });
  }

  function come(to: Connections, address = "192.0.2.1", port?: number): FakeSocket {
    const socket = new FakeSocket(address, port);
    to.take(socket as unknown as Socket);
    return socket;
  }

  const settle = (all: Connections, socket: FakeSocket, caller: Identity, validToMs = 60_000) =>
    all.settle(socket, caller, validToMs);

  const identity = (role: Role, id: string): Identity => ({ role, id });

  test("are counted until they close", () => {
    const all = connections();
    const socket = come(all);
    assert.equal(all.count("strangers"), 1);
    settle(all, socket, identity("storage", "node-1"));
    assert.deepEqual([all.count("strangers"), all.count("storageNodes")], [0, 1]);
    settle(all, socket, identity("storage", "node-1"));
    assert.equal(all.count("storageNodes"), 1);
    socket.destroy();
    assert.equal(all.count("storageNodes"), 0);
  });

  test("from an address and port that are taken again give their place back", () => {
    const all = connections();
    const former = come(all);
    settle(all, former, identity("participant", "alice"));
    const next = come(all, "192.0.2.1", former.remotePort);
    assert.equal(former.destroyed, true);
    assert.deepEqual([all.count("strangers"), all.count("clients")], [1, 0]);
    former.emit("close");
    assert.equal(all.count("strangers"), 1);
    next.destroy();
    assert.equal(all.count("strangers"), 0);
  });

  test("that are refused when they come are told with their cause", () => {
    const all = connections({ strangersMax: 0 });
    assert.equal(come(all).destroyed, true);
    assert.deepEqual(ended, ["share"]);
  });

  test("are refused with the limit that they would pass", () => {
    const all = connections({ clientsMax: 1, invitedMax: 0 });
    settle(all, come(all), identity("participant", "alice"));
    assert.throws(() => settle(all, come(all), identity("participant", "bob")), {
      metadata: { limit: "1" },
    });
  });

  test("of strangers: the oldest of the address that has most gives way", () => {
    const all = connections({ strangersMax: 4, strangersPerAddressMax: 3 });
    const [first, second, third] = [come(all, "a"), come(all, "a"), come(all, "a")];
    come(all, "a");
    assert.deepEqual([first.destroyed, second.destroyed], [true, false]);
    const others = [come(all, "b"), come(all, "c"), come(all, "d")];
    assert.deepEqual([second.destroyed, third.destroyed], [true, true]);
    assert.ok(others.every(({ destroyed }) => !destroyed));
    assert.equal(all.count("strangers"), 4);
    assert.deepEqual(ended, ["crowded", "crowded", "crowded"]);
  });

  test("of one address may come at once and then at a rate", () => {
    const all = connections({ vainPerAddressBurst: 2, vainPerAddressPerSecond: 1 });
    const come3 = [come(all, "a"), come(all, "a"), come(all, "a")];
    assert.deepEqual(
      come3.map(({ destroyed }) => destroyed),
      [false, false, true],
    );
    assert.equal(come(all, "b").destroyed, false);
    nowMs = 1_000;
    assert.equal(come(all, "a").destroyed, false);
    assert.deepEqual(ended, ["rate"]);
  });

  test("of all unknown addresses have a rate, those over which somebody known called none", () => {
    const all = connections({ vainBurst: 3, vainPerSecond: 1 });
    settle(all, come(all, "office"), identity("storage", "node-1"));
    const strangers = ["a", "b", "c", "d"].map((address) => come(all, address));
    assert.deepEqual(
      strangers.map(({ destroyed }) => destroyed),
      [false, false, false, true],
    );
    for (let i = 0; i < 10; i++) assert.equal(come(all, "office").destroyed, false);
    nowMs = 1_000;
    assert.equal(come(all, "e").destroyed, false);
    assert.equal(come(all, "f").destroyed, true);
    assert.deepEqual(ended, ["rate", "rate"]);
  });

  test("of many addresses may all be of members that come back", () => {
    const all = connections({ vainBurst: 2, vainPerSecond: 1 });
    for (let i = 0; i < 10; i++) {
      const socket = come(all, `home-${i}`);
      assert.equal(socket.destroyed, false);
      settle(all, socket, identity("participant", `p${i}`));
    }
  });

  test("of one address may all be of members that come back at once", () => {
    const all = connections({ vainBurst: 10, vainPerSecond: 1 });
    const sockets = Array.from({ length: 10 }, () => come(all, "office"));
    for (const [i, socket] of sockets.entries()) settle(all, socket, identity("storage", `n${i}`));
    for (let i = 0; i < 10; i++) assert.equal(come(all, `home-${i}`).destroyed, false);
    assert.equal(come(all, "home-10").destroyed, true);
  });

  test("of one address cost it nothing once somebody known has called", () => {
    const all = connections({ vainPerAddressBurst: 2, vainPerAddressPerSecond: 1 });
    for (let i = 0; i < 10; i++) settle(all, come(all, "a"), identity("storage", `n${i}`));
    come(all, "a");
    assert.equal(come(all, "a").destroyed, false);
    assert.equal(come(all, "a").destroyed, true);
    assert.deepEqual(ended, ["rate"]);
  });

  test("of somebody known who connects again and again cost the address", () => {
    const all = connections({
      vainPerAddressBurst: 2,
      vainPerAddressPerSecond: 1,
      newPerCallerBurst: 3,
      newPerCallerPerSecond: 1,
    });
    const alice = identity("participant", "alice");
    const comeAndGo = () => {
      const socket = come(all, "a");
      if (socket.destroyed) return false;
      settle(all, socket, alice);
      socket.destroy();
      return true;
    };
    assert.deepEqual(Array.from({ length: 6 }, comeAndGo), [true, true, true, true, true, false]);
    assert.equal(come(all, "b").destroyed, false);
    nowMs = 60_000;
    assert.ok(comeAndGo());
  });

  test("of 1,000 storage nodes behind one address all come back within a second", () => {
    const all = connections();
    const sockets = Array.from({ length: 1_000 }, () => come(all));
    for (const [i, socket] of sockets.entries()) settle(all, socket, identity("storage", `n${i}`));
    assert.equal(all.count("storageNodes"), 1_000);
    assert.deepEqual(ended, []);
  });

  test("end with the certificate with which they began", () => {
    const all = connections();
    const [short, long] = [come(all), come(all)];
    const node = identity("storage", "node-1");
    settle(all, short, node, 10_000);
    settle(all, long, node, 20_000);
    nowMs = 10_000;
    all.sweep();
    assert.equal(short.destroyed, false, "valid to the last moment");
    nowMs = 10_001;
    all.sweep();
    assert.deepEqual([short.destroyed, long.destroyed], [true, false]);
    const resumed = come(all);
    assert.throws(() => settle(all, resumed, node, 10_000), { reason: "IDENTITY_INVALID" });
    for (let sweeps = 0; sweeps < 2; sweeps++) all.sweep();
    assert.equal(resumed.destroyed, true);
    assert.deepEqual(ended, ["expired", "expired"]);
    assert.deepEqual([all.count("strangers"), all.count("storageNodes")], [0, 1]);
  });

  test("of one identity are as many as its share", () => {
    const all = connections({ perClientMax: 1 });
    const alice = identity("participant", "alice");
    settle(all, come(all), alice);
    const second = come(all);
    assert.throws(() => settle(all, second, alice), { reason: "CONNECTIONS_EXHAUSTED" });
    settle(all, come(all), identity("participant", "bob"));
    assert.equal(second.destroyed, false);
    for (let sweeps = 0; sweeps < 2; sweeps++) all.sweep();
    assert.equal(second.destroyed, true);
  });

  test("of a full group: the identity that has most gives one to another", () => {
    const all = connections({ clientsMax: 3, invitedMax: 0 });
    const alice = identity("participant", "alice");
    const oldest = come(all);
    settle(all, oldest, alice);
    settle(all, come(all), alice);
    settle(all, come(all), alice);
    settle(all, come(all), identity("participant", "bob"));
    assert.equal(oldest.destroyed, true);
    assert.equal(all.count("clients"), 3);
    assert.throws(() => settle(all, come(all), alice), { reason: "CONNECTIONS_EXHAUSTED" });
    // However many clients there are, a manager has its place.
    settle(all, come(all), identity("manager", "manager-2"));
    assert.equal(all.count("managers"), 1);
  });

  test("of who is invited are few, and the oldest gives way, whatever their names", () => {
    const all = connections({ clientsMax: 5, invitedMax: 3 });
    const sockets = [1, 2, 3, 4].map((n) => {
      const socket = come(all);
      settle(all, socket, identity("invited", `name-${n}`));
      return socket;
    });
    assert.deepEqual(
      sockets.map(({ destroyed }) => destroyed),
      [true, false, false, false],
    );
    assert.equal(all.count("invited"), 3);
    for (const id of ["alice", "bob"]) settle(all, come(all), identity("participant", id));
    assert.deepEqual(ended, ["crowded"]);
  });

  test("of storage nodes leave managers their places", () => {
    const all = connections({ peersMax: 6, managersMax: 2, perPeerMax: 2 });
    const managers = [come(all), come(all)];
    for (const socket of managers) settle(all, socket, identity("manager", "manager-2"));
    for (const n of [1, 2, 3, 4]) settle(all, come(all), identity("storage", `node-${n}`));
    assert.throws(() => settle(all, come(all), identity("storage", "node-5")), {
      reason: "CONNECTIONS_EXHAUSTED",
    });
    settle(all, come(all), identity("manager", "manager-3"));
    // Of those that managers hold, one went to the manager that had none.
    assert.deepEqual(
      managers.map(({ destroyed }) => destroyed),
      [true, false],
    );
    assert.deepEqual([all.count("managers"), all.count("storageNodes")], [2, 4]);
  });

  test("that were ended are cut when the other end does not let go", async () => {
    const all = connections({ endedSeconds: 3 });
    const socket = come(all);
    settle(all, socket, identity("participant", "alice"));
    const session = Object.assign(new EventEmitter(), { socket, destroyed: true, destroy() {} });
    all.begin(session as unknown as ServerHttp2Session);
    // What Node.js does not tell of such a session, grpc-js has to be told.
    const closed = once(session, "close");
    for (let sweeps = 0; sweeps < 3; sweeps++) all.sweep();
    assert.equal(socket.destroyed, false);
    all.sweep();
    assert.equal(socket.destroyed, true);
    assert.equal(all.count("clients"), 0);
    assert.deepEqual(ended, ["abandoned"]);
    await closed;
  });

  test("without a call are cut, and others stay", () => {
    const all = connections({ strangerSeconds: 2 });
    const known = come(all);
    settle(all, known, identity("participant", "alice"));
    const silent = come(all);
    for (let sweeps = 0; sweeps < 2; sweeps++) all.sweep();
    assert.deepEqual([known.destroyed, silent.destroyed], [false, true]);
    assert.deepEqual(ended, ["silent"]);
  });

  test("are refused and cut when the server closes", () => {
    const all = connections();
    const socket = come(all);
    all.close();
    assert.equal(come(all).destroyed, true);
    all.endAll();
    assert.equal(socket.destroyed, true);
    assert.equal(all.count("strangers"), 0);
  });
});

test("shares of a total leave half to peers", () => {
  assert.deepEqual(connectionShares(1_000), {
    strangersMax: 250,
    strangersPerAddressMax: 125,
    clientsMax: 250,
    invitedMax: 32,
    peersMax: 500,
    managersMax: 125,
  });
});

test("an address stands for itself, and in IPv6 for its network", () => {
  assert.equal(networkOf("192.0.2.7"), "192.0.2.7");
  assert.equal(networkOf("::ffff:192.0.2.7"), "192.0.2.7");
  assert.equal(networkOf("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  assert.equal(networkOf("2001:db8:1:2::9"), networkOf("2001:db8:1:2:ffff::1"));
  assert.equal(networkOf("2001:db8::1"), "2001:db8:0:0::/64");
  assert.equal(networkOf("fe80::1%eth0"), "fe80:0:0:0::/64");
  assert.equal(networkOf("::1"), "0:0:0:0::/64");
});
