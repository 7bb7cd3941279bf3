/** The largest message of each method that the ledger allows has to pass the method's bounds. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  BlockCertificatesSchema,
  PrivateEntrySchema,
  StorageSignatureSchema,
} from "../../../../src/gen/bss/v1/block_pb.js";
import {
  BroadcastRequestSchema,
  BroadcastResponseSchema,
  SubmitRequestSchema,
  SubmitResponseSchema,
} from "../../../../src/gen/bss/v1/broadcast_pb.js";
import {
  GetStatusResponseSchema,
  ListBlocksResponseSchema,
  NodeRole,
} from "../../../../src/gen/bss/v1/query_pb.js";
import { SubmissionHeaderSchema } from "../../../../src/gen/bss/v1/record_pb.js";
import {
  VerifyIntegrityRequestSchema,
  VerifyIntegrityResponseSchema,
} from "../../../../src/gen/bss/v1/verify_integrity_pb.js";
import { VoteRequestSchema, VoteResponseSchema } from "../../../../src/gen/bss/v1/vote_pb.js";
import { certificatesBytesMax } from "../../../../src/ledger/blocks/block-parsing.js";
import { decodeCanonical } from "../../../../src/ledger/wire.js";
import { recordBounds, type WireBounds, wireProblem } from "../../../../src/ledger/wire-bounds.js";
import { answerBounds, requestBounds } from "../../../../src/rpc/bounds/method-bounds.js";

const hash = new Uint8Array(32).fill(1);
const signature = new Uint8Array(64).fill(2);

function times<T>(count: number, make: (i: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => make(i));
}

const managers = times(100, (i) => ({ managerId: `m${i}`, signature }));
const nodes = (count: number) => times(count, (i) => ({ nodeId: `s${i}`, audit: hash, signature }));
const place = { height: 1_000n, blockId: hash };
const certificatesOf = (count: number) => ({
  approval: { ...place, signatures: managers },
  integrity: { ...place, round: 1, hash2: hash, treeSize: 9n, signatures: nodes(count) },
  commit: { ...place, round: 1, signatures: managers },
});
const records = times(10_000, () => new Uint8Array(120));
const leaves = times(10_000, () => ({ recordHash: hash, sealDigest: hash }));
const previousCertificates = toBinary(
  BlockCertificatesSchema,
  create(BlockCertificatesSchema, certificatesOf(6_667)),
);
const block = {
  header: new Uint8Array(1_024),
  control: times(1_000, () => new Uint8Array(1_200)),
  leaves,
  privateRoot: hash,
  previousCertificates,
};
const managerBlock = { block, privateEntries: records, records };
const approvals = managers.map((each) => ({ ...each, validRound: -1 }));
const { approval, integrity, commit } = certificatesOf(6_667);
const lockCertificate = { polka: { ...place, round: 1, approvals }, approval, integrity };

/** As many blocks of a consortium of 1,000 storage nodes, with little in them, as fit. */
const certified = { block: managerBlockOf(), certificates: certificatesOf(667) };
function managerBlockOf() {
  const previous = create(BlockCertificatesSchema, certificatesOf(667));
  const bytes = toBinary(BlockCertificatesSchema, previous);
  const one = { header: new Uint8Array(400), leaves: leaves.slice(0, 10) };
  return {
    block: { ...one, previousCertificates: bytes },
    privateEntries: records.slice(0, 10),
    records: records.slice(0, 10),
  };
}
const submission = {
  header: new Uint8Array(34_100),
  signature,
  records: times(1_000, () => new Uint8Array(100)),
};

describe("the bounds of the methods", () => {
  function passes<D extends DescMessage>(
    what: string,
    schema: D,
    message: MessageInitShape<D>,
    bounds: WireBounds,
  ): void {
    test(`take ${what}`, () => {
      const bytes = toBinary(schema, create(schema, message));
      assert.ok(bytes.length <= 16 * 2 ** 20, `${bytes.length} bytes`);
      assert.equal(wireProblem(schema, bytes, bounds), undefined);
    });
  }

  const vote = "bss.v1.VoteService/Vote";
  const verify = "bss.v1.VerifyIntegrityService/VerifyIntegrity";
  passes(
    "a proposal of the largest block with the largest lock certificate",
    VoteRequestSchema,
    { message: { case: "proposal", value: { block: managerBlock, lockCertificate } } },
    requestBounds(vote),
  );
  for (const bits of [0, 1, 2, 125]) {
    const entries = times(10_000, () => ({
      submissionId: hash,
      recordBits: new Uint8Array(bits).fill(1),
    }));
    const compact = { header: new Uint8Array(1_024), control: block.control, entries };
    passes(
      `a proposal of a compact block of 10,000 submissions with ${bits} bytes of bits each`,
      VoteRequestSchema,
      { message: { case: "proposal", value: { ...place, compact, lockCertificate } } },
      requestBounds(vote),
    );
    passes(
      `that compact block without control operations and certificates, ${bits} bytes of bits`,
      VoteRequestSchema,
      { message: { case: "proposal", value: { ...place, compact: { entries } } } },
      requestBounds(vote),
    );
  }
  passes(
    "the largest body of a candidate",
    VoteResponseSchema,
    { message: { case: "body", value: { block: managerBlock } } },
    answerBounds(vote),
  );
  passes(
    "as many blocks as a manager catches up with at once",
    VoteResponseSchema,
    { message: { case: "blocks", value: { blocks: times(70, () => certified) } } },
    answerBounds(vote),
  );
  const objections = times(1_000, () => ({
    recordHash: hash,
    reason: "PARENT_OWNER_MISMATCH",
    message: "The record names a parent that another participant owns.".repeat(4),
    field: "meter_reading.interval_start_unix_s",
    height: 1_000_000n,
  }));
  const objector = { submissionId: hash, managerId: "manager-1", signature };
  const broadcast = "bss.v1.BroadcastService/Broadcast";
  passes(
    "objections to every record of a submission",
    BroadcastRequestSchema,
    { message: { case: "objections", value: { objections, signature: objector } } },
    requestBounds(broadcast),
  );
  passes(
    "objections to every record of a submission as an answer",
    BroadcastResponseSchema,
    { message: { case: "objections", value: { objections, signature: objector } } },
    answerBounds(broadcast),
  );
  passes(
    "a relayed submission all of whose records are left out",
    BroadcastRequestSchema,
    { message: { case: "submission", value: submission }, leftOut: times(1_000, (i) => i) },
    requestBounds(broadcast),
  );
  passes(
    "the largest candidate for storage nodes",
    VerifyIntegrityResponseSchema,
    { message: { case: "verify", value: { block, sealedRecords: records, approval } } },
    answerBounds(verify),
  );
  passes(
    "the certificates of 10,000 storage nodes, with the block before",
    VerifyIntegrityResponseSchema,
    {
      message: {
        case: "commit",
        value: {
          certificates: certificatesOf(10_000),
          block: { block, sealedRecords: records, certificates: certificatesOf(10_000) },
        },
      },
    },
    { ...answerBounds(verify) },
  );
  passes(
    "a proof of a fork, signed by all managers",
    VerifyIntegrityRequestSchema,
    { message: { case: "fork", value: { first: commit, second: commit } } },
    requestBounds(verify),
  );
  passes(
    "a submission of 1,000 records",
    SubmitRequestSchema,
    { submission },
    requestBounds("bss.v1.BroadcastService/Submit"),
  );
  passes(
    "verdicts on 1,000 submissions",
    BroadcastRequestSchema,
    { message: { case: "verdict", value: { submissionIds: times(1_000, () => hash) } } },
    requestBounds(broadcast),
  );
  passes(
    "the outcomes of 1,000 records",
    SubmitResponseSchema,
    {
      outcomes: times(1_000, (i) => ({
        recordHash: hash,
        outcome: {
          case: "committed" as const,
          value: { ...place, position: BigInt(i), sealDigest: hash },
        },
      })),
      blocks: times(400, () => ({ ...place, header: hash, commitCertificate: commit })),
    },
    answerBounds("bss.v1.BroadcastService/Submit"),
  );
  passes(
    "the status of a manager with 10,000 storage nodes",
    GetStatusResponseSchema,
    {
      peers: times(10_000, (i) => ({
        peerId: `s${i}`,
        role: NodeRole.STORAGE,
        connected: true,
        height: 7n,
      })),
    },
    answerBounds("bss.v1.QueryService/GetStatus"),
  );
  passes(
    "a page of 100 blocks",
    ListBlocksResponseSchema,
    { blocks: times(100, () => ({ ...place, certificates: certificatesOf(667) })) },
    answerBounds("bss.v1.QueryService/ListBlocks"),
  );

  test("take the longest certificates in a block, and the longest submission header", () => {
    const most = Math.floor((certificatesBytesMax - 30_000) / signatureBytes());
    const certificates = create(BlockCertificatesSchema, certificatesOf(most));
    const bytes = toBinary(BlockCertificatesSchema, certificates);
    assert.notEqual(decodeCanonical(BlockCertificatesSchema, bytes), undefined);
    const recordHashes = times(1_000, () => hash);
    const header = create(SubmissionHeaderSchema, { participantId: "p", recordHashes });
    const submissionHeader = toBinary(SubmissionHeaderSchema, header);
    const entry = { submissionHeader, signature, recordIndexes: times(1_000, (i) => i) };
    const entryBytes = toBinary(PrivateEntrySchema, create(PrivateEntrySchema, entry));
    assert.notEqual(decodeCanonical(PrivateEntrySchema, entryBytes, recordBounds), undefined);
  });

  test("refuse from a manager what is denser than a block, long before it is large", () => {
    const count = 20_000;
    const inner = Buffer.alloc(2 * count, Buffer.of(0x22, 0));
    const length = [0x80 | (inner.length & 0x7f), 0x80 | ((inner.length >> 7) & 0x7f)];
    const first = Buffer.concat([Buffer.of(0x0a, ...length, inner.length >> 14), inner]);
    const whole = [0x80 | (first.length & 0x7f), 0x80 | ((first.length >> 7) & 0x7f)];
    const fork = Buffer.concat([Buffer.of(0x52, ...whole, first.length >> 14), first]);
    const problem = wireProblem(VoteRequestSchema, fork, requestBounds(vote));
    assert.match(problem?.kind ?? "", /elements|memory/);
  });

  test("refuse 16 KiB of empty signatures from a storage node", () => {
    const inner = Buffer.concat([Buffer.of(0x0a, 0xfc, 0x7f), Buffer.alloc(16_380)]);
    for (let i = 3; i < inner.length; i += 2) inner[i] = 0x22;
    const bytes = Buffer.concat([Buffer.of(0x2a, 0xff, 0x7f), inner]);
    const problem = wireProblem(VerifyIntegrityRequestSchema, bytes, requestBounds(verify));
    assert.match(problem?.kind ?? "", /elements|memory/);
  });
});

function signatureBytes(): number {
  const [one] = nodes(1);
  return toBinary(StorageSignatureSchema, create(StorageSignatureSchema, one)).length + 6;
}
