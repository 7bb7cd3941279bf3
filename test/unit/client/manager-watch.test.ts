import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type Connection,
  Connections,
  ManagerRound,
} from "../../../src/client/manager-connections.js";
import { isTlsFailure, isUnreachable } from "../../../src/client/manager-failures.js";
import { ManagerWatch } from "../../../src/client/manager-watch.js";
import { GetStatusResponseSchema, QueryService } from "../../../src/gen/bss/v1/query_pb.js";
import { RpcError } from "../../../src/rpc/rpc-error.js";

type Status = MessageInitShape<typeof GetStatusResponseSchema>;
/** What a manager says; undefined for one that says nothing. */
type Managers = Readonly<Record<string, Status | undefined>>;

const fit: Status = { height: 100n, poolSubmissions: 10 };

function connectionsTo(managers: Managers) {
  const asked: string[] = [];
  const dial = (address: string) =>
    ({
      address,
      unary: async () => {
        asked.push(address);
        const status = managers[address];
        if (status === undefined) throw new RpcError("NODE_UNREACHABLE", "no answer");
        return create(GetStatusResponseSchema, status);
      },
      close: () => {},
    }) as unknown as Connection;
  return { asked, connections: new Connections(Object.keys(managers), dial) };
}

/** Lets what was asked be answered. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

describe("a manager that owes an answer", () => {
  let nowMs = 0;
  const waiting = new Set<{ readonly atMs: number; readonly work: () => void }>();
  const after = (ms: number, work: () => void) => {
    const timer = { atMs: nowMs + ms, work };
    waiting.add(timer);
    return () => void waiting.delete(timer);
  };
  const pass = async (ms: number) => {
    nowMs += ms;
    for (const timer of waiting) {
      if (timer.atMs > nowMs) continue;
      waiting.delete(timer);
      timer.work();
    }
    await settle();
  };

  const watch = (managers: Managers, { due = true, overloaded = false } = {}) => {
    const { asked, connections } = connectionsTo(managers);
    const left: string[] = [];
    const state = { due };
    const started = new ManagerWatch(connections, connections.current().address, {
      isDue: () => state.due,
      isOverloaded: () => overloaded,
      onBetter: ({ message }) => left.push(message),
      after,
    });
    return { asked, left, state, watch: started, current: () => connections.current().address };
  };

  for (const [what, own, why] of [
    ["says nothing at all", undefined, "is silent"],
    ["has halted", { ...fit, halted: "it saw a fork" }, "has halted"],
    ["signs nothing", { ...fit, abstaining: "its log is gone" }, "signs nothing: its log is gone"],
    ["is far behind", { ...fit, height: 90n }, "is 10 blocks behind"],
  ] as const) {
    test(`is left for one that is fit when it ${what}`, async () => {
      const { left, current } = watch({ a: own, b: undefined, c: { ...fit, halted: "x" }, d: fit });
      await pass(1_499);
      assert.deepEqual(left, []);
      await pass(1);
      assert.deepEqual(left, [`a ${why}; going on at d`]);
      assert.equal(current(), "d");
      await pass(60_000);
      assert.equal(left.length, 1);
    });
  }

  test("is kept while it is as fit as others, which are asked ever more rarely", async () => {
    const { asked, left, current } = watch({ a: fit, b: { ...fit, height: 104n } });
    for (let second = 0; second < 22; second++) await pass(1_000);
    assert.equal(asked.length, 2 * 3);
    assert.deepEqual([left, current()], [[], "a"]);
  });

  test("is kept while no other one is better", async () => {
    const { left } = watch({ a: undefined, b: undefined, c: { ...fit, halted: "x" } });
    await pass(1_500);
    assert.deepEqual(left, []);
  });

  test("is kept when another one only claims to be far ahead", async () => {
    const liar = { ...fit, height: 2n ** 50n };
    const { left } = watch({ a: fit, b: liar, c: fit, d: fit });
    await pass(1_500);
    assert.deepEqual(left, []);
    const behind = watch({ a: { ...fit, height: 90n }, b: liar, c: fit, d: fit });
    await pass(1_500);
    assert.deepEqual(behind.left, ["a is 10 blocks behind; going on at b"]);
  });

  test("is left when it takes what it is sent and nothing comes of it", async () => {
    for (const [blocks, leaves] of [
      [10n, false],
      [11n, true],
    ] as const) {
      const managers = { a: fit, b: fit, c: fit };
      const { left, watch: started } = watch(managers);
      const look = async (height: bigint) => {
        for (const status of ["a", "b", "c"] as const) managers[status] = { ...fit, height };
        await pass(24_000);
      };
      // An answer begins the silence anew.
      await look(20n);
      started.answered();
      for (const height of [90n, 100n, 100n, 100n]) await look(height);
      assert.deepEqual(left, []);
      await look(100n + blocks);
      assert.deepEqual(
        left,
        leaves ? ["a gives no answer while blocks are added; going on at b"] : [],
      );
      started.stop();
    }
  });

  test("was reached, so that a call does not end early when others cannot be", async () => {
    const { connections } = connectionsTo({ a: fit, b: fit });
    const why = new Promise<RpcError>((resolve) => {
      const abstaining = "its certificate has expired";
      const asked = connectionsTo({ a: { ...fit, abstaining }, b: fit }).connections;
      new ManagerWatch(asked, "a", { isDue: () => true, onBetter: resolve, after });
    });
    await pass(1_500);
    const round = new ManagerRound(connections);
    round.leave(connections.current(), await why);
    round.leave(connections.current(), new RpcError("NODE_UNREACHABLE", "connection refused"));
    assert.equal(round.allFail(isUnreachable), false);
    assert.equal(isTlsFailure(await why), false);
  });

  test("is not looked at while nothing is due, or when it answers", async () => {
    const { asked, state, watch: started } = watch({ a: undefined, b: fit }, { due: false });
    await pass(10_000);
    state.due = true;
    started.answered();
    await pass(1_499);
    assert.deepEqual(asked, []);
    started.stop();
    await pass(10_000);
    assert.deepEqual(asked, []);
  });

  test("is left for overload only if another one has less than half to do", async () => {
    const busy = { ...fit, poolSubmissions: 1_000 };
    for (const [other, leaves] of [
      [{ ...fit, poolSubmissions: 499 }, true],
      [{ ...fit, poolSubmissions: 500 }, false],
    ] as const) {
      const { left } = watch({ a: busy, b: other }, { overloaded: true });
      await pass(1_500);
      assert.deepEqual(left, leaves ? ["a is overloaded; going on at b"] : []);
    }
    const calm = watch({ a: busy, b: fit });
    await pass(1_500);
    assert.deepEqual(calm.left, []);
  });

  test("is left by a call that waits for it, which then gets its answer elsewhere", async () => {
    const asked: string[] = [];
    const dial = (address: string) =>
      ({
        address,
        unary: async (method: unknown, _: unknown, { signal }: { signal?: AbortSignal }) => {
          asked.push(`${address} ${method === QueryService.method.getStatus ? "status" : "call"}`);
          if (address === "b") return create(GetStatusResponseSchema, fit);
          if (signal === undefined) throw new RpcError("NODE_UNREACHABLE", "no answer");
          return new Promise((_, reject) =>
            signal.addEventListener("abort", () => reject(new RpcError("CANCELLED", "cancelled"))),
          );
        },
        close: () => {},
      }) as unknown as Connection;
    const connections = new Connections(["a", "b"], dial);
    await connections.call(QueryService.method.getConsortium, {}, { timeoutMs: 60_000 });
    assert.deepEqual(asked, ["a call", "a status", "b status", "b call"]);
  });
});
