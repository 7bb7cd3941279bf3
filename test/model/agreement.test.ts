/**
 * The model at a size that fits between other tests; `make model` searches further. That it finds
 * what is wrong is shown on wrong rules: a search that cannot find anything proves nothing.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { search } from "./model.js";
import { rules, wrongRules } from "./rules.js";

describe("by managers that keep the rules, whatever the adversary shows them", () => {
  const { states, decided, fork, accusable } = search(rules, { rounds: 3, blocks: 2 });

  test("enough happens to mean something", () => {
    assert.ok(states > 2_000, `${states} states`);
    assert.ok(decided > 1_000, `${decided} of them have decided`);
  });

  test("two blocks are never decided at one height", () => assert.equal(fork, undefined));

  test("nothing is ever signed that is evidence against them", () => {
    assert.equal(accusable, undefined);
  });
});

describe("it would be found that", () => {
  const texts = { fork: "two blocks can be final", accusable: "an honest manager can be accused" };
  for (const { what, rules: wrong, leadsTo } of wrongRules) {
    for (const wrongness of leadsTo) {
      test(`${texts[wrongness]}, if ${what}`, () => {
        const found = search(wrong, { rounds: 4, blocks: 2 }, [wrongness]);
        assert.ok(found[wrongness] !== undefined);
      });
    }
  }
});

test("the lock that let honest managers be accused did not let the chain fork", () => {
  const old = wrongRules.find(({ what }) => what.startsWith("the locked block is approved"));
  assert.ok(old !== undefined);
  assert.equal(search(old.rules, { rounds: 3, blocks: 2 }, ["fork"]).fork, undefined);
});
