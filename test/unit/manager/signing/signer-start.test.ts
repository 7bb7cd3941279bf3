import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, test } from "node:test";
import { genesisHead } from "../../../../src/ledger/state/head.js";
import { openSigner, type SignerStart } from "../../../../src/manager/signing/signer-start.js";
import { Closers } from "../../../../src/node/running-node.js";
import { openRocksDb } from "../../../../src/store/rocksdb/rocksdb-store.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";
import { consortiumId, genesis } from "../../ledger/support/consortium.js";
import { seedOf } from "../../ledger/support/records.js";

const { head } = genesisHead(genesis);
const used = { head: { ...head, height: 7 }, hasSpoken: false };

describe("the start of a manager's signer", () => {
  const parent = temporaryDirectory();
  let number = 0;
  let places: { readonly signerStateDirectory: string; readonly dataDirectory: string };
  let closers: Closers;

  beforeEach(() => {
    number += 1;
    const directory = join(parent, String(number));
    mkdirSync(directory);
    places = {
      signerStateDirectory: join(directory, "signing.key.state"),
      dataDirectory: join(directory, "data"),
    };
    closers = new Closers();
  });

  const open = (store: SignerStart["store"], newSignerAccepted = false, at = places) => {
    const keys = { signingSeed: seedOf("manager-1") };
    return openSigner(at, { keys, genesis: { consortiumId }, store, newSignerAccepted }, closers);
  };

  test("makes the record of what was signed for a new manager, and finds it again", async () => {
    await open({ head, hasSpoken: false });
    await closers.close();
    const signer = await open(used);
    assert.deepEqual(await signer.marks(), { ok: true, value: {} });
    await closers.close();
  });

  for (const [what, store] of [
    ["has blocks", used],
    ["has said something", { head, hasSpoken: true }],
  ] as const) {
    test(`refuses a store that ${what} without the record, unless its operator insists`, async () => {
      await assert.rejects(open(store), { name: "StartError", next: /--new-signer-state/ });
      assert.ok(!existsSync(places.signerStateDirectory), "a record that is brought back fits");
      await open(store, true);
      await closers.close();
      await open(store);
      await closers.close();
    });
  }

  test("refuses a record whose log is damaged: its key could sign against what it signed", async () => {
    const kv = await openRocksDb(places.signerStateDirectory, { values: "few" });
    for (let i = 0; i < 40; i++) {
      await kv.write(
        [{ type: "put", key: Uint8Array.of(1, 2), value: Buffer.alloc(200, i) }],
        "sync",
      );
    }
    await kv.close();
    const directory = places.signerStateDirectory;
    const [name = ""] = readdirSync(directory).filter((each) => /^\d+\.log$/.test(each));
    const log = readFileSync(join(directory, name));
    log.writeUInt8(log.readUInt8(log.length >> 1) ^ 1, log.length >> 1);
    writeFileSync(join(directory, name), log);
    await assert.rejects(open(used), {
      name: "StartError",
      message: /is damaged .*: the write-ahead log \d+\.log is damaged at byte \d+/,
      next: /--new-signer-state/,
    });
  });

  test("refuses a record that another process uses", async () => {
    await open(used, true);
    await assert.rejects(open(used), { name: "StartError", message: /is in use/ });
    await closers.close();
  });

  test("refuses to keep the record in the data directory", async () => {
    const { dataDirectory } = places;
    for (const signerStateDirectory of [dataDirectory, join(dataDirectory, "state")]) {
      const inside = { dataDirectory, signerStateDirectory };
      await assert.rejects(open(used, true, inside), { message: /lies in the data directory/ });
    }
  });
});
