import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { rules } from "../../../../src/ledger/records/rules.js";
import { spanSMax } from "../../../../src/ledger/times.js";
import { ruleReasons } from "../../../../src/ledger/violation.js";
import { policy, quarterS, startS } from "../support/consortium.js";
import {
  documentBytes,
  hashOf,
  readingBytes,
  seedOf,
  sessionBytes,
  tradeBytes,
} from "../support/records.js";
import { blockMs, Trial } from "../support/trial.js";

describe("who may put a record on the ledger", () => {
  test("an owner submits its own record", () => {
    new Trial().place(documentBytes());
  });

  test("an agent that the owner's registration names submits for it", () => {
    new Trial().place(documentBytes(), "head-end");
  });

  test("nobody else submits for an owner, its customers and agents' customers included", () => {
    const trial = new Trial();
    for (const submitter of ["participant-2", "participant-3"]) {
      trial.refuses(documentBytes(), "AGENT_NOT_AUTHORIZED", "owner_id", submitter);
    }
    const ofHeadEnd = documentBytes({}, { ownerId: "head-end" });
    trial.refuses(ofHeadEnd, "AGENT_NOT_AUTHORIZED", "owner_id", "participant-1");
    const unnamed = documentBytes({}, { ownerId: "participant-3" });
    trial.refuses(unnamed, "AGENT_NOT_AUTHORIZED", "owner_id", "head-end");
  });

  test("an owner and a submitter that nobody registered are refused", () => {
    const trial = new Trial();
    const stranger = documentBytes({}, { ownerId: "stranger" });
    trial.refuses(stranger, "OWNER_UNKNOWN", "owner_id", "participant-1");
    trial.refuses(documentBytes(), "PARTICIPANT_UNKNOWN", undefined, "stranger");
  });

  test("a record is added once", () => {
    const trial = new Trial();
    const bytes = documentBytes();
    trial.place(bytes);
    trial.refuses(bytes, "RECORD_ON_LEDGER");
  });
});

describe("a record's salt", () => {
  for (const length of [0, 15, 17, 32]) {
    test(`${length} bytes are refused`, () => {
      new Trial().refuses(
        documentBytes({}, { salt: new Uint8Array(length) }),
        "SALT_INVALID",
        "salt",
      );
    });
  }

  test("16 bytes are taken, whatever they are", () => {
    new Trial().place(documentBytes({}, { salt: new Uint8Array(16) }));
  });
});

describe("a record's time", () => {
  const at = (timeMs: number) => documentBytes({}, { timeUnixMs: BigInt(timeMs) });

  test("the latest time is the policy's bound after the block's", () => {
    const trial = new Trial();
    trial.place(at(blockMs + policy.futureBoundMs));
    trial.refuses(at(blockMs + policy.futureBoundMs + 1), "TIME_IN_FUTURE", "time_unix_ms");
    trial.refuses(at(Number.MAX_SAFE_INTEGER), "TIME_IN_FUTURE", "time_unix_ms");
  });

  test("the earliest time is 1 ms after the epoch: old records are legitimate", () => {
    const trial = new Trial();
    trial.place(at(1));
    for (const timeMs of [0, -1, -Number.MAX_SAFE_INTEGER]) {
      trial.refuses(at(timeMs), "TIME_INVALID", "time_unix_ms");
    }
  });

  test("a reading is not complete before its interval ends", () => {
    const trial = new Trial();
    const endMs = (startS + quarterS) * 1000;
    trial.refuses(readingBytes({ timeMs: endMs - 1 }), "TIME_INVALID", "time_unix_ms");
    trial.place(readingBytes({ timeMs: endMs }));
  });

  test("a trade is agreed on at most 366 days before its delivery", () => {
    const trial = new Trial();
    const earliestMs = (startS - spanSMax) * 1000;
    for (const timeMs of [1, earliestMs - 1]) {
      trial.refuses(tradeBytes({ timeMs }), "TIME_INVALID", "time_unix_ms");
    }
    const message = trial.try(tradeBytes({ timeMs: 1 }))?.message ?? "";
    assert.match(message, /^The time 1970-.* is more than 366 days before the delivery, 2024-/);
    // What stands in its way now is that nothing was metered.
    trial.refuses(
      tradeBytes({ timeMs: earliestMs }),
      "DOUBLE_SPEND",
      "energy_trade.terms.energy_wh",
    );
  });

  test("times are told in ISO 8601", () => {
    const late = new Trial().try(at(1_822_888_800_000))?.message ?? "";
    assert.match(late, /^The time 2027-10-07T06:00:00Z is more than .* block's, \d{4}-.*Z\.$/);
    const early = new Trial().try(readingBytes({ timeMs: 1 }))?.message ?? "";
    const end = new Date((startS + quarterS) * 1000).toISOString().replace(".000Z", "Z");
    assert.ok(early.endsWith(`recorded, ${end}.`), early);
  });

  test("a charging session is not complete before its end", () => {
    const trial = new Trial();
    const endMs = (startS + 3600) * 1000;
    const early = { timeUnixMs: BigInt(endMs - 1) };
    trial.refuses(sessionBytes({}, early), "TIME_INVALID", "time_unix_ms");
    trial.place(sessionBytes({}, { timeUnixMs: BigInt(endMs) }));
  });
});

describe("an update", () => {
  test("names the latest version, which is the update before it", () => {
    const trial = new Trial();
    const first = trial.place(documentBytes());
    const second = trial.place(documentBytes({}, { parent: first.hash }));
    const third = trial.place(documentBytes({}, { parent: second.hash }));
    for (const { hash } of [first, second]) {
      trial.refuses(documentBytes({}, { parent: hash }), "PARENT_NOT_LATEST", "parent");
    }
    trial.place(documentBytes({}, { parent: third.hash }));
  });

  test("of two updates of one version the first wins", () => {
    const trial = new Trial();
    const parent = trial.place(documentBytes()).hash;
    trial.place(documentBytes({ name: "a" }, { parent }));
    trial.refuses(documentBytes({ name: "b" }, { parent }), "PARENT_NOT_LATEST", "parent");
  });

  test("of something that is not on the ledger is refused, itself included", () => {
    const trial = new Trial();
    const unknown = documentBytes({}, { parent: seedOf("nothing") });
    trial.refuses(unknown, "PARENT_UNKNOWN", "parent");
    trial.refuses(documentBytes({}, { parent: hashOf(unknown) }), "PARENT_UNKNOWN", "parent");
  });

  test("of another owner's record is refused, for an agent of both too", () => {
    const trial = new Trial();
    const parent = trial.place(documentBytes()).hash;
    const foreign = documentBytes({}, { parent, ownerId: "participant-2" });
    trial.refuses(foreign, "PARENT_OWNER_MISMATCH", "parent", "head-end");
  });

  test("of a record of another kind is refused", () => {
    const trial = new Trial();
    const document = trial.place(documentBytes()).hash;
    const reading = trial.place(readingBytes()).hash;
    const mismatched = [
      sessionBytes({}, { parent: document }),
      readingBytes({ parent: document }),
      tradeBytes({ parent: document }),
      documentBytes({}, { parent: reading }),
    ];
    for (const bytes of mismatched) {
      trial.refuses(bytes, "PARENT_KIND_MISMATCH", "parent");
    }
  });

  test("makes the parent name its successor, and nothing else", () => {
    const trial = new Trial();
    const parent = trial.place(documentBytes());
    const update = trial.place(documentBytes({}, { parent: parent.hash }));
    const { records } = trial.execution.tables;
    const before = records.get(parent.hash);
    assert.deepEqual(before?.successor, update.hash);
    const owner = trial.execution.tables.participants.get("participant-1");
    assert.equal(before?.ownerNumber, owner?.number);
    assert.equal(before?.position, 0);
    assert.equal(before?.height, 1);
    const after = records.get(update.hash);
    assert.notEqual(after, undefined);
    assert.equal(after?.successor, undefined);
    assert.equal(after?.position, 1);
  });
});

describe("a policy's bound on the future", () => {
  test("is that of the policy in force", () => {
    const trial = new Trial({ ...policy, futureBoundMs: 1 });
    const late = documentBytes({}, { timeUnixMs: BigInt(blockMs + 2) });
    trial.refuses(late, "TIME_IN_FUTURE", "time_unix_ms");
  });
});

describe("the rules", () => {
  test("are named once each", () => {
    assert.equal(new Set(rules.map(({ id }) => id)).size, rules.length);
  });

  test("say what they demand and for which known reasons they refuse", () => {
    for (const { id, demands, reasons } of rules) {
      assert.match(id, /^[a-z-]+$/);
      assert.match(demands, /^[A-Z].*\.$/);
      assert.ok(reasons.length > 0, id);
      for (const reason of reasons) assert.ok(ruleReasons.includes(reason), reason);
    }
  });
});
