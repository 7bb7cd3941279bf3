/** Charging sessions on the command line. */
import { chargingSession as chargingSessionBytes } from "../../client/submit/records.js";
import type { ChargingSession } from "../../gen/bss/v1/record_pb.js";
import {
  type CliKind,
  energyColumns,
  energyFields,
  ownerColumns,
  partsOf,
  type RowKind,
  sharedColumns,
  unclearTimes,
} from "./kind.js";

const rows: RowKind = {
  help: [
    "station, start, end, energy_wh | energy_kwh;",
    "owner (the profile's id), recorded_at (the end), parent",
  ],
  columns: {
    owner: ownerColumns,
    station: ["station", "station_id"],
    start: ["start", "start_unix_s"],
    end: ["end", "end_unix_s"],
    ...energyColumns,
    ...sharedColumns,
  },
  times: ["start", "end", "recorded_at"],
  alternatives: [energyFields],
  summable: energyFields,
  ambiguous: { names: unclearTimes, fields: ["start", "end"] },
  required: [["station"], ["start"], ["end"], energyFields],
  build: (cells, context) =>
    chargingSessionBytes({
      ...partsOf(cells, context),
      stationId: cells.deviceId("station"),
      startS: cells.timeS("start"),
      endS: cells.timeS("end"),
      energyWh: cells.energyWh("energy"),
    }),
};

export const chargingSession: CliKind<ChargingSession> = {
  inputName: "charging",
  noun: "charging session",
  isSubmitted: true,
  rows,
  isTimedByClock: false,
  summary: ({ stationId, energyWh }) => `charging at ${stationId}: ${energyWh} Wh`,
  fields: ({ stationId, startUnixS, endUnixS, energyWh }) => [
    ["station_id", stationId],
    ["start_unix_s", Number(startUnixS)],
    ["end_unix_s", Number(endUnixS)],
    ["energy_wh", Number(energyWh)],
  ],
};
