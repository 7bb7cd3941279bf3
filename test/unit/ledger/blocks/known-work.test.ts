/** What has been worked out before is used for exactly the same bytes, and for nothing else. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { defined } from "../../../../src/base/assert.js";
import {
  LeafSchema,
  type ManagerBlock,
  PrivateEntrySchema,
} from "../../../../src/gen/bss/v1/block_pb.js";
import { parseContent } from "../../../../src/ledger/blocks/block-content.js";
import { leafHashOf, leafOf } from "../../../../src/ledger/blocks/block-hashes.js";
import type { KnownWork } from "../../../../src/ledger/blocks/known-work.js";
import { parseManagerBlock } from "../../../../src/ledger/blocks/manager-blocks.js";
import { sealLeaf } from "../../../../src/ledger/records/records.js";
import type { ParsedSubmission } from "../../../../src/ledger/records/submissions.js";
import { Chain } from "../support/chain.js";
import { consortiumId, epochKey, policy } from "../support/consortium.js";
import { accepted } from "../support/outcome.js";
import { documentBytes, seedOf, submitted } from "../support/records.js";

function knowing(submissions: readonly ParsedSubmission[]): KnownWork {
  const records = submissions.flatMap((each) => each.records);
  return {
    submission: (idHex) => submissions.find((each) => each.idHex === idHex),
    sealed: (hashHex) => {
      const record = records.find((each) => each.hashHex === hashHex);
      return record && sealLeaf(epochKey, record);
    },
  };
}

function contentOf(block: ManagerBlock, known?: KnownWork) {
  const parsed = accepted(parseManagerBlock(block, known));
  return { parsed, content: accepted(parseContent(parsed, consortiumId, policy)) };
}

describe("what is known of a block before it comes", () => {
  const submissions = [
    submitted([documentBytes(), documentBytes(), documentBytes()]),
    submitted([documentBytes()]),
  ];
  const excluded = new Set([defined(submissions[0]?.records[1], "there are three").hashHex]);
  const { block } = new Chain().propose({ candidates: submissions, excluded });

  test("gives the same result as working everything out again", () => {
    const again = contentOf(block);
    const known = contentOf(block, knowing(submissions));
    assert.deepEqual(known.content, again.content);
    assert.deepEqual(known.parsed.leafHashes, again.parsed.leafHashes);
    assert.deepEqual(known.parsed.leavesRoot, again.parsed.leavesRoot);
  });

  test("is not parsed again: the very records are used", () => {
    const { content } = contentOf(block, knowing(submissions));
    const [first, second] = content.entries;
    assert.equal(first?.records[0], submissions[0]?.records[0]);
    assert.equal(first?.records[1], submissions[0]?.records[2]);
    assert.equal(second?.records[0], submissions[1]?.records[0]);
  });

  test("does not make bytes pass that are not its own", () => {
    for (let place = 0; place < block.records.length; place++) {
      const records = block.records.with(place, documentBytes());
      const parsed = parseManagerBlock({ ...block, records }, knowing(submissions));
      assert.equal(parsed.ok ? "" : parsed.error.reason, "RECORD_HASH_MISMATCH");
    }
    const swapped = [...block.records].reverse();
    const parsed = parseManagerBlock({ ...block, records: swapped }, knowing(submissions));
    assert.equal(parsed.ok ? "" : parsed.error.reason, "RECORD_HASH_MISMATCH");
  });

  test("is another submission under another signature of the same header", () => {
    const entry = fromBinary(PrivateEntrySchema, defined(block.privateEntries[1], "there are two"));
    entry.signature = entry.signature.map((byte) => byte ^ 1);
    const privateEntries = block.privateEntries.with(1, toBinary(PrivateEntrySchema, entry));
    const parsed = parseManagerBlock({ ...block, privateEntries }, knowing(submissions));
    assert.equal(parsed.ok ? "" : parsed.error.reason, "BLOCK_ROOT_MISMATCH");
  });

  test("does not hide a leaf with another seal", () => {
    const publicPart = defined(block.block, "it has a public part");
    const [first, ...rest] = publicPart.leaves;
    const { recordHash } = defined(first, "it has leaves");
    const wrong = create(LeafSchema, { recordHash, sealDigest: seedOf("another seal") });
    const changed = { ...block, block: { ...publicPart, leaves: [wrong, ...rest] } };
    const parsed = parseManagerBlock(changed, knowing(submissions));
    assert.equal(parsed.ok ? "" : parsed.error.reason, "BLOCK_DIGEST_MISMATCH");
  });
});

describe("a leaf", () => {
  test("is what the schema makes, however it is made", () => {
    const [recordHash, sealDigest] = [seedOf("record"), seedOf("seal")];
    const leaf = leafOf(recordHash, sealDigest);
    const made = create(LeafSchema, { recordHash, sealDigest });
    assert.deepEqual({ ...leaf }, { ...made });
    assert.deepEqual(toBinary(LeafSchema, leaf), toBinary(LeafSchema, made));
  });

  test("is sealed with its own hash", () => {
    const [record] = submitted([documentBytes()]).records;
    const { leaf, leafHash } = sealLeaf(epochKey, defined(record, "there is one"));
    assert.deepEqual(leafHash, leafHashOf(leaf));
  });
});
