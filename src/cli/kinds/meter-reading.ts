/** Meter readings on the command line. */
import { meterReading as meterReadingBytes } from "../../client/submit/records.js";
import type { MeterReading } from "../../gen/bss/v1/record_pb.js";
import { RowProblem } from "../sending/row-problem.js";
import type { Cells } from "../submit/input/cell-values.js";
import {
  type CliKind,
  ownerColumns,
  partsOf,
  type RowContext,
  type RowKind,
  sharedColumns,
  unclearTimes,
} from "./kind.js";

const importedFields = ["imported_wh", "imported_kwh"];
const exportedFields = ["exported_wh", "exported_kwh"];

const rows: RowKind = {
  help: [
    "meter, start | end, imported_wh | imported_kwh, exported_wh | exported_kwh;",
    "owner (the profile's id), interval_s (the meter's), recorded_at (the interval's",
    "end), parent",
  ],
  columns: {
    owner: ownerColumns,
    meter: ["meter", "meter_id"],
    start: ["start", "interval_start", "start_unix_s", "interval_start_unix_s"],
    end: ["end", "interval_end", "end_unix_s", "interval_end_unix_s"],
    interval_s: ["interval_s"],
    imported_wh: ["imported_wh"],
    imported_kwh: ["imported_kwh"],
    exported_wh: ["exported_wh"],
    exported_kwh: ["exported_kwh"],
    ...sharedColumns,
  },
  times: ["start", "end", "recorded_at"],
  alternatives: [["start", "end"], importedFields, exportedFields],
  summable: [...importedFields, ...exportedFields],
  ambiguous: { names: unclearTimes, fields: ["start", "end"] },
  // A direction that is missing may be a column whose name is misspelt, so zero has to be given.
  required: [["meter"], ["start", "end"], importedFields, exportedFields],
  build: (cells, context) => {
    const meterId = cells.deviceId("meter");
    const intervalS = cells.has("interval_s")
      ? cells.seconds("interval_s")
      : registeredInterval(context, meterId);
    return meterReadingBytes({
      ...partsOf(cells, context),
      meterId,
      intervalStartS: intervalStart(cells, intervalS),
      intervalS,
      importedWh: cells.energyWh("imported"),
      exportedWh: cells.energyWh("exported"),
    });
  },
};

export const meterReading: CliKind<MeterReading> = {
  inputName: "meter-readings",
  noun: "meter reading",
  isSubmitted: true,
  rows,
  isTimedByClock: false,
  summary: ({ meterId, importedWh, exportedWh }) =>
    `${meterId}: ${importedWh} Wh imported, ${exportedWh} Wh exported`,
  fields: ({ meterId, intervalStartUnixS, intervalS, importedWh, exportedWh }) => [
    ["meter_id", meterId],
    ["interval_start_unix_s", Number(intervalStartUnixS)],
    ["interval_s", intervalS],
    ["imported_wh", Number(importedWh)],
    ["exported_wh", Number(exportedWh)],
  ],
};

/** The start of the interval, or its end less its length. If both are given, they must fit. */
function intervalStart(cells: Cells, intervalS: number): number {
  const isByEnd = cells.has("end") || !cells.isMapped("start");
  if (!isByEnd) return cells.timeS("start");
  const startS = cells.timeS("end") - intervalS;
  if (!cells.has("start") || cells.timeS("start") === startS) return startS;
  const message =
    `is not ${intervalS} s after the start, as the meter's interval is; ` +
    `to go by the start alone, give --column ${JSON.stringify(`${cells.columnOf("start")}=start`)}`;
  throw new RowProblem(message, cells.columnOf("end"));
}

/** The interval that genesis registers for the meter; for one that joined later, rows give it. */
function registeredInterval({ meters }: RowContext, meterId: string): number {
  const meter = meters.find(meterId);
  if (meter !== undefined) return meter.intervalS;
  const message =
    `genesis registers no meter ${meterId}, so give the interval with which an invitation ` +
    "registered it: for quarter hours --set interval_s=900";
  throw new RowProblem(message, "interval_s");
}
