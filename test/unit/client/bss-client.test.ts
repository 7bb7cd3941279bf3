import assert from "node:assert/strict";
import { join } from "node:path";
import { after, afterEach, before, describe, mock, test } from "node:test";
import {
  type BssClient,
  connect,
  document,
  submissionFromBinary,
  submissionToBinary,
  UntrueAnswer,
} from "../../../src/client/index.js";
import { RpcError } from "../../../src/rpc/rpc-error.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";
import { ToyConsortium } from "../../support/toy-consortium.js";

const note = (text: string, ownerId = "participant-1") =>
  document({
    ownerId,
    mediaType: "text/plain",
    name: text,
    timeMs: Date.now(),
    content: new TextEncoder().encode(text),
  });

describe("the client", () => {
  const parent = temporaryDirectory();
  let toy: ToyConsortium;
  let client: BssClient;

  before(async () => {
    toy = await ToyConsortium.create(join(parent, "toy"));
    client = await connect(toy.profile("participant-1"));
  });
  afterEach(() => {
    for (const { misbehaviour } of toy.managers) {
      for (const key of Object.keys(misbehaviour)) delete misbehaviour[key as "tamper"];
    }
    toy.objectTo = () => undefined;
    assert.deepEqual(toy.internalErrors, []);
  });
  after(async () => {
    client.close();
    await toy.close();
  });

  const submitNote = async (text: string) => {
    const response = await client.submit(client.sign([note(text)]));
    const [outcome] = response.outcomes;
    assert.ok(outcome?.outcome.case === "committed");
    return { hash: outcome.recordHash, place: outcome.outcome.value, response };
  };

  const errorOf = async (call: Promise<unknown>): Promise<RpcError> => {
    const error: unknown = await call.then(
      () => assert.fail("the call succeeded"),
      (thrown) => thrown,
    );
    assert.ok(error instanceof RpcError, String(error));
    return error;
  };

  test("gets places and blocks for what it submits", async () => {
    const { place, response } = await submitNote("first");
    assert.equal(response.blocks.length, 1);
    assert.equal(response.blocks[0]?.height, place.height);
    assert.equal(response.blocks[0]?.managerSignatures, 4);
  });

  test("gets the first place for a submission that it repeats", async () => {
    const submission = client.sign([note("repeated")]);
    const kept = submissionFromBinary(Buffer.from(submissionToBinary(submission)));
    assert.deepEqual(kept, submission);
    assert.equal(submissionFromBinary(Buffer.from("{}")), undefined);
    const [first, second] = [await client.submit(submission), await client.submit(submission)];
    assert.deepEqual(first.outcomes, second.outcomes);
  });

  test("goes on to the next manager with the same submission when one is gone", async () => {
    const own = await connect(toy.profile("participant-2"));
    try {
      const submission = own.sign([note("moved", "participant-2")]);
      let order = 0;
      toy.manager(0).misbehaviour.beforeAnswer = async () => {
        order = toy.ledger.entries.length;
        await toy.manager(0).stop();
      };
      const { outcomes } = await own.submit(submission);
      assert.equal(outcomes[0]?.outcome.case, "committed");
      assert.equal(toy.ledger.entries.length, order, "the record stands once");
      const callsBefore = toy.manager(1).calls.length;
      await own.submit(own.sign([note("and stays there", "participant-2")]));
      assert.equal(toy.manager(1).calls.length, callsBefore + 1);
    } finally {
      own.close();
      await toy.manager(0).start();
    }
  });

  test("wants bytes for a hash, and says so to programs without types", async () => {
    const digits = "ab".repeat(32) as unknown as Uint8Array;
    for (const ask of [
      () => client.getRecord(digits),
      () => client.getReceipt(digits),
      () => client.getRecordHistory(digits),
    ]) {
      await assert.rejects(ask, { name: "TypeError", message: /^a hash is 32 bytes/ });
    }
  });

  test("asks every manager before it gives up, and says what each one said", async (t) => {
    const asked = new Set<string>();
    for (const manager of toy.managers) {
      const missing = `${manager.id} misses storage-1`;
      manager.misbehaviour.refuse = () => {
        asked.add(manager.id);
        return new RpcError("STORAGE_UNAVAILABLE", missing);
      };
    }
    const timeoutMs = 60_000;
    const isOver = () => asked.size === toy.managers.length;
    const clock = mock.method(performance, "now", () => (isOver() ? timeoutMs : 0));
    t.after(() => clock.mock.restore());
    const error = await errorOf(client.submit(client.sign([note("nobody")]), { timeoutMs }));
    assert.equal(error.reason, "STORAGE_UNAVAILABLE");
    for (const manager of toy.managers) assert.match(error.message, new RegExp(manager.address));
    assert.match(error.message, /manager-3 misses storage-1/);
  });

  test("does not take to another manager what all would refuse", async () => {
    toy.objectTo = () => ({ reason: "DOUBLE_SPEND", message: "sold already" });
    const calls = () => toy.managers.reduce((sum, manager) => sum + manager.calls.length, 0);
    const before = calls();
    const error = await errorOf(client.submit(client.sign([note("refused")])));
    assert.deepEqual([error.reason, error.message], ["DOUBLE_SPEND", "sold already"]);
    assert.equal(calls(), before + 1);
  });

  test("waits as long as an overloaded manager asks for", async () => {
    let refusals = 2;
    for (const { misbehaviour } of toy.managers) {
      misbehaviour.refuse = () =>
        refusals-- > 0 ? new RpcError("POOL_FULL", "full", { retryAfterMs: 1 }) : undefined;
    }
    await submitNote("patient");
    assert.equal(refusals, -1);
  });

  test("a signal ends a call", async () => {
    const controller = new AbortController();
    for (const { misbehaviour } of toy.managers) {
      misbehaviour.beforeOrder = () => controller.abort();
      misbehaviour.beforeAnswer = () => new Promise((resolve) => setTimeout(resolve, 50));
    }
    const { signal } = controller;
    const error = await errorOf(client.submit(client.sign([note("given up")]), { signal }));
    assert.equal(error.reason, "CANCELLED");
  });

  test("reads a record back as its owner, and only its place as another", async () => {
    const { hash, place } = await submitNote("private");
    const mine = await client.getRecord(hash);
    assert.equal(mine.position, Number(place.position));
    assert.ok(mine.content?.record.payload.case === "document");
    assert.equal(mine.content.record.payload.value.name, "private");
    const other = await connect(toy.profile("participant-2"));
    const theirs = await other.getRecord(hash);
    other.close();
    assert.deepEqual([theirs.hash, theirs.position], [hash, mine.position]);
    assert.equal(theirs.content, undefined);
  });

  test("an unknown record is RECORD_UNKNOWN", async () => {
    const error = await errorOf(client.getRecord(new Uint8Array(32)));
    assert.equal(error.reason, "RECORD_UNKNOWN");
  });

  test("gives every version of a record, oldest first", async () => {
    const { hash } = await submitNote("version 1");
    const update = document({
      ownerId: "participant-1",
      mediaType: "text/plain",
      name: "version 2",
      timeMs: 1,
      content: new Uint8Array(),
      parent: hash,
    });
    const response = await client.submit(client.sign([update]));
    const later = response.outcomes[0]?.recordHash ?? new Uint8Array();
    for (const any of [hash, later]) {
      const versions = await client.getRecordHistory(any);
      assert.deepEqual(
        versions.map((version) => version.hash),
        [hash, later],
      );
      assert.deepEqual(versions[0]?.content?.successor, later);
      assert.equal(versions[1]?.content?.successor, undefined);
    }
  });

  test("lists over all pages", async () => {
    const own = await connect(toy.profile("participant-3"));
    for (let i = 0; i < 5; i++) await own.submit(own.sign([note(`n${i}`, "participant-3")]));
    const names: string[] = [];
    for await (const { content } of own.listRecords({ participantId: "participant-3" })) {
      const payload = content?.record.payload;
      if (payload?.case === "document") names.push(payload.value.name);
    }
    own.close();
    assert.deepEqual(names, ["n0", "n1", "n2", "n3", "n4"]);
  });

  test("refuses content that is not what was hashed", async () => {
    const { hash } = await submitNote("true");
    for (const { misbehaviour } of toy.managers) {
      misbehaviour.tamper = (entry) => {
        entry.record = note("false");
      };
    }
    await assert.rejects(client.getRecord(hash), UntrueAnswer);
    await assert.rejects(client.getRecordHistory(hash), UntrueAnswer);
  });

  test("gives receipts that it has verified, and no others", async () => {
    const { hash } = await submitNote("receipt");
    const receipt = await client.getReceipt(hash);
    assert.deepEqual(receipt.recordHash, hash);
    for (const { misbehaviour } of toy.managers) {
      misbehaviour.tamper = (answer) => {
        answer.sealDigest = new Uint8Array(32);
      };
    }
    await assert.rejects(client.getReceipt(hash), /proves nothing.*does not lead/);
    const other = (await submitNote("another")).hash;
    for (const { misbehaviour } of toy.managers) {
      misbehaviour.tamper = (answer) => {
        answer.recordHash = other;
      };
    }
    await assert.rejects(client.getReceipt(hash), /no receipt for this record/);
  });

  test("reads blocks by height and id, and refuses one that is not its id", async () => {
    const { response } = await submitNote("block");
    const id = response.blocks[0]?.blockId ?? new Uint8Array();
    const byId = await client.getBlock({ blockId: id });
    const byHeight = await client.getBlock({ height: Number(byId.height) });
    assert.deepEqual(byHeight.block, byId.block);
    assert.equal((await errorOf(client.getBlock({ height: 10_000 }))).reason, "BLOCK_UNKNOWN");
    for (const { misbehaviour } of toy.managers) {
      misbehaviour.tamper = (answer) => {
        answer.blockId = new Uint8Array(32);
      };
    }
    await assert.rejects(client.getBlock({ blockId: id }), UntrueAnswer);
    await assert.rejects(client.getBlock({ height: Number(byId.height) }), UntrueAnswer);
  });

  test("lists all blocks over pages, with and without their bodies", async () => {
    for (const headersOnly of [true, false]) {
      const heights: number[] = [];
      const blocks = client.listBlocks({ pageSize: 3, headersOnly, fromHeight: 2 });
      for await (const { height, block } of blocks) {
        heights.push(Number(height));
        assert.equal(block?.leaves.length === 0, headersOnly);
      }
      const expected = Array.from({ length: toy.ledger.height - 1 }, (_, i) => i + 2);
      assert.deepEqual(heights, expected);
    }
  });

  test("proves that the ledger has only grown, from a root that it holds", async () => {
    const root = await toy.ledger.rootAt(3);
    const proof = await client.consistencyProof({ treeSize: 3, root });
    assert.equal(proof.toTreeSize, BigInt(toy.ledger.entries.length));
    const between = await client.consistencyProof({ treeSize: 2 }, { treeSize: 5 });
    assert.deepEqual(between.toRoot, await toy.ledger.rootAt(5));
    const other = await toy.ledger.rootAt(2);
    await assert.rejects(client.consistencyProof({ treeSize: 3, root: other }), /root over 3/);
    for (const { misbehaviour } of toy.managers) {
      misbehaviour.tamper = (answer) => {
        answer.proof = [other];
      };
    }
    await assert.rejects(client.consistencyProof({ treeSize: 3, root }), /does not hold/);
    for (const { misbehaviour } of toy.managers) {
      misbehaviour.tamper = (answer) => {
        answer.fromTreeSize = 2n;
      };
    }
    await assert.rejects(client.consistencyProof({ treeSize: 3, root }), /asked for 3/);
  });

  test("tells what managers and storage nodes there are", async () => {
    const consortium = await client.getConsortium();
    assert.equal(consortium.managers.length, 4);
    const ids: string[] = [];
    for await (const { nodeId } of client.listStorageNodes()) ids.push(nodeId);
    assert.deepEqual(ids, ["storage-1", "storage-2"]);
  });

  test("asks one node by its address about itself", async () => {
    for (const { address, id } of toy.managers) {
      assert.equal((await client.statusOf(address)).nodeId, id);
    }
    const error = await errorOf(client.statusOf("127.0.0.1:1"));
    assert.equal(error.reason, "NODE_UNREACHABLE");
  });

  test("takes no manager for a storage node, and no server of another genesis at all", async () => {
    const { address } = toy.manager(0);
    const asStorage = await errorOf(client.statusOf(address, { role: "storage" }));
    assert.equal(asStorage.status, "UNAVAILABLE");
    const stranger = await ToyConsortium.create(join(parent, "stranger"), { managers: 1 });
    try {
      const error = await errorOf(client.statusOf(stranger.manager(0).address));
      assert.equal(error.status, "UNAVAILABLE");
    } finally {
      await stranger.close();
    }
  });

  test("a client that is closed calls nobody", async () => {
    const own = await connect(toy.profile("participant-1"));
    own.close();
    assert.equal((await errorOf(own.status())).reason, "CANCELLED");
  });
});
