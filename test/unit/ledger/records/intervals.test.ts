import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { ValueQuality } from "../../../../src/gen/bss/v1/record_pb.js";
import { parseContent } from "../../../../src/ledger/blocks/block-content.js";
import type { ParsedManagerBlock } from "../../../../src/ledger/blocks/manager-blocks.js";
import { profileIntervalsMax } from "../../../../src/ledger/kinds/load-profile.js";
import {
  blockIntervalsMax,
  submissionIntervalsMax,
  workOf,
  workOfAll,
} from "../../../../src/ledger/records/intervals.js";
import {
  decodedBytesOf,
  memoryBytesMaxOf,
  memoryBytesOf,
  parseInPieces,
  parseSubmission,
} from "../../../../src/ledger/records/submissions.js";
import { Chain } from "../support/chain.js";
import { consortiumId, policy, startS } from "../support/consortium.js";
import {
  documentBytes,
  parsed,
  profileBytes,
  readingBytes,
  submissionOf,
  submitted,
} from "../support/records.js";

/** A profile of so many quarters that are 0, in few bytes; each place has a range of its own. */
function longProfile(count: number, place: number): Uint8Array {
  const runs = [{ count, quality: ValueQuality.MEASURED }];
  const start = startS - (place + 1) * 31 * 86_400;
  const message = { runs, importedWh: [], exportedWh: [] };
  return profileBytes({ start, timeMs: startS * 1000, message });
}

const month = 31 * 96;

describe("the work of a record", () => {
  test("is 1, and more for each 128 intervals of a profile", () => {
    assert.equal(workOf(parsed(documentBytes())), 1);
    assert.equal(workOf(parsed(readingBytes())), 1);
    for (const [intervals, work] of [
      [1, 1],
      [127, 1],
      [128, 2],
      [month, 24],
    ] as const) {
      assert.equal(workOf(parsed(longProfile(intervals, 0))), work);
    }
    assert.equal(workOfAll([parsed(readingBytes()), parsed(longProfile(256, 0))]), 4);
  });
});

describe("parsing in pieces", () => {
  const piecesOf = (records: readonly Uint8Array[]) => {
    const limits = { ...policy, submissionRecordsMax: 1_000, recordBytesMax: 100_000 };
    return [...parseInPieces(consortiumId, submissionOf(records), limits)].length + 1;
  };

  test("takes records by their number, their bytes and their intervals", () => {
    const few = Array.from({ length: 40 }, () => documentBytes());
    assert.equal(piecesOf(few), 1);
    const many = Array.from({ length: 1_000 }, () => documentBytes());
    assert.ok(piecesOf(many) >= 10);
    const long = Array.from({ length: 8 }, () =>
      documentBytes({ content: new Uint8Array(60_000) }),
    );
    assert.equal(piecesOf(long), 4, "two of 60 kB each");
    const profiles = Array.from({ length: 10 }, (_, i) => longProfile(month, i));
    assert.equal(piecesOf(profiles), 2, "five of 24 each");
  });
});

describe("what a submission takes in memory", () => {
  test("is at most what was said before it was parsed", () => {
    const tiny = Array.from({ length: 30 }, (_, i) => longProfile(1, i));
    const valued = profileBytes({ message: {} });
    for (const records of [tiny, [longProfile(month, 0)], [valued], [documentBytes()]]) {
      const submission = submitted(records);
      const bytes = memoryBytesOf(submission.message) + decodedBytesOf(submission.records);
      assert.ok(bytes <= memoryBytesMaxOf(submission.message));
    }
  });
});

describe("the intervals of a submission", () => {
  test("are bounded, however few bytes they take", () => {
    const limits = { ...policy, submissionRecordsMax: 100 };
    const fitting = Math.floor(submissionIntervalsMax / month);
    const profiles = Array.from({ length: fitting + 1 }, (_, i) => longProfile(month, i));
    const parse = (records: readonly Uint8Array[]) =>
      parseSubmission(consortiumId, submissionOf(records), limits);
    assert.ok(parse(profiles.slice(1)).ok);
    const refused = parse(profiles);
    assert.deepEqual(refused.ok ? undefined : [refused.error.reason, refused.error.field], [
      "TOO_MANY_RECORDS",
      `records[${fitting}]`,
    ]);
    const unread = parse([...profiles, new Uint8Array(1)]);
    assert.equal(unread.ok ? undefined : unread.error.reason, "TOO_MANY_RECORDS");
  });
});

describe("the intervals of a block", () => {
  const fitting = Math.floor(blockIntervalsMax / month);
  const limits = { ...policy, blockRecordsMax: 1_000, submissionRecordsMax: 1_000 };
  const submissions = Array.from({ length: fitting + 5 }, (_, i) => [longProfile(month, i)]);

  test("are bounded: what does not fit waits for the next one", () => {
    const chain = new Chain(limits);
    const candidates = submissions.map((records) => submitted(records));
    const first = chain.propose({ candidates, recordsMax: 100_000 });
    assert.equal(first.block.records.length, fitting);
    assert.deepEqual(first.objections, []);
    assert.ok(chain.judge(first.block).ok);
  });

  test("are counted while they are parsed, and no more is parsed", () => {
    const records = Array.from({ length: fitting + 1 }, (_, i) => longProfile(month, i));
    const parse = (all: readonly Uint8Array[]) => {
      const { header: headerBytes, signature } = submissionOf(all);
      const recordIndexes = all.map((_, i) => i);
      const entry = { headerBytes, signature, recordIndexes, firstLeaf: 0, known: undefined };
      const block = { records: all, privateEntries: [entry], control: [] };
      return parseContent(block as unknown as ParsedManagerBlock, consortiumId, limits);
    };
    assert.ok(parse(records.slice(1)).ok);
    for (const beyond of [records, [...records, new Uint8Array(1)]]) {
      const refused = parse(beyond);
      assert.equal(refused.ok ? undefined : refused.error.reason, "BLOCK_TOO_LARGE");
    }
  });

  test("are as much as their work where a manager makes small blocks", () => {
    const chain = new Chain(limits);
    const candidates = submissions.map((records) => submitted(records));
    const small = chain.propose({ candidates, recordsMax: 100 });
    // Each is the work of 24 records; the last one begins below the bound.
    assert.equal(small.block.records.length, 5);
  });
});

describe("what the lists of profiles take in memory", () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const used = () => {
    collect();
    const { heapUsed, external, arrayBuffers } = process.memoryUsage();
    return heapUsed + Math.max(external, arrayBuffers);
  };

  for (const [what, count, make] of [
    ["of a day", 2_000, (i: number) => Array(96).fill([i % 90, 1])],
    ["of few values", 5_000, () => [[1, 1]]],
    [
      "that alternate",
      500,
      () => Array.from({ length: 200 }, (_, i) => (i % 2 ? [1, 1] : undefined)),
    ],
  ] as const) {
    test(`is what is counted for those ${what}`, () => {
      const bytes = Array.from({ length: count }, (_, i) =>
        profileBytes({ values: make(i) as never }),
      );
      const before = used();
      const records = bytes.map((each) => parsed(each));
      const taken = (used() - before) / count;
      // What every parsed record takes is counted apart, and there are two ids of it.
      const counted = decodedBytesOf(records) / count + 512 + 512;
      assert.ok(taken <= counted, `${taken} bytes each, ${counted} counted`);
    });
  }

  test("is counted for no other record", () => {
    assert.equal(decodedBytesOf([parsed(readingBytes()), parsed(documentBytes())]), 0);
    assert.ok(decodedBytesOf([parsed(longProfile(month, 0))]) < 1_000);
    assert.ok(profileIntervalsMax > month);
  });
});
