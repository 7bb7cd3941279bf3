import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { create, fromBinary } from "@bufbuild/protobuf";
import { defined } from "../../../../../src/base/assert.js";
import { cliKinds } from "../../../../../src/cli/kinds/kinds.js";
import { findInput } from "../../../../../src/cli/sending/input.js";
import type { InputRow } from "../../../../../src/cli/sending/send-run.js";
import { inputRows } from "../../../../../src/cli/submit/input/input-rows.js";
import type { BssClient } from "../../../../../src/client/bss-client.js";
import { ControlOperationSchema } from "../../../../../src/gen/bss/v1/genesis_pb.js";
import { RecordSchema } from "../../../../../src/gen/bss/v1/record_pb.js";
import { temporaryDirectory } from "../../../../support/temporary-directory.js";

const meterOf = (meterId: string, intervalS: number) => {
  const value = { ownerId: "home-1", meterId, intervalS, ratedPowerW: 10_000n };
  return create(ControlOperationSchema, { operation: { case: "registerMeter", value } });
};

const options = {
  column: [],
  sum: [],
  set: new Map<string, string>(),
  counterpartyProfile: [],
  delimiter: ",",
};

describe("rows of a file", () => {
  const directory = temporaryDirectory();
  let asked = 0;
  const client = {
    profile: { id: "home-1", signingSeed: new Uint8Array(32) },
    consortiumId: new Uint8Array(32),
    genesis: { operations: [meterOf("meter-1", 900)] },
    getConsortium: async () => {
      asked += 1;
      return { history: [{ operation: meterOf("meter-2", 3600) }] };
    },
  } as unknown as BssClient;

  const rowsOf = async (kind: keyof typeof cliKinds, text: string) => {
    const file = join(directory, "data.csv");
    writeFileSync(file, text);
    const input = await findInput(file).open(new AbortController().signal);
    const { rows } = await inputRows(input, cliKinds[kind], options, { client, note: () => {} });
    const all: InputRow[] = [];
    for await (const row of rows) all.push(row);
    return all;
  };

  test("have the intervals of meters of genesis and of those that joined later", async () => {
    const lines = ["meter-1", "meter-2"].map((id) => `${id},2026-01-01T00:00Z,1,0\n`);
    const rows = await rowsOf(
      "meterReading",
      `meter,start,imported_wh,exported_wh\n${lines.join("")}`,
    );
    const intervals = rows.map((row) => {
      assert.ok("build" in row);
      const { payload } = fromBinary(RecordSchema, row.build(undefined));
      assert.ok(payload.case === "meterReading");
      return payload.value.intervalS;
    });
    assert.deepEqual(intervals, [900, 3600]);
  });

  test("that need no meters ask for none", async () => {
    asked = 0;
    const text =
      "station,start,end,energy_wh\nstation-1,2026-01-01T00:00Z,2026-01-01T01:00Z,5000\n";
    const [row] = await rowsOf("chargingSession", text);
    assert.ok("build" in defined(row, "the file has a row"));
    assert.equal(asked, 0);
  });
});
