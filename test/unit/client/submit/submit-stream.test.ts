import assert from "node:assert/strict";
import { join } from "node:path";
import { after, afterEach, before, describe, mock, test } from "node:test";
import {
  type BssClient,
  connect,
  document,
  type Submission,
  type SubmissionOutcome,
} from "../../../../src/client/index.js";
import { RpcError } from "../../../../src/rpc/rpc-error.js";
import { TestAuthority } from "../../../support/pki.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";
import { ToyConsortium } from "../../../support/toy-consortium.js";

describe("submitStream", () => {
  const parent = temporaryDirectory();
  let toy: ToyConsortium;
  let client: BssClient;

  before(async () => {
    toy = await ToyConsortium.create(join(parent, "toy"));
  });
  afterEach(async () => {
    client.close();
    for (const manager of toy.managers) {
      for (const key of Object.keys(manager.misbehaviour)) {
        delete manager.misbehaviour[key as "tamper"];
      }
      await manager.stop();
      await manager.start();
    }
    toy.objectTo = () => undefined;
    assert.deepEqual(toy.internalErrors, []);
  });
  after(() => toy.close());

  const open = async () => {
    client = await connect(toy.profile("participant-1"));
    return client;
  };

  const submission = (name: string, ownerId = "participant-1"): Submission =>
    client.sign([
      document({
        ownerId,
        mediaType: "text/plain",
        name,
        timeMs: Date.now(),
        content: new Uint8Array(),
      }),
    ]);

  const submissions = (count: number, prefix: string) =>
    Array.from({ length: count }, (_, i) => submission(`${prefix}-${i}`));

  const all = async (outcomes: AsyncIterable<SubmissionOutcome>) => {
    const list: SubmissionOutcome[] = [];
    for await (const outcome of outcomes) list.push(outcome);
    return list;
  };

  const indexes = (list: readonly SubmissionOutcome[]) =>
    list.map(({ index }) => index).toSorted((a, b) => a - b);

  const counting = (count: number) => Array.from({ length: count }, (_, i) => i);

  test("gives one outcome per submission and ends", async () => {
    await open();
    const before = toy.ledger.entries.length;
    const list = await all(client.submitStream(submissions(50, "plain")));
    assert.deepEqual(indexes(list), counting(50));
    for (const { response } of list) {
      assert.equal(response?.outcomes[0]?.outcome.case, "committed");
    }
    assert.equal(toy.ledger.entries.length, before + 50);
  });

  test("of nothing comes nothing", async () => {
    await open();
    assert.deepEqual(await all(client.submitStream([])), []);
  });

  test("never has more in flight than it may", async () => {
    await open();
    let now = 0;
    let most = 0;
    toy.manager(0).misbehaviour.beforeOrder = async () => {
      now += 1;
      most = Math.max(most, now);
      await new Promise((resolve) => setTimeout(resolve, 2));
      now -= 1;
    };
    const list = await all(client.submitStream(submissions(40, "few"), { inFlightMax: 5 }));
    assert.equal(list.length, 40);
    assert.ok(most > 1 && most <= 5, `${most} in flight`);
  });

  test("takes from the source only what it may send", async () => {
    await open();
    let taken = 0;
    let settled = 0;
    const source = (function* () {
      for (let i = 0; i < 20; i++) {
        taken += 1;
        yield submission(`lazy-${i}`);
      }
    })();
    for await (const _ of client.submitStream(source, { inFlightMax: 3 })) {
      settled += 1;
      // The next one is taken already when there is room for it.
      assert.ok(taken <= settled + 3 + 1, `${taken} taken, ${settled} settled`);
    }
    assert.equal(settled, 20);
  });

  test("goes on at a manager that is fit when its own gives no outcomes, each record once", async () => {
    await open();
    const before = toy.ledger.entries.length;
    const first = toy.manager(0);
    toy.manager(1).misbehaviour.abstaining = "its log is gone";
    let ordered = 0;
    first.misbehaviour.beforeAnswer = async () => {
      ordered += 1;
      if (ordered < 4) return;
      first.misbehaviour.abstaining = "it has lost its place";
      await new Promise(() => {});
    };
    const reasons: string[] = [];
    const onReconnect = ({ message }: RpcError) => reasons.push(message);
    const list = await all(client.submitStream(submissions(20, "silent"), { onReconnect }));
    assert.deepEqual(indexes(list), counting(20));
    assert.equal(toy.ledger.entries.length, before + 20);
    const [own, , third] = client.profile.addresses;
    assert.deepEqual(reasons, [
      `${own} signs nothing: it has lost its place; going on at ${third}`,
    ]);
  });

  test("sends what is unanswered to the next manager when one dies, each record once", async () => {
    await open();
    const before = toy.ledger.entries.length;
    const first = toy.manager(0);
    let ordered = 0;
    first.misbehaviour.beforeAnswer = async () => {
      ordered += 1;
      // Ordered, and the answer is lost with the manager.
      if (ordered === 12) await first.stop();
      if (ordered >= 12) await new Promise(() => {});
    };
    const reconnects: number[] = [];
    const list = await all(
      client.submitStream(submissions(60, "moving"), {
        inFlightMax: 8,
        onReconnect: (_error, unanswered) => reconnects.push(unanswered),
      }),
    );
    assert.deepEqual(indexes(list), counting(60));
    assert.equal(toy.ledger.entries.length, before + 60);
    assert.ok((reconnects[0] ?? 0) > 0);
    assert.ok(toy.manager(1).calls.includes("submitStream"));
  });

  test("comes back to a manager that was gone, with all of its submissions", async () => {
    client = await connect({
      ...toy.profile("participant-1"),
      addresses: [toy.manager(2).address],
    });
    const manager = toy.manager(2);
    let answers = 0;
    manager.misbehaviour.beforeAnswer = async () => {
      answers += 1;
      if (answers !== 5) return;
      await manager.stop();
      setTimeout(() => manager.start(), 150);
    };
    const list = await all(client.submitStream(submissions(20, "back"), { inFlightMax: 4 }));
    assert.deepEqual(indexes(list), counting(20));
  });

  test("leaves a manager that lacks others", async () => {
    await open();
    toy.manager(0).misbehaviour.refuse = () =>
      new RpcError("MANAGERS_UNAVAILABLE", "manager-4 is missing", { retryAfterMs: 1 });
    const list = await all(client.submitStream(submissions(3, "left")));
    assert.deepEqual(indexes(list), counting(3));
    assert.ok(toy.manager(1).calls.includes("submitStream"));
  });

  test("obeys a refusal that says when to try again", async () => {
    await open();
    let refusals = 0;
    toy.manager(0).misbehaviour.refuse = () => {
      refusals += 1;
      return refusals > 10 ? undefined : new RpcError("POOL_FULL", "full", { retryAfterMs: 5 });
    };
    const list = await all(client.submitStream(submissions(6, "full")));
    assert.deepEqual(indexes(list), counting(6));
    assert.equal(refusals, 16);
  });

  test("passes on a refusal that trying again does not cure, and goes on", async () => {
    await open();
    const wrong = { ...submission("wrong"), header: new Uint8Array([1]) };
    const source = [submission("before"), wrong, submission("after")];
    const list = await all(client.submitStream(source));
    assert.deepEqual(indexes(list), [0, 1, 2]);
    const refused = list.find(({ index }) => index === 1);
    assert.equal(refused?.refusal?.reason, "SUBMISSION_MALFORMED");
    assert.equal(list.filter(({ response }) => response !== undefined).length, 2);
  });

  test("gives objections as outcomes", async () => {
    await open();
    toy.objectTo = () => ({ reason: "DOUBLE_SPEND", message: "sold already" });
    const [outcome] = await all(client.submitStream([submission("sold")]));
    const first = outcome?.response?.outcomes[0]?.outcome;
    assert.ok(first?.case === "objection");
    assert.equal(first.value.reason, "DOUBLE_SPEND");
  });

  test("gives up when nothing comes back for too long, and says what it heard", async (t) => {
    await open();
    let refusals = 0;
    for (const { misbehaviour } of toy.managers) {
      misbehaviour.refuse = () => {
        refusals += 1;
        return new RpcError("POOL_FULL", "the pool is full", { retryAfterMs: 5 });
      };
    }
    const stallTimeoutMs = 1_000;
    // The second refusal says that the client has heard the first.
    const clock = mock.method(performance, "now", () => (refusals > 1 ? stallTimeoutMs : 0));
    t.after(() => clock.mock.restore());
    const outcomes = client.submitStream([submission("stuck")], { stallTimeoutMs });
    await assert.rejects(all(outcomes), (error) => {
      assert.ok(error instanceof RpcError);
      assert.match(error.message, /no outcome for 1 s.*the pool is full/);
      assert.equal(error.reason, "POOL_FULL");
      return true;
    });
  });

  test("gives up when no manager can be reached for too long", async () => {
    client = await connect({
      ...toy.profile("participant-1"),
      addresses: ["127.0.0.1:1", "127.0.0.1:2"],
    });
    const outcomes = client.submitStream([submission("nobody")], { stallTimeoutMs: 300 });
    await assert.rejects(all(outcomes), /no outcome for 0.3 s/);
  });

  test("ends when TLS refuses every manager, as it would refuse again", async () => {
    const { certPem } = await TestAuthority.create("foreign");
    const { tls, ...profile } = toy.profile("participant-1");
    client = await connect({ ...profile, tls: { ...tls, caPem: certPem } });
    const list = all(client.submitStream([submission("refused")]));
    await assert.rejects(list, /no manager could answer: .*certificate/);
  });

  test("fails at once where no manager would have it", async () => {
    client = await connect(toy.profile("auditor-1", "auditors"));
    const list = all(client.submitStream([submission("not mine")]));
    await assert.rejects(list, (error) => (error as RpcError).reason === "ROLE_NOT_ALLOWED");
  });

  test("throws what its source throws", async () => {
    await open();
    const source = (async function* () {
      yield submission("good");
      throw new Error("the file ended in the middle");
    })();
    await assert.rejects(all(client.submitStream(source)), /the file ended in the middle/);
  });

  test("a caller that stops early closes its source", async () => {
    await open();
    let closed = false;
    const source = (async function* () {
      try {
        for (let i = 0; ; i++) yield submission(`early-${i}`);
      } finally {
        closed = true;
      }
    })();
    for await (const { index } of client.submitStream(source, { inFlightMax: 2 })) {
      if (index === 3) break;
    }
    await new Promise((resolve) => setImmediate(resolve));
    assert.ok(closed);
  });

  test("a signal ends it", async () => {
    await open();
    const controller = new AbortController();
    toy.manager(0).misbehaviour.beforeOrder = () => controller.abort();
    const outcomes = client.submitStream(submissions(3, "ended"), { signal: controller.signal });
    await assert.rejects(all(outcomes), (error) => (error as RpcError).reason === "CANCELLED");
  });
});
