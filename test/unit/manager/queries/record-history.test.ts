import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { toHex } from "../../../../src/base/bytes.js";
import { GetRecordHistoryRequestSchema } from "../../../../src/gen/bss/v1/query_pb.js";
import { climbMax, recordHistory } from "../../../../src/manager/queries/record-history.js";
import type { RecordEntries } from "../../../../src/manager/queries/unsealed-records.js";
import type { Identity } from "../../../../src/rpc/tls/tls-identity.js";
import { pageToken } from "../../../../src/rpc/validation.js";
import { rpcErrorFrom } from "../../../support/rpc-consortium.js";

/** A version that belongs to somebody else. */
const foreign = 1_000_000;
const reader: Identity = { role: "participant", id: "participant-1" };

function hashOf(version: number): Uint8Array {
  const hash = new Uint8Array(32);
  new DataView(hash.buffer).setUint32(0, version);
  return hash;
}

const numberOf = (hash: Uint8Array) => new DataView(hash.buffer).getUint32(0);

/** A record with so many versions, 0 the oldest, and how often anything was read of it. */
class Versions {
  readonly count: number;
  readonly byteCount: number;
  reads = 0;

  constructor(count: number, byteCount = 100) {
    this.count = count;
    this.byteCount = byteCount;
  }

  async page(asked: number, token = "", pageSize = 0) {
    const before = this.reads;
    const request = { recordHash: hashOf(asked), pageToken: token, pageSize };
    const { entries = [], nextPageToken = "" } = await recordHistory(
      this.#store,
      this.#records,
      create(GetRecordHistoryRequestSchema, request),
      reader,
    );
    const versions = entries.map(({ recordHash = hashOf(0) }) => numberOf(recordHash));
    return { versions, next: nextPageToken, reads: this.reads - before };
  }

  async all(asked: number, pageSize = 0) {
    const pages = [await this.page(asked, "", pageSize)];
    for (let token = pages[0]?.next ?? ""; token !== ""; ) {
      const page = await this.page(asked, token, pageSize);
      pages.push(page);
      token = page.next;
    }
    return { versions: pages.flatMap(({ versions }) => versions), pages };
  }

  get #store() {
    return {
      successor: async (hash: Uint8Array) => {
        this.reads += 1;
        const next = numberOf(hash) + 1;
        return next < this.count ? hashOf(next) : undefined;
      },
    };
  }

  get #records(): RecordEntries {
    const records = {
      entry: async (recordHash: Uint8Array) => {
        this.reads += 1;
        if (numberOf(recordHash) === foreign) return [{ recordHash }, this.byteCount] as const;
        return [{ recordHash, record: recordHash }, this.byteCount] as const;
      },
      parentOf: async (hash: Uint8Array) => {
        this.reads += 1;
        const version = numberOf(hash);
        const parent = version === 0 ? undefined : hashOf(version - 1);
        return { parent, byteCount: this.byteCount };
      },
    };
    return records as unknown as RecordEntries;
  }
}

describe("the history of a record", () => {
  const long = 3_500;
  const inOrder = Array.from({ length: long }, (_, i) => i);

  for (const asked of [0, 1, 1_000, 1_001, long - 1]) {
    test(`has all of ${long} versions, oldest first, by the hash of version ${asked}`, async () => {
      const { versions } = await new Versions(long).all(asked);
      assert.deepEqual(versions, inOrder);
    });
  }

  test("comes in pages of the size that was asked for", async () => {
    const { versions, pages } = await new Versions(10).all(4, 3);
    assert.deepEqual(versions, inOrder.slice(0, 10));
    assert.deepEqual(
      pages.map(({ versions: { length } }) => length),
      [3, 3, 3, 1],
    );
  });

  test("costs no answer more than its own page, wherever that is", async () => {
    const { pages } = await new Versions(long).all(long - 1, 100);
    for (const { reads, versions } of pages) {
      const climb = versions.length === 0 || versions[0] === 0 ? climbMax.versions : 0;
      assert.ok(reads <= climb + 1 + 2 * 101, `${reads} reads for ${versions.length} versions`);
    }
  });

  test("goes up no more bytes in one answer than may be", async () => {
    const bytes = 4 * 2 ** 20;
    const versions = new Versions(20, bytes);
    const first = await versions.page(19);
    assert.deepEqual(first.versions, []);
    assert.equal(first.reads, 1 + climbMax.bytes / bytes, "the version asked for is read first");
    assert.deepEqual((await versions.all(19)).versions, inOrder.slice(0, 20));
  });

  test("is bounded in bytes", async () => {
    const { versions, pages } = await new Versions(10, 2 ** 20).all(0);
    assert.deepEqual(versions, inOrder.slice(0, 10));
    assert.deepEqual(
      pages.map(({ versions: { length } }) => length),
      [3, 3, 3, 1],
    );
  });

  const hex = toHex(hashOf(0));
  for (const [what, token] of [
    ["of another record", pageToken(`history/${toHex(hashOf(1))}`, `down,${hex}`)],
    ["without a direction", pageToken(`history/${hex}`, hex)],
    ["of a sideways direction", pageToken(`history/${hex}`, `side,${hex}`)],
    ["of a short hash", pageToken(`history/${hex}`, "down,00")],
    ["that is none", "@"],
    ["up from another's record", pageToken(`history/${hex}`, `up,${toHex(hashOf(foreign))}`)],
    ["down another's record", pageToken(`history/${hex}`, `down,${toHex(hashOf(foreign))}`)],
  ] as const) {
    test(`refuses a token ${what}`, async () => {
      const error = await rpcErrorFrom(new Versions(3).page(0, token));
      assert.equal(error.reason, "PAGE_TOKEN_INVALID");
    });
  }

  test("refuses pages of more than 1,000", async () => {
    const error = await rpcErrorFrom(new Versions(3).page(0, "", 1_001));
    assert.deepEqual([error.reason, error.field], ["FIELD_INVALID", "page_size"]);
  });
});
