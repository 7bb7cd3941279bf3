import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { AssertionFailed, defined } from "../../../../src/base/assert.js";
import { compareBytes, fromHex, toHex, utf8 } from "../../../../src/base/bytes.js";
import { ParticipantStateSchema } from "../../../../src/gen/bss/store/v1/state_pb.js";
import { energyWhMax } from "../../../../src/ledger/kinds/energy.js";
import { kindOf } from "../../../../src/ledger/kinds/kinds.js";
import { deliverySlotOf } from "../../../../src/ledger/kinds/market-grid.js";
import { readKeys, readKeysOfSubmission } from "../../../../src/ledger/state/effects.js";
import { PrefetchedState, stateDigest } from "../../../../src/ledger/state/state.js";
import { stateKeys } from "../../../../src/ledger/state/state-keys.js";
import { StateTables } from "../../../../src/ledger/state/state-tables.js";
import { hourS, policy, quarterS, startS } from "../support/consortium.js";
import {
  documentBytes,
  hashOf,
  parsed,
  profileBytes,
  readingBytes,
  seedOf,
  sessionBytes,
  sixteen,
  submitted,
  tradeBytes,
} from "../support/records.js";
import { blockMs, Trial } from "../support/trial.js";

const hexes = (keys: readonly Uint8Array[]) => new Set(keys.map(toHex));

describe("state keys", () => {
  test("have the bytes that are written down", () => {
    assert.equal(toHex(stateKeys.participant("ab")), "016162");
    assert.equal(toHex(stateKeys.meter("ab")), "026162");
    assert.equal(toHex(stateKeys.meter("D*b")), "02642a62");
    assert.equal(toHex(stateKeys.readings("D*b", 258)), "04442a62000102");
    assert.equal(toHex(stateKeys.record(seedOf("r"))), `03${toHex(seedOf("r"))}`);
    assert.equal(toHex(stateKeys.readings("ab", 0)), "04616200");
    assert.equal(toHex(stateKeys.energy("ab", 2 ** 37)), "056162002000000000");
    assert.equal(toHex(stateKeys.trade(sixteen("t"))), `06${toHex(sixteen("t"))}`);
    assert.equal(toHex(stateKeys.participantCount()), "08");
  });

  test("of a record are those that its rules read", () => {
    const parent = seedOf("parent");
    const own = (bytes: Uint8Array) => [
      stateKeys.participant("participant-1"),
      stateKeys.record(hashOf(bytes)),
    ];
    const reading = readingBytes({ start: startS + quarterS, parent });
    const trade = tradeBytes({ id: "t", delivery: startS + hourS });
    const cases: readonly (readonly [Uint8Array, readonly Uint8Array[]])[] = [
      [documentBytes(), []],
      [sessionBytes({}, { parent }), [stateKeys.record(parent)]],
      [
        reading,
        [
          stateKeys.record(parent),
          stateKeys.meter("meter-1"),
          stateKeys.readings("meter-1", startS / (96 * quarterS)),
          stateKeys.energy("participant-1", startS / (96 * hourS)),
        ],
      ],
      [
        trade,
        [
          stateKeys.participant("participant-2"),
          stateKeys.trade(sixteen("t")),
          stateKeys.energy("participant-1", startS / (96 * hourS)),
          stateKeys.energy("participant-2", startS / (96 * hourS)),
        ],
      ],
    ];
    for (const [bytes, keys] of cases) {
      assert.deepEqual(hexes(readKeys(parsed(bytes))), hexes([...own(bytes), ...keys]));
    }
  });

  test("tell meters and windows apart, whatever the ids are", () => {
    // Few enough that ids and windows, written one after the other, often give the same text.
    const id = fc.string({ unit: fc.constantFrom("0", "1", ":"), minLength: 1, maxLength: 3 });
    const reading = fc.tuple(id, fc.constantFrom(0, 1, 10, 11, 256, 0x3000, 0x3130));
    fc.assert(
      fc.property(reading, reading, (one, other) => {
        const isSame = one[0] === other[0] && one[1] === other[1];
        const keys = [stateKeys.readings(...one), stateKeys.readings(...other)].map(toHex);
        assert.equal(keys[0] === keys[1], isSame);
        const tables = new StateTables({ get: () => undefined });
        const put = { importedWh: 1, exportedWh: 0, position: 0 };
        tables.readings.put([one[0], { window: one[1], slot: 3 }], put);
        const found = tables.readings.get(other[0], { window: other[1], slot: 3 });
        assert.equal(found !== undefined, isSame);
      }),
      { numRuns: 2_000 },
    );
  });

  test("of a submission are its submitter's too", () => {
    const submission = submitted([documentBytes()], "head-end");
    const keys = hexes(readKeysOfSubmission(submission));
    assert.ok(keys.has(toHex(stateKeys.participant("head-end"))));
    assert.ok(keys.has(toHex(stateKeys.participant("participant-1"))));
  });
});

describe("a prefetched state", () => {
  const state = new PrefetchedState(
    new Map([
      ["\x01", utf8("one")],
      ["\x02", undefined],
    ]),
  );

  test("gives what was fetched, absences included", () => {
    assert.deepEqual(state.get(Uint8Array.of(1)), utf8("one"));
    assert.equal(state.get(Uint8Array.of(2)), undefined);
  });

  test("stops the node when a key is read that nobody fetched", () => {
    assert.throws(() => state.get(Uint8Array.of(3)), AssertionFailed);
  });
});

describe("the state digest", () => {
  const write = (key: string, value: string) => ({ key: utf8(key), value: utf8(value) });

  test("is SHA-256 over the previous one and each write by key, with lengths", () => {
    const previous = seedOf("previous");
    const expected = createHash("sha256")
      .update(previous)
      .update(fromHex("00000001610000000278790000000262620000000163") ?? "")
      .digest("hex");
    const digest = stateDigest(previous, [write("bb", "c"), write("a", "xy")]);
    assert.equal(toHex(digest), expected);
  });

  test("does not confuse where a key ends", () => {
    const previous = seedOf("previous");
    const one = stateDigest(previous, [write("ab", "c")]);
    assert.notDeepEqual(one, stateDigest(previous, [write("a", "bc")]));
    assert.notDeepEqual(one, stateDigest(previous, []));
    assert.notDeepEqual(one, stateDigest(seedOf("other"), [write("ab", "c")]));
  });

  test("takes each key once", () => {
    const twice = [write("a", "1"), write("a", "2")];
    assert.throws(() => stateDigest(seedOf("p"), twice), AssertionFailed);
  });
});

describe("state tables", () => {
  const sums = (exportedWh: number) => ({ exportedWh, importedWh: 0, soldWh: 0, boughtWh: 0 });
  const at = (slot: number, window = 7) => ({ window, slot });

  test("read each value of the view once, and give what was put in its place", () => {
    const reads: string[] = [];
    const tables = new StateTables({
      get(key) {
        reads.push(toHex(key));
        // Of slot 1: 5 Wh exported.
        return Uint8Array.of(12, 5);
      },
    });
    assert.equal(tables.energy.get("participant-1", at(1))?.exportedWh, 5);
    assert.equal(tables.energy.get("participant-1", at(0)), undefined);
    assert.deepEqual(reads, [toHex(stateKeys.energy("participant-1", 7))]);
    tables.energy.put(["participant-1", at(1)], sums(6));
    tables.energy.put(["participant-1", at(3)], sums(7));
    assert.equal(tables.energy.get("participant-1", at(1))?.exportedWh, 6);
    assert.equal(tables.energy.get("participant-1", at(2)), undefined);
    assert.equal(tables.energy.get("participant-1", at(3))?.exportedWh, 7);
    assert.equal(reads.length, 1);
  });

  test("read an absence once, too", () => {
    let reads = 0;
    const tables = new StateTables({
      get() {
        reads += 1;
        return undefined;
      },
    });
    assert.equal(tables.participants.get("participant-1"), undefined);
    assert.equal(tables.participants.get("participant-1"), undefined);
    assert.equal(reads, 1);
  });

  test("tell names apart, and each table from the others", () => {
    const tables = new StateTables({ get: () => undefined });
    tables.energy.put(["p", at(1)], sums(1));
    assert.equal(tables.energy.get("p", at(11)), undefined);
    assert.equal(tables.energy.get("p", at(1, 71)), undefined);
    assert.equal(tables.energy.get("q", at(1)), undefined);
    assert.equal(tables.readings.get("p", at(1)), undefined);
    assert.equal(tables.records.get(seedOf("r")), undefined);
    assert.equal(tables.trades.get(sixteen("t")), undefined);
  });

  test("write the last value of each key that was put, sorted by key", () => {
    const tables = new StateTables({ get: () => undefined });
    for (const wh of [1, 2, 3]) {
      tables.energy.put(["participant-1", at(0, 8)], sums(wh));
      tables.energy.put(["participant-1", at(23)], sums(wh + 10));
      tables.energy.put(["participant-1", at(0)], sums(wh + 20));
    }
    tables.participants.put(["p"], create(ParticipantStateSchema, { height: 1n }));
    const writes = tables.writes();
    const keys = [
      stateKeys.participant("p"),
      stateKeys.energy("participant-1", 7),
      stateKeys.energy("participant-1", 8),
    ];
    assert.deepEqual(
      writes.map((each) => each.key),
      keys.toSorted(compareBytes),
    );
    assert.deepEqual(
      writes.slice(1).map((each) => toHex(each.value)),
      // 9 · 22 + 3 takes two bytes.
      [toHex(Uint8Array.of(3, 23, 201, 1, 13)), toHex(Uint8Array.of(3, 3))],
    );
  });
});

test("what a block of readings and a trade writes has the bytes that are written down", () => {
  const trial = new Trial();
  const reading = trial.place(readingBytes({ imported: 100, exported: 100 })).hash;
  const buying = { owner: "participant-2", meter: "meter-2", imported: 100, exported: 0 };
  const other = trial.place(readingBytes(buying)).hash;
  const trade = trial.place(tradeBytes({ id: "t", energy: 10 })).hash;
  const update = trial.place(readingBytes({ imported: 0, exported: 95, parent: reading })).hash;
  // Participants 2 and 3 of genesis; block 1, positions 0 to 3; 80,000 windows of quarters and
  // 20,000 windows of quarters, and 5,000 of hours, after 1970 began.
  const window = (namespace: number, id: string, number: string) =>
    `0${namespace}${toHex(utf8(id))}00${number}`;
  const expected = new Map([
    [`03${toHex(reading)}`, `05020100${toHex(update)}`],
    [`03${toHex(other)}`, "04030101"],
    [`03${toHex(trade)}`, "0a0201020380e0fcb7060a"],
    [`03${toHex(update)}`, "04020103"],
    [window(4, "meter-1", "4e20"), "015f03"],
    [window(4, "meter-2", "4e20"), "026401"],
    [window(5, "participant-1", "1388"), "065f0a"],
    [window(5, "participant-2", "1388"), "02640a"],
    [`06${toHex(sixteen("t"))}`, "02"],
  ]);
  const writes = trial.execution.writes().map(({ key, value }) => [toHex(key), toHex(value)]);
  assert.deepEqual(
    writes,
    [...expected].toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
});

test("no sum of a profile's delivery interval does either", () => {
  const values = [undefined, [0, 0], [0, 0], [1, 2]] as const;
  const record = parsed(profileBytes({ start: startS - hourS, values: [...values, ...values] }));
  const rule = kindOf(record).rules.find(({ id }) => id === "profile-covers-trades");
  const check = (exportedWh: number, importedWh: number) => {
    const tables = new StateTables({ get: () => undefined });
    const energy = { exportedWh, importedWh, soldWh: 0, boughtWh: 0 };
    tables.energy.put(["participant-1", deliverySlotOf(startS, policy)], energy);
    const submission = { participantId: "participant-1" };
    const context = { record, submission, state: tables, timestampMs: blockMs, policy };
    return defined(rule, "a rule of profiles").check(context);
  };
  assert.equal(check(energyWhMax - 2, energyWhMax - 1), undefined);
  assert.equal(check(energyWhMax - 1, 0)?.reason, "ENERGY_INVALID");
  assert.equal(check(energyWhMax - 1, 0)?.field, "load_profile.exported_wh[3]");
  assert.equal(check(0, energyWhMax)?.field, "load_profile.imported_wh[3]");
});

test("no sum of a delivery interval leaves the range in which energy is counted", () => {
  const record = parsed(readingBytes({ imported: 0, exported: 1 }));
  const readingCoversTrades = kindOf(record).rules.find(({ id }) => id === "reading-covers-trades");
  const check = (exportedWh: number, importedWh: number) => {
    const tables = new StateTables({ get: () => undefined });
    const energy = { exportedWh, importedWh, soldWh: 0, boughtWh: 0 };
    tables.energy.put(["participant-1", deliverySlotOf(startS, policy)], energy);
    const submission = { participantId: "participant-1" };
    const context = { record, submission, state: tables, timestampMs: blockMs, policy };
    return defined(readingCoversTrades, "a rule of readings").check(context);
  };
  const max = energyWhMax;
  assert.equal(check(max - 1, 0), undefined);
  assert.equal(check(max, 0)?.reason, "ENERGY_INVALID");
  assert.equal(check(max, 0)?.field, "meter_reading.exported_wh");
  assert.equal(check(0, max + 1)?.field, "meter_reading.imported_wh");
});
