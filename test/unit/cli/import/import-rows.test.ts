import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import {
  type ImportContext,
  importRows,
  surveyItems,
} from "../../../../src/cli/import/import-rows.js";
import { MeterNames } from "../../../../src/cli/import/meter-names.js";
import { RegisteredMeters } from "../../../../src/cli/sending/registered-meters.js";
import { loadProfile } from "../../../../src/client/submit/records.js";
import type { FileItem, IntervalValue } from "../../../../src/energy-files/file-values.js";
import { Periods } from "../../../../src/energy-files/profiles/periods.js";
import { ControlOperationSchema, PolicySchema } from "../../../../src/gen/bss/v1/genesis_pb.js";

const hourS = 3600;
const firstS = Date.UTC(2026, 0, 1) / 1000;

const operations = [
  ...[
    { participantId: "head-end", agentIds: [] },
    { participantId: "home-1", agentIds: ["head-end"] },
    { participantId: "home-2", agentIds: [] },
  ].map((value) => ({ case: "registerParticipant" as const, value })),
  ...[
    { meterId: "M-1", ownerId: "home-1", ratedPowerW: 1000n, intervalS: hourS },
    { meterId: "M-2", ownerId: "home-2", ratedPowerW: 1000n, intervalS: hourS },
  ].map((value) => ({ case: "registerMeter" as const, value })),
].map((operation) => create(ControlOperationSchema, { operation }));

const registered = new RegisteredMeters(operations, []);
const policy = create(PolicySchema, { deliveryIntervalS: hourS, deliveryOffsetS: 0 });

function contextOf(ids: Readonly<Record<string, string>>): ImportContext {
  return {
    names: new MeterNames(registered, new Map(Object.entries(ids)), "head-end"),
    registered,
    stationIds: new Map([["Lader 1", "station-1"]]),
    submitterId: "head-end",
    policy,
    periods: new Periods("day"),
    nowS: firstS + 36 * hourS,
  };
}

function value(meterName: string, parts: Partial<IntervalValue> & { readonly wh?: bigint } = {}) {
  const { wh = 1n, ...rest } = parts;
  return {
    kind: "value",
    place: { line: 1, column: "kWh" },
    meterName,
    direction: "imported",
    startS: firstS,
    intervalS: hourS,
    energy: { amount: wh, perWh: 1n },
    quality: "measured",
    ...rest,
  } satisfies IntervalValue;
}

async function rowsOf(items: readonly FileItem[], ids: Readonly<Record<string, string>> = {}) {
  const context = contextOf(ids);
  async function* read() {
    yield* items;
  }
  const survey = await surveyItems(read(), context);
  const rows: string[] = [];
  const identities: unknown[][] = [];
  for await (const row of importRows(read(), context, survey)) {
    if ("problem" in row) rows.push(row.problem.at("file", row.line));
    else {
      rows.push(`${row.name}: ${JSON.stringify(row.slot)}`);
      identities.push(row.identity as unknown[]);
    }
  }
  return { survey, rows, identities };
}

describe("what a file's items become", () => {
  test("values become profiles of the meters that names mean, in whatever case", async () => {
    const { rows, survey } = await rowsOf(
      [value("Haus 1"), value("m-1", { startS: firstS + hourS })],
      {
        "Haus 1": "m-1",
      },
    );
    assert.deepEqual(rows, [`meter M-1, 2026-01-01: ["load-profile","M-1",${firstS},24]`]);
    assert.equal(survey.values, 2);
  });

  test("a meter that nobody knows is told once, with how many values it has", async () => {
    const broken: FileItem = {
      kind: "problem",
      place: { line: 4 },
      meterName: "X",
      message: "bad",
    };
    const items = [
      value("X"),
      value("X"),
      value("M-2"),
      value("5,41449E+17"),
      broken,
      value("M-1"),
    ];
    const { rows, survey } = await rowsOf(items);
    assert.equal(rows.length, 1);
    const told = [...survey.unknown].map(([name, { why, values }]) => `${name} ${values}: ${why}`);
    assert.match(told[0] ?? "", /^X 2: genesis registers no meter "X"; .*--meter NAME=ID/);
    assert.match(told[1] ?? "", /^M-2 1: meter M-2 belongs to home-2, and head-end is no agent/);
    assert.match(told[2] ?? "", /spreadsheet has rounded/);
    assert.equal(told.length, 3);
  });

  test("a file whose names are no meters is refused before they fill the memory", async () => {
    const items = Array.from({ length: 10_001 }, (_, i) => value(`row ${i}`));
    await assert.rejects(rowsOf(items), /more than 10000 meters .* such as "row 10000"/);
  });

  test("what registers showed counts wherever it stands in the file", async () => {
    const register = (atS: number): FileItem => ({
      kind: "register",
      place: { line: 9 },
      meterName: "M-1",
      direction: "imported",
      atS,
      energy: { amount: BigInt(atS - firstS), perWh: 1n },
    });
    const day = Array.from({ length: 24 }, (_, i) => value("M-1", { startS: firstS + i * hourS }));
    const { identities } = await rowsOf([register(firstS), ...day, register(firstS + 24 * hourS)]);
    assert.deepEqual(identities[0]?.at(-1), [
      ["0", "0"],
      ["86400", "0"],
    ]);
  });

  test("values that the ledger would refuse are named, and the rest of the day goes on", async () => {
    const { rows } = await rowsOf([
      value("M-1", { wh: 1001n, place: { line: 2, column: "kWh" } }),
      value("M-1", { startS: firstS + 900, place: { line: 3, column: "kWh" } }),
      value("M-1", { intervalS: 900, place: { line: 4, column: "kWh" } }),
      value("M-1", { startS: firstS + 36 * hourS, place: { line: 5, column: "kWh" } }),
      value("M-1", { wh: 1000n }),
      value("M-1", { startS: firstS + 30 * hourS }),
    ]);
    assert.match(rows[0] ?? "", /^file:2: column kWh: 1001 Wh is more than meter M-1 can carry/);
    assert.match(rows[1] ?? "", /^file:3: .*start at 2026-01-01T00:00:00Z and/);
    assert.match(rows[2] ?? "", /^file:4: .* has 900 s, and meter M-1 is registered with 3600 s/);
    assert.match(rows[3] ?? "", /^file:5: .* is not over yet/);
    assert.match(rows[4] ?? "", /^meter M-1, 2026-01-01:/);
    assert.match(rows[5] ?? "", /M-1, 2026-01-02: is not over yet; import the file again after/);
    assert.equal(rows.length, 6);
  });

  test("the same content has the same identity, another one the same slot", async () => {
    const identities: string[] = [];
    const slots: string[] = [];
    for (const wh of [1n, 1n, 2n]) {
      const context = contextOf({});
      async function* read() {
        yield value("M-1", { wh, place: { line: Number(wh) } });
      }
      for await (const row of importRows(read(), context, await surveyItems(read(), context))) {
        assert.ok(!("problem" in row));
        identities.push(JSON.stringify(row.identity));
        slots.push(JSON.stringify(row.slot));
        assert.notDeepEqual(row.build(), row.build(new Uint8Array(32)));
        assert.match(row.advice?.("INTERVAL_OVERLAP") ?? "", /another --out, --zone or --per/);
        assert.equal(row.advice?.("METER_UNKNOWN"), undefined);
        const exported = loadProfile({
          ownerId: "home-1",
          meterId: "M-1",
          startS: firstS,
          intervalS: hourS,
          values: [{ importedWh: 0, exportedWh: 1, quality: "measured" }],
        });
        assert.throws(() => row.inPlaceOf?.(exported), /M-1, 2026-01-01: the file has no exported/);
      }
    }
    assert.equal(new Set(slots).size, 1);
    assert.equal(identities[0], identities[1]);
    assert.notEqual(identities[0], identities[2]);
  });

  test("sessions become charging sessions, of the stations that names mean", async () => {
    const session = (parts: object) =>
      ({
        kind: "session",
        place: { line: 2, column: "kWh" },
        stationName: "Lader 1",
        sessionName: "s1",
        startS: firstS,
        endS: firstS + 60,
        energy: { amount: 1n, perWh: 1n },
        ...parts,
      }) as FileItem;
    const { rows, identities } = await rowsOf([
      session({}),
      session({ stationName: "Lader 2" }),
      session({ endS: firstS }),
      session({ energy: { amount: 1n, perWh: 3n } }),
      session({ energy: { amount: -1n, perWh: 1n } }),
      session({ endS: firstS + 37 * hourS }),
      session({ ownerName: "home-1", sessionName: "s2" }),
      session({ ownerName: "home-2", sessionName: "s3" }),
    ]);
    assert.equal(rows[0], 'session s1 at station-1: ["charging-session","station-1","s1"]');
    assert.match(rows[1] ?? "", /"Lader 2" is no id .*--station "Lader 2=ID"/);
    assert.match(rows[2] ?? "", /does not end after its start/);
    assert.match(rows[3] ?? "", /no energy was charged/);
    assert.match(rows[4] ?? "", /negative/);
    assert.match(rows[5] ?? "", /not over yet/);
    assert.deepEqual(
      identities.map(([owner]) => owner),
      ["head-end", "home-1"],
    );
    assert.match(rows[7] ?? "", /the owner is "home-2", and head-end is no agent/);
  });
});
