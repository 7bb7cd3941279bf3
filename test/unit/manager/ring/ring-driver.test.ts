/** Durable before visible: what the driver says is on disk before anybody hears it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { defined } from "../../../../src/base/assert.js";
import { systemTime } from "../../../../src/base/time.js";
import type { Outgoing, Task } from "../../../../src/consensus/ring/events.js";
import { Ring } from "../../../../src/consensus/ring/ring.js";
import { SignatureCache } from "../../../../src/crypto/signature-cache.js";
import type { ManagerBlock } from "../../../../src/gen/bss/v1/block_pb.js";
import { VoteKind } from "../../../../src/gen/bss/v1/vote_pb.js";
import type { BuiltBlock } from "../../../../src/ledger/blocks/block-building.js";
import type { BlockFacts } from "../../../../src/ledger/blocks/block-facts.js";
import { RingHalted } from "../../../../src/manager/fail-stop.js";
import { BlockValidator } from "../../../../src/manager/ring/block-validator.js";
import { CandidateBlocks } from "../../../../src/manager/ring/candidate-blocks.js";
import type { NewBlock } from "../../../../src/manager/ring/chain-writer.js";
import { clockOf, RingDriver } from "../../../../src/manager/ring/ring-driver.js";
import { eventsMax, RingInbox } from "../../../../src/manager/ring/ring-inbox.js";
import type { Signer } from "../../../../src/manager/signing/signer.js";
import { StatementLog } from "../../../../src/manager/signing/statement-log.js";
import { StoreError } from "../../../../src/store/store-error.js";
import { until } from "../../../support/rpc-consortium.js";
import { consortiumId, epochKey, genesis, policy } from "../../ledger/support/consortium.js";
import { documentBytes, submitted } from "../../ledger/support/records.js";
import { gate, LedgerWorld } from "../support/ledger-world.js";
import { memorySigner } from "../support/signers.js";
import { accept, approve, attestations, commit } from "../support/votes.js";

const selfId = genesis.members.proposer(1, 0);
const others = genesis.members.managers
  .map(({ managerId }) => managerId)
  .filter((id) => id !== selfId);

class Bench {
  readonly world: LedgerWorld;
  readonly built: BuiltBlock;
  readonly ring: Ring;
  readonly inbox: RingInbox;
  readonly driver: RingDriver;
  readonly sent: { readonly message: Outgoing; readonly body: ManagerBlock | undefined }[] = [];
  readonly tasks: Task[] = [];
  readonly appended: NewBlock[] = [];
  readonly fatal: Error[] = [];
  readonly accused: string[] = [];
  dropped = 0;
  clockMs = 0;
  /** Runs before statements are written. */
  beforeWrite = async () => {};

  listening = false;

  private constructor(world: LedgerWorld, signer: Signer) {
    this.world = world;
    this.built = world.chain.propose({ candidates: [submitted([documentBytes()])] });
    // Time stands still, so that no step expires on a machine that is slow.
    const { wallMs } = world.ports;
    const time = { ...systemTime, wallMs, monotonicMs: () => this.clockMs };
    const ring = new Ring({
      selfId,
      futureBoundMs: policy.futureBoundMs,
      resendMs: 60_000,
      timeouts: defined(policy.timeouts, "a policy has timeouts"),
      context: { height: 1, members: genesis.members },
      restored: { votes: [], proposals: [] },
      clock: clockOf(time),
    });
    this.ring = ring;
    this.inbox = new RingInbox({ eventDropped: () => this.dropped++ });
    const { inbox } = this;
    const candidates = new CandidateBlocks(ring);
    const failStop = { fail: (error: Error) => void this.fatal.push(error) };
    const statements = new StatementLog(
      {
        selfId,
        consortiumId,
        members: () => genesis.members,
        signatures: new SignatureCache(),
        time,
        signer,
        store: {
          saveStatements: async (said) => {
            await this.beforeWrite();
            await world.store.saveStatements(said);
          },
        },
        observer: { wrote: () => {} },
      },
      {
        ring,
        inbox,
        candidates,
        abstention: {
          mayVote: () => true,
          compare: () => {},
          refused: () => {},
          signerTrouble: () => {},
        },
        failStop,
      },
    );
    const isListening = () => this.listening;
    this.driver = new RingDriver(ring, inbox, {
      candidates,
      time,
      statements,
      failStop,
      abstention: {
        get listening() {
          return isListening();
        },
      },
      peers: { send: (message, body) => this.sent.push({ message, body }) },
      relays: {
        send: (proposal) =>
          void this.sent.push({ message: { kind: "proposal", proposal }, body: undefined }),
      },
      tasks: {
        start: (task) => {
          this.tasks.push(task);
          if (task.kind !== "build") return;
          const { block, executed } = this.built;
          candidates.add(1, block, executed);
          inbox.post({ kind: "built", height: 1, round: task.round, facts: executed.facts });
        },
      },
      supervision: { accuse: async (evidence) => void this.accused.push(evidence.managerId) },
      chain: {
        append: async (appended) => {
          await world.store.append(appended);
          this.appended.push(appended);
          ring.advance({ height: 2, members: world.store.head.members });
        },
      },
      observer: { statement: () => {}, expired: () => {} },
    });
  }

  static async create(): Promise<Bench> {
    return new Bench(await LedgerWorld.create(), await memorySigner(selfId));
  }

  get facts(): BlockFacts {
    return this.built.executed.facts;
  }

  kindsSent(): readonly string[] {
    return this.sent.map(({ message }) =>
      message.kind === "vote" ? `vote ${nameOf(message.vote.kind)}` : message.kind,
    );
  }

  /** What this manager would find that it has said, after a restart. */
  async saidOnDisk() {
    const { restored, bodies } = await this.world.store.loadHeight(1);
    return {
      votes: restored.votes.map(({ kind }) => nameOf(kind)).sort(),
      proposals: restored.proposals.length,
      locked: restored.lock !== undefined,
      bodies: bodies.length,
    };
  }
}

function nameOf(kind: VoteKind): string {
  const found = Object.entries(VoteKind).find(([, value]) => value === kind);
  return found?.[0] ?? "";
}

/** Long enough for everything that does not wait for something to have happened. */
async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

describe("the driver of the ring", () => {
  test("sends nothing while its statements are on their way to the disk", async () => {
    const bench = await Bench.create();
    const write = gate();
    bench.beforeWrite = () => write.promise;
    bench.driver.start();
    bench.inbox.post({ kind: "wake" });
    await until(() => bench.tasks.some(({ kind }) => kind === "build"));
    await turns();
    assert.equal(bench.sent.length, 0);
    write.open();
    await until(() => bench.sent.length >= 3);
    assert.deepEqual(bench.kindsSent(), ["proposal", "vote ACCEPT", "vote APPROVE"]);
    assert.equal(bench.sent[0]?.body, bench.built.block);
    assert.deepEqual(await bench.saidOnDisk(), {
      votes: ["ACCEPT", "APPROVE"],
      proposals: 1,
      locked: false,
      bodies: 1,
    });
    await bench.driver.close();
    assert.deepEqual(bench.fatal, []);
  });

  test("ends with the disk's error when a write fails, and has sent nothing", async () => {
    const bench = await Bench.create();
    bench.world.disk.failNextWrite();
    bench.driver.start();
    bench.inbox.post({ kind: "wake" });
    await until(() => bench.fatal.length > 0);
    assert.ok(bench.fatal[0] instanceof StoreError);
    bench.inbox.post({ kind: "wake" });
    await turns();
    assert.equal(bench.sent.length, 0);
    assert.equal(bench.fatal.length, 1);
  });

  test("commits with lock and body on disk first, and appends with certificates that hold", async () => {
    const bench = await Bench.create();
    const { facts, driver, inbox } = bench;
    driver.start();
    inbox.post({ kind: "wake" });
    await until(() => bench.sent.length >= 3);
    for (const id of others) {
      inbox.post({ kind: "vote", vote: accept(id, facts) });
      inbox.post({ kind: "vote", vote: approve(id, facts) });
    }
    await until(() => bench.tasks.some(({ kind }) => kind === "verify-integrity"));
    const write = gate();
    bench.beforeWrite = () => write.promise;
    for (const attestation of attestations(facts)) inbox.post({ kind: "attestation", attestation });
    await turns();
    assert.ok(!bench.kindsSent().includes("vote COMMIT"));
    write.open();
    await until(() => bench.kindsSent().includes("vote COMMIT"));
    const said = await bench.saidOnDisk();
    assert.deepEqual(said.votes, ["ACCEPT", "APPROVE", "COMMIT"]);
    assert.ok(said.locked);
    for (const id of others) inbox.post({ kind: "vote", vote: commit(id, facts) });
    await until(() => bench.appended.length > 0);
    await driver.close();
    const [{ block, certificates, executed }] = bench.appended as [NewBlock];
    assert.equal(block, bench.built.block);
    const validator = new BlockValidator({ ...bench.world.ports, epochKey });
    assert.equal(await validator.checkFinal(executed, certificates), undefined);
    assert.equal(bench.world.store.head.height, 1);
    assert.equal(bench.ring.height, 2);
    assert.deepEqual((await bench.saidOnDisk()).votes, [], "what was said is done with");
    assert.deepEqual(bench.fatal, []);
  });

  test("says how long the round took, without the time before it", async () => {
    const bench = await Bench.create();
    const { facts, driver, inbox } = bench;
    driver.start();
    await turns();
    bench.clockMs = 10_000;
    inbox.post({ kind: "wake" });
    await until(() => bench.sent.length >= 3);
    for (const id of others) {
      inbox.post({ kind: "vote", vote: accept(id, facts) });
      inbox.post({ kind: "vote", vote: approve(id, facts) });
    }
    await until(() => bench.tasks.some(({ kind }) => kind === "verify-integrity"));
    for (const attestation of attestations(facts)) inbox.post({ kind: "attestation", attestation });
    await until(() => bench.kindsSent().includes("vote COMMIT"));
    bench.clockMs += 250;
    for (const id of others) inbox.post({ kind: "vote", vote: commit(id, facts) });
    await until(() => bench.appended.length > 0);
    await driver.close();
    assert.equal(bench.appended[0]?.roundMs, 250);
  });

  test("halts when a block is final that it has found wrong", async () => {
    const bench = await Bench.create();
    const { facts, driver, inbox } = bench;
    const wrong = { height: 1, blockId: facts.blockId.with(0, 0) };
    driver.start();
    for (const id of others) inbox.post({ kind: "vote", vote: approve(id, wrong) });
    const violation = { reason: "DOUBLE_SPEND", message: "sold twice" } as const;
    inbox.post({
      kind: "judged",
      height: 1,
      blockId: wrong.blockId,
      judgement: { accurate: false, violation },
    });
    for (const id of others) inbox.post({ kind: "vote", vote: commit(id, wrong) });
    await until(() => bench.fatal.length > 0);
    assert.ok(bench.fatal[0] instanceof RingHalted);
    assert.deepEqual(bench.appended, []);
  });

  test("accuses who contradicts itself", async () => {
    const bench = await Bench.create();
    bench.driver.start();
    const [first, second] = others;
    assert.ok(first && second);
    const other = { height: 1, blockId: new Uint8Array(32).fill(1) };
    bench.inbox.post({ kind: "vote", vote: commit(first, bench.facts) });
    bench.inbox.post({ kind: "vote", vote: commit(second, bench.facts) });
    bench.inbox.post({ kind: "vote", vote: commit(first, other) });
    await until(() => bench.accused.length > 0);
    await bench.driver.close();
    assert.deepEqual(bench.accused, [first]);
  });

  test("runs jobs one at a time, each between two turns", async () => {
    const bench = await Bench.create();
    const { driver, inbox } = bench;
    const order: string[] = [];
    const first = gate();
    driver.start();
    const jobs = [
      inbox.exclusive(async () => {
        order.push("first starts");
        await first.promise;
        order.push("first ends");
      }),
      inbox.exclusive(async () => order.push("second")),
    ];
    await turns();
    assert.deepEqual(order, ["first starts"]);
    first.open();
    await Promise.all(jobs);
    assert.deepEqual(order, ["first starts", "first ends", "second"]);
    assert.deepEqual(bench.fatal, []);
    await driver.close();
  });

  test("runs jobs, and leaves events to wait, as long as the manager listens", async () => {
    const bench = await Bench.create();
    const { driver, inbox } = bench;
    bench.listening = true;
    driver.start();
    inbox.post({ kind: "wake" });
    assert.equal(await inbox.exclusive(async () => "done"), "done");
    await turns();
    assert.deepEqual(bench.tasks, []);
    assert.equal(inbox.length, 1);
    bench.listening = false;
    inbox.wake();
    await until(() => bench.sent.length >= 3);
    await driver.close();
    assert.deepEqual(bench.fatal, []);
  });

  test("ends with a job that fails, and leaves no other waiting", async () => {
    const bench = await Bench.create();
    const { driver, inbox } = bench;
    const failure = new StoreError("IO", "the disk is gone");
    driver.start();
    const jobs = [
      inbox.exclusive(async () => {
        throw failure;
      }),
      inbox.exclusive(async () => "done"),
    ];
    const [failed, left] = await Promise.allSettled(jobs);
    assert.deepEqual(failed, { status: "rejected", reason: failure });
    assert.equal(left?.status, "rejected");
    assert.deepEqual(bench.fatal, [failure]);
    await assert.rejects(inbox.exclusive(async () => "done"));
    await driver.close();
  });

  test("leaves no job waiting when it is closed", async () => {
    const bench = await Bench.create();
    const { driver, inbox } = bench;
    const held = gate();
    driver.start();
    const first = inbox.exclusive(() => held.promise);
    const second = inbox.exclusive(async () => "done");
    await turns();
    const closing = driver.close();
    held.open();
    await Promise.all([first, closing, assert.rejects(second)]);
    assert.deepEqual(bench.fatal, []);
  });

  test("drops the oldest events of a flood and counts them, but never a job", async () => {
    const bench = await Bench.create();
    const { driver, inbox } = bench;
    let ran = false;
    const job = inbox.exclusive(async () => {
      ran = true;
    });
    for (let i = 0; i < eventsMax + 10; i++) inbox.post({ kind: "wake" });
    assert.equal(inbox.length, eventsMax);
    assert.equal(bench.dropped, 11);
    driver.start();
    await job;
    assert.ok(ran);
    await driver.close();
  });

  test("takes no more turns once it is closed", async () => {
    const bench = await Bench.create();
    bench.driver.start();
    await bench.driver.close();
    bench.inbox.post({ kind: "wake" });
    await turns();
    assert.deepEqual(bench.tasks, []);
  });
});
