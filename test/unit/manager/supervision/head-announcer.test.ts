import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import type { SignedHead } from "../../../../src/gen/bss/v1/vote_pb.js";
import { checkHead } from "../../../../src/ledger/certificates/votes.js";
import {
  alwaysToldEvery,
  HeadAnnouncer,
  headsApartMs,
} from "../../../../src/manager/supervision/head-announcer.js";
import { Chain, verifies } from "../../ledger/support/chain.js";
import { consortiumId, genesis } from "../../ledger/support/consortium.js";
import { accepted } from "../../ledger/support/outcome.js";
import { documentBytes, sign, submitted } from "../../ledger/support/records.js";

const selfId = "manager-2";

/** Signing has come to an end. */
const signed = () => new Promise((resolve) => setImmediate(resolve));

describe("the announcement of a head", () => {
  const chain = new Chain();
  let sent: { readonly head: SignedHead; readonly to: string | undefined }[];
  let nowMs: number;
  let available: boolean;
  let announcer: HeadAnnouncer;

  beforeEach(() => {
    available = true;
    sent = [];
    nowMs = 10_000;
    announcer = new HeadAnnouncer(
      { consortiumId, selfId, head: () => chain.head, monotonicMs: () => nowMs },
      {
        statements: {
          sign: async (_kind, _height, digest) => (available ? sign(selfId, digest) : undefined),
        },
        peers: {
          tell: (message, to) => {
            if (message.case === "head") sent.push({ head: message.value, to });
          },
        },
      },
    );
  });

  test("says, signed, what this manager holds now", async () => {
    for (let height = 0; height < 2; height++) {
      announcer.announce();
      await signed();
      const { head } = sent.at(-1) ?? assert.fail("nothing was sent");
      assert.equal(head.height, BigInt(height));
      assert.deepEqual(head.blockId, chain.head.blockId);
      assert.ok(verifies(accepted(checkHead(head, genesis.members, consortiumId))));
      chain.extend({ candidates: [submitted([documentBytes()])] });
    }
  });

  test("is not sent while it cannot be signed, and comes with the next second", async () => {
    available = false;
    announcer.announce();
    await signed();
    assert.deepEqual(sent, []);
    available = true;
    nowMs += 1_000;
    announcer.tick();
    await signed();
    assert.equal(sent.length, 1);
  });

  test("is told at heights that are the same for all, whenever the last one was", async () => {
    while (chain.head.height % alwaysToldEvery !== 0) chain.extend({});
    announcer.onAppended(undefined, false);
    await signed();
    chain.extend({});
    announcer.onAppended(undefined, false);
    await signed();
    assert.equal(sent.length, 1);
    while (chain.head.height % alwaysToldEvery !== 0) chain.extend({});
    announcer.onAppended(undefined, false);
    await signed();
    assert.deepEqual(
      sent.map(({ head }) => Number(head.height) % alwaysToldEvery),
      [0, 0],
    );
  });

  test("is told to all a quarter of a second apart, however fast blocks follow", async () => {
    chain.extend({});
    const blocks = 10;
    for (let block = 0; block < blocks; block++) {
      announcer.onAppended(undefined, false);
      nowMs += headsApartMs / blocks;
      announcer.tick();
      await signed();
    }
    assert.equal(sent.length, 2, "the first, and all that came since");
    nowMs += headsApartMs;
    announcer.tick();
    await signed();
    assert.equal(sent.length, 2, "nothing is new");
  });

  test("is repeated to all once a second has passed without one", async () => {
    announcer.tick();
    announcer.tick();
    await signed();
    assert.equal(sent.length, 1);
    nowMs += 999;
    announcer.tick();
    await signed();
    assert.equal(sent.length, 1);
    nowMs += 1;
    announcer.tick();
    await signed();
    assert.deepEqual(
      sent.map(({ to }) => to),
      [undefined, undefined],
    );
  });

  test("to one peer alone does not count as one to all", async () => {
    announcer.announce("manager-3");
    announcer.tick();
    await signed();
    assert.deepEqual(
      sent.map(({ to }) => to),
      ["manager-3", undefined],
    );
  });

  test("reminds a peer that lags, not at each of its messages, and each peer by itself", async () => {
    for (let i = 0; i < 3; i++) announcer.remind("manager-3");
    announcer.remind("manager-4");
    nowMs += 200;
    announcer.remind("manager-3");
    await signed();
    assert.deepEqual(
      sent.map(({ to }) => to),
      ["manager-3", "manager-4", "manager-3"],
    );
  });

  test("reminds nobody while what it says may have crossed the block on its way", async () => {
    announcer.announce();
    announcer.onAppended(undefined, false);
    nowMs += 199;
    announcer.remind("manager-3");
    nowMs += 1;
    announcer.remind("manager-4");
    await signed();
    assert.deepEqual(
      sent.map(({ to }) => to),
      [undefined, "manager-4"],
    );
  });
});
