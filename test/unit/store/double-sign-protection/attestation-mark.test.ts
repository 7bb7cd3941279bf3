/** A storage node attests once per height and round, whatever its disk has forgotten. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  AttestationMark,
  isAfter,
  type Place,
} from "../../../../src/store/double-sign-protection/attestation-mark.js";
import type { StoreError } from "../../../../src/store/store-error.js";
import { createMemoryDisk } from "../../../support/memory-store.js";
import { publicKeyOf } from "../../ledger/support/records.js";

const key = publicKeyOf("storage-1");

/** A node's mark, and what a crash and a restart leave of it. */
async function markAt(place?: Place) {
  const disk = createMemoryDisk();
  const mark = await AttestationMark.open(await disk.open(), key);
  if (place !== undefined) await mark.raise(place);
  const restarted = async () => {
    disk.crash();
    return AttestationMark.open(await disk.open(), key);
  };
  return { mark, restarted };
}

describe("the mark of what was attested", () => {
  test("only goes up, and outlives a crash", async () => {
    const disk = createMemoryDisk();
    const mark = await AttestationMark.open(await disk.open(), key);
    assert.equal(mark.place, undefined);
    await mark.raise({ height: 5, round: 2 });
    await mark.raise({ height: 5, round: 1 });
    await mark.raise({ height: 4, round: 9 });
    assert.deepEqual(mark.place, { height: 5, round: 2 });
    await mark.keepHalt(Uint8Array.of(1));
    await mark.keepHalt(Uint8Array.of(2));
    disk.crash();
    const again = await AttestationMark.open(await disk.open(), key);
    assert.deepEqual(again.place, { height: 5, round: 2 });
    assert.deepEqual(await again.halt(), Uint8Array.of(1));
  });

  test("names its own store when that is damaged, and not as damage that data could have", async () => {
    type Using = (mark: AttestationMark) => Promise<unknown>;
    const place = { height: 5, round: 2 };
    const uses: readonly Using[] = [
      (mark) => mark.raise(place),
      (mark) => mark.mayAttest(place, 1),
      (mark) => mark.forbidUpToMark(),
      (mark) => mark.keepHalt(Uint8Array.of(1)),
    ];
    for (const use of uses) {
      const disk = createMemoryDisk();
      const mark = await AttestationMark.open(await disk.open(), key);
      await mark.forbidUpToMark();
      disk.failNextWrite({ code: "CORRUPT" });
      await assert.rejects(use(mark), (error: StoreError) => {
        assert.equal(error.code, "IO");
        assert.match(error.message, /^the store of the mark of what was attested \(signer_state\)/);
        assert.equal((error.cause as StoreError).code, "CORRUPT");
        return true;
      });
    }
  });

  test("is of one key", async () => {
    const disk = createMemoryDisk();
    const kv = await disk.open();
    await (await AttestationMark.open(kv, key)).raise({ height: 1, round: 0 });
    const other = AttestationMark.open(kv, publicKeyOf("storage-2"));
    await assert.rejects(other, { code: "MISMATCH" });
  });

  test("binds no key when all that is known is that nothing is known", async () => {
    const disk = createMemoryDisk();
    const wrongKey = await AttestationMark.open(await disk.open(), publicKeyOf("storage-2"));
    await wrongKey.forbidUpToMark();
    disk.crash();
    const mark = await AttestationMark.open(await disk.open(), key);
    assert.ok(!(await mark.mayAttest({ height: 9, round: 0 }, 1)));
  });

  test("orders heights before rounds", () => {
    assert.ok(isAfter({ height: 2, round: 0 }, { height: 1, round: 9 }));
    assert.ok(isAfter({ height: 2, round: 1 }, { height: 2, round: 0 }));
    assert.ok(!isAfter({ height: 2, round: 1 }, { height: 2, round: 1 }));
  });
});

describe("what may still be attested", () => {
  test("is everything, as long as nothing was forgotten", async () => {
    const { mark } = await markAt({ height: 7, round: 3 });
    assert.ok(await mark.mayAttest({ height: 7, round: 1 }, 1));
  });

  test("is what lies above the mark, where something may be forgotten", async () => {
    const { mark } = await markAt({ height: 7, round: 3 });
    await mark.forbidUpToMark();
    assert.ok(!(await mark.mayAttest({ height: 6, round: 9 }, 1)));
    assert.ok(!(await mark.mayAttest({ height: 7, round: 3 }, 1)));
    assert.ok(await mark.mayAttest({ height: 7, round: 4 }, 1));
    await mark.raise({ height: 7, round: 4 });
    assert.ok(await mark.mayAttest({ height: 7, round: 5 }, 1));
  });

  test("stays so after any number of restarts, and after later attestations", async () => {
    const { mark, restarted } = await markAt({ height: 7, round: 3 });
    await mark.forbidUpToMark();
    await mark.raise({ height: 7, round: 6 });
    for (let restart = 0; restart < 3; restart++) {
      const again = await restarted();
      assert.ok(!(await again.mayAttest({ height: 7, round: 3 }, 1)));
      assert.ok(await again.mayAttest({ height: 7, round: 4 }, 1), "its store has the rest");
    }
  });

  test("begins some rounds later, where the mark is lost too", async () => {
    const { mark, restarted } = await markAt();
    await mark.forbidUpToMark();
    // Nobody asked before it was started again.
    const again = await restarted();
    assert.ok(!(await again.mayAttest({ height: 9, round: 4 }, 1)));
    assert.ok(!(await again.mayAttest({ height: 9, round: 6 }, 1)));
    assert.deepEqual(again.place, { height: 9, round: 6 });
    for (const each of [again, await restarted()]) {
      assert.ok(!(await each.mayAttest({ height: 9, round: 5 }, 1)));
      assert.ok(await each.mayAttest({ height: 9, round: 7 }, 1));
      assert.ok(await each.mayAttest({ height: 10, round: 0 }, 1));
    }
  });

  test("begins some rounds later, where the mark is lost after the store was damaged", async () => {
    const { mark, restarted } = await markAt({ height: 7, round: 3 });
    await mark.forbidUpToMark();
    await mark.raise({ height: 8, round: 1 });
    await mark.forget();
    const again = await restarted();
    assert.ok(!(await again.mayAttest({ height: 8, round: 1 }, 1)));
    assert.ok(await again.mayAttest({ height: 8, round: 4 }, 1));
  });

  test("begins some rounds later, where the mark is lost, whatever the chain says", async () => {
    for (const hadFloor of [true, false]) {
      const { mark, restarted } = await markAt({ height: 7, round: 3 });
      if (hadFloor) await mark.forbidUpToMark();
      await mark.forget();
      // The store lacks blocks, too.
      await (await restarted()).forbidUpToMark();
      const again = await restarted();
      assert.ok(!(await again.mayAttest({ height: 7, round: 3 }, 0)));
      assert.ok(await again.mayAttest({ height: 7, round: 6 }, 0));
    }
  });

  test("begins above what is left, where the mark is lost, however late a question comes", async () => {
    for (const lost of [true, false]) {
      const { mark } = await markAt();
      await (lost ? mark.forget() : mark.forbidUpToMark());
      // What the chain of a storage node does for each attestation that is left.
      await mark.raise({ height: 1, round: 5 });
      assert.ok(!(await mark.mayAttest({ height: 1, round: 0 }, 0)));
      assert.deepEqual(mark.place, { height: 1, round: 5 });
      assert.ok(!(await mark.mayAttest({ height: 1, round: 5 }, 0)));
      assert.ok(await mark.mayAttest({ height: 1, round: 6 }, 0));
    }
  });

  test("begins some rounds later, where the chain has seen more than the mark", async () => {
    for (const old of [undefined, { height: 7, round: 3 }]) {
      const { mark, restarted } = await markAt(old);
      assert.ok(!(await mark.mayAttest({ height: 9, round: 0 }, 8)));
      for (const each of [mark, await restarted()]) {
        assert.ok(!(await each.mayAttest({ height: 9, round: 2 }, 8)));
        assert.ok(await each.mayAttest({ height: 9, round: 3 }, 8));
      }
    }
  });

  test("is everything for a node that has never attested", async () => {
    const { mark, restarted } = await markAt();
    await mark.forbidUpToMark();
    assert.ok(await mark.mayAttest({ height: 1, round: 0 }, 0));
    await mark.raise({ height: 1, round: 0 });
    assert.ok(await (await restarted()).mayAttest({ height: 1, round: 0 }, 1));
  });
});
