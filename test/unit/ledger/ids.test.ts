import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { compareIds, foldedId, isDeviceId, isId } from "../../../src/ledger/ids.js";

describe("ids", () => {
  for (const id of ["a", "0", "-", "manager-1", "a".repeat(63)]) {
    test(`${id.slice(0, 12)} (${id.length} characters) is an id`, () => assert.ok(isId(id)));
  }
  for (const id of ["", "a".repeat(64), "A", "a b", "a_b", "a\n", "ä", "a/b", "а"]) {
    test(`${JSON.stringify(id.slice(0, 12))} is none`, () => assert.ok(!isId(id)));
  }

  // What meters and charging stations are called in the field.
  const deviceIds = [
    ["an EVSE", "DE*ABC*E1*2"],
    ["an EVSE without separators", "DEABCE12345678"],
    ["an EVSE by the older rule, without its plus", "49*810*000*438"],
    ["a charging station by OCPP", "CP_Main.St:12+A@site=3|b"],
    ["an EAN of a metering point", "541448820070000000"],
    ["an EAN with leading zeros", "000000000000000001"],
    ["an MPAN", "2000012345678"],
    ["an NMI", "NAAA000123"],
    ["a market location", "DE00056266802AO6G56M11SN51G21M24S"],
    ["a CUPS", "ES0021000000000000AA0F"],
    ["a POD", "IT001E12345678"],
    ["a UUID", "0E4d9b0a-6f0e-4a57-9d3c-6a3f2a1f0b11"],
    ["a serial", "1EMH-00.123_456"],
    ["a plain one", "meter-1"],
    ["a short one", "7"],
    ["a long one", `A${"9".repeat(62)}`],
  ] as const;
  for (const [what, id] of deviceIds) {
    test(`${what}, ${id.slice(0, 40)}, names a meter or a station`, () =>
      assert.ok(isDeviceId(id)));
  }

  const unfit = ["", `A${"9".repeat(63)}`, "-rf", "--meter", "+49*810", "=1+1", "@sum", "*", ".."];
  const unsafe = ["a/b", "a\\b", "a b", "a,b", 'a"b', "a'b", "a;b", "a\tb", "a\n", "\na", "a\0"];
  const others = [
    "a\u001b[0m",
    "a#b",
    "a%b",
    "a$b",
    "a`b",
    "a~b",
    "a(b)",
    "a<b",
    "a&b",
    "a!b",
    "a?b",
  ];
  // Letters that look like others, and marks that nobody sees.
  const confusing = ["DE*\u0410BC", "\uff21", "A\u0301", "\u00c4", "a\u200b", "\u0661", "\u212aA"];
  for (const id of [...unfit, ...unsafe, ...others, ...confusing]) {
    test(`${JSON.stringify(id.slice(0, 12))} names none`, () => assert.ok(!isDeviceId(id)));
  }

  test("what differs only in case is one device, and nothing else is", () => {
    assert.equal(foldedId("DE*Abc*e1"), foldedId("de*aBC*E1"));
    const all = deviceIds.map(([, id]) => foldedId(id));
    assert.equal(new Set(all).size, all.length);
  });

  test("ids are ordered by their bytes", () => {
    const ids = ["b", "a-1", "a", "a1", "0", "a-10", "a-2"];
    assert.deepEqual(ids.sort(compareIds), ["0", "a", "a-1", "a-10", "a-2", "a1", "b"]);
    assert.equal(compareIds("a", "a"), 0);
  });
});
