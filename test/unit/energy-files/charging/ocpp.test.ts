/** Logs of one station, message by message: what they come to. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { looksLikeOcpp, ocppReader, readOcpp } from "../../../../src/energy-files/charging/ocpp.js";
import { timeZoneOf } from "../../../../src/energy-files/time-zone.js";
import { isDeviceId } from "../../../../src/ledger/ids.js";
import { linesOf, refusalOf } from "./support.js";

const day = "2026-03-01T";
const startS = Date.parse(`${day}10:00:00Z`) / 1000;

type Members = Record<string, unknown>;
const message = (...parts: unknown[]) => `CP ${JSON.stringify(parts)}`;
const start = (messageId: string, members: Members = {}) => {
  const usual = { connectorId: 1, idTag: "A", meterStart: 1000, timestamp: `${day}10:00:00Z` };
  return message(2, messageId, "StartTransaction", { ...usual, ...members });
};
const answer = (messageId: string, transactionId: unknown) =>
  message(3, messageId, { transactionId, idTagInfo: { status: "Accepted" } });
const stop = (members: Members = {}) => {
  const usual = { transactionId: 7, meterStop: 3500, timestamp: `${day}11:00:00Z` };
  return message(2, "stop", "StopTransaction", { ...usual, ...members });
};
const samples = (values: readonly Members[]) => [
  { timestamp: `${day}10:30:00Z`, sampledValue: values },
];
const event = (eventType: string, seqNo: number, members: Members = {}) => {
  const clock = { Started: "10:00:00", Updated: "10:30:00", Ended: "11:00:00" }[eventType];
  const usual = {
    eventType,
    seqNo,
    timestamp: `${day}${clock}Z`,
    triggerReason: "Trigger",
    transactionInfo: { transactionId: "t" },
  };
  return message(2, `e${seqNo}`, "TransactionEvent", { ...usual, ...members });
};
const register = (value: number, members: Members = {}) => ({
  meterValue: samples([{ value, ...members }]),
});

const session = (line: number, wh: string, id = "7") =>
  `${line} [3] | session | CP | CP/${id}/${day}10:00:00Z | ${startS} | ${startS + 3600} | ${wh}`;
const problem = (line: number, text: string, column = "[3]") =>
  `${line} ${column} | problem | CP: ${text}`;
const toFollow = "in this file; read it together with the log that follows";

type Case = readonly [what: string, log: readonly string[], expected: readonly string[]];

async function check([what, log, expected]: Case): Promise<void> {
  await test(what, async () => {
    assert.deepEqual(await linesOf(readOcpp, log.join("\n")), expected);
  });
}

describe("transactions of OCPP 1.6", async () => {
  const begin = samples([{ value: "1.00", unit: "kWh", context: "Transaction.Begin" }]);
  const end = (value: string) => samples([{ value, unit: "kWh", context: "Transaction.End" }]);
  const cases: readonly Case[] = [
    ["start, answer, stop", [start("1"), answer("1", 7), stop()], [session(3, "2500/1")]],
    [
      "energy with a fraction",
      [start("1", { meterStart: 1000.25 }), answer("1", 7), stop()],
      [session(3, "249975/100")],
    ],
    [
      "a start sent again under its id",
      [start("1"), start("1"), answer("1", 7), answer("1", 7), stop()],
      [session(5, "2500/1")],
    ],
    [
      "a start sent again under another id, with the same answer",
      [start("1"), answer("1", 7), start("2"), answer("2", 7), stop()],
      [session(5, "2500/1")],
    ],
    [
      "a start sent again, whose second answer replaces the first",
      [start("1"), answer("1", 6), start("2"), answer("2", 7), stop()],
      [session(5, "2500/1")],
    ],
    [
      "a start sent again after the end",
      [start("1"), answer("1", 7), stop(), start("2"), answer("2", 8), start("3")],
      [session(3, "2500/1")],
    ],
    [
      "a start refused first, answered later",
      [start("1"), message(4, "1", "InternalError", "", {}), start("2"), answer("2", 7), stop()],
      [session(5, "2500/1")],
    ],
    [
      "an answer to the other side's message of the same id",
      [start("1"), message(3, "1", { status: "Accepted" }), answer("1", 7), stop()],
      [session(4, "2500/1")],
    ],
    ["a stop sent again", [start("1"), answer("1", 7), stop(), stop()], [session(3, "2500/1")]],
    [
      "a second stop that says something else",
      [start("1"), answer("1", 7), stop(), stop({ meterStop: 4000 })],
      [
        session(3, "2500/1"),
        problem(4, "transaction 7 has ended already, with other values, on line 3"),
      ],
    ],
    [
      "a stop without a start",
      [stop()],
      [problem(1, "transaction 7 has no StartTransaction with an answer in the file")],
    ],
    [
      "a start without an answer",
      [start("1"), stop()],
      [
        problem(2, "transaction 7 has no StartTransaction with an answer in the file"),
        problem(
          1,
          `the start at connector 1, ${day}10:00:00Z, has no answer with a transaction id`,
        ),
      ],
    ],
    [
      "a start sent again and never answered",
      [start("1"), start("2")],
      [
        problem(
          1,
          `the start at connector 1, ${day}10:00:00Z, has no answer with a transaction id`,
        ),
      ],
    ],
    [
      "a start that is refused",
      [start("1"), message(4, "1", "InternalError", "", {})],
      [problem(1, `the start at connector 1, ${day}10:00:00Z, was refused (InternalError)`)],
    ],
    [
      "no stop, with the last meter values",
      [
        start("1"),
        answer("1", 7),
        message(2, "m", "MeterValues", {
          connectorId: 1,
          transactionId: 7,
          meterValue: samples([{ value: "16", measurand: "Current.Import" }, { value: "1800" }]),
        }),
      ],
      [problem(1, `transaction 7 of ${day}10:00:00Z has not ended (800 Wh so far) ${toFollow}`)],
    ],
    [
      "an id that is used for another transaction",
      [
        start("1"),
        answer("1", 7),
        start("2", { connectorId: 2, meterStart: 0 }),
        answer("2", 7),
        stop(),
      ],
      [
        problem(
          1,
          `transaction 7 of ${day}10:00:00Z has not ended; its id begins another transaction on line 4`,
        ),
        session(5, "3500/1"),
      ],
    ],
    [
      "an id that is used again after the end",
      [
        ...[start("1"), answer("1", 7), stop()],
        ...[start("2", { timestamp: `${day}12:00:00Z` }), answer("2", 7)],
        stop({ timestamp: `${day}13:00:00Z` }),
      ],
      [
        session(3, "2500/1"),
        `6 [3] | session | CP | CP/7/${day}12:00:00Z | ${startS + 7200} | ${startS + 10_800} | 2500/1`,
      ],
    ],
    [
      "a register that goes back",
      [start("1"), answer("1", 7), stop({ meterStop: 999 })],
      [problem(3, `session CP/7/${day}10:00:00Z has -1 Wh: the register went back`)],
    ],
    [
      "no energy",
      [start("1"), answer("1", 7), stop({ meterStop: 1000 })],
      [problem(3, `session CP/7/${day}10:00:00Z has 0 Wh: there is nothing to record`)],
    ],
    [
      "a clock that was put back",
      [start("1"), answer("1", 7), stop({ timestamp: `${day}09:59:59Z` })],
      [
        problem(
          3,
          `session CP/7/${day}10:00:00Z ends ${day}09:59:59Z, before its start ${day}10:00:00Z: a clock was changed`,
        ),
      ],
    ],
    [
      "registers at begin and end that agree",
      [start("1"), answer("1", 7), stop({ transactionData: [...begin, ...end("3.5")] })],
      [session(3, "2500/1")],
    ],
    [
      "registers at begin and end that agree but for their last digit",
      [start("1"), answer("1", 7), stop({ transactionData: [...begin, ...end("3.6")] })],
      [session(3, "2500/1")],
    ],
    [
      "registers at begin and end that do not agree",
      [start("1"), answer("1", 7), stop({ transactionData: [...begin, ...end("3.601")] })],
      [
        problem(
          3,
          "transaction 7 contradicts itself: 2500 Wh by meterStop, 2601 Wh by transactionData",
        ),
      ],
    ],
    [
      "registers at begin and end that say less",
      [start("1"), answer("1", 7), stop({ transactionData: [...begin, ...end("3.399")] })],
      [
        problem(
          3,
          "transaction 7 contradicts itself: 2500 Wh by meterStop, 2399 Wh by transactionData",
        ),
      ],
    ],
    [
      "signed data, which is no number",
      [
        start("1"),
        answer("1", 7),
        stop({ transactionData: samples([{ value: "3AF0", format: "SignedData" }]) }),
      ],
      [session(3, "2500/1")],
    ],
    [
      "a unit that is none of energy",
      [
        start("1"),
        answer("1", 7),
        stop({ transactionData: samples([{ value: "1", unit: "kvarh" }]) }),
      ],
      [
        '3 [3].transactionData[0].sampledValue[0] | problem | "1" with its unit is no amount of energy',
        session(3, "2500/1"),
      ],
    ],
    [
      "what lacks a member",
      [
        start("1", { meterStart: undefined }),
        ...[start("2"), answer("2", 7), stop({ timestamp: 5 }), stop({ meterStop: null })],
        message(2, "x"),
        stop(),
      ],
      [
        problem(1, "meterStart is missing", "[3].meterStart"),
        problem(4, '"5" is no time such as 2026-07-01T10:00:00Z', "[3].timestamp"),
        problem(5, "meterStop is not of the form that the format gives it", "[3].meterStop"),
        "6 | problem | CP: is not of the form that the format gives it",
        session(7, "2500/1"),
      ],
    ],
    [
      "what is no energy",
      [start("1", { meterStart: "1 kWh" }), start("2"), answer("2", 7), stop({ meterStop: "x" })],
      [
        problem(1, 'meterStart "1 kWh" is no number of Wh', "[3].meterStart"),
        problem(4, 'meterStop "x" is no number of Wh', "[3].meterStop"),
        problem(2, `transaction 7 of ${day}10:00:00Z has not ended ${toFollow}`),
      ],
    ],
    [
      "messages of other kinds",
      [
        message(2, "1", "Heartbeat", {}),
        message(3, "1", {}),
        message(6, "1", "Send", {}),
        "CP [9]",
      ],
      ["4 | problem | CP: the message is of no type that OCPP knows"],
    ],
  ];
  for (const each of cases) await check(each);
});

describe("transactions of OCPP 2.0.1", async () => {
  const first = event("Started", 0, register(1000));
  const last = event("Ended", 2, register(3500));
  const cases: readonly Case[] = [
    ["start and end", [first, last], [session(2, "2500/1", "t")]],
    [
      "with events between",
      [first, event("Updated", 1, register(2000)), last],
      [session(3, "2500/1", "t")],
    ],
    ["the end first", [last, first], [session(1, "2500/1", "t")]],
    ["every event twice", [first, first, last, last, first], [session(3, "2500/1", "t")]],
    [
      "values for begin and end rather than others",
      [
        event("Started", 0, {
          meterValue: samples([{ value: 900 }, { value: 1000, context: "Transaction.Begin" }]),
        }),
        event("Ended", 2, {
          meterValue: samples([{ value: 3500, context: "Transaction.End" }, { value: 3501 }]),
        }),
      ],
      [session(2, "2500/1", "t")],
    ],
    [
      "all values in the last event",
      [
        event("Started", 0),
        event("Ended", 2, {
          meterValue: samples([
            { value: 1000, context: "Transaction.Begin" },
            { value: 2000, context: "Sample.Periodic" },
            { value: 3500, context: "Transaction.End" },
          ]),
        }),
      ],
      [session(2, "2500/1", "t")],
    ],
    [
      "units and multipliers",
      [
        event("Started", 0, register(1, { unitOfMeasure: { unit: "kWh" } })),
        event("Ended", 1, register(35_000, { unitOfMeasure: { multiplier: -1 } })),
      ],
      [session(2, "25000/10", "t")],
    ],
    [
      "other measurands, phases and places",
      [
        event("Started", 0, {
          meterValue: samples([
            { value: 1, measurand: "Energy.Active.Export.Register" },
            { value: 2, phase: "L1" },
            { value: 3, location: "Inlet" },
            { value: 1000, location: "Outlet" },
          ]),
        }),
        last,
      ],
      [session(2, "2500/1", "t")],
    ],
    [
      "no value at the begin",
      [event("Started", 0), last],
      [
        problem(
          1,
          `transaction t of ${day}10:00:00Z has no value of the import register at its begin ${toFollow}`,
        ),
      ],
    ],
    [
      "no value at the end",
      [first, event("Updated", 1, register(2000)), event("Ended", 2)],
      [
        problem(
          1,
          `transaction t of ${day}10:00:00Z has no value of the import register at its end (1000 Wh so far) ${toFollow}`,
        ),
      ],
    ],
    [
      "no end",
      [first, event("Updated", 1, register(2000))],
      [problem(1, `transaction t of ${day}10:00:00Z has not ended (1000 Wh so far) ${toFollow}`)],
    ],
    ["no start", [last], [problem(1, `transaction t has no start ${toFollow}`)]],
    [
      "a register that was exchanged on the way",
      [first, event("Updated", 1, register(5)), last],
      [problem(3, "transaction t has values of its register outside those of begin and end")],
    ],
    [
      "a register that was higher on the way",
      [first, event("Updated", 1, register(3601)), last],
      [problem(3, "transaction t has values of its register outside those of begin and end")],
    ],
    [
      "an end before the start by seqNo",
      [event("Started", 3, register(1000)), last],
      [problem(2, "transaction t ends with an event of a lower seqNo")],
    ],
    [
      "an event after the end",
      [first, last, event("Updated", 1), event("Updated", 3)],
      [session(2, "2500/1", "t"), problem(4, "transaction t has ended on line 2; this is later")],
    ],
    [
      "an id that is used again before the end",
      [event("Started", 0, { ...register(1), timestamp: `${day}08:00:00Z` }), first, last],
      [
        problem(
          1,
          `transaction t of ${day}08:00:00Z has not ended (0 Wh so far); its id is used again on line 2`,
        ),
        session(3, "2500/1", "t"),
      ],
    ],
    [
      "an id that is used again after the end",
      [
        ...[first, last, event("Started", 0, { ...register(3500), timestamp: `${day}12:00:00Z` })],
        event("Ended", 4, { ...register(3600), timestamp: `${day}13:00:00Z` }),
      ],
      [
        session(2, "2500/1", "t"),
        `4 [3] | session | CP | CP/t/${day}12:00:00Z | ${startS + 7200} | ${startS + 10_800} | 100/1`,
      ],
    ],
    [
      "an event of no form",
      [first, event("Paused", 1), event("Ended", 2, { transactionInfo: {} }), last],
      [
        problem(2, "eventType is not of the form that the format gives it", "[3].eventType"),
        problem(3, "transactionInfo.transactionId is missing", "[3].transactionInfo.transactionId"),
        session(4, "2500/1", "t"),
      ],
    ],
  ];
  for (const each of cases) await check(each);
});

describe("the station of a message", () => {
  const log = [start("1"), answer("1", 7), stop()].map((each) => each.slice("CP ".length));
  const line = (station: string) => session(3, "2500/1").replaceAll("CP", station);
  const objects = (station: string, held: string) =>
    log.map((each) => `{"time":"x","${station}":"S-1","${held}":${each}}`).join("\n");

  test("stands before it", async () => {
    const content = log.map((each) => `S-1 ${each}`).join("\n");
    assert.deepEqual(await linesOf(readOcpp, content), [line("S-1")]);
  });

  for (const station of [
    "chargePointId",
    "charge_box_id",
    "stationId",
    "ChargingStation",
    "identity",
  ]) {
    test(`stands beside it as ${station}`, async () => {
      const expected = [line("S-1").replace("[3]", "message[3]")];
      assert.deepEqual(await linesOf(readOcpp, objects(station, "message")), expected);
    });
  }

  test("keeps transactions of one id apart", async () => {
    const both = log.flatMap((each) => [`A ${each}`, `B ${each}`]).join("\n");
    const expected = [line("A").replace(/^3/, "5"), line("B").replace(/^3/, "6")];
    assert.deepEqual(await linesOf(readOcpp, both), expected);
  });

  test("is a dash if nothing names it, which is no id", async () => {
    assert.deepEqual(await linesOf(readOcpp, log.join("\n")), [line("-")]);
    assert.equal(isDeviceId("-"), false);
  });
});

test("times without an offset are of the zone that is given, or problems", async () => {
  const log = [
    start("1", { timestamp: `${day}11:00:00` }),
    answer("1", 7),
    stop({ timestamp: `${day}12:00:00` }),
  ].join("\n");
  const zone = timeZoneOf("Europe/Berlin");
  assert.ok(zone !== undefined);
  assert.deepEqual(await linesOf(readOcpp, log, { zone }), [session(3, "2500/1")]);
  const [first = ""] = await linesOf(readOcpp, log);
  assert.match(first, /names no offset from UTC; say which zone it is of$/);
  const local = async (timestamp: string) => {
    const [line = ""] = await linesOf(readOcpp, start("1", { timestamp }), { zone });
    return line;
  };
  assert.match(await local("2026-10-25T02:30:00"), /comes twice in Europe\/Berlin$/);
  assert.match(await local("2026-03-29T02:30:00"), /clocks in Europe\/Berlin leave .* out$/);
});

test("more open transactions than are held are problems, the oldest first", async () => {
  const small = ocppReader(2);
  const log = [1, 2, 3].flatMap((id) => [
    start(`${id}`, { connectorId: id, meterStart: 1000 * id }),
    answer(`${id}`, id),
  ]);
  const lines = await linesOf(small, [...log, stop({ transactionId: 3 })].join("\n"));
  assert.deepEqual(lines, [
    problem(1, `transaction 1 of ${day}10:00:00Z has not ended before too many others began`),
    session(7, "500/1", "3"),
    problem(3, `transaction 2 of ${day}10:00:00Z has not ended ${toFollow}`),
  ]);
  const events = ["a", "b", "c"].map((transactionId, index) =>
    event("Started", index, { transactionInfo: { transactionId } }),
  );
  const [first = ""] = await linesOf(small, events.join("\n"));
  assert.match(first, /^1 .*transaction a .* has not ended before too many others began$/);
});

describe("a file with nothing of OCPP", () => {
  for (const content of [
    "a;b\n1;2\n",
    '[{"id":"7","total_energy":1}]',
    "{}",
    "2026-03-01 started",
  ]) {
    test(`${JSON.stringify(content)} is refused`, async () => {
      assert.equal(looksLikeOcpp(content), false);
      assert.match(await refusalOf(readOcpp, content), /^no OCPP message found; line 1: /);
    });
  }
});
