import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { defined } from "../../../../src/base/assert.js";
import { sealLeaf } from "../../../../src/ledger/records/records.js";
import {
  memoryBytesOf,
  type ParsedSubmission,
  pooledBytesOf,
} from "../../../../src/ledger/records/submissions.js";
import { Pool } from "../../../../src/manager/pool/pool.js";
import { PoolSealing } from "../../../../src/manager/pool/pool-sealing.js";
import { epochKey } from "../../ledger/support/consortium.js";
import { documentBytes, submitted } from "../../ledger/support/records.js";

const causer = { kind: "caller", id: "participant-1" } as const;

describe("what waits in the pool", () => {
  let pool: Pool;
  let sealing: PoolSealing;
  let work: Promise<void>[];
  let pauses: number;
  let onPause: () => void;

  beforeEach(() => {
    [work, pauses] = [[], 0];
    onPause = () => {};
    pool = new Pool({ limits: { submissionsMax: 100, bytesMax: 10_000_000 }, verdictWaitMs: 0 });
    sealing = new PoolSealing({
      epochKey,
      pool,
      pauses: () => async () => {
        pauses += 1;
        onPause();
      },
      background: { follow: (running) => void work.push(running) },
    });
  });

  const add = (records: number): ParsedSubmission => {
    const submission = submitted(Array.from({ length: records }, () => documentBytes()));
    const unsettled = submission.records.map(({ hashHex }) => hashHex);
    pool.add(submission, { causer, nowMs: 0, unsettled });
    return submission;
  };
  const isSealed = ({ records }: ParsedSubmission) =>
    records.map(({ hashHex }) => pool.sealed(hashHex) !== undefined);

  test("is sealed beside the work that brought it, as a block would seal it", async () => {
    const submission = add(2);
    sealing.add(submission);
    assert.deepEqual(isSealed(submission), [false, false], "others leave first");
    await Promise.all(work);
    for (const record of submission.records) {
      assert.deepEqual(pool.sealed(record.hashHex), sealLeaf(epochKey, record));
    }
  });

  test("is sealed in pieces, and not any more once it has left", async () => {
    const all = Array.from({ length: 5 }, () => add(50));
    const gone = defined(all[4], "there are five");
    onPause = () => {
      if (pauses === 2) pool.placed(gone.records.map(({ hashHex }) => hashHex));
    };
    for (const each of all) sealing.add(each);
    await Promise.all(work);
    assert.deepEqual([work.length, pauses], [1, 3]);
    for (const each of all.slice(0, 4)) assert.ok(isSealed(each).every(Boolean));
    assert.ok(!isSealed(gone).some(Boolean));
  });

  test("is sealed once, whoever needs it first", () => {
    const [record] = add(1).records;
    const { hashHex } = defined(record, "there is one");
    let times = 0;
    const seal = (each: typeof record & object) => {
      times += 1;
      return sealLeaf(epochKey, each);
    };
    pool.seal(hashHex, seal);
    pool.seal(hashHex, seal);
    pool.seal("00", seal);
    assert.equal(times, 1);
  });

  test("is found by its id while it waits, and counts with its seals", () => {
    const submission = add(3);
    assert.equal(pool.submission(submission.idHex), submission);
    assert.equal(pool.byteCount, pooledBytesOf(submission.message));
    const recordBytes = submission.records.reduce((sum, { bytes }) => sum + bytes.length, 0);
    assert.ok(pool.byteCount >= memoryBytesOf(submission.message) + recordBytes);
    pool.placed(submission.records.map(({ hashHex }) => hashHex));
    assert.equal(pool.submission(submission.idHex), undefined);
    assert.equal(pool.byteCount, 0);
  });
});
