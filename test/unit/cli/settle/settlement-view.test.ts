import assert from "node:assert/strict";
import { test } from "node:test";
import {
  emptyDaysText,
  gapsText,
  settlementText,
} from "../../../../src/cli/settle/settlement-view.js";
import type { StatementDocument } from "../../../../src/settlement/settlement-documents.js";

const amounts = {
  imported_wh: 10,
  exported_wh: 0,
  bought_wh: 0,
  sold_wh: 0,
  from_grid_wh: 10,
  to_grid_wh: 0,
  from_grid_cost: 3,
  bought_cost: 0,
  to_grid_credit: 0,
  sold_credit: 0,
  due: 3,
};
const day = { ...amounts, start_unix_s: 1_717_200_000, record_count: 7, records_digest: "" };
const settlement = (days: StatementDocument["days"]) =>
  ({
    days,
    total: amounts,
    currency: "USD",
    minor_unit_digits: 2,
    from_unix_s: 1_717_200_000,
    to_unix_s: 1_717_372_800,
  }) as StatementDocument;

test("columns of energy and of money have titles of their own, and records are counted", () => {
  const text = settlementText(settlement([day]), "UTC");
  const [header = "", row = ""] = text.split("\n").slice(-3);
  const titles = header.trim().split(/ {2,}/);
  assert.equal(new Set(titles).size, titles.length);
  assert.match(header, /FROM GRID WH .* FROM GRID USD .* DUE USD +RECORDS$/);
  assert.match(row, /^2024-06-01 .* 0\.03 +7$/);
});

test("what has no value is counted, and said to be 0", () => {
  assert.equal(gapsText({ intervals: 720, intervals_without_value: 0 }), undefined);
  assert.equal(
    gapsText({ intervals: 720, intervals_without_value: 712 }),
    "712 of 720 delivery intervals have no value of any meter and count as 0",
  );
  assert.equal(emptyDaysText(settlement([day])), undefined);
  assert.match(
    emptyDaysText(settlement([day, { ...day, record_count: 0 }])) ?? "",
    /^1 of 2 days has no record and counts as 0; --check /,
  );
});
