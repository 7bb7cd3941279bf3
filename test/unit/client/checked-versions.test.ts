import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import {
  checkedVersions,
  type LedgerRecord,
  UntrueAnswer,
} from "../../../src/client/verify/answers.js";
import { RecordSchema } from "../../../src/gen/bss/v1/record_pb.js";
import { gather } from "../../support/gather.js";

const hashOf = (name: number) => new Uint8Array(32).fill(name);

function version(name: number, parent?: number, visible = true): LedgerRecord {
  const place = { hash: hashOf(name), height: name, position: name, sealDigest: hashOf(0) };
  if (!visible) return place;
  const init = parent === undefined ? {} : { parent: hashOf(parent) };
  return { ...place, content: { bytes: hashOf(9), record: create(RecordSchema, init) } };
}

async function* inTurn(versions: readonly LedgerRecord[]) {
  yield* versions;
}

describe("the versions of a record", () => {
  const right = [version(1), version(2, 1), version(3, 2)];
  const hidden = right.map(({ content: _, ...place }) => place);
  for (const asked of [1, 2, 3]) {
    test(`are believed when each updates the one before it: ${asked}`, async () => {
      assert.deepEqual(await gather(checkedVersions(inTurn(right), hashOf(asked))), right);
      assert.deepEqual(await gather(checkedVersions(inTurn(hidden), hashOf(asked))), hidden);
    });
  }

  const wrong: readonly (readonly [string, readonly LedgerRecord[]])[] = [
    ["without the one that was asked for", right.slice(0, 2)],
    ["without the oldest", right.slice(1)],
    ["with one left out", [version(1), version(3, 2)]],
    ["in another order", [version(2, 1), version(1), version(3, 2)]],
    ["of which there are none", []],
  ];
  for (const [what, versions] of wrong) {
    test(`are untrue ${what}`, async () => {
      await assert.rejects(gather(checkedVersions(inTurn(versions), hashOf(3))), UntrueAnswer);
    });
  }
});
