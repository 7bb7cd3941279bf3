import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { utf8 } from "../../../src/base/bytes.js";
import { renewedCertificateName } from "../../../src/config/node-config.js";
import { openMark } from "../../../src/storage-node/open-mark.js";
import { buckets } from "../../../src/store/buckets.js";
import { bucketKey } from "../../../src/store/key-codec.js";
import { openRocksDb } from "../../../src/store/rocksdb/rocksdb-store.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";
import { publicKeyOf } from "../ledger/support/records.js";
import { damageLog } from "./support/damaged-log.js";

describe("the mark of what a storage node has attested", () => {
  test("is put aside when it cannot be read, and the renewed certificate beside it is not", async () => {
    const directory = join(temporaryDirectory(), "signing.key.state");
    const damaged = await openRocksDb(directory);
    const key = bucketKey(buckets.meta, utf8("attested"));
    await damaged.write([{ type: "put", key, value: new Uint8Array(3) }], "sync");
    await damaged.close();
    const certificate = join(directory, renewedCertificateName);
    writeFileSync(certificate, "a certificate");
    const { mark, kv, lost } = await openMark(directory, new Uint8Array(32));
    assert.equal(mark.place, undefined);
    assert.match(lost ?? "", /does not decode.*; the damaged store is put aside: /);
    assert.ok(!(await mark.mayAttest({ height: 3, round: 1 }, 0)));
    assert.ok(existsSync(join(directory, "damaged-1", "CURRENT")));
    assert.equal(readFileSync(certificate, "utf8"), "a certificate");
    await kv.close();
  });

  test("is lost when its files had to be mended", async () => {
    const directory = join(temporaryDirectory(), "signing.key.state");
    const key = new Uint8Array(32);
    // Closed and opened again, so that there is a table file besides the log.
    for (let height = 1; height <= 3; height++) {
      const { mark, kv } = await openMark(directory, key);
      await mark.raise({ height, round: 0 });
      await kv.close();
    }
    const table = readdirSync(directory).find((name) => name.endsWith(".sst")) ?? "";
    rmSync(join(directory, table));
    const { mark, kv, lost } = await openMark(directory, key);
    assert.match(lost ?? "", /^what can be read of the files is kept: /);
    assert.equal(mark.place, undefined);
    assert.ok(!(await mark.mayAttest({ height: 3, round: 0 }, 0)));
    await kv.close();
  });

  test("is lost also when the power failed between finding the damage and saying so", async () => {
    const directory = join(temporaryDirectory(), "signing.key.state");
    const key = publicKeyOf("storage-1");
    const first = await openMark(directory, key);
    for (let height = 1; height <= 20; height++) await first.mark.raise({ height, round: 0 });
    await first.kv.close();
    damageLog(directory);
    // Another key's start by mistake opens the damaged log, and then gets no further.
    await assert.rejects(openMark(directory, publicKeyOf("storage-2")), { code: "MISMATCH" });
    for (const lost of [/^the write-ahead log \d+\.log is damaged /, /^$/]) {
      const opened = await openMark(directory, key);
      assert.match(opened.lost ?? "", lost);
      assert.equal(opened.mark.place, undefined);
      await opened.kv.close();
    }
  });

  test("is none at all when its log is damaged, and what RocksDB goes back to is older", async () => {
    const directory = join(temporaryDirectory(), "signing.key.state");
    const key = new Uint8Array(32);
    const first = await openMark(directory, key);
    assert.equal(first.lost, undefined);
    await first.mark.keepHalt(Uint8Array.of(1));
    for (let height = 1; height <= 20; height++) await first.mark.raise({ height, round: 0 });
    await first.kv.close();
    damageLog(directory);
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
