import { describe, test } from "node:test";
import { startS } from "../support/consortium.js";
import { documentBytes, sessionBytes } from "../support/records.js";
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

describe("a document", () => {
  for (const mediaType of [
    "text/plain",
    "a/b",
    "application/vnd.api+json",
    "text/csv; charset=utf-8; header=present",
    `text/${"x".repeat(122)}`,
  ]) {
    test(`of type ${mediaType.slice(0, 40)} is taken`, () => {
      new Trial().place(documentBytes({ mediaType }));
    });
  }

  for (const mediaType of [
    "",
    "ab",
    "text",
    "/plain",
    "text/",
    "a/b/c",
    "te xt/plain",
    "text/plain\n",
  ]) {
    test(`of type ${JSON.stringify(mediaType)} is refused`, () => {
      new Trial().refuses(documentBytes({ mediaType }), "DOCUMENT_INVALID", "document.media_type");
    });
  }

  test("of a type with 128 characters is refused", () => {
    const bytes = documentBytes({ mediaType: `text/${"x".repeat(123)}` });
    new Trial().refuses(bytes, "DOCUMENT_INVALID", "document.media_type");
  });

  test("may be empty and without a name", () => {
    new Trial().place(documentBytes({ name: "", content: new Uint8Array() }));
  });

  test("has a name of at most 255 bytes, not characters", () => {
    const trial = new Trial();
    trial.place(documentBytes({ name: "x".repeat(255) }));
    trial.place(documentBytes({ name: "ä".repeat(127) }));
    for (const name of ["x".repeat(256), "ä".repeat(128)]) {
      trial.refuses(documentBytes({ name }), "DOCUMENT_INVALID", "document.name");
    }
  });
});
