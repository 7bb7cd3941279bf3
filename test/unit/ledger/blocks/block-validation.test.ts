import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { defined } from "../../../../src/base/assert.js";
import { vrfProofToHash, vrfProve } from "../../../../src/crypto/vrf.js";
import {
  type BlockCertificates,
  BlockCertificatesSchema,
  type ManagerBlock,
} from "../../../../src/gen/bss/v1/block_pb.js";
import { ControlOperationSchema } from "../../../../src/gen/bss/v1/genesis_pb.js";
import { RecordSchema, SubmissionHeaderSchema } from "../../../../src/gen/bss/v1/record_pb.js";
import { beaconInput } from "../../../../src/ledger/blocks/block-hashes.js";
import { sealLeaf } from "../../../../src/ledger/records/records.js";
import { submissionDigest } from "../../../../src/ledger/records/submissions.js";
import { Chain } from "../support/chain.js";
import { consortiumId, epochKey, policy, quarterS, startS } from "../support/consortium.js";
import { flipped, forge, type Parts } from "../support/forge.js";
import { refusal } from "../support/outcome.js";
import {
  documentBytes,
  hashOf,
  parsed,
  publicKeyOf,
  readingBytes,
  recordBytes,
  seedOf,
  sign,
  submitted,
  tradeBytes,
} from "../support/records.js";

const admission = create(ControlOperationSchema, {
  operation: {
    case: "admitStorageNode",
    value: {
      nodeId: "storage-9",
      sponsorId: "manager-1",
      signingKey: publicKeyOf("storage-9"),
      tlsSpkiSha256: seedOf("tls of storage-9"),
    },
  },
});

const old = documentBytes();
const reading = readingBytes();
const buying = readingBytes({ owner: "participant-2", meter: "meter-2" });
const trade = tradeBytes();
const note = documentBytes();

/** A chain with one block, of one record. */
function chainOfOne(options = policy): Chain {
  const chain = new Chain(options);
  chain.extend({ candidates: [submitted([old])] });
  return chain;
}

const chain = chainOfOne();
const right = chain.propose({
  control: [admission],
  candidates: [submitted([reading, buying], "head-end"), submitted([trade, note])],
}).block;
const empty = chain.propose().block;

test("the block that the tests below change is right", () => {
  assert.ok(chain.judge(right).ok);
  assert.ok(chain.judge(forge(right, () => undefined)).ok);
  assert.ok(chain.judge(empty).ok);
  assert.equal(right.privateEntries.length, 2);
  assert.equal(right.records.length, 4);
});

function certificatesOf({ previousCertificates }: Parts): BlockCertificates {
  return fromBinary(BlockCertificatesSchema, previousCertificates);
}

function withCertificates(parts: Parts, edit: (certificates: BlockCertificates) => void): void {
  const certificates = certificatesOf(parts);
  edit(certificates);
  parts.previousCertificates = toBinary(BlockCertificatesSchema, certificates);
}

/** Puts a record in place of the last one, signed and sealed as it should be. */
function replaceNote(parts: Parts, bytes: Uint8Array, owner = "participant-1"): void {
  const entry = defined(parts.entries[1], "there are two entries");
  const header = fromBinary(SubmissionHeaderSchema, entry.submissionHeader);
  header.recordHashes = [hashOf(trade), hashOf(bytes)];
  header.participantId = owner;
  entry.submissionHeader = toBinary(SubmissionHeaderSchema, header);
  entry.signature = sign(owner, submissionDigest(entry.submissionHeader));
  parts.records[3] = bytes;
  const { leaf } = sealLeaf(epochKey, { ...parsed(note), bytes, hash: hashOf(bytes) });
  parts.leaves[3] = leaf;
}

type Change = readonly [
  what: string,
  reason: string,
  field: string | undefined,
  edit: (parts: Parts) => void,
];

function refuses(block: ManagerBlock, changes: readonly Change[], judge = chain): void {
  for (const [what, reason, field, edit] of changes) {
    test(what, () => {
      const violation = refusal(judge.judge(forge(block, edit)));
      assert.equal(violation.reason, reason, violation.message);
      assert.equal(violation.field, field);
      assert.match(violation.message, /\.$/);
    });
  }
}

describe("a block is refused that in its header has", () => {
  const height2 = { consortiumId, previousBeacon: chain.head.beacon };
  const proofOf = (manager: string, height: number) =>
    vrfProve(seedOf(`vrf of ${manager}`), beaconInput({ ...height2, height }));
  const withProof =
    (proof: Uint8Array) =>
    ({ header }: Parts) => {
      header.beaconProof = proof;
      header.beacon = defined(vrfProofToHash(proof), "a proof has an output");
    };
  refuses(empty, [
    [
      "another consortium",
      "CONSORTIUM_MISMATCH",
      "header.consortium_id",
      ({ header }) => {
        header.consortiumId = seedOf("other");
      },
    ],
    [
      "the height after the next",
      "BLOCK_WRONG_HEIGHT",
      "header.height",
      ({ header }) => {
        header.height = 3n;
      },
    ],
    [
      "another parent",
      "BLOCK_WRONG_PARENT",
      "header.previous_block_id",
      ({ header }) => {
        header.previousBlockId = consortiumId;
      },
    ],
    [
      "another state before it",
      "BLOCK_DIGEST_MISMATCH",
      "header.previous_state_digest",
      ({ header }) => {
        header.previousStateDigest = flipped(header.previousStateDigest);
      },
    ],
    [
      "the round of another proposer",
      "BLOCK_WRONG_PROPOSER",
      "header.proposer_id",
      ({ header }) => {
        header.createdRound = 1;
      },
    ],
    [
      "a proposer whose turn it is not",
      "BLOCK_WRONG_PROPOSER",
      "header.proposer_id",
      ({ header }) => {
        header.proposerId = "manager-1";
      },
    ],
    [
      "a proposer that is no manager",
      "BLOCK_WRONG_PROPOSER",
      "header.proposer_id",
      ({ header }) => {
        header.proposerId = "storage-1";
      },
    ],
    [
      "its parent's time",
      "BLOCK_TIME_INVALID",
      "header.timestamp_unix_ms",
      ({ header }) => {
        header.timestampUnixMs = BigInt(chain.head.timestampMs);
      },
    ],
    [
      "a beacon that is not its proof's",
      "BLOCK_BEACON_INVALID",
      "header.beacon",
      ({ header }) => {
        header.beacon = flipped(header.beacon);
      },
    ],
    [
      "a broken proof",
      "BLOCK_BEACON_INVALID",
      "header.beacon_proof",
      ({ header }) => {
        header.beaconProof = flipped(header.beaconProof, 50);
      },
    ],
    [
      "another manager's beacon",
      "BLOCK_BEACON_INVALID",
      "header.beacon_proof",
      withProof(proofOf("manager-1", 2)),
    ],
    [
      "the beacon of another height",
      "BLOCK_BEACON_INVALID",
      "header.beacon_proof",
      withProof(proofOf("manager-3", 3)),
    ],
    [
      "another tree size",
      "BLOCK_ROOT_MISMATCH",
      "header.tree_size",
      ({ header }) => {
        header.treeSize += 1n;
      },
    ],
    [
      "another root",
      "BLOCK_ROOT_MISMATCH",
      "header.hash1",
      ({ header }) => {
        header.hash1 = flipped(header.hash1);
      },
    ],
    [
      "other members",
      "BLOCK_DIGEST_MISMATCH",
      "header.members_digest",
      ({ header }) => {
        header.membersDigest = flipped(header.membersDigest);
      },
    ],
  ]);
});

describe("a block is refused whose previous certificates", () => {
  const at = (field: string) => `previous_certificates.${field}`;
  refuses(empty, [
    [
      "are missing",
      "CERTIFICATE_INVALID",
      "previous_certificates",
      (parts) => {
        parts.previousCertificates = new Uint8Array();
      },
    ],
    [
      "lack the commit",
      "CERTIFICATE_INVALID",
      at("commit"),
      (parts) =>
        withCertificates(parts, (each) => {
          delete each.commit;
        }),
    ],
    [
      "lack an ACCEPT",
      "CERTIFICATE_INVALID",
      at("approval.signatures"),
      (parts) =>
        withCertificates(parts, ({ approval }) => {
          approval?.signatures.pop();
        }),
    ],
    [
      "lack the committee",
      "CERTIFICATE_INVALID",
      at("integrity"),
      (parts) =>
        withCertificates(parts, (each) => {
          delete each.integrity;
        }),
    ],
    [
      "are about another block",
      "CERTIFICATE_INVALID",
      at("approval.block_id"),
      (parts) =>
        withCertificates(parts, ({ approval }) => {
          if (approval) approval.blockId = seedOf("other");
        }),
    ],
  ]);

  for (const kind of ["approval", "integrity", "commit"] as const) {
    test(`hold a signature that does not verify, in the ${kind}`, () => {
      const forged = forge(empty, (parts) =>
        withCertificates(parts, (certificates) => {
          const entry = defined(certificates[kind]?.signatures[0], "there is a signature");
          entry.signature = flipped(entry.signature);
        }),
      );
      const { reason } = refusal(chain.judge(forged));
      assert.ok(reason === "SIGNATURE_INVALID" || reason === "CERTIFICATE_INVALID", reason);
    });
  }
});

describe("a block is refused whose content", () => {
  refuses(right, [
    [
      "registers a member that fits no more",
      "OPERATION_INVALID",
      "control[1].admit_storage_node.node_id",
      ({ control }) => {
        control.push(defined(control[0], "there is one"));
      },
    ],
    [
      "lacks an operation that the members digest covers",
      "BLOCK_DIGEST_MISMATCH",
      "header.members_digest",
      (parts) => {
        parts.control = [];
      },
    ],
    [
      "has a seal of something else",
      "BLOCK_SEAL_MISMATCH",
      "leaves[2].seal_digest",
      ({ leaves }) => {
        const leaf = defined(leaves[2], "there are four");
        leaf.sealDigest = flipped(leaf.sealDigest);
      },
    ],
    [
      "has a leaf of something else",
      "RECORD_HASH_MISMATCH",
      "records[2]",
      ({ leaves }) => {
        const leaf = defined(leaves[2], "there are four");
        leaf.recordHash = flipped(leaf.recordHash);
      },
    ],
    [
      "has a record of something else",
      "RECORD_HASH_MISMATCH",
      "records[3]",
      ({ records }) => {
        records[3] = documentBytes();
      },
    ],
    [
      "lacks a record",
      "BLOCK_MALFORMED",
      "records",
      ({ records }) => {
        records.pop();
      },
    ],
    [
      "lacks a record everywhere but in the log",
      "BLOCK_ROOT_MISMATCH",
      "header.tree_size",
      ({ entries, leaves, records }) => {
        entries[1]?.recordIndexes.pop();
        leaves.pop();
        records.pop();
      },
    ],
    [
      "has a trade before what covers it",
      "DOUBLE_SPEND",
      "records[0].energy_trade.terms.energy_wh",
      (parts) => {
        parts.leaves.push(...parts.leaves.splice(0, 2));
        parts.records.push(...parts.records.splice(0, 2));
        parts.entries.reverse();
      },
    ],
    [
      "has a signature that is not the submitter's",
      "SIGNATURE_INVALID",
      "signature",
      ({ entries }) => {
        const entry = defined(entries[0], "there are two");
        entry.signature = flipped(entry.signature);
      },
    ],
    [
      "has a submitter who did not sign",
      "SIGNATURE_INVALID",
      "signature",
      ({ entries }) => {
        const entry = defined(entries[0], "there are two");
        const header = fromBinary(SubmissionHeaderSchema, entry.submissionHeader);
        entry.submissionHeader = toBinary(SubmissionHeaderSchema, {
          ...header,
          recordHashes: [...header.recordHashes, seedOf("more")],
        });
      },
    ],
    [
      "has a submission for another consortium",
      "CONSORTIUM_MISMATCH",
      "private_entries[0].header.consortium_id",
      ({ entries }) => {
        const entry = defined(entries[0], "there are two");
        const header = fromBinary(SubmissionHeaderSchema, entry.submissionHeader);
        entry.submissionHeader = toBinary(SubmissionHeaderSchema, {
          ...header,
          consortiumId: seedOf("other"),
        });
      },
    ],
    [
      "has a submitter that nobody registered",
      "PARTICIPANT_UNKNOWN",
      "private_entries[1].header.participant_id",
      (parts) => replaceNote(parts, note, "stranger"),
    ],
    [
      "has a submitter who may not",
      "AGENT_NOT_AUTHORIZED",
      "records[2].owner_id",
      (parts) => replaceNote(parts, note, "participant-3"),
    ],
    [
      "has a record that is on the ledger",
      "RECORD_ON_LEDGER",
      "records[3]",
      (parts) => replaceNote(parts, old),
    ],
    ["has a record twice", "RECORD_REPEATED", "leaves[3]", (parts) => replaceNote(parts, trade)],
    [
      "has a record without a payload",
      "RECORD_MALFORMED",
      "records[3].payload",
      (parts) => replaceNote(parts, recordBytes({})),
    ],
    [
      "has a record with a wrong salt",
      "SALT_INVALID",
      "records[3].salt",
      (parts) => replaceNote(parts, documentBytes({}, { salt: new Uint8Array(1) })),
    ],
    [
      "has a record of the future",
      "TIME_IN_FUTURE",
      "records[3].time_unix_ms",
      (parts) =>
        replaceNote(
          parts,
          documentBytes({}, { timeUnixMs: BigInt(chain.head.timestampMs + 3_600_000) }),
        ),
    ],
    [
      "has a second reading of an interval",
      "INTERVAL_OVERLAP",
      "records[3].meter_reading.interval_start_unix_s",
      (parts) => replaceNote(parts, readingBytes({ exported: 1 })),
    ],
    [
      "sells more than was exported",
      "DOUBLE_SPEND",
      "records[3].energy_trade.terms.energy_wh",
      (parts) => replaceNote(parts, tradeBytes({ energy: 91 })),
    ],
  ]);

  for (const party of ["seller", "buyer"] as const) {
    test(`has a trade that the ${party} did not sign`, () => {
      const { payload } = fromBinary(RecordSchema, tradeBytes());
      assert.ok(payload.case === "energyTrade");
      const name = `${party}Signature` as const;
      const value = { ...payload.value, [name]: flipped(payload.value[name]) };
      const unsigned = recordBytes({ payload: { case: "energyTrade", value } });
      const candidates = [submitted([reading, buying], "head-end"), submitted([unsigned])];
      const violation = refusal(chain.judge(chain.propose({ candidates }).block));
      assert.equal(violation.reason, "TRADE_SIGNATURE_INVALID");
      assert.equal(violation.field, `energy_trade.${party}_signature`);
    });
  }
});

describe("a block is refused that policy does not allow", () => {
  const judgedUnder = (change: Partial<typeof policy>) =>
    refusal(chainOfOne({ ...policy, ...change }).judge(right));

  for (const [change, reason, field] of [
    [{ blockRecordsMax: 3 }, "BLOCK_TOO_LARGE", "records"],
    [{ blockBytesMax: 300 }, "BLOCK_TOO_LARGE", "records"],
    [{ recordBytesMax: 200 }, "RECORD_TOO_LARGE", "records[2]"],
    [{ submissionRecordsMax: 1 }, "TOO_MANY_RECORDS", "private_entries[0].header.record_hashes"],
  ] as const) {
    test(JSON.stringify(change), () => {
      const violation = judgedUnder(change);
      assert.equal(violation.reason, reason, violation.message);
      assert.equal(violation.field, field);
    });
  }

  test("as its submission headers are too long", () => {
    const sameBytes = right.records.reduce((sum, bytes) => sum + bytes.length, 0);
    const padded = forge(right, ({ entries }) => {
      const entry = defined(entries[0], "there are two");
      const header = fromBinary(SubmissionHeaderSchema, entry.submissionHeader);
      const more = Array.from({ length: 40 }, (_, i) => seedOf(`more ${i}`));
      header.recordHashes.push(...more);
      entry.submissionHeader = toBinary(SubmissionHeaderSchema, header);
    });
    const judge = chainOfOne({ ...policy, blockBytesMax: sameBytes });
    const violation = refusal(judge.judge(padded));
    assert.equal(violation.reason, "BLOCK_TOO_LARGE");
    assert.equal(violation.field, "private_entries");
  });

  test("while too few storage nodes are eligible, unless it adds no records", () => {
    const judge = new Chain({ ...policy, minStorage: 5 });
    const proposer = new Chain();
    const withLeaves = proposer.propose({ candidates: [submitted([documentBytes()])] }).block;
    assert.equal(refusal(judge.judge(withLeaves)).reason, "STORAGE_TOO_FEW");
    assert.ok(judge.judge(proposer.propose().block).ok);
  });
});

test("a manager without the epoch key cannot make a block that others accept", () => {
  const resealed = forge(right, (parts) => {
    parts.leaves = [reading, buying, trade, note].map(
      (bytes) => sealLeaf(seedOf("another epoch"), parsed(bytes)).leaf,
    );
  });
  assert.equal(refusal(chain.judge(resealed)).reason, "BLOCK_SEAL_MISMATCH");
});

test("a block whose time is before a record's is refused for the record", () => {
  const ahead = chain.head.timestampMs + 1000 + policy.futureBoundMs;
  const late = documentBytes({}, { timeUnixMs: BigInt(ahead) });
  const block = chain.propose({ candidates: [submitted([late])] }).block;
  assert.ok(chain.judge(block).ok);
  const earlier = forge(block, ({ header }) => {
    header.timestampUnixMs -= 1n;
  });
  assert.equal(refusal(chain.judge(earlier)).reason, "TIME_IN_FUTURE");
});

test("a reading of a quarter that nobody read yet is right in either order of submissions", () => {
  const one = submitted([readingBytes({ start: startS + quarterS })]);
  const other = submitted([readingBytes({ start: startS + 2 * quarterS })], "head-end");
  for (const candidates of [
    [one, other],
    [other, one],
  ]) {
    assert.ok(chain.judge(chain.propose({ candidates }).block).ok);
  }
});
