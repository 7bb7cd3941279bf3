import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { concatBytes, toHex } from "../../../../src/base/bytes.js";
import { SubmissionHeaderSchema, SubmissionSchema } from "../../../../src/gen/bss/v1/record_pb.js";
import {
  recordSignatureChecks,
  submissionSignatureCheck,
} from "../../../../src/ledger/records/signatures.js";
import { parseSubmission } from "../../../../src/ledger/records/submissions.js";
import { Chain, verifies } from "../support/chain.js";
import { consortiumId, policy } from "../support/consortium.js";
import { accepted, refusal } from "../support/outcome.js";
import {
  documentBytes,
  hashOf,
  parsed,
  recordBytes,
  seedOf,
  sign,
  submissionOf,
  submitted,
  tradeBytes,
} from "../support/records.js";

const records = [documentBytes(), documentBytes(), documentBytes()];
const right = submissionOf(records);

const parse = (change: Partial<typeof right>) =>
  parseSubmission(consortiumId, create(SubmissionSchema, { ...right, ...change }), policy);

/** The right header with one thing changed, not signed anew. */
function header(change: object): Uint8Array {
  const recordHashes = records.map(hashOf);
  const init = { consortiumId, participantId: "participant-1", recordHashes, ...change };
  return toBinary(SubmissionHeaderSchema, create(SubmissionHeaderSchema, init));
}

describe("a parsed submission", () => {
  test("holds its records in the order of its header, and its exact bytes", () => {
    const submission = accepted(parse({}));
    assert.deepEqual(
      submission.records.map((record) => record.bytes),
      records,
    );
    assert.equal(submission.participantId, "participant-1");
    assert.deepEqual(submission.headerBytes, right.header);
  });

  test("is named by SHA-256 of header and signature", () => {
    const expected = createHash("sha256")
      .update(right.header)
      .update(right.signature)
      .digest("hex");
    const { id, idHex } = accepted(parse({}));
    assert.equal(idHex, expected);
    assert.equal(toHex(id), expected);
  });
});

describe("a submission is refused that", () => {
  const hashes = records.map(hashOf);
  const [first = new Uint8Array(), second = new Uint8Array()] = hashes;
  const cases: readonly (readonly [string, Partial<typeof right>, string, string])[] = [
    ["has no header", { header: new Uint8Array() }, "CONSORTIUM_MISMATCH", "header.consortium_id"],
    [
      "has a header that does not decode",
      { header: Uint8Array.of(1) },
      "SUBMISSION_MALFORMED",
      "header",
    ],
    [
      "has more in its header",
      { header: concatBytes(right.header, Uint8Array.of(32, 1)) },
      "SUBMISSION_MALFORMED",
      "header",
    ],
    [
      "is made for another consortium",
      { header: header({ consortiumId: seedOf("other") }) },
      "CONSORTIUM_MISMATCH",
      "header.consortium_id",
    ],
    [
      "has a submitter that is no id",
      { header: header({ participantId: "" }) },
      "SUBMISSION_MALFORMED",
      "header.participant_id",
    ],
    [
      "has a signature of 63 bytes",
      { signature: new Uint8Array(63) },
      "SUBMISSION_MALFORMED",
      "signature",
    ],
    [
      "has no records",
      { header: header({ recordHashes: [] }), records: [] },
      "SUBMISSION_MALFORMED",
      "header.record_hashes",
    ],
    [
      "names a hash of 31 bytes",
      { header: header({ recordHashes: [first.subarray(1)] }) },
      "SUBMISSION_MALFORMED",
      "header.record_hashes[0]",
    ],
    [
      "names a record twice",
      { header: header({ recordHashes: [first, second, first] }) },
      "RECORD_REPEATED",
      "header.record_hashes[2]",
    ],
    [
      "holds a record less than it names",
      { records: records.slice(1) },
      "SUBMISSION_MALFORMED",
      "records",
    ],
    [
      "holds a record more than it names",
      { records: [...records, documentBytes()] },
      "SUBMISSION_MALFORMED",
      "records",
    ],
    [
      "holds its records in another order",
      { records: records.toReversed() },
      "RECORD_HASH_MISMATCH",
      "header.record_hashes[0]",
    ],
    [
      "holds a record that is wrong by itself",
      { records: records.with(1, recordBytes({})) },
      "RECORD_MALFORMED",
      "records[1].payload",
    ],
    [
      "holds a record that does not decode",
      { records: records.with(2, Uint8Array.of(9)) },
      "RECORD_MALFORMED",
      "records[2]",
    ],
  ];
  for (const [what, change, reason, field] of cases) {
    test(what, () => {
      const violation = refusal(parse(change));
      assert.equal(violation.reason, reason, violation.message);
      assert.equal(violation.field, field);
      assert.match(violation.message, /^[A-Z].*\.$/);
    });
  }

  test("holds more records than the policy allows, and none that holds as many", () => {
    const limited = (submissionRecordsMax: number) =>
      parseSubmission(consortiumId, right, { ...policy, submissionRecordsMax });
    accepted(limited(3));
    assert.equal(refusal(limited(2)).reason, "TOO_MANY_RECORDS");
  });
});

describe("the signatures of a submission", () => {
  const tables = new Chain().tables();

  test("are its submitter's and, for a trade, both parties'", () => {
    const submission = submitted([documentBytes(), tradeBytes()], "head-end");
    const checks = [
      accepted(submissionSignatureCheck(submission, tables)),
      ...submission.records.flatMap((record) =>
        accepted(recordSignatureChecks(record, consortiumId, tables)),
      ),
    ];
    assert.equal(checks.length, 3);
    for (const check of checks) assert.ok(verifies(check), check.what);
    assert.deepEqual(
      checks.map(({ violation }) => [violation.reason, violation.field]),
      [
        ["SIGNATURE_INVALID", "signature"],
        ["TRADE_SIGNATURE_INVALID", "energy_trade.seller_signature"],
        ["TRADE_SIGNATURE_INVALID", "energy_trade.buyer_signature"],
      ],
    );
  });

  test("do not verify when another header or other terms were signed", () => {
    const forged = create(SubmissionSchema, {
      ...right,
      signature: sign("participant-1", seedOf("something else")),
    });
    const submission = accepted(parseSubmission(consortiumId, forged, policy));
    assert.ok(!verifies(accepted(submissionSignatureCheck(submission, tables))));
  });

  test("bind the consortium: terms that were signed for another one do not verify", () => {
    const record = parsed(tradeBytes());
    const here = accepted(recordSignatureChecks(record, consortiumId, tables));
    const elsewhere = accepted(recordSignatureChecks(record, seedOf("other"), tables));
    assert.deepEqual(here.map(verifies), [true, true]);
    assert.deepEqual(elsewhere.map(verifies), [false, false]);
  });

  test("cannot be those of somebody who is not registered", () => {
    const unknown = submissionSignatureCheck(submitted(records, "stranger"), tables);
    assert.equal(refusal(unknown).reason, "PARTICIPANT_UNKNOWN");
    for (const [trade, field] of [
      [tradeBytes({ seller: "stranger" }), "seller_id"],
      [tradeBytes({ buyer: "stranger" }), "buyer_id"],
    ] as const) {
      const violation = refusal(recordSignatureChecks(parsed(trade), consortiumId, tables));
      assert.equal(violation.reason, "TRADE_PARTY_UNKNOWN");
      assert.equal(violation.field, `energy_trade.terms.${field}`);
    }
  });

  test("of a trade have 64 bytes each", () => {
    for (const role of ["seller", "buyer"] as const) {
      const trade = parsed(tradeBytes());
      assert.ok(trade.payload.kind === "energyTrade");
      const payload = { ...trade.payload, [`${role}Signature`]: new Uint8Array(63) };
      const violation = refusal(recordSignatureChecks({ ...trade, payload }, consortiumId, tables));
      assert.equal(violation.reason, "TRADE_SIGNATURE_INVALID");
      assert.equal(violation.field, `energy_trade.${role}_signature`);
    }
  });
});
