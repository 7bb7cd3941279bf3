/**
 * A whole consortium, each node a process of its own: what it makes final, what it refuses, and
 * what is left of it after kill -9. The tests build on each other's chain, in their order.
 */
import assert from "node:assert/strict";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { defined } from "../../../src/base/assert.js";
import { toHex } from "../../../src/base/bytes.js";
import {
  type BssClient,
  energyTrade,
  meterReading,
  readGenesis,
  receiptFromJson,
  receiptToJson,
  recordHash,
  type Submission,
  type SubmitResponse,
  signTrade,
  tradeTerms,
  verifyReceipt,
  WaitFor,
} from "../../../src/client/index.js";
import { LiveConsortium, poll, suiteTimeoutMs } from "../../support/live-consortium.js";
import { noteOf } from "../../support/notes.js";
import { rpcErrorFrom } from "../../support/rpc-consortium.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";

const hourS = 3_600;
const managerIds = ["manager-1", "manager-2", "manager-3", "manager-4"] as const;

describe("a consortium of four managers and four storage nodes", {
  timeout: suiteTimeoutMs,
}, () => {
  let consortium: LiveConsortium;
  let seller: BssClient;
  let buyer: BssClient;

  // Registered before the directory's own removal, so the nodes end first.
  after(() => consortium?.close());
  const parent = temporaryDirectory();

  before(async () => {
    const sizes = { managers: 4, storage: 4, participants: 3 };
    consortium = await LiveConsortium.start(join(parent, "live"), sizes);
    seller = await consortium.client("participant-1");
    buyer = await consortium.client("participant-2");
  });

  const hashOf = (record: Uint8Array) => recordHash(consortium.genesis.consortiumId, record);

  /** The start of the last hour that has ended, Unix s. */
  const lastHourS = Math.floor(Date.now() / 1000 / hourS) * hourS - hourS;

  const tradeOf = (energyWh: number) => {
    const { consortiumId } = consortium.genesis;
    const terms = tradeTerms({
      sellerId: "participant-1",
      buyerId: "participant-2",
      energyWh,
      deliveryStartS: lastHourS,
      priceMicroPerKwh: 200_000,
    });
    return energyTrade({
      ownerId: "participant-1",
      terms,
      timeMs: Date.now(),
      sellerSignature: signTrade(consortiumId, terms, seller.profile.signingSeed),
      buyerSignature: signTrade(consortiumId, terms, buyer.profile.signingSeed),
    });
  };

  const height = async () => (await consortium.agreeOn(0)).height;

  for (const [id, peers] of [
    ["manager-1", ["manager-2", "manager-3", "manager-4"]],
    ["storage-1", managerIds],
  ] as const) {
    test(`has counters of ${id} that start at 0 before anything happens to its peers`, async () => {
      const { host, port } = defined(consortium.node(id).config.metrics, "metrics are served");
      const text = await (await fetch(`http://${host}:${port}/metrics`)).text();
      const isZero = (series: string) => assert.match(text, new RegExp(`^${series},.*} 0$`, "m"));
      for (const peer of peers) {
        isZero(`bss_heads_differing_total{manager="${peer}"`);
        isZero(`bss_false_objections_total{manager="${peer}"`);
        isZero(`bss_sync_blamed_total{peer="${peer}",reason="slow"`);
      }
      isZero('bss_evidence_total{kind="two votes"');
      isZero('bss_grpc_calls_total{service="bss.v1.QueryService",method="GetFork",code="INTERNAL"');
    });
  }

  test("makes readings and a trade final everywhere, with receipts that hold offline", async () => {
    const interval = { intervalStartS: lastHourS, intervalS: hourS };
    const exported = meterReading({
      ownerId: "participant-1",
      meterId: "meter-1",
      ...interval,
      importedWh: 0,
      exportedWh: 1_000,
    });
    const imported = meterReading({
      ownerId: "participant-2",
      meterId: "meter-2",
      ...interval,
      importedWh: 1_000,
      exportedWh: 0,
    });
    const readings = await Promise.all([
      seller.submit(seller.sign([exported])),
      buyer.submit(buyer.sign([imported])),
    ]);
    const trade = tradeOf(600);
    const traded = await seller.submit(seller.sign([trade]));
    assert.deepEqual(
      [...readings, traded].map((answer) => answer.outcomes.map(({ outcome }) => outcome.case)),
      [["committed"], ["committed"], ["committed"]],
    );
    const { treeSize } = await consortium.agreeOn(Number(traded.blocks[0]?.height));
    assert.equal(treeSize, 3);

    const genesis = readGenesis(join(consortium.directory, "genesis.json"));
    for (const record of [exported, imported, trade]) {
      const file = receiptToJson(await buyer.getReceipt(hashOf(record)));
      const receipt = receiptFromJson(file);
      assert(receipt.ok);
      const verified = verifyReceipt(receipt.value, genesis, { record });
      assert(verified.ok, verified.ok ? "" : verified.error.message);
      assert(verified.value.signers.length >= genesis.members.quorum);
      assert(verified.value.recordChecked);
    }
  });

  test("refuses to sell the same energy twice, with its reason in the status", async () => {
    const submission = seller.sign([tradeOf(600)]);
    const failure = await rpcErrorFrom(seller.submit(submission));
    assert.equal(failure.status, "FAILED_PRECONDITION");
    assert.equal(failure.reason, "DOUBLE_SPEND");
    const rest = await seller.submit(seller.sign([tradeOf(400)]));
    assert.equal(rest.outcomes[0]?.outcome.case, "committed");
  });

  test("answers a submission that comes again with its first receipt, by any manager", async () => {
    const submission = seller.sign([
      noteOf("participant-1", "once"),
      noteOf("participant-1", "again"),
    ]);
    const first = await seller.submit(submission);
    const before = await consortium.agreeOn(Number(first.blocks[0]?.height));
    for (const id of managerIds) {
      const client = await consortium.client("participant-1", [id]);
      assert.deepEqual((await client.submit(submission)).outcomes, first.outcomes);
    }
    const { height: top, treeSize, root } = await consortium.agreeOn(0);
    assert.deepEqual([top, treeSize, root], [before.height, before.treeSize, before.root]);
  });

  test("goes on without one storage node, which catches up when it is back", async () => {
    await consortium.kill(["storage-4"]);
    const answer = await seller.submit(seller.sign([noteOf("participant-1", "three are left")]));
    assert.equal(answer.outcomes[0]?.outcome.case, "committed");
    await consortium.restart(["storage-4"]);
    await consortium.agreeOn(Number(answer.blocks[0]?.height));
  });

  test("names the manager that is missing, and goes on by itself when it is back", async () => {
    const start = await height();
    await consortium.kill(["manager-4"]);
    const record = noteOf("participant-1", "needs all four");
    const client = await consortium.client("participant-1", ["manager-1"]);
    const submission = client.sign([record]);
    // An answer may come too late, and others may be late as well; then it is asked for again.
    const failure = await poll(async () => {
      const refused = await rpcErrorFrom(client.submit(submission, { timeoutMs: 1_500 }));
      return refused.metadata.missing_managers === "manager-4" ? refused : undefined;
    }, "a refusal for want of manager-4");
    assert.equal(failure.status, "UNAVAILABLE");
    assert.equal(failure.reason, "MANAGERS_UNAVAILABLE");
    await consortium.restart(["manager-4"]);
    // The same submission again: it has been in the pool all the time.
    assert.equal((await client.submit(submission)).outcomes[0]?.outcome.case, "committed");
    const receipt = await client.getReceipt(hashOf(record));
    assert(receipt.height > BigInt(start));
    await consortium.agreeOn(Number(receipt.height));
  });

  test("gives a manager that has lost its disk the whole chain again", async () => {
    const head = await height();
    assert(head > 3);
    await consortium.kill(["manager-4"]);
    const data = join(consortium.directory, "managers", "manager-4", "data");
    rmSync(data, { recursive: true });
    mkdirSync(data, { mode: 0o700 });
    await consortium.restart(["manager-4"]);
    await consortium.agreeOn(head);
    const answer = await buyer.submit(buyer.sign([noteOf("participant-2", "after the loss")]));
    await consortium.agreeOn(Number(answer.blocks[0]?.height));
  });

  test("shows a watcher every block once, over a restart of the node that it watches", async () => {
    const client = await consortium.client("participant-3", ["manager-2"]);
    const abort = new AbortController();
    const heights: number[] = [];
    let reconnects = 0;
    const watching = (async () => {
      const onReconnect = () => void reconnects++;
      for await (const block of client.watchBlocks(1, { signal: abort.signal, onReconnect })) {
        heights.push(Number(block.height));
      }
    })();
    const watched = (to: number) =>
      poll(async () => (heights.length >= to ? true : undefined), `watching block ${to}`);
    const start = await height();
    await watched(start);
    await consortium.kill(["manager-2"]);
    await consortium.restart(["manager-2"]);
    for (const text of ["one", "two", "three"]) {
      await seller.submit(seller.sign([noteOf("participant-1", text)]));
    }
    const end = await height();
    assert(end > start);
    await watched(end);
    abort.abort();
    assert.equal((await rpcErrorFrom(watching)).status, "CANCELLED");
    assert.deepEqual(
      heights,
      Array.from({ length: end }, (_, i) => i + 1),
    );
    assert(reconnects > 0);
  });

  test("loses no acknowledged record when every node is killed in the middle", async () => {
    let ended = false;
    let made = 0;
    const source = function* (): Generator<Submission> {
      while (!ended) {
        made += 1;
        const records = [1, 2, 3].map((i) => noteOf("participant-3", `stream ${made}.${i}`));
        yield client.sign(records);
      }
    };
    const client = await consortium.client("participant-3");
    const acknowledged: SubmitResponse[] = [];
    let restarted: Promise<void> | undefined;
    let afterRestart = 0;
    for await (const { response } of client.submitStream(source(), { inFlightMax: 8 })) {
      assert(response !== undefined);
      acknowledged.push(response);
      if (restarted === undefined && acknowledged.length >= 12) {
        restarted = consortium.kill().then(() => consortium.restart());
        await restarted;
      } else if (restarted !== undefined) {
        afterRestart += 1;
        ended = afterRestart >= 24;
      }
    }
    assert.equal(acknowledged.length, made);
    await height();
    const places = acknowledged.flatMap(({ outcomes }) =>
      outcomes.map(({ recordHash: hash, outcome }) => {
        assert(outcome.case === "committed");
        return [toHex(hash), `${outcome.value.height}/${outcome.value.position}`] as const;
      }),
    );
    assert.equal(new Map(places).size, 3 * made);
    for (const id of managerIds) {
      const reader = await consortium.client("participant-3", [id]);
      const found = new Map<string, string>();
      for await (const record of reader.listRecords({ participantId: "participant-3" })) {
        found.set(toHex(record.hash), `${record.height}/${record.position}`);
      }
      assert.deepEqual(found, new Map(places), id);
    }
  });

  test("makes final what it accepted, though every node was killed before it could", async () => {
    await consortium.kill(["manager-4"]);
    const client = await consortium.client("participant-1", ["manager-1"]);
    const record = noteOf("participant-1", "accepted");
    const answer = await client.submit(client.sign([record]), { waitFor: WaitFor.ACCEPTED });
    assert.equal(answer.outcomes[0]?.outcome.case, "pending");
    assert.equal((await rpcErrorFrom(client.getReceipt(hashOf(record)))).reason, "RECORD_UNKNOWN");
    await consortium.kill();
    await consortium.restart();
    const receipt = await poll(
      () => client.getReceipt(hashOf(record)).catch(() => undefined),
      "the accepted record becomes final",
    );
    await consortium.agreeOn(Number(receipt.height));
  });

  test("has met no fault of its own in all this", () => {
    const faults = consortium
      .logs()
      .split("\n")
      .filter((line) => line !== "" && !/^\{"level":(10|20|30|40),/.test(line));
    assert.deepEqual(faults, []);
  });
});
