import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import {
  type ControlOperation,
  ControlOperationSchema,
} from "../../../../src/gen/bss/v1/genesis_pb.js";
import { type Violation, violation } from "../../../../src/ledger/violation.js";
import { OperationExchange } from "../../../../src/manager/operations/operation-exchange.js";
import {
  OperationPool,
  perBlockMax,
  waitingMax,
} from "../../../../src/manager/operations/operation-pool.js";
import { settledMax, waitersMax } from "../../../../src/manager/operations/operation-waiters.js";
import { RpcError } from "../../../../src/rpc/rpc-error.js";
import { Chain } from "../../ledger/support/chain.js";
import { turns } from "../support/fake-stream.js";

const returnOf = (nodeId: string, heldHeight = 5n): ControlOperation =>
  create(ControlOperationSchema, {
    operation: { case: "returnStorageNode", value: { nodeId, heldHeight, suspendedHeight: 3n } },
  });
const payoutOf = (nodeId: string, amount = 5n): ControlOperation =>
  create(ControlOperationSchema, {
    operation: { case: "recordPayout", value: { nodeId, amount } },
  });
const retirementOf = (nodeId: string): ControlOperation =>
  create(ControlOperationSchema, {
    operation: { case: "retireStorageNode", value: { nodeId, admittedHeight: 2n } },
  });
const admissionOf = (nodeId: string, sponsorId = "manager-1"): ControlOperation =>
  create(ControlOperationSchema, {
    operation: { case: "admitStorageNode", value: { nodeId, sponsorId } },
  });
const bytesOf = (operation: ControlOperation) => toBinary(ControlOperationSchema, operation);
const kindsOf = (operations: readonly ControlOperation[]) =>
  operations.map(({ operation }) => operation.case);

describe("operations that wait for a block", () => {
  test("stand in it in one order, so that a node is back before it is paid", () => {
    const pool = new OperationPool();
    for (const each of [payoutOf("a"), admissionOf("b"), returnOf("a")]) pool.add(each, false);
    assert.deepEqual(kindsOf(pool.operations()), [
      ...["returnStorageNode", "admitStorageNode", "recordPayout"],
    ]);
  });

  test("wait once for each thing; a node that holds more by now says so instead", () => {
    const pool = new OperationPool();
    assert.ok(pool.add(returnOf("a", 5n), true));
    assert.ok(pool.add(returnOf("a", 6n), false));
    assert.equal(pool.add(returnOf("a", 5n), true), false);
    assert.ok(pool.add(payoutOf("a", 5n), true));
    assert.equal(pool.add(payoutOf("a", 6n), true), false);
    assert.deepEqual([pool.size, pool.operations()[0]], [2, returnOf("a", 6n)]);
  });

  test("are bounded: of what others took in the oldest goes, never what was taken in here", () => {
    const pool = new OperationPool();
    pool.add(payoutOf("own"), true);
    for (let i = 0; i < waitingMax; i++) assert.ok(pool.add(payoutOf(`node-${i}`), false));
    assert.equal(pool.size, waitingMax);
    assert.ok(pool.sameThing(payoutOf("own")));
    assert.equal(pool.sameThing(payoutOf("node-0")), undefined);
    assert.equal(pool.operations().length, perBlockMax);
    const full = new OperationPool();
    for (let i = 0; i < waitingMax; i++) full.add(payoutOf(`node-${i}`), true);
    assert.equal(full.add(payoutOf("one more"), true), false);
  });

  test("are of no other kinds", () => {
    const claim = create(ControlOperationSchema, {
      operation: { case: "suspendManager", value: { managerId: "manager-1" } },
    });
    assert.equal(new OperationPool().add(claim, true), false);
  });
});

describe("operations on their way to the chain", () => {
  let pool: OperationPool;
  let exchange: OperationExchange;
  let told: ControlOperation[];
  let dropped: string[];
  let wakes: number;
  let nowMs: number;
  let height: number;
  let isAtTip: boolean;
  let missing: RpcError | undefined;
  let problemOf: (operation: ControlOperation) => Violation | undefined;

  beforeEach(() => {
    pool = new OperationPool();
    [told, dropped, wakes, nowMs, height] = [[], [], 0, 1_000, 7];
    [isAtTip, missing] = [true, undefined];
    problemOf = () => undefined;
    const problem = async (operation: ControlOperation) => problemOf(operation);
    exchange = new OperationExchange(
      {
        head: () => ({ ...new Chain().head, height }),
        monotonicMs: () => nowMs,
        observer: { dropped: (from, reason) => dropped.push(`${from}: ${reason}`) },
      },
      {
        pool,
        check: { problem, unfit: problem },
        peers: {
          tell: (message) => {
            if (message.case === "operation") told.push(message.value);
          },
        },
        trigger: {
          check: () => {
            wakes += 1;
          },
        },
        abstention: {
          get atTip() {
            return isAtTip;
          },
        },
        availability: { whatIsMissing: () => missing },
      },
    );
  });

  const never = () => new AbortController().signal;
  const append = (...control: readonly ControlOperation[]) =>
    exchange.onAppended(++height, control.map(bytesOf));
  const reasonOf = async (answer: Promise<unknown>) => {
    const error = await answer.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof RpcError);
    return error.reason;
  };
  const unfit = violation("OPERATION_INVALID", "It does not fit any more.");

  test("are told to all at once, again every second, and answered with their block", async () => {
    const answers = [
      exchange.submit(payoutOf("a"), never()),
      exchange.submit(payoutOf("a"), never()),
    ];
    await turns();
    assert.deepEqual([told.length, wakes, exchange.hasWaiting], [1, 1, true]);
    nowMs += 1_000;
    await exchange.tick();
    await exchange.tick();
    assert.equal(told.length, 2);
    append(payoutOf("b"));
    append(payoutOf("b"), payoutOf("a"));
    assert.deepEqual(await Promise.all(answers), [{ height: 9 }, { height: 9 }]);
    nowMs += 1_000;
    await exchange.tick();
    assert.deepEqual([told.length, exchange.hasWaiting], [2, false]);
  });

  test("that no block could carry are refused for the block's reason", async () => {
    problemOf = () => violation("INVITATION_EXPIRED", "The invitation has expired.");
    assert.equal(await reasonOf(exchange.submit(admissionOf("a"), never())), "INVITATION_EXPIRED");
    assert.deepEqual([pool.size, told], [0, []]);
  });

  test("about the same thing do not stand beside each other", async () => {
    const first = exchange.submit(admissionOf("a"), never());
    const payout = exchange.submit(payoutOf("a"), never());
    await turns();
    const other = exchange.submit(admissionOf("a", "manager-2"), never());
    assert.equal(await reasonOf(other), "MEMBER_ID_TAKEN");
    assert.equal(await reasonOf(exchange.submit(payoutOf("a", 9n), never())), "OPERATION_INVALID");
    append(admissionOf("a"), payoutOf("a"));
    assert.deepEqual(await Promise.all([first, payout]), [{ height: 8 }, { height: 8 }]);
  });

  test("that fit no more are dropped, and who waits hears why", async () => {
    const answer = reasonOf(exchange.submit(payoutOf("a"), never()));
    await exchange.take("manager-2", payoutOf("b"));
    problemOf = () => unfit;
    isAtTip = false;
    nowMs += 1_000;
    await exchange.tick();
    assert.equal(pool.size, 2, "what is behind judges nothing");
    isAtTip = true;
    nowMs += 1_000;
    await exchange.tick();
    assert.equal(await answer, "OPERATION_INVALID");
    assert.equal(pool.size, 0);
  });

  test("are not dropped for the block that carries them", async () => {
    const answer = exchange.submit(payoutOf("a"), never());
    await turns();
    problemOf = () => unfit;
    height = 8;
    nowMs += 1_000;
    await exchange.tick();
    exchange.onAppended(8, [bytesOf(payoutOf("a"))]);
    assert.deepEqual(await answer, { height: 8 });
  });

  test("that pay or retire are answered with their block when they are repeated", async () => {
    append(payoutOf("a"), retirementOf("b"), returnOf("c"));
    problemOf = () => unfit;
    assert.deepEqual(await exchange.submit(payoutOf("a"), never()), { height: 8 });
    assert.deepEqual(await exchange.submit(retirementOf("b"), never()), { height: 8 });
    assert.equal(await reasonOf(exchange.submit(payoutOf("a", 6n), never())), "OPERATION_INVALID");
    assert.equal(await reasonOf(exchange.submit(returnOf("c"), never())), "OPERATION_INVALID");
    assert.deepEqual([pool.size, told], [0, []]);
    for (let i = 0; i < settledMax; i++) append(payoutOf("b", BigInt(i)));
    assert.equal(await reasonOf(exchange.submit(payoutOf("a"), never())), "OPERATION_INVALID");
  });

  test("that pay are answered with their block also when it comes while they are checked", async () => {
    problemOf = () => {
      append(payoutOf("a"));
      return unfit;
    };
    assert.deepEqual(await exchange.submit(payoutOf("a"), never()), { height: 8 });
  });

  test("wait on after a deadline; the caller hears who is missing, if anybody", async () => {
    const late = new AbortController();
    const answer = reasonOf(exchange.submit(payoutOf("a"), late.signal));
    await turns();
    late.abort();
    assert.equal(await answer, "DEADLINE");
    missing = new RpcError("STORAGE_UNAVAILABLE", "too few");
    const over = exchange.submit(payoutOf("a"), late.signal);
    assert.equal(await reasonOf(over), "STORAGE_UNAVAILABLE");
    assert.equal(pool.size, 1);
  });

  test("are not taken in by a manager that is behind, nor if they are of another kind", async () => {
    isAtTip = false;
    const answer = exchange.submit(payoutOf("a"), never());
    assert.equal(await reasonOf(answer), "MANAGERS_UNAVAILABLE");
    const claim = create(ControlOperationSchema, {
      operation: { case: "suspendStorageNode", value: { nodeId: "a" } },
    });
    assert.equal(await reasonOf(exchange.submit(claim, never())), "OPERATION_INVALID");
    await exchange.take("manager-2", claim);
    assert.deepEqual(dropped, ["manager-2: OPERATION_INVALID"]);
  });

  test("of others are checked, and not passed on", async () => {
    await exchange.take("manager-2", payoutOf("a"));
    await exchange.take("manager-3", payoutOf("a"));
    assert.deepEqual([pool.size, told, wakes], [1, [], 1]);
    nowMs += 1_000;
    await exchange.tick();
    assert.deepEqual(told, []);
    problemOf = () => violation("SIGNATURE_INVALID", "Forged.");
    await exchange.take("manager-2", payoutOf("b"));
    assert.deepEqual([pool.size, dropped], [1, ["manager-2: SIGNATURE_INVALID"]]);
  });

  test("of storage nodes are passed on by whoever took them in", async () => {
    await exchange.takeOwn("storage-1", returnOf("storage-1"));
    await exchange.takeOwn("storage-1", returnOf("storage-1"));
    assert.deepEqual([told.length, wakes], [1, 1]);
    await exchange.takeOwn("storage-1", returnOf("storage-1", 6n));
    assert.deepEqual([told.length, pool.size], [2, 1]);
  });

  test("have a bounded number of callers, who are told when the node stops", async () => {
    const answers = [];
    for (let i = 0; i < waitersMax; i++) answers.push(exchange.submit(payoutOf("a"), never()));
    assert.equal(await reasonOf(exchange.submit(payoutOf("a"), never())), "TOO_MANY_IN_FLIGHT");
    const reasons = Promise.all(answers.map(reasonOf));
    exchange.close();
    assert.deepEqual(new Set(await reasons), new Set(["NODE_STOPPING"]));
    const late = exchange.submit(payoutOf("a"), AbortSignal.timeout(5_000));
    assert.equal(await reasonOf(late), "NODE_STOPPING", "nobody waits for a node that stops");
  });
});
