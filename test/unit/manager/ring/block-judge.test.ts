/** Production, validation and judgement of candidate blocks, on a real store in memory. */
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { defined } from "../../../../src/base/assert.js";
import { systemTime } from "../../../../src/base/time.js";
import type { RingEvent } from "../../../../src/consensus/ring/events.js";
import type { ManagerBlock } from "../../../../src/gen/bss/v1/block_pb.js";
import { ControlOperationSchema } from "../../../../src/gen/bss/v1/genesis_pb.js";
import { votesEvidence } from "../../../../src/ledger/certificates/evidence.js";
import type { ParsedSubmission } from "../../../../src/ledger/records/submissions.js";
import { BlockJudge } from "../../../../src/manager/ring/block-judge.js";
import {
  BlockProducer,
  type BlockProducerPorts,
} from "../../../../src/manager/ring/block-producer.js";
import { BlockValidator } from "../../../../src/manager/ring/block-validator.js";
import { CandidateBlocks } from "../../../../src/manager/ring/candidate-blocks.js";
import { Chain } from "../../ledger/support/chain.js";
import { epochKey, floorPolicy, policy } from "../../ledger/support/consortium.js";
import { documentBytes, publicKeyOf, seedOf, submitted } from "../../ledger/support/records.js";
import { accuse, approveOf, suspend } from "../../ledger/support/statements.js";
import { LedgerWorld } from "../support/ledger-world.js";

function producerOf(
  world: LedgerWorld,
  candidates: readonly ParsedSubmission[],
  round = 0,
  ports: Partial<BlockProducerPorts> = {},
) {
  const { store } = world;
  const selfId = store.head.members.proposer(store.head.height + 1, round);
  return new BlockProducer({
    ...world.ports,
    selfId,
    epochKey,
    vrfSeed: seedOf(`vrf of ${selfId}`),
    headCertificates: () => store.headCertificates,
    operations: () => [],
    onBuilt: () => {},
    candidates: () => candidates,
    recordsMax: () => 1_000,
    settled: () => new Set(),
    ...ports,
  });
}

const wanted = (round: number) => ({ round, absent: [], unattested: false });

describe("a block that a manager makes", () => {
  test("is accurate to the others, and final with the certificates that it asks for", async () => {
    const world = await LedgerWorld.create();
    const validator = new BlockValidator({ ...world.ports, epochKey });
    for (const round of [0, 3]) {
      const submission = submitted([documentBytes(), documentBytes()]);
      const { block, executed } = await producerOf(world, [submission], round).build(wanted(round));
      const judged = await validator.judge(executed.facts.blockId, block);
      assert.ok(judged?.ok);
      assert.deepEqual(judged.value, executed);
      assert.equal(executed.facts.leafCount, 2);
      const { certificates } = await world.extend();
      const foreign = await validator.checkFinal(executed, certificates);
      assert.equal(foreign?.reason, "CERTIFICATE_INVALID");
    }
  });

  test("is told to whoever says what the next one does without", async () => {
    const world = await LedgerWorld.create();
    const asked: unknown[] = [];
    const told: unknown[] = [];
    const producer = producerOf(world, [], 2, {
      operations: (...wants) => {
        asked.push(wants);
        return [];
      },
      onBuilt: (built) => void told.push(built),
    });
    const built = await producer.build({ ...wanted(2), absent: ["manager-3"] });
    assert.deepEqual(asked, [[2, ["manager-3"]]]);
    assert.deepEqual(told, [built]);
  });

  test("is never timed before its parent, whatever the clock says", async () => {
    const world = await LedgerWorld.create();
    await world.extend();
    world.wallMs = 1_000;
    const { executed } = await producerOf(world, []).build(wanted(0));
    assert.equal(executed.facts.timestampMs, world.store.head.timestampMs + 1);
  });

  test("has a beacon that was made before, where it was this manager's turn", async () => {
    const world = await LedgerWorld.create();
    const { vrf } = world.ports;
    for (const [round, prepared] of [
      [0, 1],
      [1, 0],
    ] as const) {
      const inputs: Uint8Array[] = [];
      const prove: typeof vrf.prove = (seed, alpha) => {
        inputs.push(alpha);
        return vrf.prove(seed, alpha);
      };
      const producer = producerOf(world, [], round, { vrf: { ...vrf, prove } });
      producer.prepare();
      assert.equal(inputs.length, prepared);
      await producer.build(wanted(round));
      assert.equal(inputs.length, prepared + 1);
      assert.deepEqual(inputs[0], inputs.at(-1), "the VRF remembers it");
    }
  });
});

const admission = create(ControlOperationSchema, {
  operation: {
    case: "admitStorageNode",
    value: {
      nodeId: "storage-9",
      sponsorId: "manager-1",
      signingKey: publicKeyOf("storage-9"),
      tlsSpkiSha256: seedOf("tls of storage-9"),
    },
  },
});

describe("a block's control operations", () => {
  const statement = (block: string) => approveOf({ managerId: "manager-2", block });
  const cases = {
    "evidence, which two signatures carry": [
      accuse(votesEvidence(statement("A"), statement("B"))),
      undefined,
    ],
    "evidence with another one's signature": [
      accuse(
        votesEvidence(statement("A"), {
          ...approveOf({ managerId: "manager-1", block: "B" }),
          managerId: "manager-2",
        }),
      ),
      "SIGNATURE_INVALID",
    ],
    "an admission, to which nobody can have agreed": [admission, "OPERATION_INVALID"],
    "a suspension that the policy rules out": [suspend("manager-2"), "OPERATION_INVALID"],
  } as const;
  for (const [name, [operation, reason]] of Object.entries(cases)) {
    test(`${reason === undefined ? "may" : "may not"} be ${name}`, async () => {
      const world = await LedgerWorld.create();
      const validator = new BlockValidator({ ...world.ports, epochKey });
      const chain = new Chain(reason === "OPERATION_INVALID" ? floorPolicy : policy);
      const { block, executed } = chain.propose({ control: [operation] });
      assert.equal(block.block?.control.length, 1);
      const judged = await validator.judge(executed.facts.blockId, block);
      assert.equal(judged?.ok === false ? judged.error.reason : undefined, reason);
    });
  }
});

describe("the judgement of a candidate", () => {
  let world: LedgerWorld;
  let candidates: CandidateBlocks;
  let judge: BlockJudge;
  let posted: RingEvent[];
  let refused: string[];
  let fetched: (readonly string[])[];
  let height: number;
  /** How often a compact block is found to wait for its entries. */
  let awaits: number;
  /** What compact blocks make, one after the other. */
  let made: ManagerBlock[];
  let block: ManagerBlock;
  let blockId: Uint8Array;

  beforeEach(async () => {
    world = await LedgerWorld.create();
    candidates = new CandidateBlocks({ isBoundTo: () => false });
    [posted, refused, fetched, height, awaits, made] = [[], [], [], 1, 0, []];
    const after = (_: number, work: () => void) => {
      work();
      return { cancel: () => {} };
    };
    judge = new BlockJudge(
      {
        time: { ...systemTime, after },
        observer: { blockRefused: (_, reason) => refused.push(reason) },
      },
      {
        validator: new BlockValidator({ ...world.ports, epochKey }),
        candidates,
        ring: {
          get height() {
            return height;
          },
        },
        inbox: { post: (event) => posted.push(event) },
        peers: { fetchBody: (holders) => fetched.push(holders) },
        compact: { make: () => made.shift(), isAwaited: () => awaits-- > 0 },
      },
    );
    const built = world.chain.propose({ candidates: [submitted([documentBytes()])] });
    block = built.block;
    blockId = built.executed.facts.blockId;
  });

  const task = () => ({ kind: "validate", height: 1, blockId, holders: ["manager-2"] }) as const;
  const verdicts = () =>
    posted.map((event) => (event.kind === "judged" ? event.judgement.accurate : event.kind));

  /** The block under the same id, with something in its body that is not the id's. */
  const tampered = (): ManagerBlock => ({ ...block, records: [documentBytes()] });

  test("comes from the body that is here, and leaves it ready to be appended", async () => {
    candidates.add(1, block);
    await judge.judge(task());
    assert.deepEqual(verdicts(), [true]);
    assert.ok(candidates.get(blockId)?.executed);
    assert.deepEqual(fetched, []);
  });

  test("waits for the body that is asked of those who hold it", async () => {
    await judge.judge(task());
    assert.deepEqual([fetched, verdicts()], [[["manager-2"]], []]);
    await judge.takeBody(undefined);
    await judge.takeBody(block);
    await judge.takeBody(block);
    assert.deepEqual(verdicts(), [true], "the second copy was not asked for");
    assert.equal(candidates.get(blockId)?.block, block);
  });

  test("comes from the first compact block that makes the block's body", async () => {
    made = [tampered(), block, block];
    await judge.judge(task());
    assert.deepEqual([verdicts(), refused, fetched], [[true], ["BLOCK_MALFORMED"], []]);
    assert.equal(candidates.get(blockId)?.block, block);
    assert.equal(made.length, 1, "no more are made than are needed");
  });

  test("makes a compact block's body when the ring has asked for it, and not before", async () => {
    made = [block];
    await judge.takeCompact(blockId);
    assert.deepEqual([made.length, verdicts()], [1, []]);
    made = [];
    await judge.judge(task());
    made = [block];
    await judge.takeCompact(blockId);
    assert.deepEqual(verdicts(), [true]);
    await judge.takeCompact(blockId);
    assert.deepEqual(verdicts(), [true]);
  });

  test("makes nothing while a body is judged", async () => {
    await judge.judge(task());
    const running = judge.takeBody(block);
    made = [block];
    await judge.judge(task());
    await judge.takeCompact(blockId);
    await running;
    assert.deepEqual([made.length, verdicts()], [1, [true]]);
  });

  test("asks for no body while its proposer has time to send what is missing", async () => {
    awaits = 2;
    await judge.judge(task());
    assert.deepEqual([fetched, awaits], [[["manager-2"]], -1]);
  });

  test("is not made of a body that nobody asked for", async () => {
    await judge.takeBody(block);
    assert.deepEqual(verdicts(), []);
  });

  test("is not the block's fault when a body is not its own: it is asked for again", async () => {
    candidates.add(1, tampered());
    await judge.judge(task());
    assert.deepEqual([verdicts(), refused], [[], ["BLOCK_MALFORMED"]]);
    assert.equal(candidates.get(blockId), undefined);
    await judge.judge(task());
    await judge.takeBody(tampered());
    assert.deepEqual(verdicts(), []);
    await judge.judge(task());
    await judge.takeBody(block);
    assert.deepEqual(verdicts(), [true]);
  });

  test("says which rule a block breaks", async () => {
    // Rightly made, on top of another head.
    const later = world.chain;
    later.extend({ candidates: [submitted([documentBytes()])] });
    const second = later.propose();
    blockId = second.executed.facts.blockId;
    candidates.add(1, second.block);
    await judge.judge(task());
    assert.deepEqual(verdicts(), [false]);
    assert.equal(refused.length, 1);
    assert.equal(defined(candidates.get(blockId), "it is kept").executed, undefined);
  });

  test("runs once at a time, and not for a height that is over", async () => {
    candidates.add(1, block);
    await Promise.all([judge.judge(task()), judge.judge(task())]);
    assert.deepEqual(verdicts(), [true]);
    const running = judge.judge(task());
    height = 2;
    await running;
    await judge.judge(task());
    assert.deepEqual(verdicts(), [true]);
    height = 1;
    blockId = new Uint8Array(32);
    await judge.judge(task());
    judge.onAppended();
    await judge.takeBody(block);
    assert.deepEqual(verdicts(), [true]);
  });
});
