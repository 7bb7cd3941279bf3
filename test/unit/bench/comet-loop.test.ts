import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { after, before, describe, test } from "node:test";
import { CometLoop, commitInFlightMax } from "../../../bench/peers/cometbft/loop.js";

/**
 * Answers as a node of CometBFT does: what was handed over is in the next block, which is there
 * one call before its results are. Every tenth transaction is refused by the app.
 */
class MadeUpNode {
  readonly #blocks: string[][] = [[]];
  readonly #pool: string[] = [];
  readonly #codes = new Map<string, number>();
  readonly #seen = new Set<string>();
  #taken = 0;

  answer(method: string, params: { readonly tx?: string; readonly height?: string }): unknown {
    const { tx = "", height = "0" } = params;
    const txs = this.#blocks[Number(height) - 1] ?? [];
    switch (method) {
      case "status":
        if (this.#pool.length > 0) this.#blocks.push(this.#pool.splice(0));
        return { sync_info: { latest_block_height: `${this.#blocks.length}` } };
      case "broadcast_tx_sync":
        this.#take(tx);
        return { code: 0, log: "" };
      case "broadcast_tx_commit":
        this.#take(tx);
        return { check_tx: { code: 0 }, tx_result: { code: this.#codes.get(tx) } };
      case "block":
        return { block: { data: { txs } } };
      case "block_results":
        if (!this.#seen.has(height)) {
          this.#seen.add(height);
          return undefined;
        }
        return { txs_results: txs.map((each) => ({ code: this.#codes.get(each), log: "" })) };
      default:
        return undefined;
    }
  }

  #take(tx: string): void {
    this.#taken += 1;
    this.#codes.set(tx, this.#taken % 10 === 0 ? 3 : 0);
    this.#pool.push(tx);
  }
}

function serve(node: MadeUpNode): Server {
  return createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { id, method, params } = JSON.parse(Buffer.concat(chunks).toString("utf8"));
      const result = node.answer(method, params);
      const body =
        result === undefined ? { error: { data: "could not find results" } } : { result };
      response.end(JSON.stringify(Object.assign({ jsonrpc: "2.0", id }, body)));
    });
  });
}

describe("a loop on CometBFT", () => {
  let server: Server;
  let port = 0;
  before(async () => {
    server = serve(new MadeUpNode()).listen({ host: "127.0.0.1", port: 0 });
    await once(server, "listening");
    const address = server.address();
    port = typeof address === "object" && address !== null ? address.port : 0;
  });
  after(() => {
    server.close();
    server.closeAllConnections();
  });

  for (const inFlight of [1, commitInFlightMax, commitInFlightMax + 1, 256]) {
    test(`sees each of ${inFlight} in flight become final or be refused`, async () => {
      const loop = new CometLoop(port, { recordBytes: 66, inFlight }, 0);
      await loop.warm;
      while (loop.entries.length < 3 * inFlight + 20) await new Promise(setImmediate);
      await loop.stop(60_000);
      // What the end has cut off, such as a look at the height, is heard of later.
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
      assert.equal(loop.failure, undefined);
      const answered = loop.entries.filter(({ answeredMs }) => answeredMs !== undefined);
      assert.equal(answered.length, loop.entries.length);
      const refused = answered.filter((entry) => "CODE_3" in entry.refused);
      const final = answered.filter(({ committed }) => committed === 1);
      assert.equal(refused.length + final.length, answered.length);
      assert.ok(refused.length > 0);
    });
  }

  test("ends, and says so, when nobody answers", async () => {
    const nobody = serve(new MadeUpNode()).listen({ host: "127.0.0.1", port: 0 });
    await once(nobody, "listening");
    const address = nobody.address();
    const gone = typeof address === "object" && address !== null ? address.port : 0;
    nobody.close();
    await once(nobody, "close");
    const loop = new CometLoop(gone, { recordBytes: 66, inFlight: 256 }, 0);
    await loop.warm;
    await loop.stop(1);
    assert.match(loop.failure ?? "", /ECONNREFUSED/);
  });
});
