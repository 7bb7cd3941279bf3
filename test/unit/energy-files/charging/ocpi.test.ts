import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { looksLikeOcpi, readOcpi } from "../../../../src/energy-files/charging/ocpi.js";
import { linesOf, refusalOf } from "./support.js";

/** A right CDR, with other text for some of its members. */
function cdr(members: Record<string, string> = {}): string {
  const all = {
    country_code: '"DE"',
    party_id: '"EXA"',
    id: '"7"',
    start_date_time: '"2026-05-01T10:00:00Z"',
    end_date_time: '"2026-05-01T10:30:00Z"',
    cdr_location: '{"evse_uid":"1","evse_id":"DE*EXA*E1"}',
    total_energy: "1.5",
    ...members,
  };
  const kept = Object.entries(all).filter(([, text]) => text !== "");
  return `{${kept.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(",")}}`;
}

const startS = Date.parse("2026-05-01T10:00:00Z") / 1000;
const session = (station: string, name: string, seconds: string, wh: string) =>
  `1 | session | ${station} | ${name} | ${seconds} | ${wh}`;
const usual = `${startS} | ${startS + 1800}`;

describe("a charge detail record", () => {
  const right = [
    ["of OCPI 2.2", {}, session("DE*EXA*E1", "DE*EXA/7", usual, "1500/1")],
    [
      "of OCPI 2.1.1",
      {
        country_code: "",
        party_id: "",
        cdr_location: "",
        location: '{"evses":[{"uid":"1","evse_id":"DE*EXA*E9"}]}',
        end_date_time: "",
        stop_date_time: '"2026-05-01T10:30:00Z"',
      },
      session("DE*EXA*E9", "7", usual, "1500/1"),
    ],
    [
      "without an EVSE id has the operator's own",
      { cdr_location: '{"evse_uid":"1","evse_id":null}' },
      session("1", "DE*EXA/7", usual, "1500/1"),
    ],
    [
      "with times without Z is of UTC",
      { start_date_time: '"2026-05-01T10:00:00"', end_date_time: '"2026-05-01T10:30"' },
      session("DE*EXA*E1", "DE*EXA/7", usual, "1500/1"),
    ],
    [
      "with offsets and fractions of a second",
      {
        start_date_time: '"2026-05-01T12:00:00.999+0200"',
        end_date_time: '"2026-05-01T08:30:00.001-02:00"',
      },
      session("DE*EXA*E1", "DE*EXA/7", usual, "1500/1"),
    ],
    [
      "with digits that a double does not have",
      { total_energy: "0.1000000000000000055511151231257827" },
      session(
        "DE*EXA*E1",
        "DE*EXA/7",
        usual,
        `1000000000000000055511151231257827/1${"0".repeat(31)}`,
      ),
    ],
    [
      "with an exponent",
      { total_energy: "15E-1" },
      session("DE*EXA*E1", "DE*EXA/7", usual, "1500/1"),
    ],
    ["as the data of an answer", undefined, session("DE*EXA*E1", "DE*EXA/7", usual, "1500/1")],
  ] as const;
  for (const [what, members, expected] of right) {
    test(`${what} is a session`, async () => {
      const content = members === undefined ? `{"data":${cdr()}}` : cdr(members);
      assert.deepEqual(await linesOf(readOcpi, content), [expected]);
    });
  }

  const wrong = [
    [{ id: "" }, "id | problem | id is missing"],
    [{ total_energy: "" }, "total_energy | problem | total_energy is missing"],
    [{ total_energy: "null" }, "total_energy | problem | total_energy is not of the form"],
    [
      { total_energy: '"1,5"' },
      'total_energy | problem | DE*EXA*E1: CDR DE*EXA/7: total_energy "1,5"',
    ],
    [{ total_energy: "0.000" }, "problem | DE*EXA*E1: session DE*EXA/7 has 0 Wh"],
    [
      { total_energy: "-1.5" },
      "credit | problem | DE*EXA*E1: CDR DE*EXA/7: it takes back another CDR",
    ],
    [
      { credit: "true", credit_reference_id: '"6"' },
      "credit | problem | DE*EXA*E1: CDR DE*EXA/7: it takes back CDR 6",
    ],
    [{ credit: '"yes"' }, "credit | problem | credit is not of the form"],
    [{ cdr_location: "" }, "cdr_location.evse_id | problem | CDR DE*EXA/7: it does not name"],
    [
      { cdr_location: '{"evse_uid":"#NA","evse_id":"#NA"}' },
      "cdr_location.evse_id | problem | CDR DE*EXA/7: it does not name",
    ],
    [
      { cdr_location: "", location: '{"evses":[{"uid":"1"},{"uid":"2"}]}' },
      "location.evses | problem | CDR DE*EXA/7: it does not name",
    ],
    [
      { cdr_location: "", location: '{"evses":[{"uid":["1"]}]}' },
      "location.evses[0].uid | problem | location.evses[0].uid is not of the form",
    ],
    [{ end_date_time: "" }, "end_date_time | problem | DE*EXA*E1: CDR DE*EXA/7: it has no end"],
    [
      { start_date_time: '"1.5.2026"' },
      'start_date_time | problem | DE*EXA*E1: CDR DE*EXA/7: "1.5.2026"',
    ],
    [
      { start_date_time: '"2026-02-29T10:00:00Z"' },
      "start_date_time | problem | DE*EXA*E1: CDR DE*EXA/7: there is no such time",
    ],
    [
      { start_date_time: '"2026-02-28T10:60:00Z"' },
      "start_date_time | problem | DE*EXA*E1: CDR DE*EXA/7: there is no such time",
    ],
    [
      { start_date_time: '"2026-05-01T10:00:00+25:00"' },
      "start_date_time | problem | DE*EXA*E1: CDR DE*EXA/7: there is no such offset",
    ],
    [
      { end_date_time: '"2026-05-01T09:00:00Z"' },
      "problem | DE*EXA*E1: session DE*EXA/7 ends 2026-05-01T09",
    ],
    [
      { end_date_time: '"2026-05-01T10:00:00Z"' },
      "session DE*EXA/7 ends in the second of its start",
    ],
    [{ end_date_time: '"2027-05-01T09:00:00Z"' }, "which is still to come"],
    [{ start_date_time: '"2024-05-01T09:00:00Z"' }, "lasts more than 366 days"],
    [{ start_date_time: '"1970-01-01T00:00:09Z"' }, "the clock of the station was not set"],
  ] as const;
  for (const [members, expected] of wrong) {
    test(`with ${JSON.stringify(members)} is a problem`, async () => {
      const [line = "", ...more] = await linesOf(readOcpi, cdr(members));
      assert.ok(line.includes(expected), line);
      assert.deepEqual(more, []);
    });
  }

  test("that comes again is told from one that contradicts it", async () => {
    const others = [cdr(), cdr({ total_energy: "1.50" }), cdr({ total_energy: "1.6" })];
    assert.deepEqual(await linesOf(readOcpi, others.join("\n")), [
      session("DE*EXA*E1", "DE*EXA/7", usual, "1500/1"),
      "2 | problem | DE*EXA*E1: CDR DE*EXA/7 is there already, on line 1",
      "3 | problem | DE*EXA*E1: CDR DE*EXA/7 is there already with other values, on line 1",
    ]);
  });
});

describe("a file with nothing of OCPI", () => {
  for (const content of ["a;b\n1;2\n", '[2,"1","Heartbeat",{}]\n', "[{}]", "<xml/>", '{"a":1}']) {
    test(`${JSON.stringify(content)} is refused`, async () => {
      assert.equal(looksLikeOcpi(content), false);
      assert.match(
        await refusalOf(readOcpi, content),
        /^no OCPI charge detail record \(CDR\) found/,
      );
    });
  }

  test("is refused after 100 elements", async () => {
    const wrong = "{}\n".repeat(100);
    assert.match(await refusalOf(readOcpi, wrong + cdr()), /^no OCPI charge detail record/);
    const lines = await linesOf(readOcpi, `${wrong.slice(3)}${cdr()}\n{}\n`);
    assert.equal(lines.length, 101);
    assert.equal(lines[0], "1 | problem | is no OCPI charge detail record (CDR)");
    assert.equal(lines[98], "99 | problem | is no OCPI charge detail record (CDR)");
  });

  test("is no empty list", async () => {
    assert.deepEqual(await linesOf(readOcpi, '{"data":[],"status_code":1000}'), []);
  });
});
