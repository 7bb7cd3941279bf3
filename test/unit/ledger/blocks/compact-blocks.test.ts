/** Blocks that are sent without what the others have: rebuilt to the same bytes, or not at all. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { defined } from "../../../../src/base/assert.js";
import { toHex } from "../../../../src/base/bytes.js";
import {
  type CompactBlock,
  CompactBlockSchema,
  type CompactEntry,
  ManagerBlockSchema,
  PrivateEntrySchema,
} from "../../../../src/gen/bss/v1/block_pb.js";
import {
  compactOf,
  entriesOf,
  isOfBlockSize,
  rebuildBlock,
} from "../../../../src/ledger/blocks/compact-blocks.js";
import { parseManagerBlock } from "../../../../src/ledger/blocks/manager-blocks.js";
import { sealLeaf } from "../../../../src/ledger/records/records.js";
import {
  type ParsedSubmission,
  parseSubmission,
  submissionId,
} from "../../../../src/ledger/records/submissions.js";
import { Chain } from "../support/chain.js";
import { consortiumId, epochKey, policy } from "../support/consortium.js";
import { accepted } from "../support/outcome.js";
import { documentBytes, submitted } from "../support/records.js";

const submissions = [
  submitted(Array.from({ length: 12 }, () => documentBytes())),
  submitted([documentBytes()]),
  submitted([documentBytes(), documentBytes()]),
];
const left = [0, 3, 9].map((i) => defined(submissions[0]?.records[i], "there are 12").hashHex);
const { block } = new Chain().propose({ candidates: submissions, excluded: new Set(left) });
const compact = compactOf(block);

function options(known: readonly (ParsedSubmission | undefined)[] = submissions) {
  const records = known.flatMap((each) => each?.records ?? []);
  return {
    consortiumId,
    policy,
    epochKey,
    known: {
      submission: (idHex: string) => known.find((each) => each?.idHex === idHex),
      sealed: (hashHex: string) => {
        const record = records.find((each) => each.hashHex === hashHex);
        return record && sealLeaf(epochKey, record);
      },
    },
  };
}

function changed(change: (compact: CompactBlock) => void): CompactBlock {
  const copy = fromBinary(CompactBlockSchema, toBinary(CompactBlockSchema, compact));
  change(copy);
  return copy;
}

describe("a compact block", () => {
  test("is rebuilt to the very bytes of the whole one", () => {
    const rebuilt = rebuildBlock(compact, options());
    assert.ok(rebuilt.kind === "block");
    const bytes = toBinary(ManagerBlockSchema, rebuilt.block);
    assert.deepEqual(bytes, toBinary(ManagerBlockSchema, block));
    assert.ok(toBinary(CompactBlockSchema, compact).length < bytes.length / 2);
    assert.deepEqual(
      compact.entries.map(({ recordBits }) => [...recordBits]),
      [[0b11110110, 0b1101], [], []],
      "of a whole submission no record is named",
    );
  });

  test("is judged like the whole one, and its entries need not be decoded again", () => {
    const chain = new Chain();
    const rebuilt = rebuildBlock(compact, options());
    assert.ok(rebuilt.kind === "block");
    assert.deepEqual(accepted(chain.judge(rebuilt.block)), accepted(chain.judge(block)));
    const [entry, ...rest] = rebuilt.block.privateEntries;
    const parsed = accepted(parseManagerBlock(rebuilt.block)).privateEntries;
    assert.equal(parsed[0]?.known, submissions[0]);
    const flipped = defined(entry, "it has entries").map((byte, i) => (i === 9 ? byte ^ 1 : byte));
    const changed = { ...rebuilt.block, privateEntries: [flipped, ...rest] };
    const refused = parseManagerBlock(changed);
    assert.equal(refused.ok ? "" : refused.error.reason, "BLOCK_ROOT_MISMATCH");
  });

  test("needs no seals that were made before", () => {
    const { known, ...rest } = options();
    const rebuilt = rebuildBlock(compact, {
      ...rest,
      known: { ...known, sealed: () => undefined },
    });
    assert.deepEqual(rebuilt.kind === "block" && rebuilt.block, block);
  });

  test("is small where it holds nothing", () => {
    const { block: empty } = new Chain().propose();
    const rebuilt = rebuildBlock(compactOf(empty), options([]));
    assert.deepEqual(rebuilt.kind === "block" && rebuilt.block, empty);
  });

  test("names what is missing, and is rebuilt with what was fetched of it", () => {
    const some = options([undefined, submissions[1], undefined]);
    const missing = rebuildBlock(compact, some);
    assert.deepEqual(missing, { kind: "missing", entries: [0, 2] });
    const [first, last] = defined(entriesOf(block, [0, 2]), "the block has these");
    const fetched = new Map([
      [0, defined(first, "the first")],
      [2, defined(last, "the last")],
    ]);
    const rebuilt = rebuildBlock(compact, { ...some, fetched });
    assert.deepEqual(rebuilt.kind === "block" && rebuilt.block, block);
    const swapped = new Map([
      [0, defined(last, "the last")],
      [2, defined(first, "the first")],
    ]);
    assert.equal(rebuildBlock(compact, { ...some, fetched: swapped }).kind, "wrong");
  });

  test("takes nothing that was fetched under another signature, or of other records", () => {
    const some = options([undefined, ...submissions.slice(1)]);
    const [entry] = defined(entriesOf(block, [0]), "the block has it");
    const { privateEntry, records } = defined(entry, "the block has it");
    const parsed = fromBinary(PrivateEntrySchema, privateEntry);
    const encode = (change: object) =>
      toBinary(PrivateEntrySchema, create(PrivateEntrySchema, { ...parsed, ...change }));
    const wrong = [
      { privateEntry: encode({ signature: parsed.signature.map((byte) => byte ^ 1) }), records },
      { privateEntry: encode({ recordIndexes: parsed.recordIndexes.slice(1) }), records },
      { privateEntry: encode({ recordIndexes: [] }), records: [] },
      { privateEntry: encode({ submissionHeader: new Uint8Array([1]) }), records },
      { privateEntry: new Uint8Array([255]), records },
      { privateEntry, records: records.slice(1) },
    ];
    for (const each of wrong) {
      const fetched = new Map([[0, each]]);
      assert.equal(rebuildBlock(compact, { ...some, fetched }).kind, "wrong");
    }
  });

  test("is wrong where it names records that the submission does not have, or none", () => {
    for (const bits of [
      [0, 0x10],
      [0, 0],
      [0, 0, 1],
      [0, 0, 0],
    ]) {
      const odd = changed((copy) => {
        defined(copy.entries[0], "it has three").recordBits = new Uint8Array(bits);
      });
      assert.equal(rebuildBlock(odd, options()).kind, "wrong", bits.join());
    }
  });

  test("is wrong where it names a record of a submission twice", () => {
    const entry = defined(compact.entries[0], "it has three");
    const of = (...bits: number[]) => ({ ...entry, recordBits: Uint8Array.of(...bits) });
    const kindOf = (...entries: CompactEntry[]) =>
      rebuildBlock({ ...compact, entries }, options()).kind;
    assert.equal(kindOf(of(0b11), of(0b1100), of(0, 1)), "block");
    assert.equal(kindOf(of(0b11), of(0b1100), of(0b10)), "wrong");
    assert.equal(kindOf(of(1), of()), "wrong");
    const fetched = new Map(entriesOf(block, [0])?.map((each) => [1, each]));
    const some = options(submissions.slice(1));
    const twice = { ...compact, entries: [entry, entry] };
    fetched.set(0, defined(fetched.get(1), "the block has it"));
    assert.equal(rebuildBlock(twice, { ...some, fetched }).kind, "wrong");
  });

  test("becomes no longer than a block, however often it names a submission", () => {
    const entry = defined(compact.entries[0], "it has three");
    const often = changed((copy) => {
      copy.entries = Array.from({ length: policy.blockRecordsMax }, () => entry);
    });
    assert.ok(isOfBlockSize(often, policy));
    const records = { ...policy, blockRecordsMax: 11 };
    assert.equal(rebuildBlock(compact, { ...options(), policy: records }).kind, "wrong");
    assert.equal(rebuildBlock(often, options()).kind, "wrong");
    const bytes = { ...policy, blockBytesMax: 500 };
    assert.equal(rebuildBlock(compact, { ...options(), policy: bytes }).kind, "wrong");
  });

  test("is not looked at when one of its own parts is longer than in any block", () => {
    const [first] = compact.entries;
    const entry = defined(first, "it has three");
    const tooLong: readonly Partial<CompactBlock>[] = [
      { header: new Uint8Array(1_025) },
      { previousCertificates: new Uint8Array(2 ** 21) },
      { control: [new Uint8Array(2 ** 21)] },
      { control: Array.from({ length: 1_001 }, () => new Uint8Array(1)) },
      { entries: [{ ...entry, submissionId: new Uint8Array(31) }] },
      { entries: [{ ...entry, recordBits: new Uint8Array(126) }] },
      { entries: Array.from({ length: policy.blockRecordsMax + 1 }, () => entry) },
    ];
    assert.ok(isOfBlockSize(compact, policy));
    for (const part of tooLong) assert.equal(isOfBlockSize({ ...compact, ...part }, policy), false);
  });
});

describe("two signatures of one header", () => {
  test("are two submissions: the block's is named, whichever is here", () => {
    const original = defined(submissions[1], "there are three");
    const message = { ...original.message, signature: original.signature.map((byte) => byte ^ 1) };
    const other = accepted(parseSubmission(consortiumId, message, policy));
    const id = submissionId(original.headerBytes, original.signature);
    assert.deepEqual(compact.entries[1]?.submissionId, id);
    assert.notEqual(other.idHex, toHex(id));
    const here = options([submissions[0], other, submissions[2]]);
    assert.deepEqual(rebuildBlock(compact, here), { kind: "missing", entries: [1] });
  });
});

describe("entries that others lack", () => {
  test("are those of the block, each once", () => {
    const all = defined(entriesOf(block, [0, 1, 2]), "the block has three");
    assert.deepEqual(
      all.map(({ records }) => records.length),
      [9, 1, 2],
    );
    assert.deepEqual(
      all.flatMap(({ records }) => records),
      block.records,
    );
    assert.equal(entriesOf(block, [3]), undefined);
    assert.equal(entriesOf(block, [1, 1]), undefined);
  });
});
