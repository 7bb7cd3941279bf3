import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { RecordPlaceSchema } from "../../../../src/gen/bss/v1/broadcast_pb.js";
import {
  RecordOutcomes,
  type RecordSettlement,
} from "../../../../src/manager/submissions/record-outcomes.js";

const placed = (height: bigint): RecordSettlement => ({
  kind: "placed",
  place: create(RecordPlaceSchema, { height }),
});
const never = new AbortController().signal;

describe("the outcome of a record", () => {
  test("is told to everybody who waits for it, and to nobody who came later", async () => {
    const outcomes = new RecordOutcomes();
    const watches = [outcomes.watch(["aa", "bb"]), outcomes.watch(["aa"])];
    const all = Promise.all([watches[0]?.all(["aa", "bb"], never), watches[1]?.all(["aa"], never)]);
    outcomes.settle("aa", placed(1n));
    const late = outcomes.watch(["aa"]);
    outcomes.settle("bb", placed(2n));
    assert.deepEqual(await all, [true, true]);
    assert.deepEqual(watches[0]?.settled.get("bb"), placed(2n));
    assert.equal(late.settled.size, 0);
  });

  test("stays what it was first", () => {
    const outcomes = new RecordOutcomes();
    const watch = outcomes.watch(["aa"]);
    outcomes.settle("aa", placed(1n));
    outcomes.settle("aa", placed(2n));
    assert.deepEqual(watch.settled.get("aa"), placed(1n));
  });

  test("that has come already is not waited for", async () => {
    const outcomes = new RecordOutcomes();
    const watch = outcomes.watch(["aa", "bb"]);
    outcomes.settle("aa", placed(1n));
    assert.equal(await watch.all(["aa"], never), true);
    const rest = watch.all(["aa", "bb"], never);
    outcomes.settle("bb", placed(2n));
    assert.equal(await rest, true);
  });

  test("is not waited for any longer than the caller wants", async () => {
    const outcomes = new RecordOutcomes();
    const abort = new AbortController();
    const watch = outcomes.watch(["aa"]);
    const waiting = watch.all(["aa"], abort.signal);
    abort.abort();
    assert.equal(await waiting, false);
    assert.equal(await watch.all(["aa"], abort.signal), false);
    outcomes.settle("aa", placed(1n));
    assert.equal(await watch.all(["aa"], abort.signal), true);
  });

  test("no longer reaches a watch that was closed", () => {
    const outcomes = new RecordOutcomes();
    const [closed, open] = [outcomes.watch(["aa"]), outcomes.watch(["aa"])];
    closed.close();
    outcomes.settle("aa", placed(1n));
    assert.equal(closed.settled.size, 0);
    assert.equal(open.settled.size, 1);
  });
});
