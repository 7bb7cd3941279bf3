import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { AssertionFailed, defined } from "../../../../src/base/assert.js";
import { compareBytes, fromHex, toHex, utf8 } from "../../../../src/base/bytes.js";
import {
  EnergyStateSchema,
  ParticipantStateSchema,
  ReadingStateSchema,
} from "../../../../src/gen/bss/store/v1/state_pb.js";
import { energyWhMax } from "../../../../src/ledger/kinds/energy.js";
import { kindOf } from "../../../../src/ledger/kinds/kinds.js";
import { readKeys, readKeysOfSubmission } from "../../../../src/ledger/state/effects.js";
import { PrefetchedState, stateDigest } from "../../../../src/ledger/state/state.js";
import { stateKeys } from "../../../../src/ledger/state/state-keys.js";
import { StateTables } from "../../../../src/ledger/state/state-tables.js";
import { hourS, policy, quarterS, startS } from "../support/consortium.js";
import {
  documentBytes,
  hashOf,
  parsed,
  readingBytes,
  seedOf,
  sessionBytes,
  sixteen,
  submitted,
  tradeBytes,
} from "../support/records.js";
import { blockMs } from "../support/trial.js";

const hexes = (keys: readonly Uint8Array[]) => new Set(keys.map(toHex));

describe("state keys", () => {
  test("have the bytes that are written down", () => {
    assert.equal(toHex(stateKeys.participant("ab")), "016162");
    assert.equal(toHex(stateKeys.meter("ab")), "026162");
    assert.equal(toHex(stateKeys.meter("D*b")), "02642a62");
    assert.equal(toHex(stateKeys.reading("D*b", 258)), "04442a62000000000000000102");
    assert.equal(toHex(stateKeys.record(seedOf("r"))), `03${toHex(seedOf("r"))}`);
    assert.equal(toHex(stateKeys.reading("ab", 258)), "046162000000000000000102");
    assert.equal(toHex(stateKeys.energy("ab", 2 ** 42)), "056162000000040000000000");
    assert.equal(toHex(stateKeys.trade(sixteen("t"))), `06${toHex(sixteen("t"))}`);
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
          stateKeys.reading("meter-1", startS + quarterS),
          stateKeys.energy("participant-1", startS),
        ],
      ],
      [
        trade,
        [
          stateKeys.participant("participant-2"),
          stateKeys.trade(sixteen("t")),
          stateKeys.energy("participant-1", startS + hourS),
          stateKeys.energy("participant-2", startS + hourS),
        ],
      ],
    ];
    for (const [bytes, keys] of cases) {
      assert.deepEqual(hexes(readKeys(parsed(bytes))), hexes([...own(bytes), ...keys]));
    }
  });

  test("tell meters and starts apart, whatever the ids are", () => {
    // Few enough that ids and starts, written one after the other, often give the same text.
    const id = fc.string({ unit: fc.constantFrom("0", "1", ":"), minLength: 1, maxLength: 3 });
    const reading = fc.tuple(id, fc.constantFrom(0, 1, 10, 11, 101, 110));
    fc.assert(
      fc.property(reading, reading, (one, other) => {
        const isSame = one[0] === other[0] && one[1] === other[1];
        const keys = [stateKeys.reading(...one), stateKeys.reading(...other)].map(toHex);
        assert.equal(keys[0] === keys[1], isSame);
        const tables = new StateTables({ get: () => undefined });
        tables.readings.put(one, create(ReadingStateSchema));
        assert.equal(tables.readings.get(...other) !== undefined, isSame);
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
      ["01", utf8("one")],
      ["02", undefined],
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
  const sums = (exportedWh: bigint) => create(EnergyStateSchema, { exportedWh });

  test("read each value of the view once, and give what was put in its place", () => {
    const reads: string[] = [];
    const tables = new StateTables({
      get(key) {
        reads.push(toHex(key));
        return toBinary(EnergyStateSchema, sums(5n));
      },
    });
    assert.equal(tables.energy.get("participant-1", startS)?.exportedWh, 5n);
    assert.equal(tables.energy.get("participant-1", startS)?.exportedWh, 5n);
    assert.deepEqual(reads, [toHex(stateKeys.energy("participant-1", startS))]);
    tables.energy.put(["participant-1", startS], sums(6n));
    assert.equal(tables.energy.get("participant-1", startS)?.exportedWh, 6n);
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
    tables.energy.put(["p", 1], sums(1n));
    assert.equal(tables.energy.get("p", 11), undefined);
    assert.equal(tables.energy.get("q", 1), undefined);
    assert.equal(tables.readings.get("p", 1), undefined);
    assert.equal(tables.records.get(seedOf("r")), undefined);
    assert.equal(tables.trades.get(sixteen("t")), undefined);
  });

  test("write the last value of each key that was put, sorted by key", () => {
    const tables = new StateTables({ get: () => undefined });
    for (const wh of [1n, 2n, 3n]) {
      tables.energy.put(["participant-1", startS], sums(wh));
      tables.energy.put(["participant-1", startS - hourS], sums(wh + 10n));
    }
    tables.participants.put(["p"], create(ParticipantStateSchema, { height: 1n }));
    const writes = tables.writes();
    const keys = [
      stateKeys.participant("p"),
      stateKeys.energy("participant-1", startS - hourS),
      stateKeys.energy("participant-1", startS),
    ];
    assert.deepEqual(
      writes.map((each) => each.key),
      keys.toSorted(compareBytes),
    );
    assert.deepEqual(writes.at(-1)?.value, toBinary(EnergyStateSchema, sums(3n)));
  });
});

test("no sum of a delivery interval leaves the range in which energy is counted", () => {
  const record = parsed(readingBytes({ imported: 0, exported: 1 }));
  const readingCoversTrades = kindOf(record).rules.find(({ id }) => id === "reading-covers-trades");
  const check = (exportedWh: bigint, importedWh: bigint) => {
    const tables = new StateTables({ get: () => undefined });
    const energy = create(EnergyStateSchema, { exportedWh, importedWh });
    tables.energy.put(["participant-1", startS], energy);
    const submission = { participantId: "participant-1" };
    const context = { record, submission, state: tables, timestampMs: blockMs, policy };
    return defined(readingCoversTrades, "a rule of readings").check(context);
  };
  assert.equal(check(energyWhMax - 1n, 0n), undefined);
  assert.equal(check(energyWhMax, 0n)?.reason, "ENERGY_INVALID");
  assert.equal(check(energyWhMax, 0n)?.field, "meter_reading.exported_wh");
  assert.equal(check(0n, energyWhMax + 1n)?.field, "meter_reading.imported_wh");
});
