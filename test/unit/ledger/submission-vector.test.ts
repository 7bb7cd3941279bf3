/**
 * The worked example of docs/integrators.md: whoever signs submissions in another language compares
 * with these values. clients/python/tests/test_vectors.py computes them with other libraries.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { defined } from "../../../src/base/assert.js";
import { fromHex, toHex, utf8 } from "../../../src/base/bytes.js";
import {
  buildSubmission,
  energyTrade,
  loadProfile,
  meterReading,
  signTrade,
  tradeTerms,
} from "../../../src/client/index.js";
import { ed25519KeyPairFromSeed, ed25519Verify } from "../../../src/crypto/ed25519.js";
import { sha256 } from "../../../src/crypto/hash.js";
import { PolicySchema } from "../../../src/gen/bss/v1/genesis_pb.js";
import { tradeDigest } from "../../../src/ledger/kinds/energy-trade.js";
import { recordHash } from "../../../src/ledger/records/record-hash.js";
import {
  parseSubmission,
  submissionDigest,
  submissionId,
} from "../../../src/ledger/records/submissions.js";
import { repositoryRoot } from "../../support/tree.js";

type Vector = {
  readonly consortiumId: string;
  readonly parties: readonly { id: string; seed: string; publicKey: string }[];
  readonly reading: {
    readonly fields: {
      readonly ownerId: string;
      readonly salt: string;
      readonly timeUnixMs: number;
      readonly meterId: string;
      readonly intervalStartUnixS: number;
      readonly intervalS: number;
      readonly importedWh: number;
      readonly exportedWh: number;
    };
    readonly bytes: string;
    readonly hash: string;
  };
  readonly profile: {
    readonly fields: {
      readonly ownerId: string;
      readonly salt: string;
      readonly timeUnixMs: number;
      readonly meterId: string;
      readonly startUnixS: number;
      readonly intervalS: number;
      readonly runs: readonly {
        readonly count: number;
        readonly quality: "absent" | "measured" | "estimated" | "substituted";
      }[];
      /** Of the intervals that are not absent; none when all are 0. */
      readonly importedWh: readonly number[];
      readonly exportedWh: readonly number[];
      readonly registerStart: { readonly importedWh: number; readonly exportedWh: number };
    };
    readonly bytes: string;
    readonly hash: string;
  };
  readonly terms: {
    readonly fields: {
      readonly tradeId: string;
      readonly sellerId: string;
      readonly buyerId: string;
      readonly deliveryStartUnixS: number;
      readonly energyWh: number;
      readonly priceMicroPerKwh: number;
    };
    readonly bytes: string;
    readonly digest: string;
    readonly sellerSignature: string;
    readonly buyerSignature: string;
  };
  readonly trade: {
    readonly fields: { readonly ownerId: string; readonly salt: string; timeUnixMs: number };
    readonly bytes: string;
    readonly hash: string;
  };
  readonly submission: {
    readonly participantId: string;
    readonly header: string;
    readonly digest: string;
    readonly signature: string;
    readonly id: string;
  };
};

const path = join(repositoryRoot(), "test/vectors/submission.json");
const vector: Vector = JSON.parse(readFileSync(path, "utf8"));
const consortiumId = hex(vector.consortiumId);
const [seller, buyer] = vector.parties.map(({ seed }) => hex(seed));

function hex(text: string): Uint8Array {
  return defined(fromHex(text), "a vector is hex");
}

function readingBytes(): Uint8Array {
  const { salt, timeUnixMs, intervalStartUnixS, ...same } = vector.reading.fields;
  const times = { timeMs: timeUnixMs, intervalStartS: intervalStartUnixS };
  return meterReading({ ...same, ...times, salt: hex(salt) });
}

function profileBytes(): Uint8Array {
  const { salt, timeUnixMs, startUnixS, runs, importedWh, exportedWh, ...same } =
    vector.profile.fields;
  let index = 0;
  const values = runs.flatMap(({ count, quality }) =>
    Array.from({ length: count }, () => {
      if (quality === "absent") return undefined;
      const value = { importedWh: importedWh[index] ?? 0, exportedWh: exportedWh[index] ?? 0 };
      index += 1;
      return { ...value, quality };
    }),
  );
  const times = { timeMs: timeUnixMs, startS: startUnixS };
  return loadProfile({ ...same, ...times, values, salt: hex(salt) });
}

function termsBytes(): Uint8Array {
  const { tradeId, deliveryStartUnixS, ...same } = vector.terms.fields;
  return tradeTerms({ ...same, tradeId: hex(tradeId), deliveryStartS: deliveryStartUnixS });
}

function tradeBytes(): Uint8Array {
  const { ownerId, salt, timeUnixMs } = vector.trade.fields;
  const [sellerSignature, buyerSignature] = [seller, buyer].map((seed) =>
    signTrade(consortiumId, termsBytes(), defined(seed, "a party has a seed")),
  );
  return energyTrade({
    ownerId,
    salt: hex(salt),
    timeMs: timeUnixMs,
    terms: termsBytes(),
    sellerSignature: defined(sellerSignature, "the seller signs"),
    buyerSignature: defined(buyerSignature, "the buyer signs"),
  });
}

function submission() {
  const signingSeed = defined(seller, "the seller has a seed");
  const records = [readingBytes(), tradeBytes()];
  const { participantId } = vector.submission;
  return buildSubmission({ consortiumId, participantId, signingSeed, records });
}

describe("the worked example of a submission", () => {
  test("belongs to the consortium whose genesis file is two braces", () => {
    assert.equal(toHex(sha256(utf8("{}"))), vector.consortiumId);
  });

  test("has parties with the keys of their seeds", () => {
    for (const { seed, publicKey } of vector.parties) {
      assert.equal(toHex(ed25519KeyPairFromSeed(hex(seed)).publicKey), publicKey);
    }
  });

  test("has a reading with these bytes and this hash", () => {
    assert.equal(toHex(readingBytes()), vector.reading.bytes);
    assert.equal(toHex(recordHash(consortiumId, readingBytes())), vector.reading.hash);
  });

  test("stands beside a load profile with these bytes and this hash", () => {
    assert.equal(toHex(profileBytes()), vector.profile.bytes);
    assert.equal(toHex(recordHash(consortiumId, profileBytes())), vector.profile.hash);
  });

  test("has terms that both parties sign so", () => {
    const { bytes, digest, sellerSignature, buyerSignature } = vector.terms;
    assert.equal(toHex(termsBytes()), bytes);
    assert.equal(toHex(tradeDigest(consortiumId, termsBytes())), digest);
    const signatures = [seller, buyer].map((seed) =>
      toHex(signTrade(consortiumId, termsBytes(), defined(seed, "a party has a seed"))),
    );
    assert.deepEqual(signatures, [sellerSignature, buyerSignature]);
  });

  test("has a trade with these bytes and this hash", () => {
    assert.equal(toHex(tradeBytes()), vector.trade.bytes);
    assert.equal(toHex(recordHash(consortiumId, tradeBytes())), vector.trade.hash);
  });

  test("is signed so, and has this id", () => {
    const { header, signature } = submission();
    const expected = vector.submission;
    assert.equal(toHex(header), expected.header);
    assert.equal(toHex(submissionDigest(header)), expected.digest);
    assert.equal(toHex(signature), expected.signature);
    assert.equal(toHex(submissionId(header, signature)), expected.id);
    const publicKey = hex(defined(vector.parties[0], "there are two parties").publicKey);
    assert.ok(ed25519Verify(publicKey, submissionDigest(header), signature));
  });

  test("is what managers read", () => {
    const limits = { recordBytesMax: 1_000, submissionRecordsMax: 2, deliveryIntervalS: 3_600 };
    const parsed = parseSubmission(consortiumId, submission(), create(PolicySchema, limits));
    assert.ok(parsed.ok, parsed.ok ? "" : parsed.error.message);
    const hashes = parsed.value.records.map(({ hashHex }) => hashHex);
    assert.deepEqual(hashes, [vector.reading.hash, vector.trade.hash]);
  });
});
