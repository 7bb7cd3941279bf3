import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import { AssertionFailed, defined } from "../../../../src/base/assert.js";
import { PrivateEntrySchema } from "../../../../src/gen/bss/v1/block_pb.js";
import { InvitedRole } from "../../../../src/gen/bss/v1/genesis_pb.js";
import type { BuiltBlock } from "../../../../src/ledger/blocks/block-building.js";
import { controlBytesMax } from "../../../../src/ledger/blocks/block-parsing.js";
import { parseManagerBlock } from "../../../../src/ledger/blocks/manager-blocks.js";
import { Chain, type ProposalOptions } from "../support/chain.js";
import { policy, quarterS, startS } from "../support/consortium.js";
import { invitationBytes, registrationOf } from "../support/invitations.js";
import {
  documentBytes,
  hashOf,
  parsed,
  readingBytes,
  submitted,
  tradeBytes,
} from "../support/records.js";
import { suspendNode } from "../support/storage-statements.js";

const buyersReading = () =>
  readingBytes({ owner: "participant-2", meter: "meter-2", imported: 100 });

/** Which records of which submission each private entry adds. */
function entriesOf({ block }: BuiltBlock): readonly (readonly number[])[] {
  return block.privateEntries.map((bytes) => fromBinary(PrivateEntrySchema, bytes).recordIndexes);
}

function reasonsOf(built: BuiltBlock): readonly (readonly [string, string])[] {
  return built.objections.map(({ record, violation }) => [record.hashHex, violation.reason]);
}

const hex = (bytes: Uint8Array) => parsed(bytes).hashHex;

describe("a built block", () => {
  test("adds every candidate that keeps the rules, in their order", () => {
    const chain = new Chain();
    const records = [readingBytes(), buyersReading(), tradeBytes(), documentBytes()];
    const built = chain.extend({
      candidates: [submitted(records.slice(0, 2), "head-end"), submitted(records.slice(2))],
    });
    assert.deepEqual(built.block.records, records);
    assert.deepEqual(entriesOf(built), [
      [0, 1],
      [0, 1],
    ]);
    assert.equal(chain.head.frontier.size, 4);
    assert.deepEqual(
      built.executed.placed.map(({ position }) => position),
      [0, 1, 2, 3],
    );
    assert.equal(built.executed.sealed.length, 4);
    assert.deepEqual(built.executed.newNodes.length, 7);
  });

  test("may be empty, and says so in its facts", () => {
    const chain = new Chain();
    const { executed } = chain.extend();
    assert.equal(executed.facts.leafCount, 0);
    assert.equal(executed.facts.height, 1);
    assert.deepEqual(executed.stateWrites, []);
    assert.notDeepEqual(chain.head.stateDigest, new Chain().head.stateDigest);
  });

  test("continues positions and certificates over many blocks and all proposers", () => {
    const chain = new Chain();
    for (let i = 0; i < 6; i++) {
      const records = i % 2 === 0 ? [documentBytes(), documentBytes()] : [];
      const candidates = records.length === 0 ? [] : [submitted(records)];
      const { executed } = chain.extend({ candidates, createdRound: i % 3 });
      assert.equal(executed.facts.treeSize, 2 * Math.ceil((i + 1) / 2));
      assert.equal(executed.facts.proposerId, `manager-${((i + 1 + (i % 3)) % 4) + 1}`);
    }
  });

  test("leaves out records that break a rule, and says which", () => {
    const chain = new Chain();
    const right = readingBytes();
    const wrong = readingBytes({ exported: 99_999, start: startS + quarterS });
    const foreign = documentBytes({}, { ownerId: "participant-3" });
    const built = chain.propose({ candidates: [submitted([wrong, right, foreign])] });
    assert.deepEqual(built.block.records, [right]);
    assert.deepEqual(entriesOf(built), [[1]]);
    assert.deepEqual(reasonsOf(built), [
      [hex(wrong), "ENERGY_ABOVE_RATING"],
      [hex(foreign), "AGENT_NOT_AUTHORIZED"],
    ]);
    assert.ok(chain.judge(built.block).ok);
  });

  test("leaves out what is on the ledger, without an objection", () => {
    const chain = new Chain();
    const old = documentBytes();
    chain.extend({ candidates: [submitted([old])] });
    const fresh = documentBytes();
    const built = chain.propose({ candidates: [submitted([old, fresh])] });
    assert.deepEqual(built.block.records, [fresh]);
    assert.deepEqual(built.objections, []);
    assert.deepEqual(
      built.duplicates.map(({ record }) => record.hash),
      [hashOf(old)],
    );
  });

  test("adds a record that waits twice once, without an objection", () => {
    const bytes = documentBytes();
    const built = new Chain().propose({
      candidates: [submitted([bytes]), submitted([bytes], "head-end"), submitted([bytes])],
    });
    assert.deepEqual(built.block.records, [bytes]);
    assert.deepEqual([built.objections, built.duplicates], [[], []]);
  });

  test("adds a record that one submitter may add, though another may not", () => {
    const bytes = documentBytes();
    for (const submitters of [
      ["participant-3", "head-end"],
      ["head-end", "participant-3"],
    ]) {
      const candidates = submitters.map((submitter) => submitted([bytes], submitter));
      const built = new Chain().propose({ candidates });
      assert.deepEqual(built.block.records, [bytes]);
      assert.deepEqual(built.objections, []);
    }
  });

  test("leaves out, without a word, what is excluded", () => {
    const [one, other] = [documentBytes(), documentBytes()];
    const built = new Chain().propose({
      candidates: [submitted([one, other])],
      excluded: new Set([hex(one)]),
    });
    assert.deepEqual(built.block.records, [other]);
    assert.deepEqual(built.objections, []);
  });

  test("adds no records after one that went unattested, if it changes who may attest", () => {
    const chain = new Chain({ ...policy, unreachableAfterMs: 1_000 });
    chain.extend();
    const candidates = [submitted([documentBytes()])];
    const control = [suspendNode("storage-1", 1)];
    const recordsOf = (options: ProposalOptions) =>
      chain.propose({ candidates, ...options }).block.records.length;
    assert.equal(recordsOf({ control, unattested: true }), 0);
    assert.equal(recordsOf({ control }), 1, "nobody was asked in vain");
    assert.equal(recordsOf({ unattested: true }), 1, "others cannot be asked");
    const stranger = [suspendNode("storage-9", 1)];
    assert.equal(recordsOf({ control: stranger, unattested: true }), 1, "it does not fit");
    assert.deepEqual(chain.propose({ candidates, control, unattested: true }).objections, []);
  });

  test("adds no records while too few storage nodes are eligible", () => {
    const chain = new Chain({ ...policy, minStorage: 5 });
    const candidates = [submitted([documentBytes()])];
    assert.deepEqual(chain.propose({ candidates }).block.records, []);
    const enough = new Chain({ ...policy, minStorage: 4 });
    assert.equal(enough.propose({ candidates }).block.records.length, 1);
  });
});

describe("records that stand before what they rest on", () => {
  test("a trade before its readings is placed after them", () => {
    const trade = tradeBytes({ energy: 100 });
    const [sold, bought] = [readingBytes(), buyersReading()];
    const built = new Chain().extend({
      candidates: [submitted([trade, sold]), submitted([bought], "participant-2")],
    });
    assert.deepEqual(built.block.records, [sold, bought, trade]);
    assert.deepEqual(entriesOf(built), [[1], [0], [0]]);
  });

  test("updates before their parents are placed, however long the chain", () => {
    const versions = [documentBytes()];
    while (versions.length < 40) {
      versions.push(documentBytes({}, { parent: hashOf(versions.at(-1) ?? new Uint8Array()) }));
    }
    const built = new Chain().extend({ candidates: [submitted(versions.toReversed())] });
    assert.deepEqual(built.block.records, versions);
  });

  test("a lower reading before the trade update that makes room for it is placed", () => {
    const chain = new Chain();
    const reading = readingBytes({ exported: 100 });
    const trade = tradeBytes({ energy: 100 });
    const candidates = [submitted([reading, trade]), submitted([buyersReading()], "head-end")];
    chain.extend({ candidates });
    const lower = readingBytes({ exported: 50, parent: hashOf(reading) });
    const less = tradeBytes({ energy: 50, parent: hashOf(trade) });
    const built = chain.extend({ candidates: [submitted([lower, less])] });
    assert.deepEqual(built.block.records, [less, lower]);
  });

  test("what nothing cures is objected to once, for its last reason", () => {
    const trade = tradeBytes({ energy: 101 });
    const orphan = documentBytes({}, { parent: hashOf(documentBytes()) });
    const built = new Chain().propose({
      candidates: [
        submitted([trade, orphan, readingBytes()]),
        submitted([buyersReading()], "head-end"),
      ],
    });
    assert.deepEqual(reasonsOf(built), [
      [hex(trade), "DOUBLE_SPEND"],
      [hex(orphan), "PARENT_UNKNOWN"],
    ]);
  });

  test("of two trades that cannot both be covered the first in line is placed", () => {
    const [one, other] = [tradeBytes({ energy: 60 }), tradeBytes({ energy: 60 })];
    const candidates = [
      submitted([one, other]),
      submitted([buyersReading(), readingBytes()], "head-end"),
    ];
    const built = new Chain().propose({ candidates });
    assert.deepEqual(reasonsOf(built), [[hex(other), "DOUBLE_SPEND"]]);
    assert.deepEqual(built.block.records.at(-1), one);
  });
});

describe("a full block", () => {
  const documents = Array.from({ length: 6 }, () => documentBytes());
  const candidates = [submitted(documents)];

  test("holds as many records as the policy allows, and objects to none of the rest", () => {
    const chain = new Chain({ ...policy, blockRecordsMax: 4 });
    const built = chain.propose({ candidates });
    assert.deepEqual(built.block.records, documents.slice(0, 4));
    assert.deepEqual(built.objections, []);
    assert.ok(chain.judge(built.block).ok);
  });

  test("holds fewer when its proposer wants a smaller one, and never more than the policy", () => {
    for (const [recordsMax, count] of [
      [2, 2],
      [5, 4],
    ] as const) {
      const chain = new Chain({ ...policy, blockRecordsMax: 4 });
      const built = chain.propose({ candidates, recordsMax });
      assert.equal(built.block.records.length, count);
      assert.deepEqual(built.objections, []);
      assert.ok(chain.judge(built.block).ok);
    }
  });

  test("holds as many bytes of records as the policy allows", () => {
    const large = Array.from({ length: 3 }, () => documentBytes({ content: new Uint8Array(200) }));
    const blockBytesMax = large.slice(0, 2).reduce((sum, bytes) => sum + bytes.length, 0);
    for (const [change, count] of [
      [0, 2],
      [-1, 1],
    ] as const) {
      const chain = new Chain({ ...policy, blockBytesMax: blockBytesMax + change });
      const built = chain.propose({ candidates: [submitted(large)] });
      assert.equal(built.block.records.length, count);
      assert.deepEqual(built.objections, []);
      assert.ok(chain.judge(built.block).ok);
    }
  });

  test("holds as many bytes of submission headers as the policy allows", () => {
    const short = documents.map(() => documentBytes({ name: "", content: new Uint8Array() }));
    const submissions = short.map((bytes) => submitted([bytes]));
    const header = defined(submissions[0], "there are six").headerBytes.length;
    const chain = new Chain({ ...policy, blockBytesMax: 4 * header });
    assert.ok(short.every((bytes) => 5 * bytes.length < 4 * header));
    const built = chain.propose({ candidates: submissions });
    assert.equal(built.block.privateEntries.length, 4);
    assert.deepEqual(built.objections, []);
    assert.ok(chain.judge(built.block).ok);
  });

  test("holds as many bytes of control operations as a block may have", () => {
    const agentIds = Array.from({ length: 16 }, (_, i) => `${i}`.padStart(63, "a"));
    const invitation = invitationBytes({
      role: InvitedRole.PARTICIPANT,
      usesMax: 10_000,
      agentIds,
    });
    const control = Array.from({ length: 550 }, (_, i) =>
      registrationOf(`joining-${i}`, { invitation, value: { agentIds } }),
    );
    const chain = new Chain();
    const built = chain.propose({ control });
    const lengths = built.block.block?.control.map(({ length }) => length) ?? [];
    const byteCount = lengths.reduce((sum, length) => sum + length, 0);
    assert.ok(byteCount <= controlBytesMax, `${byteCount}`);
    assert.ok(byteCount > controlBytesMax - 3_000, `${byteCount}`);
    assert.ok(lengths.length < control.length);
    assert.deepEqual(built.refusedOperations, []);
    assert.ok(parseManagerBlock(built.block).ok);
  });

  test("does not object to a record that what found no room might have cured", () => {
    const chain = new Chain({ ...policy, blockRecordsMax: 1 });
    const early = tradeBytes();
    const wrong = readingBytes({ exported: 99_999 });
    const built = chain.propose({
      candidates: [submitted([early, wrong, ...documents.slice(0, 2)])],
    });
    assert.deepEqual(reasonsOf(built), [[hex(wrong), "ENERGY_ABOVE_RATING"]]);
  });

  test("objects to what fits no block", () => {
    const large = documentBytes({ content: new Uint8Array(600) });
    const chain = new Chain({ ...policy, blockBytesMax: 500 });
    const small = documentBytes();
    const built = chain.propose({ candidates: [submitted([large, small])] });
    assert.deepEqual(reasonsOf(built), [[hex(large), "RECORD_TOO_LARGE"]]);
    assert.deepEqual(built.block.records, [small]);
    const many = submitted(Array.from({ length: 20 }, () => documentBytes()));
    const headers = chain.propose({ candidates: [many] });
    assert.equal(headers.objections.length, 20);
    assert.equal(headers.objections[0]?.violation.reason, "TOO_MANY_RECORDS");
  });
});

describe("building stops the node when its caller", () => {
  test("builds out of turn or out of time", () => {
    const chain = new Chain();
    assert.throws(() => chain.propose({ timestampMs: chain.head.timestampMs }), AssertionFailed);
  });
});
