import assert from "node:assert/strict";
import { cpSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { utf8 } from "../../../src/base/bytes.js";
import { checkFinal } from "../../../src/consensus/attestation/attestor.js";
import { sha256 } from "../../../src/crypto/hash.js";
import { AttestationSchema } from "../../../src/gen/bss/v1/vote_pb.js";
import { openMark } from "../../../src/storage-node/open-mark.js";
import { openStore } from "../../../src/storage-node/open-store.js";
import { openRocksDb } from "../../../src/store/rocksdb/rocksdb-store.js";
import { type MadeBlock, StorageLedger } from "../../support/storage-ledger.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";
import { genesis } from "../ledger/support/consortium.js";
import { accepted } from "../ledger/support/outcome.js";
import { publicKeyOf, sign } from "../ledger/support/records.js";
import { damageLog } from "./support/damaged-log.js";

describe("a storage node whose store may have lost attestations", () => {
  const nodeId = "storage-1";
  const signerDirectory = () => join(temporaryDirectory(), "signing.key.state");

  async function start(dataDirectory: string, signerState: string) {
    const { mark, kv: markStore } = await openMark(signerState, publicKeyOf(nodeId));
    const config = { id: nodeId, dataDirectory };
    const { store, kv, findings } = await openStore(config, genesis, { mark, onDamage() {} });
    const attest = async ({ block, sealedRecords, parsed }: MadeBlock, round: number) => {
      const height = BigInt(parsed.height);
      const signature = sign(nodeId, sha256(utf8(`${height} ${round}`)));
      const { blockId } = parsed;
      const about = { height, round, blockId, nodeId, signature };
      const attestation = create(AttestationSchema, about);
      const place = { height: parsed.height, round };
      assert.ok(await mark.mayAttest(place, 0));
      await mark.raise(place);
      await store.saveCandidate({ block, sealedRecords, round, attestation });
    };
    const stop = async () => {
      await kv.close();
      await markStore.close();
    };
    return { mark, store, findings, attest, stop };
  }
  type Node = Awaited<ReturnType<typeof start>>;

  /** Makes the store hold a block, so that it is not new. */
  async function appendFirst({ store }: Node, ledger: StorageLedger): Promise<void> {
    const { parsed: block, sealedRecords, certificates } = ledger.extend();
    const { consortiumId, policy } = genesis;
    const context = { consortiumId, policy, head: store.head };
    const checked = accepted(checkFinal({ block, sealedRecords, certificates }, context));
    assert.ok("append" in checked);
    const { head, log, storageHeader } = checked.append;
    const written = { block: block.block, sealedRecords, certificates, storageHeader, head };
    await store.append({ ...written, newNodes: log.newNodes });
  }

  async function maySign({ mark, store }: Node, round: number): Promise<boolean> {
    return !store.remembers(round) && (await mark.mayAttest({ height: 2, round }, 1));
  }

  test("signs nothing new there, also after the start at which the damage was seen", async () => {
    const [data, signer] = [join(temporaryDirectory(), "data"), signerDirectory()];
    const ledger = new StorageLedger(genesis, sign);
    const first = await start(data, signer);
    await appendFirst(first, ledger);
    const made = ledger.make();
    for (let round = 0; round < 60; round++) await first.attest(made, round);
    await first.stop();
    damageLog(data);

    const damaged = await start(data, signer);
    assert.equal(damaged.findings.length, 1);
    assert.equal(damaged.store.head.height, 1);
    assert.ok(!damaged.store.remembers(59), "the last ones are lost");
    assert.ok(!(await maySign(damaged, 59)));
    assert.ok(await maySign(damaged, 60));
    await damaged.attest(made, 60);
    await damaged.stop();
    for (let restart = 0; restart < 2; restart++) {
      const again = await start(data, signer);
      assert.deepEqual(again.findings, [], "nothing shows the damage any more");
      assert.ok(!(await maySign(again, 59)));
      assert.ok(await maySign(again, 61));
      await again.stop();
    }
  });

  test("signs nothing new there when an old copy of the store was put back", async () => {
    const [data, signer] = [join(temporaryDirectory(), "data"), signerDirectory()];
    const copy = join(temporaryDirectory(), "copy");
    const ledger = new StorageLedger(genesis, sign);
    const first = await start(data, signer);
    await appendFirst(first, ledger);
    await first.stop();
    cpSync(data, copy, { recursive: true });
    const second = await start(data, signer);
    const made = ledger.make();
    for (const round of [0, 1]) await second.attest(made, round);
    await second.stop();

    const whole = await start(data, signer);
    assert.ok(await maySign(whole, 2), "a store that is whole forbids nothing");
    await whole.stop();
    rmSync(data, { recursive: true });
    renameSync(copy, data);
    for (let restart = 0; restart < 2; restart++) {
      const again = await start(data, signer);
      assert.ok(!(await maySign(again, 0)));
      assert.ok(!(await maySign(again, 1)));
      assert.ok(await maySign(again, 2));
      await again.stop();
    }
  });
});

test("a store that is put aside takes nothing with it that lies in its directory", async () => {
  const data = join(temporaryDirectory(), "data");
  const withoutHead = await openRocksDb(data);
  await withoutHead.write([{ type: "put", key: utf8("a key"), value: utf8("a value") }], "sync");
  await withoutHead.close();
  const key = join(data, "signing.key");
  writeFileSync(key, "a secret");
  const signerState = `${key}.state`;
  const { mark, kv: markStore } = await openMark(signerState, publicKeyOf("storage-1"));
  await mark.raise({ height: 1, round: 0 });
  const config = { id: "storage-1", dataDirectory: data };
  const { kv, findings } = await openStore(config, genesis, { mark, onDamage() {} });
  assert.match(findings.at(-1) ?? "", /was put aside in .*damaged-1: /);
  await kv.close();
  await markStore.close();
  assert.ok(existsSync(join(data, "damaged-1", "CURRENT")));
  assert.equal(readFileSync(key, "utf8"), "a secret");
  const again = await openMark(signerState, publicKeyOf("storage-1"));
  assert.deepEqual(again.mark.place, { height: 1, round: 0 });
  await again.kv.close();
});
