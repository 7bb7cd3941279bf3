/** What a key signs once it must never be able to contradict, whatever happens around it. */
import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { defined } from "../../../../src/base/assert.js";
import { ed25519Verify } from "../../../../src/crypto/ed25519.js";
import { LocalSigner, openLocalSigner } from "../../../../src/manager/signing/local-signer.js";
import {
  type MarkedKind,
  markedKinds,
  type Signer,
  type SignRequest,
} from "../../../../src/manager/signing/signer.js";
import { StoreError } from "../../../../src/store/store-error.js";
import { createMemoryDisk } from "../../../support/memory-store.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";
import { consortiumId } from "../../ledger/support/consortium.js";
import { publicKeyOf, seedOf, sixteen } from "../../ledger/support/records.js";
import { keyOf, memorySigner } from "../support/signers.js";

const id = "manager-1";

function request(kind: MarkedKind, height: number, round: number, what = "a"): SignRequest {
  return { kind, height, round, digest: seedOf(what) };
}

/** "signed", or why not. */
async function outcomesOf(signer: Signer, ...requests: readonly SignRequest[]) {
  const answer = await signer.sign(requests);
  assert(answer.ok);
  return answer.value.map((each) => (each.ok ? "signed" : each.error.code));
}

describe("a local signer", () => {
  test("signs what it is asked for, in order, with the manager's key", async () => {
    const signer = await memorySigner(id);
    const requests = [request("approve", 1, 0), request("commit", 1, 0, "b")];
    const answer = await signer.sign(requests);
    assert(answer.ok);
    for (const [i, signature] of answer.value.entries()) {
      const { digest } = defined(requests[i], "each request has an answer");
      assert(signature.ok && ed25519Verify(publicKeyOf(id), digest, signature.value));
    }
  });

  for (const kind of markedKinds) {
    test(`signs ${kind} in ascending heights and rounds only, and the same again`, async () => {
      const signer = await memorySigner(id);
      for (const [height, round, what, outcome] of [
        [5, 3, "a", "signed"],
        [5, 3, "a", "signed"],
        [5, 3, "b", "CONTRADICTION"],
        [5, 2, "a", "BELOW_MARK"],
        [4, 9, "a", "BELOW_MARK"],
        [5, 4, "b", "signed"],
        [5, 3, "a", "BELOW_MARK"],
        [6, 0, "a", "signed"],
      ] as const) {
        const place = `height ${height}, round ${round}, ${what}`;
        assert.deepEqual(
          await outcomesOf(signer, request(kind, height, round, what)),
          [outcome],
          place,
        );
      }
    });
  }

  test("keeps a mark for each kind by itself, and none for what has no round", async () => {
    const signer = await memorySigner(id);
    assert.deepEqual(
      await outcomesOf(
        signer,
        request("commit", 9, 9),
        request("approve", 1, 0),
        request("propose", 1, 0),
      ),
      ["signed", "signed", "signed"],
    );
    for (const kind of ["accept", "head", "resume", "objection"] as const) {
      const free = { kind, height: 1, digest: seedOf(kind) };
      assert.deepEqual(await outcomesOf(signer, free, { ...free, digest: seedOf("b") }), [
        ...["signed", "signed"],
      ]);
    }
  });

  test("remembers after a loss of power what it has settled", async () => {
    const disk = createMemoryDisk();
    const first = await memorySigner(id, disk);
    await outcomesOf(first, request("commit", 7, 2));
    assert.ok((await first.settle()).ok);
    const second = await memorySigner(id, disk, "refuse");
    assert.deepEqual(await second.marks(), {
      ok: true,
      value: { commit: { height: 7, round: 2, digest: seedOf("a") } },
    });
    assert.deepEqual(await outcomesOf(second, request("commit", 7, 2, "b")), ["CONTRADICTION"]);
  });

  test("writes once for a turn, and nothing when no mark has moved", async () => {
    const disk = createMemoryDisk();
    const signer = await memorySigner(id, disk);
    await outcomesOf(signer, request("approve", 1, 0), request("commit", 1, 0));
    await signer.settle();
    disk.failNextWrite();
    await outcomesOf(signer, { kind: "head", height: 1, digest: seedOf("head") });
    assert.ok((await signer.settle()).ok);
    await outcomesOf(signer, request("approve", 1, 1));
    await assert.rejects(signer.settle(), StoreError);
  });

  test("is not made anew where marks are missed, and not opened with another's", async () => {
    const disk = createMemoryDisk();
    const kv = await disk.open();
    assert.equal(await LocalSigner.open(kv, keyOf(id), "refuse"), undefined);
    await LocalSigner.open(kv, keyOf(id), "create");
    await assert.rejects(LocalSigner.open(kv, keyOf("manager-2"), "create"), { code: "MISMATCH" });
    const elsewhere = { ...keyOf(id), consortiumId: sixteen("another") };
    await assert.rejects(LocalSigner.open(kv, elsewhere, "create"), { code: "MISMATCH" });
  });

  test("has its directory for itself: private, and one process at a time", async () => {
    const directory = join(temporaryDirectory(), "signing.key.state");
    const key = { consortiumId, seed: seedOf(id) };
    const opened = defined(await openLocalSigner(directory, key, "create"), "it is made");
    assert.equal(statSync(directory).mode & 0o777, 0o700);
    await assert.rejects(openLocalSigner(directory, key, "create"), { code: "LOCKED" });
    await outcomesOf(opened.signer, request("approve", 3, 1));
    await opened.signer.settle();
    await opened.close();
    const again = defined(await openLocalSigner(directory, key, "refuse"), "it is there");
    assert.deepEqual(await outcomesOf(again.signer, request("approve", 3, 0)), ["BELOW_MARK"]);
    await again.close();
  });
});
