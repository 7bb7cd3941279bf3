/** Whatever is corrected between two imports: the ledger then says what the second file says. */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { create, fromBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import {
  type ImportContext,
  importRows,
  surveyItems,
} from "../../../../src/cli/import/import-rows.js";
import { MeterNames } from "../../../../src/cli/import/meter-names.js";
import { ProgressFile } from "../../../../src/cli/sending/receipts/progress-file.js";
import { RegisteredMeters } from "../../../../src/cli/sending/registered-meters.js";
import type { FileItem, IntervalValue } from "../../../../src/energy-files/file-values.js";
import { Periods } from "../../../../src/energy-files/profiles/periods.js";
import { ControlOperationSchema, PolicySchema } from "../../../../src/gen/bss/v1/genesis_pb.js";
import { type LoadProfile, RecordSchema } from "../../../../src/gen/bss/v1/record_pb.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const hourS = 3600;
const firstS = Date.UTC(2026, 0, 1) / 1000;
const hours = 72;

const operations = [
  { case: "registerParticipant" as const, value: { participantId: "home", agentIds: [] } },
  {
    case: "registerMeter" as const,
    value: { meterId: "m", ownerId: "home", ratedPowerW: 10_000n, intervalS: hourS },
  },
].map((operation) => create(ControlOperationSchema, { operation }));
const registered = new RegisteredMeters(operations, []);

const context: ImportContext = {
  names: new MeterNames(registered, new Map(), "home"),
  registered,
  stationIds: new Map(),
  submitterId: "home",
  policy: create(PolicySchema, { deliveryIntervalS: hourS, deliveryOffsetS: 0 }),
  periods: new Periods("day"),
  otherDirection: "drop",
  nowS: firstS + hours * hourS,
};

type Cell = readonly [milliWh: number, quality: IntervalValue["quality"]];
type File = readonly (Cell | undefined)[];

const cell = fc.option(
  fc.tuple(fc.nat(9_000), fc.constantFrom("measured", "estimated", "substituted")),
  { nil: undefined, freq: 4 },
);
const file = fc.array(cell, { minLength: hours, maxLength: hours });
/** Whole days have at least one value, since a day without any stays as it is. */
const filled = (cells: File): File =>
  cells.map((each, hour) => (hour % 24 === 0 ? (each ?? [1, "measured"]) : each));
const corrections = fc.array(fc.tuple(fc.nat(hours - 1), cell), { maxLength: 6 });

async function* itemsOf(cells: File): AsyncGenerator<FileItem> {
  for (const [hour, each] of cells.entries()) {
    if (each === undefined) continue;
    const [milliWh, quality] = each;
    const energy = { amount: BigInt(milliWh), perWh: 1000n };
    const place = { line: hour + 2 };
    const parts = { meterName: "m", startS: firstS + hour * hourS, intervalS: hourS, quality };
    yield { kind: "value", direction: "imported", place, energy, ...parts };
  }
}

/** Imports a file and returns how many records were sent. */
async function imported(out: string, cells: File, ledger: Map<bigint, LoadProfile>) {
  const survey = await surveyItems(itemsOf(cells), context);
  const owner = { consortiumId: new Uint8Array(32), participantId: "home" };
  const progress = new ProgressFile(out, { ...owner, command: "import" });
  let sent = 0;
  for await (const row of importRows(itemsOf(cells), context, survey)) {
    assert.ok(!("problem" in row), "problem" in row ? row.problem.message : "");
    const planned = progress.plan(row);
    if (planned === undefined) continue;
    const { payload } = fromBinary(RecordSchema, planned.bytes);
    assert.ok(payload.case === "loadProfile");
    const { startUnixS } = payload.value;
    assert.equal(planned.parent !== undefined, ledger.has(startUnixS), "an update, or the first");
    ledger.set(startUnixS, payload.value);
    progress.save();
    progress.receive([{ ...receipt, record_hash: planned.hashHex }]);
    sent += 1;
  }
  progress.close();
  return sent;
}

const receipt = {
  line: 2,
  height: 1,
  position: 0,
};

function valuesOn(
  ledger: ReadonlyMap<bigint, LoadProfile>,
): (readonly [number, number] | undefined)[] {
  return [...ledger.values()].flatMap(({ runs, importedWh }) => {
    let at = 0;
    return runs.flatMap(({ count, quality }) =>
      Array.from({ length: count }, () =>
        quality === 1 ? undefined : ([importedWh[at++] ?? 0, quality] as const),
      ),
    );
  });
}

test("after any correction the ledger says what the file says, rounded once over all of it", async () => {
  const directory = temporaryDirectory();
  let run = 0;
  await fc.assert(
    fc.asyncProperty(file, corrections, async (cells, corrected) => {
      const out = join(directory, `${++run}`);
      const ledger = new Map<bigint, LoadProfile>();
      const first = filled(cells);
      const second = [...first];
      for (const [hour, each] of corrected) second[hour] = each;
      const last = filled(second);
      assert.equal(await imported(out, first, ledger), 3);
      await imported(out, last, ledger);
      const values = valuesOn(ledger);
      let exactMilliWh = 0;
      let sumWh = 0;
      for (const [hour, each] of last.entries()) {
        const [wh, quality] = values[hour] ?? [];
        assert.equal(wh === undefined, each === undefined, `hour ${hour}`);
        if (wh === undefined || each === undefined) continue;
        exactMilliWh += each[0];
        sumWh += wh;
        assert.ok(Math.abs(sumWh * 1000 - exactMilliWh) <= 500, `sum to hour ${hour}`);
        assert.ok(Math.abs(wh * 1000 - each[0]) < 1000, `hour ${hour}`);
        assert.equal(quality, { measured: 2, estimated: 3, substituted: 4 }[each[1]]);
      }
      assert.equal(await imported(out, last, ledger), 0, "a third run has nothing to send");
      for (const suffix of ["", ".journal"]) rmSync(`${out}${suffix}`);
    }),
    { numRuns: 20, seed: 12 },
  );
});
