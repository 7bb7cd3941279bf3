import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Holdings } from "../../../src/base/holdings.js";

describe("holdings", () => {
  const holdings = () => new Holdings({ totalMax: 100, perCauserMax: 60 });

  it("refuses what passes a causer's share, and takes nothing of it", () => {
    const held = holdings();
    assert.equal(held.take("a", 60), undefined);
    assert.equal(held.take("a", 1), "share");
    assert.equal(held.held("a"), 60);
    assert.equal(held.total, 60);
  });

  it("refuses what passes the total", () => {
    const held = holdings();
    held.take("a", 60);
    assert.equal(held.take("b", 41), "total");
    assert.equal(held.take("b", 40), undefined);
    assert.equal(held.causers, 2);
  });

  it("has a reserve for each causer, on top of the total", () => {
    const held = new Holdings({ totalMax: 100, perCauserMax: 90, reservedPerCauser: 10 });
    assert.equal(held.take("a", 90), undefined);
    assert.equal(held.take("b", 31), "total");
    assert.equal(held.take("b", 30), undefined);
    assert.equal(held.take("c", 11), "total");
    assert.equal(held.take("c", 10), undefined);
    assert.equal(held.total, 130);
    held.giveBack("a", 85);
    assert.equal(held.take("c", 80), undefined);
  });

  it("leaves something free for the next one, however many come", () => {
    const held = new Holdings({ totalMax: 900, perCauserMax: 900, partOfFree: 1 / 3 });
    assert.equal(held.take("a", 301), "share");
    assert.equal(held.take("a", 300), undefined);
    assert.equal(held.take("b", 201), "share");
    assert.equal(held.take("b", 200), undefined);
    assert.equal(held.take("c", 130), undefined);
  });

  it("gives nothing back for less than nothing", () => {
    const held = holdings();
    held.take("a", 10);
    held.giveBack("a", -5);
    assert.equal(held.total, 10);
  });

  it("gives back what was taken and forgets who holds nothing", () => {
    const held = holdings();
    held.take("a", 60);
    held.giveBack("a", 20);
    assert.equal(held.take("a", 20), undefined);
    held.giveBack("a", 60);
    assert.equal(held.total, 0);
    assert.equal(held.causers, 0);
    held.giveBack("a", 5);
    assert.equal(held.total, 0);
  });

  it("tells who holds most", () => {
    const held = holdings();
    assert.equal(held.most(), undefined);
    held.take("a", 20);
    held.take("b", 30);
    assert.deepEqual(held.most(), { causer: "b", held: 30 });
    held.giveBack("b", 15);
    assert.deepEqual(held.most(), { causer: "a", held: 20 });
  });

  it("remembers nobody for taking nothing", () => {
    const held = holdings();
    assert.equal(held.take("a", 0), undefined);
    assert.equal(held.causers, 0);
  });
});
