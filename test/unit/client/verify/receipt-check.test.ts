import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { defined } from "../../../../src/base/assert.js";
import {
  type ReceiptStep,
  receiptFromBinary,
  receiptFromJson,
  receiptToBinary,
  receiptToJson,
  verifyReceipt,
} from "../../../../src/client/index.js";
import { ed25519KeyPairFromSeed, ed25519Sign } from "../../../../src/crypto/ed25519.js";
import {
  CommitCertificateSchema,
  ManagerBlockHeaderSchema,
} from "../../../../src/gen/bss/v1/block_pb.js";
import {
  GetReceiptRequestSchema,
  type Receipt,
  ReceiptSchema,
} from "../../../../src/gen/bss/v1/query_pb.js";
import { blockId } from "../../../../src/ledger/blocks/block-hashes.js";
import { commitDigest } from "../../../../src/ledger/certificates/vote-digests.js";
import { Members } from "../../../../src/ledger/members/members.js";
import { recordHash } from "../../../../src/ledger/records/record-hash.js";
import { getReceipt } from "../../../../src/query/record-queries.js";
import { toyGenesis, toySigners } from "../../../support/toy-chain.js";
import { ToyLedger } from "../../../support/toy-ledger.js";

const { consortiumId, members } = toyGenesis;
const anchor = { consortiumId, members };
const recordOf = (i: number) => Uint8Array.of(i, i + 1, 77);

describe("verifyReceipt", () => {
  const ledger = new ToyLedger(toyGenesis, toySigners);
  let receipt: Receipt;

  const receiptOf = async (record: Uint8Array): Promise<Receipt> => {
    const request = create(GetReceiptRequestSchema, {
      recordHash: recordHash(consortiumId, record),
    });
    const answer = await getReceipt(ledger, request);
    return create(ReceiptSchema, answer.receipt);
  };

  before(async () => {
    for (const size of [3, 1, 4]) {
      const from = ledger.entries.length;
      ledger.append(Array.from({ length: size }, (_, i) => recordOf(from + i)));
    }
    receipt = await receiptOf(recordOf(5));
  });

  test("holds for every record of the ledger, with and without its content", async () => {
    for (let i = 0; i < 8; i++) {
      const each = await receiptOf(recordOf(i));
      const bare = verifyReceipt(each, anchor);
      assert.ok(bare.ok);
      assert.equal(bare.value.position, i);
      assert.equal(bare.value.recordChecked, false);
      const bound = verifyReceipt(each, anchor, { record: recordOf(i) });
      assert.ok(bound.ok);
      assert.equal(bound.value.recordChecked, true);
      assert.equal(bound.value.steps.length, bare.value.steps.length + 1);
    }
  });

  test("names the managers that signed and each step that was taken", () => {
    const verified = verifyReceipt(receipt, anchor);
    assert.ok(verified.ok);
    assert.deepEqual(
      verified.value.signers,
      toySigners.map(({ managerId }) => managerId),
    );
    assert.deepEqual(
      verified.value.steps.map(({ step }) => step),
      ["header", "block-id", "inclusion", "previous-header", "commit-certificate", "signatures"],
    );
    assert.match(verified.value.steps.at(-1)?.message ?? "", /3 of 4 are needed/);
  });

  test("Q signatures are enough, one fewer is not", () => {
    const without = (count: number) => {
      const copy = copyOf(receipt);
      copy.commitCertificate?.signatures.splice(0, count);
      return verifyReceipt(copy, anchor);
    };
    assert.ok(without(1).ok);
    refused(without(2), "commit-certificate", /3 of 4 managers must sign, 2/);
  });

  const changes: readonly {
    readonly title: string;
    readonly change: (receipt: Receipt) => void;
    readonly step: ReceiptStep;
    readonly message: RegExp;
  }[] = [
    {
      title: "a flipped bit in the record hash",
      change: (r) => flip(r.recordHash),
      step: "inclusion",
      message: /does not lead from the record at position 5/,
    },
    {
      title: "a record hash that is cut off",
      change: (r) => (r.recordHash = r.recordHash.slice(1)),
      step: "record",
      message: /does not have 32 bytes/,
    },
    {
      title: "a flipped bit in the seal digest",
      change: (r) => flip(r.sealDigest),
      step: "inclusion",
      message: /does not lead/,
    },
    {
      title: "a seal digest that took a byte of the record hash's neighbour",
      change: (r) => (r.sealDigest = new Uint8Array(33)),
      step: "inclusion",
      message: /seal digest does not have 32 bytes/,
    },
    {
      title: "another position",
      change: (r) => (r.position = 4n),
      step: "inclusion",
      message: /position 4/,
    },
    {
      title: "a position beyond the tree",
      change: (r) => (r.position = 8n),
      step: "inclusion",
      message: /not in a tree of 8/,
    },
    {
      title: "a position beyond all numbers",
      change: (r) => (r.position = 2n ** 64n - 1n),
      step: "inclusion",
      message: /not in a tree/,
    },
    {
      title: "a flipped bit in the proof",
      change: (r) => flip(r.inclusionProof[1] ?? new Uint8Array()),
      step: "inclusion",
      message: /does not lead/,
    },
    {
      title: "a proof that is one hash longer",
      change: (r) => r.inclusionProof.push(new Uint8Array(32)),
      step: "inclusion",
      message: /does not lead/,
    },
    {
      title: "a flipped bit in the previous header",
      change: (r) => flip(r.previousHeader, 40),
      step: "previous-header",
      message: /not that of the block before block 3/,
    },
    {
      title: "no previous header, and says what is proven without it",
      change: (r) => (r.previousHeader = new Uint8Array()),
      step: "previous-header",
      message: /only that the record was there no later than block 3/,
    },
    {
      title: "another height",
      change: (r) => (r.height += 1n),
      step: "header",
      message: /of height 3, not of 4/,
    },
    {
      title: "another time",
      change: (r) => (r.timeUnixMs += 1n),
      step: "header",
      message: /time/,
    },
    {
      title: "another block id",
      change: (r) => flip(r.blockId),
      step: "block-id",
      message: /names block/,
    },
    {
      title: "a header that does not decode",
      change: (r) => (r.header = r.header.slice(1)),
      step: "header",
      message: /holds no block header/,
    },
    {
      title: "no certificate",
      change: (r) => delete r.commitCertificate,
      step: "commit-certificate",
      message: /holds no commit certificate/,
    },
    {
      title: "a certificate of another block",
      change: (r) => flip(r.commitCertificate?.blockId ?? new Uint8Array()),
      step: "commit-certificate",
      message: /about another block/,
    },
    {
      title: "a certificate of another round",
      change: (r) => {
        if (r.commitCertificate) r.commitCertificate.round = 1;
      },
      step: "signatures",
      message: /COMMIT of manager-1 at height 3/,
    },
    {
      title: "one manager twice",
      change: (r) => {
        const signatures = r.commitCertificate?.signatures ?? [];
        signatures.splice(0, 2, ...signatures.slice(2, 3));
      },
      step: "commit-certificate",
      message: /ascending order/,
    },
    {
      title: "a stranger's signature",
      change: (r) => {
        const [first] = r.commitCertificate?.signatures ?? [];
        if (first) first.managerId = "manager-0";
      },
      step: "commit-certificate",
      message: /The signer may not sign this certificate/,
    },
    {
      title: "a flipped bit in a signature",
      change: (r) => flip(r.commitCertificate?.signatures[2]?.signature ?? new Uint8Array()),
      step: "signatures",
      message: /COMMIT of manager-3/,
    },
  ];
  for (const { title, change, step, message } of changes) {
    test(`refuses ${title}`, () => {
      const copy = copyOf(receipt);
      change(copy);
      refused(verifyReceipt(copy, anchor), step, message);
    });
  }

  // Everything in it is public and true but for what it says about the record's block and time.
  for (const [position, of] of [
    [0, "the first block's"],
    [3, "the previous block's"],
  ] as const) {
    test(`refuses a record in a later block than its own: ${of}, in block 3`, async () => {
      const own = await receiptOf(recordOf(position));
      const forged = copyOf(own);
      const { height, header, blockId: id, timeUnixMs, commitCertificate } = receipt;
      Object.assign(forged, { height, header, blockId: id, timeUnixMs, commitCertificate });
      forged.previousHeader = receipt.previousHeader;
      forged.inclusionProof = [...(await ledger.inclusionProof(position, 8))];
      const step = "previous-header";
      refused(verifyReceipt(forged, anchor), step, /it was added by an earlier block/);
      // Nor with the header before that of its own block, nor with that of its own block.
      forged.previousHeader = own.previousHeader;
      refused(
        verifyReceipt(forged, anchor),
        step,
        /lacks the header before|previous header is not/,
      );
      forged.previousHeader = own.header;
      assert.ok(!verifyReceipt(forged, anchor).ok);
    });
  }

  test("a record of block 1 has no header before its own's, and takes none", async () => {
    const first = await receiptOf(recordOf(2));
    assert.equal(first.previousHeader.length, 0);
    first.previousHeader = receipt.previousHeader;
    refused(verifyReceipt(first, anchor), "previous-header", /Block 1 has none before it/);
  });

  test("tells which records its block added", async () => {
    const ranges = [];
    for (const position of [2, 3, 4, 7]) {
      const verified = verifyReceipt(await receiptOf(recordOf(position)), anchor);
      assert.ok(verified.ok);
      ranges.push([verified.value.previousTreeSize, verified.value.treeSize]);
    }
    assert.deepEqual(ranges, [
      [0, 3],
      [3, 4],
      [4, 8],
      [4, 8],
    ]);
  });

  test("refuses another content than the one that was recorded", () => {
    refused(verifyReceipt(receipt, anchor, { record: recordOf(4) }), "record", /record's hash is/);
  });

  test("refuses the receipt of another consortium", () => {
    const other = { members, consortiumId: new Uint8Array(32) };
    refused(verifyReceipt(receipt, other), "header", /another consortium/);
  });

  test("refuses a header that managers of another genesis signed", () => {
    const strangers = new Members({
      managers: members.managers.map((each, i) => ({
        ...each,
        signingKey: ed25519KeyPairFromSeed(new Uint8Array(32).fill(50 + i)).publicKey,
      })),
      storageNodes: [],
      officers: [],
    });
    refused(verifyReceipt(receipt, { consortiumId, members: strangers }), "signatures", /verify/);
  });

  test("refuses a header that a single manager made up", () => {
    const copy = copyOf(receipt);
    const header = fromBinary(ManagerBlockHeaderSchema, copy.header);
    flip(header.previousStateDigest);
    copy.header = toBinary(ManagerBlockHeaderSchema, header);
    copy.blockId = blockId(copy.header);
    const digest = commitDigest({ consortiumId, height: 3, round: 0, blockId: copy.blockId });
    const seed = defined(toySigners[0], "there are signers").seed;
    const signatures = [{ managerId: "manager-1", signature: ed25519Sign(seed, digest) }];
    const made = { height: 3n, blockId: copy.blockId, signatures };
    copy.commitCertificate = create(CommitCertificateSchema, made);
    refused(verifyReceipt(copy, anchor), "commit-certificate", /3 of 4 managers must sign, 1/);
  });

  test("every single flipped bit of the proving parts is refused", () => {
    const parts = (r: Receipt) => [
      ...[r.recordHash, r.blockId, r.sealDigest, r.header, r.previousHeader],
      ...r.inclusionProof,
      ...(r.commitCertificate?.signatures.slice(0, 1).map(({ signature }) => signature) ?? []),
    ];
    for (const [index, part] of parts(receipt).entries()) {
      for (let byte = 0; byte < part.length; byte += 5) {
        const copy = copyOf(receipt);
        flip(parts(copy)[index] ?? new Uint8Array(), byte);
        assert.equal(verifyReceipt(copy, anchor).ok, false, `part ${index}, byte ${byte}`);
      }
    }
  });

  test("is the same after a way through JSON", () => {
    for (const pretty of [true, false]) {
      const text = receiptToJson(receipt, { pretty });
      assert.equal(text.includes("\n"), pretty);
      const read = receiptFromJson(text);
      assert.ok(read.ok);
      assert.deepEqual(read.value, receipt);
      const verified = verifyReceipt(read.value, anchor);
      assert.ok(verified.ok, verified.ok ? "" : verified.error.message);
    }
  });

  test("is the same after a way through bytes", () => {
    assert.deepEqual(receiptFromBinary(receiptToBinary(receipt)), receipt);
    assert.equal(receiptFromBinary(new TextEncoder().encode(receiptToJson(receipt))), undefined);
  });

  test("a text that is no receipt is told apart", () => {
    for (const [text, why] of [
      ["", /Unexpected end of JSON/],
      ["[]", /./],
      ["{}", /: it has no record hash$/],
      ['{"height": "x"}', /height/],
      ['{"unknown": 1}', /: key "unknown" is unknown$/],
      [" ".repeat(2 ** 21), /: longer than/],
    ] as const) {
      const read = receiptFromJson(text);
      assert.ok(!read.ok);
      assert.equal(read.error.step, "encoding");
      assert.match(read.error.message, /^This text is no receipt: /);
      assert.match(read.error.message, why);
    }
  });

  function refused(
    result: ReturnType<typeof verifyReceipt>,
    step: ReceiptStep,
    message: RegExp,
  ): void {
    assert.ok(!result.ok);
    assert.equal(result.error.step, step, result.error.message);
    assert.match(result.error.message, message);
  }
});

function flip(bytes: Uint8Array, at = 0): void {
  bytes[at] = (bytes[at] ?? 0) ^ 1;
}

/** With bytes of its own; `clone` would share them. */
function copyOf(receipt: Receipt): Receipt {
  return fromBinary(ReceiptSchema, toBinary(ReceiptSchema, receipt));
}
