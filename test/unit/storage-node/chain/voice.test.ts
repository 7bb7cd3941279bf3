/** A storage node attests once per height and round, whatever its disk has forgotten. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Returning } from "../../../../src/storage-node/chain/returning.js";
import { Voice } from "../../../../src/storage-node/chain/voice.js";
import {
  AttestationMark,
  isAfter,
  type Place,
} from "../../../../src/store/double-sign-protection/attestation-mark.js";
import { createMemoryDisk } from "../../../../src/store/memory-store.js";
import { consortiumId, policy } from "../../ledger/support/consortium.js";
import { publicKeyOf, sign } from "../../ledger/support/records.js";
import { ChainWorld } from "../support/chain-world.js";

const key = publicKeyOf("storage-1");

async function markAt(place?: Place): Promise<AttestationMark> {
  const mark = await AttestationMark.open(await createMemoryDisk().open(), key);
  if (place !== undefined) await mark.raise(place);
  return mark;
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

  test("is of one key", async () => {
    const disk = createMemoryDisk();
    const kv = await disk.open();
    await (await AttestationMark.open(kv, key)).raise({ height: 1, round: 0 });
    const other = AttestationMark.open(kv, publicKeyOf("storage-2"));
    await assert.rejects(other, { code: "MISMATCH" });
  });

  test("orders heights before rounds", () => {
    assert.ok(isAfter({ height: 2, round: 0 }, { height: 1, round: 9 }));
    assert.ok(isAfter({ height: 2, round: 1 }, { height: 2, round: 0 }));
    assert.ok(!isAfter({ height: 2, round: 1 }, { height: 2, round: 1 }));
  });
});

describe("what may still be attested", () => {
  test("is everything, as long as nothing was forgotten", async () => {
    const voice = new Voice(await markAt({ height: 7, round: 3 }), () => true);
    assert.ok(await voice.mayAttest({ height: 7, round: 1 }));
  });

  test("is what lies above the mark, where something may be forgotten", async () => {
    const voice = new Voice(await markAt({ height: 7, round: 3 }), () => true);
    voice.forget();
    assert.ok(!(await voice.mayAttest({ height: 6, round: 9 })));
    assert.ok(!(await voice.mayAttest({ height: 7, round: 3 })));
    assert.ok(await voice.mayAttest({ height: 7, round: 4 }));
    await voice.raise({ height: 7, round: 4 });
    assert.ok(await voice.mayAttest({ height: 7, round: 5 }));
  });

  test("begins some rounds later, where the mark is lost too", async () => {
    const mark = await markAt();
    const voice = new Voice(mark, () => true);
    voice.forget();
    assert.ok(!(await voice.mayAttest({ height: 9, round: 4 })));
    assert.ok(!(await voice.mayAttest({ height: 9, round: 6 })));
    assert.deepEqual(mark.place, { height: 9, round: 6 });
    assert.ok(await voice.mayAttest({ height: 9, round: 7 }));
    assert.ok(await voice.mayAttest({ height: 10, round: 0 }));
  });

  test("is everything for a node that has never attested", async () => {
    const voice = new Voice(await markAt(), () => false);
    voice.forget();
    assert.ok(await voice.mayAttest({ height: 1, round: 0 }));
  });
});

describe("a storage node whose store was put back", () => {
  test("does not attest another block in a round in which it has attested", async () => {
    const world = await ChainWorld.open();
    const first = world.makeFor(true);
    await world.verify(first);
    assert.equal(world.attestations.length, 1);
    assert.deepEqual(world.place, { height: 1, round: 0 });
    world.told.length = 0;

    const again = await ChainWorld.open();
    again.place = world.place;
    again.voice.forget();
    const other = again.makeFor(true);
    await again.verify(other);
    assert.deepEqual(again.attestations, []);
    assert.deepEqual(again.dropped, ["manager-1 PERHAPS_ATTESTED"]);
    const later = again.makeFor(true, 1);
    await again.verify(later, { round: 1 });
    assert.equal(again.attestations.length, 1);
  });

  test("attests nothing while it repairs itself, and says that it is behind", async () => {
    const world = await ChainWorld.open();
    world.repairing = true;
    await world.verify(world.makeFor(true));
    assert.deepEqual(world.attestations, []);
    const [head] = world.chain.greeting();
    assert.equal(head?.message?.case === "head" && head.message.value.behind, true);
    world.repairing = false;
    await world.verify(world.makeFor(true));
    assert.equal(world.attestations.length, 1);
  });
});

describe("a node that was suspended as unreachable", () => {
  async function returning(suspension: "unreachable" | undefined, ready = true) {
    const world = await ChainWorld.open();
    await world.commit(world.ledger.extend());
    const { head } = world.store;
    const node = head.members.storageNode("storage-1");
    const changed = { ...node, suspension, changedHeight: 1, changedAtMs: 1_000, absences: 1 };
    const said: bigint[] = [];
    const clock = { ms: 0, wallMs: 1_000 + policy.resumeWaitMs };
    const made = new Returning({
      nodeId: "storage-1",
      consortiumId,
      policy,
      head: () => ({ ...head, members: { storageNode: () => changed } }) as unknown as typeof head,
      isReady: () => ready,
      sign: (digest) => sign("storage-1", digest),
      tell: ({ heldHeight, suspendedHeight }) => {
        assert.equal(suspendedHeight, 1n);
        said.push(heldHeight);
      },
      monotonicMs: () => clock.ms,
      wallMs: () => clock.wallMs,
    });
    return { made, said, clock };
  }

  test("says that it is back, each second and after each block, once its wait is over", async () => {
    const { made, said, clock } = await returning("unreachable");
    clock.wallMs -= 1;
    made.tick();
    assert.deepEqual(said, []);
    clock.wallMs += 1;
    made.tick();
    made.tick();
    assert.deepEqual(said, [1n]);
    clock.ms += 1_000;
    made.tick();
    made.onAppended();
    made.tick();
    assert.deepEqual(said, [1n, 1n, 1n]);
  });

  test("says nothing before it is level, or when it is not suspended", async () => {
    for (const { made, said } of [
      await returning("unreachable", false),
      await returning(undefined),
    ]) {
      made.tick();
      assert.deepEqual(said, []);
    }
  });
});
