import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { sealTagBytes } from "../../../src/crypto/seal-tag.js";
import {
  BlockCertificatesSchema,
  LockCertificateSchema,
  type ManagerBlockSchema,
  PrivateEntrySchema,
} from "../../../src/gen/bss/v1/block_pb.js";
import { SubmitStreamRequestSchema, WaitFor } from "../../../src/gen/bss/v1/broadcast_pb.js";
import { GetRecordResponseSchema } from "../../../src/gen/bss/v1/query_pb.js";
import { SubmissionHeaderSchema } from "../../../src/gen/bss/v1/record_pb.js";
import { VerifyIntegrityResponseSchema } from "../../../src/gen/bss/v1/verify_integrity_pb.js";
import { VoteRequestSchema, VoteResponseSchema } from "../../../src/gen/bss/v1/vote_pb.js";
import {
  blockRecordsBound,
  certificatesBytesMax,
  controlBytesMax,
  controlOperationBytesMax,
  controlOperationsMax,
  headerBytesMax,
} from "../../../src/ledger/blocks/block-parsing.js";
import { managersMax, storageNodesMax } from "../../../src/ledger/members/member-lists.js";
import {
  blockBytesBound,
  defaultMessageLimits,
  messageNeeds,
  recordBytesBound,
  sizeProblems,
} from "../../../src/ledger/message-sizes.js";
import {
  submissionHeaderBytesMax,
  submissionRecordsBound,
} from "../../../src/ledger/records/submission-bounds.js";

const MiB = 2 ** 20;
const hash = new Uint8Array(32).fill(0xff);
const signature = new Uint8Array(64).fill(0xff);
const id = (i: number) => `${i}`.padStart(63, "m");
const height = 2n ** 53n - 1n;
const round = 2 ** 32 - 1;

const managers = Array.from({ length: managersMax }, (_, i) => ({ managerId: id(i), signature }));
const committee = Math.floor((2 * storageNodesMax) / 3) + 1;
const nodes = Array.from({ length: committee }, (_, i) => {
  return { nodeId: id(i), audit: hash, signature };
});
const approval = { height, blockId: hash, signatures: managers };
const integrity = {
  height,
  round,
  blockId: hash,
  hash2: hash,
  treeSize: height,
  signatures: nodes,
};
const certificates = {
  approval,
  integrity,
  commit: { height, round, blockId: hash, signatures: managers },
};
const approvals = managers.map((each) => ({ ...each, validRound: -(2 ** 31) }));
const lockCertificate = {
  polka: { height, round, blockId: hash, approvals },
  approval,
  integrity,
};
const lengthOf = {
  certificates: toBinary(BlockCertificatesSchema, create(BlockCertificatesSchema, certificates)),
  lock: toBinary(LockCertificateSchema, create(LockCertificateSchema, lockCertificate)),
};

/** How a block may be filled: what matters is how many parts there are, and how long each is. */
type Mix = {
  readonly records: number;
  readonly recordBytes: number;
  readonly entries: number;
  readonly headerBytes: number;
  readonly operations: number;
};

function blockOf(mix: Mix): MessageInitShape<typeof ManagerBlockSchema> {
  const { records, recordBytes, entries, headerBytes, operations } = mix;
  const perEntry = Math.ceil(records / entries);
  const operationBytes = Math.min(
    controlOperationBytesMax,
    Math.floor(controlBytesMax / operations),
  );
  return {
    block: {
      header: new Uint8Array(headerBytesMax),
      control: Array.from({ length: operations }, () => new Uint8Array(operationBytes)),
      leaves: Array.from({ length: records }, () => ({ recordHash: hash, sealDigest: hash })),
      privateRoot: hash,
      previousCertificates: new Uint8Array(certificatesBytesMax),
    },
    privateEntries: Array.from({ length: entries }, () => {
      const recordIndexes = Array.from({ length: Math.min(1_000, perEntry) }, () => 999);
      const submissionHeader = new Uint8Array(headerBytes);
      const entry = create(PrivateEntrySchema, { submissionHeader, signature, recordIndexes });
      return toBinary(PrivateEntrySchema, entry);
    }),
    records: Array.from({ length: records }, () => new Uint8Array(recordBytes)),
  };
}

function messagesOf(block: MessageInitShape<typeof ManagerBlockSchema>) {
  const { block: publicBlock, records = [] } = block;
  const proposal = {
    height,
    round,
    validRound: -(2 ** 31),
    blockId: hash,
    managerId: id(1),
    signature,
    lockCertificate,
    block,
  };
  const sealedRecords = records.map((each) => new Uint8Array(each.length + sealTagBytes));
  const down = (message: MessageInitShape<typeof VerifyIntegrityResponseSchema>["message"]) =>
    toBinary(
      VerifyIntegrityResponseSchema,
      create(VerifyIntegrityResponseSchema, { ...(message && { message }) }),
    );
  const finalBlock = { block: publicBlock, sealedRecords };
  return {
    proposal: toBinary(
      VoteRequestSchema,
      create(VoteRequestSchema, { message: { case: "proposal", value: proposal } }),
    ),
    "body of a candidate": toBinary(
      VoteResponseSchema,
      create(VoteResponseSchema, { message: { case: "body", value: { block } } }),
    ),
    "final block for a manager": toBinary(
      VoteResponseSchema,
      create(VoteResponseSchema, {
        message: {
          case: "blocks",
          value: { blocks: [{ block, certificates }], headHeight: height },
        },
      }),
    ),
    "candidate for storage nodes": down({
      case: "verify",
      value: { round, ...finalBlock, approval },
    }),
    "final block for storage nodes": down({
      case: "commit",
      value: { certificates, block: finalBlock },
    }),
    "final block for a storage node that is behind": down({
      case: "blocks",
      value: { blocks: [{ ...finalBlock, certificates }], headHeight: height },
    }),
  };
}

/** The largest blocks that may be agreed on for so many records. */
function largestPolicy(blockRecordsMax: number) {
  const sizes = { blockRecordsMax, blockBytesMax: 64 * MiB, recordBytesMax: 1 };
  const [problem] = sizeProblems(sizes);
  assert.equal(problem?.field, "block_bytes_max");
  const most = Number(/at most (\d+)\.$/.exec(problem.message)?.[1]);
  const policy = { ...sizes, blockBytesMax: most };
  assert.deepEqual(sizeProblems(policy), []);
  assert.equal(sizeProblems({ ...policy, blockBytesMax: most + 1 }).length, 1);
  return policy;
}

describe("the longest messages that a policy allows", () => {
  test("carry certificates of all members that there may be", () => {
    for (const bytes of Object.values(lengthOf)) {
      assert.ok(bytes.length <= certificatesBytesMax, `${bytes.length}`);
    }
  });

  for (const records of [1, 1_000, blockRecordsBound]) {
    const policy = largestPolicy(records);
    const { blockBytesMax } = policy;
    const even = Math.floor(blockBytesMax / records);
    const mixes: Record<string, Mix> = {
      "an entry for each record, as long as can be": {
        records,
        recordBytes: even,
        entries: records,
        headerBytes: even,
        operations: controlOperationsMax,
      },
      "many records in few entries": {
        records,
        recordBytes: even,
        entries: Math.ceil(records / 1_000),
        headerBytes: Math.floor(blockBytesMax / Math.ceil(records / 1_000)),
        operations: Math.floor(controlBytesMax / controlOperationBytesMax),
      },
      "empty records": {
        records,
        recordBytes: 0,
        entries: records,
        headerBytes: even,
        operations: 1,
      },
    };
    for (const [title, mix] of Object.entries(mixes)) {
      test(`travel: ${records} records of ${blockBytesMax} bytes, ${title}`, () => {
        const { peerBytes } = messageNeeds(policy);
        assert.ok(peerBytes <= defaultMessageLimits.peerBytes);
        for (const [name, bytes] of Object.entries(messagesOf(blockOf(mix)))) {
          assert.ok(bytes.length <= peerBytes, `${name}: ${bytes.length} of ${peerBytes}`);
        }
      });
    }
  }

  test("are not much longer than what is computed for them", () => {
    const { blockBytesMax, ...rest } = largestPolicy(1_000);
    const even = Math.floor(blockBytesMax / 1_000);
    const parts = { records: 1_000, recordBytes: even, entries: 1_000, headerBytes: even };
    const { proposal } = messagesOf(blockOf({ ...parts, operations: controlOperationsMax }));
    const { peerBytes } = messageNeeds({ blockBytesMax, ...rest });
    assert.ok(proposal.length > 0.98 * peerBytes, `${proposal.length} of ${peerBytes}`);
  });

  test("are no longer than 16 MiB for the policies that there may be", () => {
    assert.equal(largestPolicy(1).blockBytesMax, blockBytesBound);
    const sizes = { blockRecordsMax: 1, blockBytesMax: 1, recordBytesMax: 1 };
    assert.deepEqual(sizeProblems({ ...sizes, blockRecordsMax: blockRecordsBound }), []);
  });

  test("name the number of records when no length of a block would do", () => {
    const sizes = { blockRecordsMax: 1_000_000, blockBytesMax: 1, recordBytesMax: 1 };
    assert.deepEqual(
      sizeProblems(sizes).map(({ field }) => field),
      ["block_records_max"],
    );
  });
});

describe("the longest record", () => {
  test("travels in a submission of its own, and in an answer", () => {
    const record = new Uint8Array(recordBytesBound);
    const header = toBinary(
      SubmissionHeaderSchema,
      create(SubmissionHeaderSchema, {
        consortiumId: hash,
        participantId: id(1),
        recordHashes: [hash],
      }),
    );
    const submission = { header, signature, records: [record] };
    const waitFor = WaitFor.COMMITTED;
    const request = { requestId: 2n ** 64n - 1n, submission, waitFor };
    const sent = create(SubmitStreamRequestSchema, request);
    const entry = { recordHash: hash, height, position: height, sealDigest: hash, record };
    const answer = create(GetRecordResponseSchema, { entry: { ...entry, successor: hash } });
    const { participantBytes } = defaultMessageLimits;
    assert.ok(toBinary(SubmitStreamRequestSchema, sent).length <= participantBytes);
    assert.ok(toBinary(GetRecordResponseSchema, answer).length <= participantBytes);
  });

  test("may not be longer than a message takes", () => {
    const sizes = { blockRecordsMax: 1, blockBytesMax: blockBytesBound };
    assert.deepEqual(sizeProblems({ ...sizes, recordBytesMax: recordBytesBound }), []);
    const problems = sizeProblems({ ...sizes, recordBytesMax: recordBytesBound + 1 });
    assert.deepEqual(
      problems.map(({ field }) => field),
      ["record_bytes_max"],
    );
  });

  test("is bounded by the limits of a node, too", () => {
    const sizes = { blockRecordsMax: 1, blockBytesMax: 4 * MiB, recordBytesMax: 64 * 1024 };
    const limits = { ...defaultMessageLimits, participantBytes: 64 * 1024 };
    assert.equal(sizeProblems(sizes, limits)[0]?.field, "record_bytes_max");
  });
});

test("a submission's header is as long as is said", () => {
  const recordHashes = Array.from({ length: submissionRecordsBound }, () => hash);
  const header = create(SubmissionHeaderSchema, {
    consortiumId: hash,
    participantId: id(1),
    recordHashes,
  });
  const bytes = toBinary(SubmissionHeaderSchema, header);
  assert.equal(bytes.length, submissionHeaderBytesMax(submissionRecordsBound));
});
