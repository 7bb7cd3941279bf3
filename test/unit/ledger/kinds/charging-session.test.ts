import { describe, test } from "node:test";
import { startS } from "../support/consortium.js";
import { sessionBytes } from "../support/records.js";
import { Trial } from "../support/trial.js";

describe("a charging session", () => {
  test("of one second and 1 Wh is taken", () => {
    new Trial().place(sessionBytes({ start: startS, end: startS + 1, energy: 1 }));
  });

  for (const stationId of ["DE*ABC*E1*2", "CP_1.Main:St", "541448820070000000"]) {
    test(`at the station ${stationId} is taken`, () => {
      new Trial().place(sessionBytes({ stationId }));
    });
  }

  const wrong = [
    ["an empty station", { stationId: "" }, "station_id"],
    ["a station that is no id", { stationId: "Main St. 1" }, "station_id"],
    ["a station that leads elsewhere", { stationId: "../etc" }, "station_id"],
    ["an end at the start", { end: startS }, "end_unix_s"],
    ["an end before the start", { end: startS - 1 }, "end_unix_s"],
    ["a start more than 366 days ago", { start: startS - 366 * 86_400 }, "start_unix_s"],
    ["no energy", { energy: 0 }, "energy_wh"],
  ] as const;
  for (const [what, value, field] of wrong) {
    test(`with ${what} is refused`, () => {
      new Trial().refuses(sessionBytes(value), "SESSION_INVALID", `charging_session.${field}`);
    });
  }
});
