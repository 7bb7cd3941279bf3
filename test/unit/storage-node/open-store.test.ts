import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { utf8 } from "../../../src/base/bytes.js";
import { renewedCertificateName } from "../../../src/config/node-config.js";
import { openMark } from "../../../src/storage-node/open-store.js";
import { buckets } from "../../../src/store/buckets.js";
import { bucketKey } from "../../../src/store/key-codec.js";
import { openRocksDb } from "../../../src/store/rocksdb/rocksdb-store.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";

describe("the mark of what a storage node has attested", () => {
  test("is put aside when it cannot be read, and the renewed certificate beside it is not", async () => {
    const directory = join(temporaryDirectory(), "signing.key.state");
    const damaged = await openRocksDb(directory);
    const key = bucketKey(buckets.meta, utf8("attested"));
    await damaged.write([{ type: "put", key, value: new Uint8Array(3) }], "sync");
    await damaged.close();
    const certificate = join(directory, renewedCertificateName);
    writeFileSync(certificate, "a certificate");
    const { mark, kv } = await openMark(directory, new Uint8Array(32));
    assert.equal(mark.place, undefined);
    assert.ok(existsSync(join(directory, "damaged-1", "CURRENT")));
    assert.equal(readFileSync(certificate, "utf8"), "a certificate");
    await kv.close();
  });

  test("is none at all when its log is damaged, and what RocksDB goes back to is older", async () => {
    const directory = join(temporaryDirectory(), "signing.key.state");
    const key = new Uint8Array(32);
    const first = await openMark(directory, key);
    assert.equal(first.lost, undefined);
    await first.mark.keepHalt(Uint8Array.of(1));
    for (let height = 1; height <= 20; height++) await first.mark.raise({ height, round: 0 });
    await first.kv.close();
    const name = readdirSync(directory).find((each) => /^\d+\.log$/.test(each));
    const file = join(directory, name ?? "");
    const bytes = readFileSync(file);
    writeFileSync(file, bytes.fill(0x5a, bytes.length >> 1, (bytes.length >> 1) + 10));
    for (const lost of [/^the write-ahead log \d+\.log is damaged /, undefined]) {
      const opened = await openMark(directory, key);
      assert.equal(opened.mark.place, undefined);
      assert.deepEqual(
        await opened.mark.halt(),
        Uint8Array.of(1),
        "what stopped it is still known",
      );
      if (lost === undefined) assert.equal(opened.lost, undefined, "said once");
      else assert.match(opened.lost ?? "", lost);
      await opened.kv.close();
    }
  });
});
