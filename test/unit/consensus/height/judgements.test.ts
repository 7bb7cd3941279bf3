import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { toHex } from "../../../../src/base/bytes.js";
import {
  BlockJudgements,
  blocksHeldMax,
  wrongBlocksMax,
} from "../../../../src/consensus/height/judgements.js";
import type { Judgement } from "../../../../src/consensus/ring/events.js";
import { RingBench } from "../support/ring-bench.js";

const bench = new RingBench({ managers: 4, self: 3 });
const violation = { reason: "DOUBLE_SPEND", message: "sold twice" } as const;
const wrong: Judgement = { accurate: false, violation };
const keyOf = (name: string) => toHex(bench.id(name));
const accurate = (name: string): Judgement => ({ accurate: true, facts: bench.facts(name) });

describe("judgements", () => {
  test("are awaited once, and kept as the first one said", () => {
    const judgements = new BlockJudgements(() => false);
    assert.ok(judgements.expect(bench.id("A0")));
    assert.ok(!judgements.expect(bench.id("A0")));
    assert.deepEqual([...judgements.awaited()], [bench.id("A0")]);
    assert.ok(judgements.add(keyOf("A0"), accurate("A0")));
    assert.deepEqual([...judgements.awaited()], []);
    assert.ok(!judgements.add(keyOf("A0"), wrong));
    assert.deepEqual(judgements.of(keyOf("A0")), accurate("A0"));
    assert.deepEqual([...judgements.accurate()], [bench.facts("A0")]);
    assert.ok(judgements.add(keyOf("B0"), wrong));
    assert.ok(!judgements.expect(bench.id("B0")), "it has been judged");
    assert.deepEqual(judgements.of(keyOf("B0")), wrong);
    assert.equal(judgements.factsOf(keyOf("B0")), undefined);
    assert.ok(!judgements.expect(new Uint8Array()), "nil is never judged");
  });

  test("are bounded: what is awaited longest is forgotten first, and asked for again", () => {
    const judgements = new BlockJudgements(() => false);
    judgements.add(keyOf("A0"), accurate("A0"));
    for (let i = 0; i < blocksHeldMax; i++) judgements.expect(bench.id(`B${i}`));
    assert.ok(judgements.isHeld(keyOf("A0")));
    assert.ok(!judgements.isHeld(keyOf("B0")));
    assert.ok(judgements.expect(bench.id("B0")));
    for (let i = 0; i < blocksHeldMax; i++) judgements.add(keyOf(`C${i}`), accurate(`C${i}`));
    assert.ok(!judgements.isHeld(keyOf("A0")));
    assert.equal([...judgements.accurate()].length, blocksHeldMax);
  });

  test("of blocks that must be kept are never forgotten", () => {
    const judgements = new BlockJudgements((block) => block === keyOf("A0"));
    judgements.add(keyOf("A0"), accurate("A0"));
    for (let i = 0; i < 2 * blocksHeldMax; i++) judgements.add(keyOf(`C${i}`), accurate(`C${i}`));
    assert.ok(judgements.isHeld(keyOf("A0")));
    assert.equal([...judgements.accurate()].length, blocksHeldMax);
  });

  test("of wrong blocks are bounded by themselves", () => {
    const judgements = new BlockJudgements(() => false);
    for (let i = 0; i <= wrongBlocksMax; i++) judgements.add(keyOf(`W${i}`), wrong);
    assert.equal(judgements.of(keyOf("W0")), undefined);
    assert.deepEqual(judgements.of(keyOf("W1")), wrong);
  });
});
