import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  allLoads,
  fewLoads,
  type Load,
  loadName,
  parseLoad,
} from "../../../../bench/loads/load.js";
import { type Loop, startLoop } from "../../../../src/cli/bench/loop.js";
import {
  type BssClient,
  RpcError,
  type Submission,
  type SubmissionOutcome,
  type SubmitStreamOptions,
} from "../../../../src/client/index.js";

type Answer = (index: number) => Partial<SubmissionOutcome> | undefined;

const committed = {
  response: {
    outcomes: [{ outcome: { case: "committed", value: {} } }],
    blocks: [{ height: 7n }],
  },
} as unknown as Partial<SubmissionOutcome>;
const objected = {
  response: {
    outcomes: [{ outcome: { case: "objection", value: { reason: "DOUBLE_SPEND" } } }],
    blocks: [],
  },
} as unknown as Partial<SubmissionOutcome>;
const refused = { refusal: new RpcError("POOL_FULL", "no room") };

/** Answers each submission in the next turn of the event loop; undefined: never. */
function clientThat(answer: Answer): BssClient & { inFlightMost: number } {
  const client = {
    inFlightMost: 0,
    sign: () => ({}) as Submission,
    async *submitStream(source: AsyncIterable<Submission>, options: SubmitStreamOptions) {
      let index = 0;
      client.inFlightMost = options.inFlightMax ?? 0;
      for await (const submission of source) {
        const outcome = answer(index);
        if (outcome === undefined) {
          await new Promise((_resolve, reject) => {
            const { signal } = options;
            signal?.addEventListener("abort", () => reject(new Error("given up")));
            if (signal?.aborted) reject(new Error("given up"));
          });
        }
        await new Promise(setImmediate);
        yield Object.assign({ index, submission }, outcome) as SubmissionOutcome;
        index += 1;
      }
    },
  };
  return client as unknown as BssClient & { inFlightMost: number };
}

function start(client: BssClient, load: Load): Loop {
  return startLoop(client, { load, records: () => [], warmUpMs: 0 });
}

const closed: Load = { kind: "closed", of: "readings", batchRecords: 1, inFlight: 3 };
const open: Load = { kind: "open", of: "readings", batchRecords: 1, perS: 1_000 };

describe("a load that runs", () => {
  for (const load of [closed, open]) {
    test(`notes every answer of a loop that is ${load.kind}`, async () => {
      const loop = start(
        clientThat(() => committed),
        load,
      );
      await loop.warm;
      const endMs = await loop.stop(10_000);
      assert.ok(loop.entries.length > 0);
      for (const { committed: records, answeredMs, dueMs, heights } of loop.entries) {
        assert.equal(records, 1);
        assert.deepEqual(heights, [7n]);
        assert.ok(dueMs <= (answeredMs ?? 0) && (answeredMs ?? 0) <= endMs);
      }
      assert.equal(loop.failure, undefined);
    });
  }

  test("keeps as many in flight as a closed loop says", async () => {
    const client = clientThat(() => committed);
    await start(client, closed).stop(10_000);
    assert.equal(client.inFlightMost, 3);
  });

  test("counts refusals of submissions and of records by their reason", async () => {
    const answers = [refused, objected, committed];
    const loop = start(
      clientThat((index) => answers[index % 3]),
      closed,
    );
    await loop.warm;
    await loop.stop(10_000);
    const reasons = loop.entries.slice(0, 3).map((entry) => entry.refused);
    assert.deepEqual(reasons, [{ POOL_FULL: 1 }, { DOUBLE_SPEND: 1 }, {}]);
    assert.deepEqual(
      loop.entries.slice(0, 3).map((entry) => entry.committed),
      [0, 0, 1],
    );
  });

  test("gives up what is never answered, and leaves it without an answer", async () => {
    const loop = start(
      clientThat((index) => (index < 5 ? committed : undefined)),
      closed,
    );
    while (loop.entries.length < 6) await new Promise(setImmediate);
    await loop.stop(1);
    const without = loop.entries.filter(({ answeredMs }) => answeredMs === undefined);
    assert.equal(without.length, 1);
    assert.equal(loop.failure, undefined);
  });

  test("counts what an open loop could not even send as due", async () => {
    const loop = start(
      clientThat((index) => (index < 5 ? committed : undefined)),
      open,
    );
    await loop.warm;
    const startMs = loop.entries[0]?.dueMs ?? 0;
    // The sixth is stuck: what is due meanwhile waits here.
    while (performance.now() < startMs + 30) await new Promise(setImmediate);
    await loop.stop(1);
    assert.ok(loop.entries.length >= 30, `${loop.entries.length} were due`);
    const dues = loop.entries.map(({ dueMs }) => Math.round(dueMs - startMs));
    assert.deepEqual(
      dues,
      dues.map((_, index) => index),
    );
  });

  test("says why it ended by itself", async () => {
    const loop = start(
      clientThat(() => {
        throw new Error("no manager can be reached");
      }),
      closed,
    );
    await loop.warm;
    await loop.stop(1);
    assert.match(loop.failure ?? "", /no manager can be reached/);
  });
});

describe("the name of a load", () => {
  test("is read again as the same load", () => {
    for (const load of [...fewLoads, ...allLoads]) {
      assert.deepEqual(parseLoad(loadName(load)), load);
    }
  });

  for (const text of ["", "1", "0 x 4", "1 x 0", "1 x 1.5", "a x 3", "1 at 0/s", "1 x 3 x 4"]) {
    test(`"${text}" is no load`, () => assert.throws(() => parseLoad(text), /is no load/));
  }
});
