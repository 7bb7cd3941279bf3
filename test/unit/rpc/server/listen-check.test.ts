import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { after, before, describe, test } from "node:test";
import { checkListen, listenFailure } from "../../../../src/rpc/server/listen-check.js";

describe("whether a node can listen", () => {
  const host = "127.0.0.1";
  let server: Server;
  let taken: { host: string; port: number };
  let free: { host: string; port: number };

  before(async () => {
    server = createServer().listen(0, host);
    const other = createServer().listen(0, host);
    await Promise.all([once(server, "listening"), once(other, "listening")]);
    taken = { host, port: (server.address() as AddressInfo).port };
    free = { host, port: (other.address() as AddressInfo).port };
    other.close();
    await once(other, "close");
  });
  after(() => server.close());

  test("is found out without keeping the port", async () => {
    assert.equal(await listenFailure(free), undefined);
    assert.equal(await listenFailure(free), undefined);
    await checkListen({ listen: free });
    await checkListen({ listen: free, metrics: undefined });
  });

  for (const setting of ["listen", "metrics"] as const) {
    test(`is refused with the key ${setting} when another process has the port`, async () => {
      const addresses = { listen: free, metrics: undefined, [setting]: taken };
      await assert.rejects(checkListen(addresses), {
        name: "ListenError",
        setting,
        message: `another process listens on 127.0.0.1:${taken.port}`,
        next: `stop that process (this node, if it runs already), or change \`${setting}\` in config.yaml`,
      });
    });
  }

  test("is refused when both addresses are one, or one is not of this machine", async () => {
    await assert.rejects(checkListen({ listen: free, metrics: free }), {
      name: "ListenError",
      setting: "metrics",
      next: /\(`listen` is the same\)/,
    });
    const elsewhere = { host: "192.0.2.1", port: 7501 };
    await assert.rejects(checkListen({ listen: elsewhere }), {
      name: "ListenError",
      message: "cannot listen on 192.0.2.1:7501",
      next: /check `listen` in the node's config.yaml \(.*EADDRNOTAVAIL/,
    });
  });

  test("lets a port that the system chooses pass for both", () =>
    checkListen({ listen: { host, port: 0 }, metrics: { host, port: 0 } }));
});
