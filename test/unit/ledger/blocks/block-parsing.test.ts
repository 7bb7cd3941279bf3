import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { clone, create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { concatBytes, utf8 } from "../../../../src/base/bytes.js";
import type { Result } from "../../../../src/base/result.js";
import {
  BlockCertificatesSchema,
  BlockSchema,
  type ManagerBlock,
  ManagerBlockHeaderSchema,
  ManagerBlockSchema,
  PrivateEntrySchema,
} from "../../../../src/gen/bss/v1/block_pb.js";
import { ControlOperationSchema, OfficerRole } from "../../../../src/gen/bss/v1/genesis_pb.js";
import { SubmissionHeaderSchema } from "../../../../src/gen/bss/v1/record_pb.js";
import {
  blockId,
  bodyDigest,
  certificatesDigest,
  controlRoot,
  leafHashOf,
  leavesRoot,
  privateRoot,
} from "../../../../src/ledger/blocks/block-hashes.js";
import { certificatesBytesMax, parseBlock } from "../../../../src/ledger/blocks/block-parsing.js";
import { parseManagerBlock } from "../../../../src/ledger/blocks/manager-blocks.js";
import { recordHash } from "../../../../src/ledger/records/record-hash.js";
import type { Violation } from "../../../../src/ledger/violation.js";
import { bytesOf, consortiumId, signerOf } from "../consortium.js";

const sha256 = (...parts: Uint8Array[]) =>
  new Uint8Array(
    createHash("sha256")
      .update(concatBytes(...parts))
      .digest(),
  );
const beacon = new Uint8Array(64).fill(1);
const beaconProof = new Uint8Array(80).fill(2);
const signature = new Uint8Array(64).fill(3);
const records = ["one", "two", "three"].map(utf8);
const hashes = records.map((record) => recordHash(consortiumId, record));

const control = toBinary(
  ControlOperationSchema,
  create(ControlOperationSchema, {
    operation: {
      case: "registerOfficer",
      value: {
        officerId: "op",
        role: OfficerRole.OPERATOR,
        signingKey: signerOf("op").publicKey,
        tlsSpkiSha256: bytesOf("spki of op"),
      },
    },
  }),
);
/** Bytes of no operation, as many as all of a block may have. */
const allOperations = Array.from({ length: 256 }, () => new Uint8Array(5_120));
const certificates = toBinary(
  BlockCertificatesSchema,
  create(BlockCertificatesSchema, { commit: { height: 6n }, approval: { height: 6n } }),
);

type HeaderInit = MessageInitShape<typeof ManagerBlockHeaderSchema>;
type BlockInit = MessageInitShape<typeof BlockSchema>;
type EntryInit = MessageInitShape<typeof PrivateEntrySchema>;

/** The header of a submission of all three records and of one that the block leaves out. */
const submissionHeader = toBinary(
  SubmissionHeaderSchema,
  create(SubmissionHeaderSchema, {
    consortiumId,
    participantId: "p",
    recordHashes: [hashes[0], bytesOf("left out"), hashes[1], hashes[2]] as Uint8Array[],
  }),
);
const entryOf = (recordIndexes: number[], init: EntryInit = {}) =>
  toBinary(
    PrivateEntrySchema,
    create(PrivateEntrySchema, { submissionHeader, signature, recordIndexes, ...init }),
  );

type Changes = {
  readonly header?: HeaderInit;
  readonly block?: BlockInit;
  readonly entries?: readonly Uint8Array[];
  readonly records?: readonly Uint8Array[];
};

/**
 * A block that hangs together, with changes; digests and roots follow the changes unless they are
 * changed too.
 */
function blockOf({ header, block: blockInit, entries, records: bodies }: Changes = {}) {
  const privateEntries = [...(entries ?? [entryOf([0, 2]), entryOf([3])])];
  const block = create(BlockSchema, {
    control: [control],
    leaves: hashes.map((hash, i) => ({ recordHash: hash, sealDigest: bytesOf(`seal ${i}`) })),
    privateRoot: privateRoot(privateEntries),
    previousCertificates: certificates,
    ...blockInit,
  });
  const roots = {
    controlRoot: controlRoot(block.control),
    leavesRoot: leavesRoot(block.leaves),
    privateRoot: block.privateRoot,
  };
  const init: HeaderInit = {
    consortiumId,
    height: 7n,
    previousBlockId: bytesOf("previous"),
    createdRound: 1,
    proposerId: "manager-1",
    timestampUnixMs: 1_700_000_000_000n,
    treeSize: 40n,
    hash1: bytesOf("root"),
    membersDigest: bytesOf("members"),
    beacon,
    beaconProof,
    previousStateDigest: bytesOf("state"),
    bodyDigest: bodyDigest(roots),
    certificatesDigest: certificatesDigest(block.previousCertificates),
    ...header,
  };
  if (blockInit?.header === undefined) {
    block.header = toBinary(ManagerBlockHeaderSchema, create(ManagerBlockHeaderSchema, init));
  }
  return create(ManagerBlockSchema, { block, privateEntries, records: [...(bodies ?? records)] });
}

function publicOf(managerBlock: ManagerBlock) {
  return managerBlock.block ?? assert.fail("there is a block");
}

function assertRefused(
  result: Result<unknown, Violation>,
  reason: string,
  field: string | undefined,
): void {
  assert.ok(!result.ok, "refused");
  assert.deepEqual([result.error.reason, result.error.field], [reason, field]);
}

describe("hashes of a block", () => {
  const leaf = { recordHash: bytesOf("record"), sealDigest: bytesOf("seal") };
  const roots = {
    controlRoot: bytesOf("control"),
    leavesRoot: bytesOf("leaves"),
    privateRoot: bytesOf("private"),
  };

  test("are those of the protocol", () => {
    const zero = new Uint8Array([0]);
    const entry = concatBytes(leaf.recordHash, leaf.sealDigest);
    assert.deepEqual(leafHashOf(leaf), sha256(zero, entry));
    assert.deepEqual(leavesRoot([leaf]), sha256(zero, entry));
    assert.deepEqual(leavesRoot([]), sha256());
    assert.deepEqual(controlRoot([control]), sha256(zero, control));
    const two = sha256(new Uint8Array([1]), sha256(zero, control), sha256(zero, beacon));
    assert.deepEqual(privateRoot([control, beacon]), two);
    assert.deepEqual(
      bodyDigest(roots),
      sha256(utf8("bss/v1/body"), roots.controlRoot, roots.leavesRoot, roots.privateRoot),
    );
    assert.deepEqual(blockId(control), sha256(utf8("bss/v1/block"), control));
    assert.deepEqual(
      certificatesDigest(certificates),
      sha256(utf8("bss/v1/certificates"), certificates),
    );
  });
});

describe("a public block", () => {
  test("is read part by part", () => {
    const block = publicOf(blockOf());
    const result = parseBlock(block);
    assert.ok(result.ok);
    const parsed = result.value;
    assert.deepEqual(parsed.blockId, blockId(block.header));
    assert.deepEqual(
      [parsed.height, parsed.createdRound, parsed.proposerId, parsed.timestampMs, parsed.treeSize],
      [7, 1, "manager-1", 1_700_000_000_000, 40],
    );
    assert.equal(parsed.headerBytes, block.header);
    assert.equal(parsed.header.height, 7n);
    assert.deepEqual(parsed.leafHashes, block.leaves.map(leafHashOf));
    assert.equal(parsed.control[0]?.operation.case, "registerOfficer");
    assert.equal(parsed.previousCertificates?.commit?.height, 6n);
    assert.deepEqual(parsed.leavesRoot, leavesRoot(block.leaves));
    assert.deepEqual(parsed.controlRoot, controlRoot([control]));
    assert.equal(parsed.block, block);
  });

  test("of height 1 has no certificates, and may be empty", () => {
    const empty = blockOf({
      header: { height: 1n, createdRound: 0, treeSize: 0n },
      block: { control: [], leaves: [], previousCertificates: new Uint8Array() },
    });
    const result = parseBlock(publicOf(empty));
    assert.ok(result.ok);
    assert.ok(!("previousCertificates" in result.value));
  });

  test("may have as many control operations as there may be", () => {
    const operations = Array.from({ length: 1_000 }, () => control);
    assert.ok(parseBlock(publicOf(blockOf({ block: { control: operations } }))).ok);
  });

  const short = new Uint8Array(31);
  const [first] = publicOf(blockOf()).leaves;
  const leaf = first ?? assert.fail("there are leaves");
  const malformed = "BLOCK_MALFORMED";
  const wrong: readonly [string, Changes, string, string | undefined][] = [
    ["no header", { block: { header: new Uint8Array() } }, malformed, "header.consortium_id"],
    ["a header of noise", { block: { header: beacon } }, malformed, "header"],
    ["a long header", { block: { header: new Uint8Array(1_025) } }, malformed, "header"],
    [
      "a header that is right but too long",
      { header: { proposerId: "x".repeat(1_024) } },
      malformed,
      "header",
    ],
    [
      "a short consortium id",
      { header: { consortiumId: short } },
      malformed,
      "header.consortium_id",
    ],
    [
      "a short previous id",
      { header: { previousBlockId: short } },
      malformed,
      "header.previous_block_id",
    ],
    ["a short hash1", { header: { hash1: short } }, malformed, "header.hash1"],
    [
      "a short members digest",
      { header: { membersDigest: short } },
      malformed,
      "header.members_digest",
    ],
    [
      "a short state digest",
      { header: { previousStateDigest: short } },
      malformed,
      "header.previous_state_digest",
    ],
    ["a short body digest", { header: { bodyDigest: short } }, malformed, "header.body_digest"],
    [
      "a short certificates digest",
      { header: { certificatesDigest: short } },
      malformed,
      "header.certificates_digest",
    ],
    ["a short beacon", { header: { beacon: short } }, malformed, "header.beacon"],
    ["a long proof", { header: { beaconProof: beacon } }, malformed, "header.beacon_proof"],
    ["height 0", { header: { height: 0n } }, malformed, "header.height"],
    ["an unsafe height", { header: { height: 2n ** 53n } }, malformed, "header.height"],
    ["an unsafe size", { header: { treeSize: 2n ** 64n - 1n } }, malformed, "header.tree_size"],
    ["time 0", { header: { timestampUnixMs: 0n } }, malformed, "header.timestamp_unix_ms"],
    [
      "a time before 1970",
      { header: { timestampUnixMs: -1n } },
      malformed,
      "header.timestamp_unix_ms",
    ],
    ["no proposer", { header: { proposerId: "" } }, malformed, "header.proposer_id"],
    ["a short private root", { block: { privateRoot: short } }, malformed, "private_root"],
    [
      "a short record hash",
      { block: { leaves: [{ ...leaf, recordHash: short }] } },
      malformed,
      "leaves[0]",
    ],
    [
      "a long seal digest",
      { block: { leaves: [{ ...leaf, sealDigest: beacon }] } },
      malformed,
      "leaves[0]",
    ],
    ["a record twice", { block: { leaves: [leaf, leaf] } }, "RECORD_REPEATED", "leaves[1]"],
    [
      "fewer records after it than it adds",
      { header: { treeSize: 2n } },
      "BLOCK_ROOT_MISMATCH",
      "header.tree_size",
    ],
    [
      "an operation that does not decode",
      { block: { control: [control, utf8("?")] } },
      "OPERATION_INVALID",
      "control[1]",
    ],
    [
      "an operation of nothing",
      { block: { control: [new Uint8Array()] } },
      "OPERATION_INVALID",
      "control[0]",
    ],
    [
      "an operation that is too long",
      { block: { control: [new Uint8Array(4_097)] } },
      "OPERATION_INVALID",
      "control[0]",
    ],
    [
      "too many operations",
      { block: { control: Array.from({ length: 1_001 }, () => control) } },
      "BLOCK_TOO_LARGE",
      "control",
    ],
    [
      "operations that are too long together",
      { block: { control: [...allOperations, new Uint8Array(1)] } },
      "BLOCK_TOO_LARGE",
      "control",
    ],
    [
      "operations that fill the room for them, of which none decodes",
      { block: { control: allOperations } },
      "OPERATION_INVALID",
      "control[0]",
    ],
    [
      "no certificates",
      { block: { previousCertificates: new Uint8Array() } },
      "CERTIFICATE_INVALID",
      "previous_certificates",
    ],
    [
      "certificates that do not decode",
      { block: { previousCertificates: utf8("?") } },
      "CERTIFICATE_INVALID",
      "previous_certificates",
    ],
    [
      "certificates that are too long",
      { block: { previousCertificates: new Uint8Array(certificatesBytesMax + 1) } },
      "BLOCK_TOO_LARGE",
      "previous_certificates",
    ],
    [
      "certificates of genesis",
      { header: { height: 1n } },
      "CERTIFICATE_INVALID",
      "previous_certificates",
    ],
    [
      "another body digest",
      { header: { bodyDigest: bytesOf("other") } },
      "BLOCK_DIGEST_MISMATCH",
      "header.body_digest",
    ],
    [
      "another certificates digest",
      { header: { certificatesDigest: bytesOf("other") } },
      "BLOCK_DIGEST_MISMATCH",
      "header.certificates_digest",
    ],
  ];
  for (const [name, changes, reason, field] of wrong) {
    test(`with ${name} is refused`, () => {
      assertRefused(parseBlock(publicOf(blockOf(changes))), reason, field);
    });
  }

  test("with more leaves than any policy allows is refused before they are hashed", () => {
    const block = publicOf(blockOf());
    block.leaves = Array.from({ length: 100_001 }, () => leaf);
    assertRefused(parseBlock(block), "BLOCK_TOO_LARGE", undefined);
  });

  test("with unknown fields anywhere is refused", () => {
    const unknown = new Uint8Array([0xf8, 0x07, 1]);
    const bytes = toBinary(BlockSchema, publicOf(blockOf()));
    const outside = fromBinary(BlockSchema, concatBytes(bytes, unknown));
    assertRefused(parseBlock(outside), malformed, undefined);

    const inLeaf = publicOf(blockOf());
    Object.assign(inLeaf.leaves[1] ?? {}, { $unknown: outside.$unknown });
    assertRefused(parseBlock(inLeaf), malformed, "leaves[1]");

    const inHeader = publicOf(blockOf());
    inHeader.header = concatBytes(inHeader.header, unknown);
    assertRefused(parseBlock(inHeader), malformed, "header");
  });

  test("differs in its id, or is refused, whatever byte of it is changed", () => {
    const right = publicOf(blockOf());
    const bytes = toBinary(BlockSchema, right);
    const id = blockId(right.header);
    const changedAt = fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }));
    const property = fc.property(changedAt, ([at, mask]) => {
      const changed = bytes.with(at, (bytes[at] ?? 0) ^ mask);
      let block: typeof right;
      try {
        block = fromBinary(BlockSchema, changed);
      } catch {
        return;
      }
      // The library overlooks some wrong wire types: then the message is the same.
      if (Buffer.compare(toBinary(BlockSchema, block), bytes) === 0) return;
      const result = parseBlock(block);
      assert.ok(!result.ok || Buffer.compare(result.value.blockId, id) !== 0);
    });
    fc.assert(property, { numRuns: 2_000 });
  });
});

describe("a whole block", () => {
  test("is read with its entries and records", () => {
    const managerBlock = blockOf();
    const result = parseManagerBlock(managerBlock);
    assert.ok(result.ok);
    const parsed = result.value;
    assert.deepEqual(parsed.records, records);
    assert.equal(parsed.managerBlock, managerBlock);
    assert.deepEqual(
      parsed.privateEntries.map((each) => [each.firstLeaf, ...each.recordIndexes]),
      [
        [0, 0, 2],
        [2, 3],
      ],
    );
    const [entry] = parsed.privateEntries;
    assert.equal(entry?.header.participantId, "p");
    assert.deepEqual(entry?.headerBytes, submissionHeader);
    assert.deepEqual(entry?.signature, signature);
  });

  test("may be without records", () => {
    const changes = { block: { leaves: [] }, entries: [], records: [] };
    assert.ok(parseManagerBlock(blockOf(changes)).ok);
  });

  const [one, two, three] = records as [Uint8Array, Uint8Array, Uint8Array];
  const all = entryOf([0, 2, 3]);
  const otherHeader = toBinary(
    SubmissionHeaderSchema,
    create(SubmissionHeaderSchema, {
      consortiumId,
      participantId: "p",
      recordHashes: [bytesOf("x"), bytesOf("y"), bytesOf("z"), new Uint8Array(31)],
    }),
  );
  const malformed = "BLOCK_MALFORMED";
  const wrong: readonly [string, Changes, string, string | undefined][] = [
    ["a record missing", { records: [one, two] }, malformed, "records"],
    ["a record too many", { records: [one, two, three, one] }, malformed, "records"],
    [
      "another record",
      { records: [one, utf8("other"), three] },
      "RECORD_HASH_MISMATCH",
      "records[1]",
    ],
    [
      "records in another order",
      { records: [two, one, three] },
      "RECORD_HASH_MISMATCH",
      "records[0]",
    ],
    [
      "a submission of other records",
      {
        entries: [entryOf([0, 1, 2], { submissionHeader: otherHeader })],
      },
      "RECORD_HASH_MISMATCH",
      "records[0]",
    ],
    [
      "another record of the submission",
      { entries: [entryOf([0, 1, 3])] },
      "RECORD_HASH_MISMATCH",
      "records[1]",
    ],
    ["more entries than leaves", { entries: [all, all, all, all] }, malformed, "private_entries"],
    ["entries that add too little", { entries: [entryOf([0, 2])] }, malformed, "private_entries"],
    [
      "entries that add too much",
      { entries: [all, entryOf([0])] },
      malformed,
      "private_entries[1]",
    ],
    [
      "an entry that adds nothing",
      { entries: [all, entryOf([])] },
      malformed,
      "private_entries[1]",
    ],
    ["an entry that does not decode", { entries: [utf8("?")] }, malformed, "private_entries[0]"],
    [
      "indexes that descend",
      { entries: [entryOf([2, 0, 3])] },
      malformed,
      "private_entries[0].record_indexes[1]",
    ],
    [
      "an index twice",
      { entries: [entryOf([0, 0, 2])] },
      malformed,
      "private_entries[0].record_indexes[1]",
    ],
    [
      "an index that is none",
      { entries: [entryOf([0, 2, 4])] },
      malformed,
      "private_entries[0].record_indexes[2]",
    ],
    [
      "a short hash in the header",
      {
        entries: [entryOf([3], { submissionHeader: otherHeader }), entryOf([0, 2])],
      },
      malformed,
      "private_entries[0].record_indexes[0]",
    ],
    [
      "a short signature",
      { entries: [entryOf([0, 2, 3], { signature: new Uint8Array(63) })] },
      malformed,
      "private_entries[0].signature",
    ],
    [
      "a header that does not decode",
      { entries: [entryOf([0, 2, 3], { submissionHeader: utf8("?") })] },
      malformed,
      "private_entries[0].submission_header",
    ],
    ["a wrong public block", { header: { hash1: new Uint8Array() } }, malformed, "header.hash1"],
  ];
  for (const [name, changes, reason, field] of wrong) {
    test(`with ${name} is refused`, () => {
      assertRefused(parseManagerBlock(blockOf(changes)), reason, field);
    });
  }

  test("without a public block, or with unknown fields, is refused", () => {
    const bare = create(ManagerBlockSchema, { records });
    assertRefused(parseManagerBlock(bare), malformed, "block");
    const odd = clone(ManagerBlockSchema, blockOf());
    odd.$unknown = [{ no: 99, wireType: 0, data: new Uint8Array([1]) }];
    assertRefused(parseManagerBlock(odd), malformed, undefined);
  });

  test("with entries that are not those of the private root is refused", () => {
    const changed = blockOf();
    changed.privateEntries = [all];
    assertRefused(parseManagerBlock(changed), "BLOCK_ROOT_MISMATCH", "private_root");
  });
});
