import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { defined } from "../../../../src/base/assert.js";
import { toHex } from "../../../../src/base/bytes.js";
import { systemTime } from "../../../../src/base/time.js";
import { serviceRank } from "../../../../src/consensus/attestation/links.js";
import type { BlockCertificates } from "../../../../src/gen/bss/v1/block_pb.js";
import {
  StorageBlocksSchema,
  type VerifyIntegrityRequest,
  VerifyIntegrityRequestSchema,
  VerifyIntegrityResponseSchema,
} from "../../../../src/gen/bss/v1/verify_integrity_pb.js";
import { drawCommittee } from "../../../../src/ledger/certificates/committee.js";
import { CandidateBlocks } from "../../../../src/manager/ring/candidate-blocks.js";
import { StorageLinks, shownApartMs } from "../../../../src/manager/storage-nodes/storage-links.js";
import { StorageReceiver } from "../../../../src/manager/storage-nodes/storage-receiver.js";
import { Chain, certify } from "../../ledger/support/chain.js";
import { genesis, managerIds, policy, storageIds } from "../../ledger/support/consortium.js";
import { documentBytes, submitted } from "../../ledger/support/records.js";
import { callerContext, FakeStream, turns } from "../support/fake-stream.js";
import { FakeTimers } from "../support/fake-timers.js";
import { accept, attestation } from "../support/votes.js";

type Up = NonNullable<MessageInitShape<typeof VerifyIntegrityRequestSchema>["message"]>;
type Down = MessageInitShape<typeof VerifyIntegrityResponseSchema>;

const selfId = "manager-1";
const genesisHead = new Chain().head;
const record = documentBytes();
const { block, executed } = new Chain().propose({ candidates: [submitted([record])] });
const { facts } = executed;
const committee = drawCommittee({ eligible: facts.eligible, beacon: facts.beacon, round: 0 });
const certificates = certify(facts);
const task = {
  kind: "verify-integrity",
  height: 1,
  round: 0,
  blockId: facts.blockId,
  committee,
  accepts: facts.requiredAccepts.map((id) => accept(id, facts)),
} as const;
/** What the node makes of it. */
const received = (down: Down) => {
  const bytes = toBinary(
    VerifyIntegrityResponseSchema,
    create(VerifyIntegrityResponseSchema, down),
  );
  return fromBinary(VerifyIntegrityResponseSchema, bytes);
};
const rankOf = (nodeId: string) => serviceRank(nodeId, 1, managerIds, selfId);

describe("the links of storage nodes", () => {
  const timers = new FakeTimers();
  let links: StorageLinks;
  let receiver: StorageReceiver;
  let candidates: CandidateBlocks;
  let streams: Map<string, FakeStream<VerifyIntegrityRequest, Down>>;
  let head: { height: number; certificates?: BlockCertificates };
  let attested: string[];
  let dropped: string[];
  let told: string[];
  let fetched: (readonly [number, number])[];
  let nowMs: number;

  const up = (message: Up) => create(VerifyIntegrityRequestSchema, { message });
  const dial = (nodeId: string, peerAddress?: string) => {
    const stream = new FakeStream<VerifyIntegrityRequest, Down>();
    streams.set(nodeId, stream);
    const done = receiver.serve(callerContext("storage", nodeId, peerAddress), stream);
    return { stream, done };
  };
  const streamOf = (nodeId: string) => defined(streams.get(nodeId), "the node has dialled");
  const sentTo = (nodeId: string) => streamOf(nodeId).written.map(({ message }) => message?.case);
  const say = async (nodeId: string, message: Up) => {
    streamOf(nodeId).send(up(message));
    await turns();
  };

  beforeEach(() => {
    timers.install();
    streams = new Map();
    head = { height: 0 };
    attested = [];
    dropped = [];
    told = [];
    fetched = [];
    nowMs = 0;
    candidates = new CandidateBlocks({ isBoundTo: () => false });
    candidates.add(1, block, executed);
    const observer = {
      dropped: (nodeId: string, what: string) => void dropped.push(`${nodeId} ${what}`),
      storageHalted: (nodeId: string, height: number, text: string) =>
        void told.push(`${nodeId} halts at ${height}: ${text}`),
      storageDoubled: (nodeId: string, addresses: readonly string[], isToTell: boolean) =>
        void told.push(`${nodeId} runs twice, ${addresses.join(" and ")}${isToTell ? "!" : ""}`),
      storageLinks: () => {},
    };
    const store = {
      get head() {
        return { ...genesisHead, height: head.height };
      },
      get headCertificates() {
        return head.certificates;
      },
    };
    const members = () => genesis.members;
    const waste = { rest: () => undefined };
    const time = { ...systemTime, monotonicMs: () => nowMs };
    const context = { selfId, policy, members, time, store, observer, waste };
    links = new StorageLinks(context, candidates);
    receiver = new StorageReceiver(context, {
      storageLinks: links,
      blocks: {
        forStorage: async (from, limit) => {
          fetched.push([from, limit]);
          return create(StorageBlocksSchema);
        },
      },
      peerReceiver: { takeAttestation: async (from) => void attested.push(from) },
      supervision: { takeFork: async (nodeId) => void told.push(`${nodeId} shows a fork`) },
      storageSupervision: { takeReturn: async (nodeId) => void told.push(`${nodeId} returns`) },
    });
    for (const nodeId of storageIds) dial(nodeId);
  });

  afterEach(() => {
    links.close();
    assert.equal(timers.pendingCount, 0);
    timers.restore();
  });

  test("carry a candidate to its committee alone, from the home manager at once", () => {
    links.verify(task);
    for (const nodeId of storageIds) {
      const atOnce = committee.includes(nodeId) && rankOf(nodeId) === 0;
      assert.deepEqual(sentTo(nodeId), atOnce ? ["verify"] : [], nodeId);
    }
    timers.tick(400 * managerIds.length);
    for (const nodeId of storageIds) {
      assert.deepEqual(sentTo(nodeId), committee.includes(nodeId) ? ["verify"] : [], nodeId);
    }
  });

  test("carry the public part and sealed records, nothing that only managers may see", () => {
    links.verify(task);
    timers.tick(2_000);
    const [nodeId = ""] = committee;
    const [written] = streamOf(nodeId).written;
    const sent = received(defined(written, "a message was sent"));
    assert.ok(sent.message.case === "verify");
    assert.deepEqual(Object.keys(sent.message.value).sort(), [
      ...["$typeName", "approval", "block", "round", "sealedRecords"],
    ]);
    assert.deepEqual(sent.message.value.block, block.block);
    assert.deepEqual(sent.message.value.sealedRecords, executed.sealed);
    const text = JSON.stringify(sent, (_, value) =>
      value instanceof Uint8Array ? toHex(value) : typeof value === "bigint" ? `${value}` : value,
    );
    for (const secret of [record, ...block.privateEntries]) {
      assert.ok(!text.includes(toHex(secret)));
    }
  });

  test("stand in for nobody whose node has attested already, or for a decided height", async () => {
    links.verify(task);
    const late = committee.filter((nodeId) => rankOf(nodeId) > 0);
    const [eager = ""] = late;
    await say(eager, { case: "attestation", value: attestation(eager, facts) });
    assert.deepEqual(attested, [eager]);
    timers.tick(400 * (managerIds.length - 1));
    assert.deepEqual(sentTo(eager), []);
    links.verify({ ...task, round: 1 });
    head = { height: 1, certificates };
    timers.tick(2_000);
    for (const nodeId of late) assert.ok(sentTo(nodeId).length <= 1, nodeId);
  });

  test("do not ask about a block that was never judged", () => {
    candidates = new CandidateBlocks({ isBoundTo: () => false });
    links.verify({ ...task, blockId: new Uint8Array(32) });
    timers.tick(2_000);
    for (const nodeId of storageIds) assert.deepEqual(sentTo(nodeId), []);
  });

  test("tell every node of a final block, the bulk only to those that lack it", async () => {
    links.verify(task);
    timers.tick(2_000);
    const [holder = ""] = committee;
    await say(holder, { case: "attestation", value: attestation(holder, facts) });
    links.onAppended({ block, executed, certificates }, false);
    timers.tick(2_000);
    for (const nodeId of storageIds) {
      const message = streamOf(nodeId).written.at(-1)?.message;
      assert.ok(message?.case === "commit", nodeId);
      const bulk = rankOf(nodeId) === 0 && nodeId !== holder;
      assert.equal(message.value.block !== undefined, bulk, nodeId);
      // The largest part for many nodes, it is said once.
      assert.equal(message.value.certificates, certificates, nodeId);
      assert.equal(message.value.block?.certificates, undefined, nodeId);
    }
  });

  test("spare a node the news that it has told itself", async () => {
    links.onAppended({ block, executed, certificates }, false);
    const late = storageIds.filter((nodeId) => rankOf(nodeId) > 0);
    const [known = ""] = late;
    await say(known, { case: "head", value: { height: 1n } });
    assert.equal(links.heightOf(known), 1);
    timers.tick(2_000);
    assert.deepEqual(sentTo(known), []);
  });

  test("spare a node the news of the block before the one that it attests", async () => {
    links.onAppended({ block, executed, certificates }, false);
    const [known = ""] = storageIds.filter((nodeId) => rankOf(nodeId) > 0);
    await say(known, { case: "attestation", value: attestation(known, { ...facts, height: 2 }) });
    assert.equal(links.heightOf(known), 1);
    timers.tick(2_000);
    assert.deepEqual(sentTo(known), []);
  });

  test("show a node that is behind the head's certificates when it comes", async () => {
    head = { height: 5, certificates };
    await say("storage-1", { case: "head", value: { height: 3n } });
    assert.deepEqual(sentTo("storage-1"), ["commit"]);
    await say("storage-2", { case: "head", value: { height: 5n } });
    assert.deepEqual(sentTo("storage-2"), []);
  });

  for (const height of [0n, 4n]) {
    test(`show them again to one that stays behind at ${height}, not at once`, async () => {
      head = { height: 5, certificates };
      const shown = async () => {
        await say("storage-1", { case: "head", value: { height } });
        return sentTo("storage-1").length;
      };
      assert.equal(await shown(), 1);
      nowMs += shownApartMs - 1;
      assert.equal(await shown(), 1, "it is on its way");
      nowMs += 1;
      assert.equal(await shown(), 2);
      assert.equal(await shown(), 2);
    });
  }

  test("do not show a node again what it was just sent", async () => {
    head = { height: 1, certificates };
    const home = defined(
      storageIds.find((id) => rankOf(id) === 0),
      "this manager is home to one",
    );
    links.onAppended({ block, executed, certificates }, false);
    nowMs += shownApartMs - 1;
    await say(home, { case: "head", value: { height: 0n } });
    assert.deepEqual(sentTo(home), ["commit"]);
    nowMs += 1;
    await say(home, { case: "head", value: { height: 0n } });
    assert.deepEqual(sentTo(home), ["commit", "commit"]);
    timers.tick(2_000);
  });

  test("show the head at the next chance to a node for which there was no room", async () => {
    head = { height: 1, certificates };
    streamOf("storage-1").roomy = false;
    await say("storage-1", { case: "head", value: { height: 0n } });
    assert.deepEqual(dropped, ["storage-1 QUEUE_FULL"]);
    streamOf("storage-1").roomy = true;
    await say("storage-1", { case: "head", value: { height: 0n } });
    assert.deepEqual(sentTo("storage-1"), ["commit"]);
  });

  test("drop what a node attests in another's name, and heights that are no numbers", async () => {
    await say("storage-1", { case: "attestation", value: attestation("storage-2", facts) });
    assert.deepEqual(dropped, ["storage-1 ATTESTATION_OF_ANOTHER"]);
    assert.deepEqual(attested, []);
    await say("storage-1", { case: "head", value: { height: 2n ** 64n - 1n } });
    assert.equal(links.heightOf("storage-1"), 0);
  });

  test("pass on that a node is back, that the chain forks, and why a node has halted", async () => {
    await say("storage-1", { case: "returnNode", value: { nodeId: "storage-1" } });
    await say("storage-1", { case: "returnNode", value: { nodeId: "storage-2" } });
    await say("storage-2", { case: "fork", value: {} });
    await say("storage-3", { case: "halt", value: { height: 7n, text: "x".repeat(600) } });
    await say("storage-3", { case: "halt", value: { height: 8n, text: "again" } });
    const text = "x".repeat(500);
    assert.deepEqual(told, [
      "storage-1 returns",
      "storage-2 shows a fork",
      `storage-3 halts at 7: ${text}`,
    ]);
    assert.deepEqual(dropped, ["storage-1 RETURN_OF_ANOTHER"]);
    assert.equal(links.haltOf("storage-3"), text);
    await say("storage-3", { case: "attestation", value: attestation("storage-3", facts) });
    assert.equal(links.haltOf("storage-3"), undefined, "it takes part again");
  });

  test("keep why a node has halted on one line, which moves nobody's cursor", async () => {
    const text = "gone\u001B[2J\r\nmanager-1 in step\u009B31m\u202E\u200B\u2028end";
    await say("storage-3", { case: "halt", value: { height: 7n, text } });
    assert.match(links.haltOf("storage-3") ?? "", /^gone\uFFFD\[2J manager-1 [^\p{C}\u2028]*end$/u);
  });

  test("answer requests for blocks within bounds", async () => {
    for (const [fromHeight, limit] of [
      [1n, 10],
      [7n, 0],
      [7n, 1_000_000],
      [2n ** 64n - 1n, 10],
    ] as const) {
      await say("storage-1", { case: "fetchBlocks", value: { fromHeight, limit } });
    }
    assert.deepEqual(fetched, [
      [1, 10],
      [7, 1],
      [7, 100],
      [0, 10],
    ]);
    assert.deepEqual(new Set(sentTo("storage-1")), new Set(["blocks"]));
  });

  test("are one per node: a new one replaces the old one and outlives its end", async () => {
    const old = streamOf("storage-1");
    const { stream, done } = dial("storage-1");
    assert.ok(old.ended);
    await turns();
    assert.ok(links.connectedIds.includes("storage-1"));
    stream.end();
    await done;
    assert.ok(!links.connectedIds.includes("storage-1"));
  });

  test("are pushed off by a connection elsewhere, whose node has to know why", async () => {
    const { done: first } = dial("storage-9", "10.0.0.1:4001");
    dial("storage-9", "10.0.0.2:4002");
    await assert.rejects(first, { reason: "LINK_TAKEN_OVER" });
    assert.ok(links.connectedIds.includes("storage-9"));
    // A node that comes back over a new connection, while its old one seems alive.
    assert.deepEqual(told, []);
  });

  test("that two processes take from each other by turns are told of", async () => {
    const [one, other] = ["10.0.0.1:4001", "10.0.0.1:4002"];
    const pushedOff = [one, other, one, other].map((address) => dial("storage-9", address).done);
    await Promise.allSettled(pushedOff.slice(0, -1));
    assert.deepEqual(told, [
      `storage-9 runs twice, ${other} and ${one}!`,
      `storage-9 runs twice, ${one} and ${other}`,
    ]);
  });

  test("drop what a slow node has no room for, and say so", () => {
    for (const stream of streams.values()) stream.roomy = false;
    links.verify(task);
    timers.tick(2_000);
    assert.deepEqual(dropped.toSorted(), committee.map((id) => `${id} QUEUE_FULL`).toSorted());
  });
});
