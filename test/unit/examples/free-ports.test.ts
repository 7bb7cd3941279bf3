import assert from "node:assert/strict";
import { createServer, type Server } from "node:net";
import { describe, test } from "node:test";
import { freeBasePort } from "../../../examples/energy-community/free-ports.js";

function listen(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen({ host: "127.0.0.1", port }, () => resolve(server));
  });
}

describe("free ports", () => {
  const counts = { managers: 2, storage: 1 };

  test("the range that is wanted is taken when it is free", async () => {
    const basePort = await freeBasePort(counts);
    assert.equal(await freeBasePort(counts, basePort + 5), basePort + 5);
  });

  for (const [what, offset] of [
    ["first manager's port", 1],
    ["storage node's port", 101],
    ["last manager's metrics port", 2002],
    ["storage node's metrics port", 2101],
  ] as const) {
    test(`another range is chosen when the ${what} is taken`, async () => {
      const basePort = await freeBasePort(counts);
      const server = await listen(basePort + offset);
      try {
        const other = await freeBasePort(counts);
        assert.notEqual(other, basePort);
        await assert.rejects(freeBasePort(counts, basePort), {
          name: "CliError",
          what: `DEMO_PORT=${basePort} does not do: port ${basePort + offset} is taken or not allowed`,
        });
      } finally {
        server.close();
      }
    });
  }
});
