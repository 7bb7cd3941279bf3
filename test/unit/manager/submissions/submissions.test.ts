import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { toHex } from "../../../../src/base/bytes.js";
import { systemTime } from "../../../../src/base/time.js";
import {
  type RecordOutcome,
  type SignedObjections,
  WaitFor,
} from "../../../../src/gen/bss/v1/broadcast_pb.js";
import { type Submission, SubmissionSchema } from "../../../../src/gen/bss/v1/record_pb.js";
import {
  type ParsedSubmission,
  parsingWorkOf,
} from "../../../../src/ledger/records/submissions.js";
import { Pool } from "../../../../src/manager/pool/pool.js";
import { refusalLimits } from "../../../../src/manager/screening/screening-budget.js";
import {
  Submissions,
  type SubmissionsParts,
} from "../../../../src/manager/submissions/submissions.js";
import { RpcError } from "../../../../src/rpc/rpc-error.js";
import { rpcErrorFrom } from "../../../support/rpc-consortium.js";
import { epochKey } from "../../ledger/support/consortium.js";
import {
  documentBytes,
  hashOf,
  readingBytes,
  sign,
  submissionOf,
  submitted,
  tradeBytes,
} from "../../ledger/support/records.js";
import { gate, LedgerWorld } from "../support/ledger-world.js";
import { objectionTo } from "../support/objections.js";

const ample = { submissionsMax: 100, bytesMax: 10_000_000 };
const never = new AbortController().signal;

class Desk {
  readonly world: LedgerWorld;
  readonly pool: Pool;
  readonly submissions: Submissions;
  readonly relayed: Submission[] = [];
  readonly verdicts: string[] = [];
  readonly objections: SignedObjections[] = [];
  readonly dropped: string[] = [];
  readonly leftOut: (readonly number[])[] = [];
  missing: RpcError | undefined;
  blockRecordsMax = 1_000;
  /** That this manager's clock is ahead of the real one, ms, or of 0 when that stands still. */
  aheadMs = 0;
  standsStill = false;
  knowsAllFinal = false;
  atTip = true;
  /** Of the state. */
  reads = 0;
  /** Runs between the two looks at a record that lacks something. */
  beforeSecondLook = async () => {};
  /** Runs before a submission is written to disk. */
  beforeSave = async () => {};
  /** Runs after the state was read. */
  afterRead = async () => {};

  private constructor(world: LedgerWorld, limits = ample) {
    this.world = world;
    this.pool = new Pool({ limits, verdictWaitMs: 500 });
    this.submissions = new Submissions(this.#context(), this.#parts());
  }

  static async create(limits = ample): Promise<Desk> {
    return new Desk(await LedgerWorld.create(), limits);
  }

  take(
    message: Submission,
    waitFor: WaitFor = WaitFor.COMMITTED,
    signal = never,
    callerId?: string,
  ) {
    const caller = callerId ?? "participant-1";
    return this.submissions.take(message, { callerId: caller, waitFor, signal });
  }

  /** The next block, with what follows from it here. */
  async extend(candidates: readonly ParsedSubmission[]): Promise<void> {
    await this.submissions.onAppended(await this.world.extend({ candidates }));
    await this.submissions.idle();
  }

  async object(author: string, objection: SignedObjections): Promise<void> {
    await this.submissions.takeObjections(author, objection);
    await this.submissions.idle();
  }

  #context() {
    const { world } = this;
    const { store } = world;
    return {
      ...world.ports,
      monotonicMs: () => (this.standsStill ? 0 : world.ports.monotonicMs()) + this.aheadMs,
      epochKey,
      selfId: "manager-1",
      readState: async (keys: readonly Uint8Array[]) => {
        this.reads += 1;
        const state = await store.state(keys);
        await this.afterRead();
        return state;
      },
      time: {
        ...systemTime,
        after: (_: number, work: () => void) => {
          this.beforeSecondLook().then(work);
          return { cancel: () => {} };
        },
      },
      store: {
        get head() {
          return store.head;
        },
        falseObjections: store.falseObjections,
        locations: (hashes: readonly Uint8Array[]) => store.locations(hashes),
        finalBlock: (height: number) => store.finalBlock(height),
        placesAt: (positions: readonly number[]) => store.placesAt(positions),
        savePooled: async (submission: ParsedSubmission) => {
          await this.beforeSave();
          await store.savePooled(submission);
        },
        deletePooled: (ids: readonly Uint8Array[]) => store.deletePooled(ids),
      },
      observer: {
        dropped: (from: string, what: string) => void this.dropped.push(`${from}: ${what}`),
        verdict: () => {},
        objection: () => {},
        falseObjection: () => {},
        committed: () => {},
        poolChanged: () => {},
      },
    };
  }

  #parts(): SubmissionsParts {
    const { pool, relayed, verdicts, objections } = this;
    const knowsAllFinal = () => this.knowsAllFinal;
    const isAtTip = () => this.atTip;
    return {
      pool,
      size: { recordsMax: () => this.blockRecordsMax },
      candidates: { mightCure: () => false },
      ring: { status: () => ({ step: "idle" }) },
      abstention: {
        get atTip() {
          return isAtTip();
        },
      },
      tip: {
        get knowsAllFinal() {
          return knowsAllFinal();
        },
      },
      availability: { whatIsMissing: () => this.missing },
      statements: { sign: async (_kind, _height, digest) => sign("manager-1", digest) },
      broadcast: {
        relay: ({ submission, leftOut }) => {
          relayed.push(submission);
          this.leftOut.push(leftOut);
        },
        sendVerdict: (id) => verdicts.push(toHex(id)),
        sendObjections: (objection) => objections.push(objection),
      },
      background: { follow: (work) => void work },
      trigger: { check: () => {} },
    };
  }
}

/** "committed 1/0", "pending", "objection DOUBLE_SPEND". */
function textOf({ outcome }: RecordOutcome): string {
  switch (outcome.case) {
    case "committed":
      return `committed ${outcome.value.height}/${outcome.value.position}`;
    case "objection":
      return `objection ${outcome.value.reason}`;
    default:
      return String(outcome.case);
  }
}

/** Lets a call get as far as it gets by itself. */
async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

async function settled(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe("a submission that a participant brings", () => {
  test("is pooled, relayed, and answered when a block has it", async () => {
    const desk = await Desk.create();
    const submission = submitted([documentBytes(), documentBytes()]);
    const answer = desk.take(submission.message);
    await settled(() => desk.pool.has(submission.idHex));
    assert.deepEqual(desk.relayed, [submission.message]);
    assert.deepEqual(desk.verdicts, [], "who relays it finds it accurate");
    assert.deepEqual(await desk.world.savedIds(), []);
    await desk.extend([submission]);
    assert.deepEqual((await answer).outcomes.map(textOf), ["committed 1/0", "committed 1/1"]);
    assert.equal(desk.pool.submissionCount, 0);
  });

  test("is on disk before it is called accepted, and gone from there with its block", async () => {
    const desk = await Desk.create();
    const submission = submitted([documentBytes()]);
    const saving = gate();
    desk.beforeSave = () => saving.promise;
    let answered = false;
    const answer = desk.take(submission.message, WaitFor.ACCEPTED).finally(() => {
      answered = true;
    });
    await settled(() => desk.pool.has(submission.idHex));
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(answered, false);
    saving.open();
    assert.deepEqual((await answer).outcomes.map(textOf), ["pending"]);
    assert.deepEqual(await desk.world.savedIds(), [toHex(submission.message.signature)]);
    await desk.extend([submission]);
    assert.deepEqual(await desk.world.savedIds(), []);
  });

  test("leaves nothing behind when a block completes it while it is being saved", async () => {
    const desk = await Desk.create();
    const submission = submitted([documentBytes()]);
    desk.beforeSave = () => desk.extend([submission]);
    const answer = await desk.take(submission.message, WaitFor.ACCEPTED);
    assert.deepEqual(answer.outcomes.map(textOf), ["committed 1/0"]);
    assert.equal(desk.pool.submissionCount, 0);
    assert.deepEqual(await desk.world.savedIds(), []);
  });

  for (const how of ["taken in", "relayed", "restored"] as const) {
    test(`does not wait in the pool when a block had it while it was being ${how}`, async () => {
      const desk = await Desk.create();
      const submission = submitted([documentBytes()]);
      desk.afterRead = async () => {
        desk.afterRead = async () => {};
        await desk.extend([submission]);
      };
      if (how === "taken in") {
        const answer = await desk.take(submission.message);
        assert.deepEqual(answer.outcomes.map(textOf), ["committed 1/0"]);
      } else if (how === "relayed") {
        assert.deepEqual(
          await desk.submissions.takeRelayed("manager-2", submission.message),
          undefined,
        );
      } else {
        await desk.world.store.savePooled(submission);
        await desk.submissions.restore([submission.message]);
        assert.deepEqual(await desk.world.savedIds(), []);
      }
      assert.equal(desk.pool.submissionCount, 0);
    });
  }

  test("is told which record of its own stands in the way, and nobody else is", async () => {
    const desk = await Desk.create();
    const reading = readingBytes();
    const update = readingBytes({ parent: hashOf(reading), exported: 1 });
    await desk.extend([submitted([reading])]);
    await desk.extend([submitted([update])]);
    const again = readingBytes({ exported: 2 });
    const late = readingBytes({ parent: hashOf(reading), exported: 3 });
    const named = async (records: readonly Uint8Array[], submitter: string) => {
      const { message } = submitted(records, submitter);
      const { outcomes } = await desk.take(message, WaitFor.ACCEPTED, never, submitter);
      return outcomes.map(({ outcome }) =>
        outcome.case === "objection" ? outcome.value.standingRecordHash : undefined,
      );
    };
    const standing = hashOf(update);
    assert.deepEqual(await named([again, late], "participant-1"), [standing, standing]);
    const none = new Uint8Array();
    assert.deepEqual(await named([again, late], "head-end"), [none, none]);
  });

  test("comes twice and gets its first place twice", async () => {
    const desk = await Desk.create();
    const submission = submitted([documentBytes()]);
    const both = [desk.take(submission.message), desk.take(submission.message)];
    await settled(() => desk.pool.has(submission.idHex));
    await desk.extend([submission]);
    const third = desk.take(submission.message);
    for (const answer of await Promise.all([...both, third])) {
      assert.deepEqual(answer.outcomes.map(textOf), ["committed 1/0"]);
    }
    assert.equal(desk.relayed.length, 1);
  });

  test("waits with the records that are not on the ledger yet, and only with these", async () => {
    const desk = await Desk.create();
    const [old, fresh] = [documentBytes(), documentBytes()];
    await desk.extend([submitted([old])]);
    const mixed = submitted([fresh, old]);
    const answer = desk.take(mixed.message);
    await settled(() => desk.pool.has(mixed.idHex));
    assert.equal(desk.pool.recordCount, 1);
    await desk.extend([mixed]);
    assert.deepEqual((await answer).outcomes.map(textOf), ["committed 2/1", "committed 1/0"]);
  });

  test("keeps its right records when one of them breaks a rule that nothing cures", async () => {
    const desk = await Desk.create();
    const wrong = documentBytes({ mediaType: "" });
    const submission = submitted([wrong, documentBytes()]);
    const answer = desk.take(submission.message);
    await settled(() => desk.pool.has(submission.idHex));
    const right = submitted(submission.records.slice(1).map(({ bytes }) => bytes));
    await desk.extend([right]);
    const outcomes = (await answer).outcomes.map(textOf);
    assert.deepEqual(outcomes, ["objection DOCUMENT_INVALID", "committed 1/0"]);
  });

  test("stays when its caller's time is up, which hears what is missing", async () => {
    const desk = await Desk.create();
    const submission = submitted([documentBytes()]);
    const askInVain = async () => {
      const abort = new AbortController();
      const answer = rpcErrorFrom(desk.take(submission.message, WaitFor.COMMITTED, abort.signal));
      await settled(() => desk.pool.has(submission.idHex));
      await turns();
      abort.abort();
      return answer;
    };
    assert.equal((await askInVain()).reason, "DEADLINE");
    desk.missing = new RpcError("STORAGE_UNAVAILABLE", "all asleep");
    const named = await askInVain();
    assert.equal(named.reason, "STORAGE_UNAVAILABLE");
    assert.ok(desk.pool.has(submission.idHex));
  });

  test("gets its places when it comes again, however full its share of the pool is", async () => {
    const desk = await Desk.create({ submissionsMax: 8, bytesMax: 100_000_000 });
    const first = submitted([documentBytes(), documentBytes()]);
    await desk.extend([first]);
    const fill = () => desk.take(submissionOf([documentBytes()]), WaitFor.ACCEPTED);
    for (let i = 0; i < 2; i++) await fill();
    assert.equal((await rpcErrorFrom(fill())).reason, "POOL_SHARE_FULL");
    const { outcomes } = await desk.take(first.message);
    assert.deepEqual(outcomes.map(textOf), ["committed 1/0", "committed 1/1"]);
    const placed = first.records.map(({ bytes }) => bytes).slice(0, 1);
    const mixed = submissionOf([...placed, ...Array.from({ length: 49 }, () => documentBytes())]);
    const reasons = new Set<string>();
    for (let sent = 0; sent <= refusalLimits.burst; sent += 49) {
      reasons.add((await rpcErrorFrom(desk.take(mixed))).reason);
    }
    const inVain = ["POOL_SHARE_FULL", "REFUSALS_EXHAUSTED"];
    assert.deepEqual([...reasons], inVain, "what is new of it was looked at in vain");
  });

  test("is refused before any work when it would wait too long, unless it waits already", async () => {
    const desk = await Desk.create();
    desk.blockRecordsMax = 2;
    for (let i = 0; i < 3; i++) {
      const placed = submitted([documentBytes(), documentBytes()]);
      await desk.take(placed.message, WaitFor.ACCEPTED);
      desk.aheadMs += 10_000;
      await desk.extend([placed]);
    }
    const waiting = submitted([documentBytes(), documentBytes(), documentBytes()]);
    await desk.take(waiting.message, WaitFor.ACCEPTED);
    const { reads } = desk;
    const refused = await rpcErrorFrom(desk.take(submissionOf([documentBytes()])));
    assert.equal(refused.reason, "POOL_SHARE_FULL");
    assert.ok(refused.retryAfterMs >= 1_000, `${refused.retryAfterMs} ms`);
    assert.equal(desk.reads, reads);
    await desk.take(waiting.message, WaitFor.ACCEPTED);
    desk.aheadMs += 1_000;
    await desk.extend([waiting]);
    await desk.take(submissionOf([documentBytes()]), WaitFor.ACCEPTED);
  });

  test("does not wait before itself when it comes again", async () => {
    const desk = await Desk.create();
    desk.standsStill = true;
    desk.blockRecordsMax = 2;
    for (let i = 0; i < 3; i++) {
      const placed = submitted([documentBytes(), documentBytes()]);
      await desk.take(placed.message, WaitFor.ACCEPTED);
      desk.aheadMs += 4_000;
      await desk.extend([placed]);
    }
    const waiting = submitted([documentBytes()]);
    const answers = [desk.take(waiting.message)];
    await settled(() => desk.pool.has(waiting.idHex));
    for (let i = 0; i < 4; i++) answers.push(desk.take(waiting.message));
    const isLetIn = async () => {
      const other = desk.take(submissionOf([documentBytes()]), WaitFor.ACCEPTED);
      return other.then(
        () => true,
        () => false,
      );
    };
    // Those that come again are looked at first.
    let isIn = await isLetIn();
    for (let tries = 0; !isIn && tries < 500; tries++) {
      await turns();
      isIn = await isLetIn();
    }
    assert.ok(isIn);
    await desk.extend([waiting]);
    await Promise.all(answers);
  });

  test("is refused when its turn comes if too much has come, unless it asks for places", async () => {
    for (const isNew of [true, false]) {
      const desk = await Desk.create();
      desk.standsStill = true;
      desk.blockRecordsMax = 2;
      const onLedger = documentBytes();
      for (let i = 0; i < 3; i++) {
        const placed = submitted([i === 0 ? onLedger : documentBytes(), documentBytes()]);
        await desk.take(placed.message, WaitFor.ACCEPTED);
        desk.aheadMs += 4_000;
        await desk.extend([placed]);
      }
      const meanwhile = submitted(Array.from({ length: 8 }, () => documentBytes()));
      const onParsed = () => {
        const unsettled = meanwhile.records.map(({ hashHex }) => hashHex);
        const { participantId } = meanwhile;
        const causer = { kind: "manager", id: "manager-2", participantId } as const;
        desk.pool.add(meanwhile, { causer, nowMs: 0, unsettled });
      };
      const { reads } = desk;
      const options = { callerId: "participant-1", waitFor: WaitFor.ACCEPTED, signal: never };
      const message = submissionOf([isNew ? documentBytes() : onLedger]);
      const answer = desk.submissions.take(message, { ...options, onParsed });
      if (isNew) {
        const refused = await rpcErrorFrom(answer);
        assert.deepEqual([refused.reason, desk.reads], ["POOL_SHARE_FULL", reads]);
        await desk.extend([meanwhile]);
        await desk.take(message, WaitFor.ACCEPTED);
      } else {
        assert.deepEqual((await answer).outcomes.map(textOf), ["committed 1/0"]);
      }
    }
  });

  test("is refused as a whole: wrong caller, wrong signature, no room, nothing at all", async () => {
    const desk = await Desk.create({ submissionsMax: 1, bytesMax: 10_000_000 });
    const message = submissionOf([documentBytes()]);
    const stranger = desk.take(message, WaitFor.COMMITTED, never, "participant-2");
    assert.equal((await rpcErrorFrom(stranger)).reason, "CALLER_NOT_SUBMITTER");
    const forged = { ...message, signature: message.signature.with(0, 1 ^ 0xff) };
    const refused = await rpcErrorFrom(desk.take(forged));
    assert.deepEqual(
      [refused.reason, refused.field],
      ["SIGNATURE_INVALID", "submission.signature"],
    );
    const nothing = desk.submissions.take(undefined, {
      callerId: "participant-1",
      waitFor: WaitFor.COMMITTED,
      signal: never,
    });
    assert.equal((await rpcErrorFrom(nothing)).reason, "SUBMISSION_MALFORMED");
    await desk.take(message, WaitFor.ACCEPTED);
    const full = desk.take(submissionOf([documentBytes()]), WaitFor.ACCEPTED);
    assert.equal((await rpcErrorFrom(full)).reason, "POOL_FULL");
    assert.equal((await desk.world.savedIds()).length, 1);
    assert.equal(desk.relayed.length, 1);
  });
});

describe("[R3.2] a submission with what the ledger has or contradicts", () => {
  const reading = readingBytes({ exported: 50, imported: 0 });
  const bought = readingBytes({ owner: "participant-2", meter: "meter-2", exported: 0 });
  const meters = [submitted([reading]), submitted([bought], "participant-2")];
  const sold = tradeBytes({ id: "sold", energy: 50 });

  const withLedger = async () => {
    const desk = await Desk.create();
    await desk.extend([...meters, submitted([sold])]);
    desk.knowsAllFinal = true;
    return desk;
  };

  const repeats: readonly (readonly [string, () => Uint8Array, string])[] = [
    ["the same bytes", () => reading, "committed 1/0"],
    ["a reading with another salt", () => readingBytes(), "objection INTERVAL_OVERLAP"],
    ["the terms of a trade", () => tradeBytes({ id: "sold" }), "objection TRADE_REPEATED"],
    ["a double sale", () => tradeBytes({ energy: 1 }), "objection DOUBLE_SPEND"],
  ];
  for (const [what, record, outcome] of repeats) {
    test(`is answered here, and nobody else hears of it: ${what}`, async () => {
      const desk = await withLedger();
      const count = 20;
      for (let i = 0; i < count; i++) {
        const answer = await desk.take(submissionOf([record()]));
        assert.deepEqual(answer.outcomes.map(textOf), [outcome]);
      }
      assert.equal(desk.pool.submissionCount, 0);
      assert.deepEqual([desk.relayed, desk.verdicts, desk.objections], [[], [], []]);
      const looks = outcome.endsWith("DOUBLE_SPEND") ? 2 : 1;
      assert.equal(desk.reads, looks * count, "a read for each look");
    });
  }

  test("is refused by a manager that is behind too, if its ledger contradicts it", async () => {
    const desk = await withLedger();
    desk.knowsAllFinal = false;
    const answer = await desk.take(submissionOf([readingBytes()]));
    assert.deepEqual(answer.outcomes.map(textOf), ["objection INTERVAL_OVERLAP"]);
  });

  test("waits for a block where something lacks, but this manager may not know all", async () => {
    const desk = await withLedger();
    desk.knowsAllFinal = false;
    const sale = submitted([tradeBytes({ energy: 1 })]);
    await desk.take(sale.message, WaitFor.ACCEPTED);
    assert.ok(desk.pool.has(sale.idHex));
    assert.equal(desk.relayed.length, 1);
  });

  test("waits for a block if what lacks comes in the moment before the second look", async () => {
    const desk = await withLedger();
    const parent = documentBytes();
    const child = submitted([documentBytes({}, { parent: hashOf(parent) })]);
    const pending = submitted([parent]);
    desk.beforeSecondLook = async () => {
      await desk.submissions.takeRelayed("manager-2", pending.message);
    };
    const answer = desk.take(child.message);
    await settled(() => desk.pool.has(child.idHex));
    await desk.extend([pending, child]);
    assert.deepEqual((await answer).outcomes.map(textOf), ["committed 2/4"]);
  });

  test("is not refused for what a block brings while it is being looked at again", async () => {
    const desk = await withLedger();
    const parent = documentBytes();
    const child = submitted([documentBytes({}, { parent: hashOf(parent) })]);
    desk.beforeSecondLook = async () => {
      desk.afterRead = async () => {
        desk.afterRead = async () => {};
        await desk.extend([submitted([parent])]);
      };
    };
    await desk.take(child.message, WaitFor.ACCEPTED);
    assert.ok(desk.pool.has(child.idHex), "the parent stands in the block after the one read");
  });

  test("is accurate to whoever relays it", async () => {
    const desk = await withLedger();
    const relayed = submitted([documentBytes()]);
    await desk.submissions.takeRelayed("manager-2", relayed.message);
    const ripe = (...awaited: string[]) => desk.pool.ripe(0, awaited, 1).length;
    assert.equal(ripe("manager-2"), 1);
    assert.equal(ripe("manager-2", "manager-3"), 0);
    await desk.submissions.takeRelayed("manager-3", relayed.message);
    assert.equal(ripe("manager-2", "manager-3"), 1, "one that is here already, too");
  });

  test("keeps its new records, and has a verdict about these alone", async () => {
    const desk = await withLedger();
    const fresh = documentBytes();
    const mixed = submitted([readingBytes(), fresh, reading]);
    const answer = desk.take(mixed.message);
    await settled(() => desk.pool.has(mixed.idHex));
    await desk.extend([submitted([fresh])]);
    assert.deepEqual((await answer).outcomes.map(textOf), [
      "objection INTERVAL_OVERLAP",
      "committed 2/3",
      "committed 1/0",
    ]);
    const other = submitted([readingBytes(), documentBytes()]);
    const objections = await desk.submissions.takeRelayed("manager-2", other.message);
    assert.deepEqual(desk.verdicts, [other.idHex]);
    assert.deepEqual(
      objections?.objections.map(({ reason }) => reason),
      ["INTERVAL_OVERLAP"],
      "who relays it may not have the block yet",
    );
  });
});

describe("a participant whose records come to nothing", () => {
  const refusedAtOnce = 50;
  const wrongOnes = () =>
    submissionOf(Array.from({ length: refusedAtOnce }, () => documentBytes({ mediaType: "" })));

  test("[R4.7.5] is heard until its budget is used up, and told when it may come again", async () => {
    const desk = await Desk.create();
    for (let sent = 0; sent < refusalLimits.burst; sent += refusedAtOnce) {
      const { outcomes, objectionSignature } = await desk.take(wrongOnes());
      assert.equal(outcomes.length, refusedAtOnce);
      assert.equal(objectionSignature?.signature.length, 64, "one signature for all");
    }
    const refused = await rpcErrorFrom(desk.take(wrongOnes()));
    const waitMs = (refusedAtOnce / refusalLimits.perSecond) * 1_000;
    assert.deepEqual(
      [refused.reason, refused.status, refused.retryAfterMs],
      ["REFUSALS_EXHAUSTED", "RESOURCE_EXHAUSTED", waitMs],
    );
  });

  test("is not held up by what others, or managers that relay, have used up", async () => {
    const desk = await Desk.create();
    for (let sent = 0; sent < refusalLimits.burst; sent += refusedAtOnce) {
      await desk.submissions.takeRelayed("manager-2", wrongOnes());
    }
    assert.equal(await desk.submissions.takeRelayed("manager-2", wrongOnes()), undefined);
    assert.deepEqual(desk.dropped, ["manager-2: OVER_BUDGET"]);
    assert.equal((await desk.take(wrongOnes())).outcomes.length, refusedAtOnce);
    assert.ok(await desk.submissions.takeRelayed("manager-3", wrongOnes()));
  });

  test("is not charged for what a manager relays of its old submissions", async () => {
    const desk = await Desk.create();
    const lacking = () => documentBytes({}, { parent: hashOf(documentBytes()) });
    const old = submitted(Array.from({ length: refusedAtOnce }, lacking));
    const objections = old.records.map((_, index) => {
      return objectionTo(old, { height: 0, reason: "PARENT_UNKNOWN", index });
    });
    for (let sent = 0; sent < 3 * refusalLimits.burst; sent += refusedAtOnce) {
      await desk.submissions.takeRelayed("manager-2", old.message);
      if (!desk.pool.has(old.idHex)) break;
      for (const each of objections) await desk.submissions.takeObjections("manager-2", each);
      await desk.submissions.idle();
      assert.equal(desk.pool.submissionCount, 0, "what it lacks does not come");
    }
    assert.ok(desk.dropped.includes("manager-2: OVER_BUDGET"), "whoever relays it pays");
    const { outcomes } = await desk.take(submissionOf([documentBytes()]), WaitFor.ACCEPTED);
    assert.deepEqual(outcomes.map(textOf), ["pending"]);
  });

  test("pays for the bytes that are parsed in vain, in however few records they are", async () => {
    const desk = await Desk.create();
    const long = documentBytes({ content: new Uint8Array(60_000) });
    const broken = submissionOf([...Array<Uint8Array>(40).fill(long), new Uint8Array(1)]);
    const price = parsingWorkOf(broken);
    assert.ok(price > 10 * broken.records.length);
    const send = () => rpcErrorFrom(desk.take(broken));
    for (let paid = price; paid <= refusalLimits.burst; paid += price) {
      assert.notEqual((await send()).reason, "REFUSALS_EXHAUSTED");
    }
    assert.equal((await send()).reason, "REFUSALS_EXHAUSTED");
  });

  test("pays for submissions of others that it sends as its own", async () => {
    const desk = await Desk.create();
    const foreign = wrongOnes();
    const send = () => rpcErrorFrom(desk.take(foreign, WaitFor.COMMITTED, never, "participant-2"));
    for (let sent = 0; sent < refusalLimits.burst; sent += refusedAtOnce) {
      assert.equal((await send()).reason, "CALLER_NOT_SUBMITTER");
    }
    assert.equal((await send()).reason, "REFUSALS_EXHAUSTED");
  });

  test("is not looked at once it has gone", async () => {
    const desk = await Desk.create();
    const gone = AbortSignal.abort();
    const error = await rpcErrorFrom(desk.take(wrongOnes(), WaitFor.COMMITTED, gone));
    assert.deepEqual([error.reason, desk.reads], ["DEADLINE", 0]);
  });
});

describe("a submission that another manager relays", () => {
  test("is known by its id when it waits here, and not parsed again", async () => {
    const desk = await Desk.create();
    const relayed = submitted([documentBytes()]);
    await desk.submissions.takeRelayed("manager-2", relayed.message);
    const { header, signature } = relayed.message;
    const unreadable = create(SubmissionSchema, { header, signature, records: [header] });
    await desk.submissions.takeRelayed("manager-3", unreadable);
    assert.equal(desk.pool.ripe(0, ["manager-2", "manager-3"], 1).length, 1);
    assert.deepEqual(desk.dropped, []);
  });

  const many = (bytes: () => Uint8Array) => Array.from({ length: 50 }, bytes);
  const inVain: readonly (readonly [string, (submitter: string) => Submission])[] = [
    [
      "cannot be parsed",
      (submitter) =>
        submissionOf(
          many(() => new Uint8Array(1)),
          submitter,
        ),
    ],
    [
      "is refused altogether",
      (submitter) =>
        submissionOf(
          many(() => documentBytes({ mediaType: "" })),
          submitter,
        ),
    ],
    [
      "nobody has signed",
      (submitter) => ({
        ...submissionOf(
          many(() => documentBytes()),
          submitter,
        ),
        signature: new Uint8Array(64),
      }),
    ],
  ];
  for (const [which, message] of inVain) {
    test(`is charged to that manager when it ${which}, whosever it is`, async () => {
      const desk = await Desk.create();
      const relay = (from: string, i: number) =>
        desk.submissions.takeRelayed(
          from,
          message(i % 2 === 0 ? "participant-1" : "participant-2"),
        );
      const sentMax = refusalLimits.burst / 50;
      for (let i = 0; i < sentMax; i++) await relay("manager-2", i);
      assert.ok(!desk.dropped.includes("manager-2: OVER_BUDGET"));
      await relay("manager-2", 0);
      assert.equal(desk.dropped.at(-1), "manager-2: OVER_BUDGET");
      await relay("manager-3", 0);
      assert.ok(!desk.dropped.includes("manager-3: OVER_BUDGET"));
    });
  }

  test("is not charged to that manager by one that is behind and cannot judge it", async () => {
    const desk = await Desk.create();
    desk.atTip = false;
    // Each of a participant of whom this manager has not heard yet.
    const relay = (i: number) => {
      const records = many(() => documentBytes());
      return desk.submissions.takeRelayed("manager-2", submissionOf(records, `new-${i}`));
    };
    for (let i = 0; i <= refusalLimits.burst / 50; i++) await relay(i);
    desk.atTip = true;
    const honest = submitted(many(() => documentBytes()));
    await desk.submissions.takeRelayed("manager-2", honest.message);
    assert.deepEqual(desk.dropped, []);
    assert.ok(desk.pool.has(honest.idHex));
  });

  test("is not charged to that manager when a block has it while it waits for its turn", async () => {
    const desk = await Desk.create();
    const late = submitted(many(() => documentBytes()));
    const relay = (from: string, message: Submission) =>
      desk.submissions.takeRelayed(from, message);
    const vain = submissionOf(many(() => new Uint8Array(1)));
    for (let i = 1; i < refusalLimits.burst / 50; i++) await relay("manager-2", vain);
    desk.dropped.length = 0;
    const turn = gate();
    desk.afterRead = () => turn.promise;
    const before = relay("manager-3", submissionOf(many(() => documentBytes())));
    await settled(() => desk.reads === 1);
    const waits = relay("manager-2", late.message);
    await desk.extend([late]);
    turn.open();
    await Promise.all([before, waits]);
    const next = submitted(many(() => documentBytes()));
    await relay("manager-2", next.message);
    assert.deepEqual(desk.dropped, []);
    await relay("manager-2", late.message);
    await relay("manager-2", submissionOf(many(() => documentBytes())));
    assert.deepEqual(desk.dropped, ["manager-2: OVER_BUDGET"], "what comes after the block is");
  });

  test("gets a verdict once, and is not relayed on", async () => {
    const desk = await Desk.create();
    const submission = submitted([documentBytes()]);
    assert.deepEqual(
      await desk.submissions.takeRelayed("manager-2", submission.message),
      undefined,
    );
    assert.deepEqual(
      await desk.submissions.takeRelayed("manager-2", submission.message),
      undefined,
    );
    assert.deepEqual(desk.verdicts, [submission.idHex]);
    assert.deepEqual(desk.relayed, []);
    assert.deepEqual(desk.pool.own(), []);
  });

  test("is objected to where it breaks a rule, and gets no verdict", async () => {
    const desk = await Desk.create();
    const wrong = documentBytes({ mediaType: "" });
    const submission = submitted([wrong, documentBytes()]);
    const objections = await desk.submissions.takeRelayed("manager-2", submission.message);
    assert.deepEqual(
      objections?.objections.map(({ recordHash, reason }) => [toHex(recordHash), reason]),
      [[toHex(hashOf(wrong)), "DOCUMENT_INVALID"]],
    );
    assert.deepEqual(desk.verdicts, []);
    assert.equal(desk.pool.recordCount, 1);
  });

  test("is not looked at where whoever relays it has left records out", async () => {
    const [taking, other] = [await Desk.create(), await Desk.create()];
    const wrong = documentBytes({ mediaType: "" });
    const submission = submitted([wrong, documentBytes()]);
    void taking.take(submission.message);
    await settled(() => taking.relayed.length === 1);
    assert.deepEqual(taking.leftOut, [[0]]);
    const answer = await other.submissions.takeRelayed("manager-2", submission.message, [0]);
    assert.equal(answer, undefined, "who relays it has refused the record itself");
    assert.deepEqual(other.verdicts, [submission.idHex]);
    assert.equal(other.pool.recordCount, 1);
  });

  test("is whole once one manager relays what another has left out", async () => {
    const desk = await Desk.create();
    const submission = submitted([documentBytes(), documentBytes()]);
    const relay = (from: string, leftOut: readonly number[]) =>
      desk.submissions.takeRelayed(from, submission.message, leftOut);
    await relay("manager-2", [0, 1]);
    assert.equal(desk.pool.submissionCount, 0, "nothing of it is to be ordered");
    await relay("manager-2", [1]);
    assert.equal(desk.pool.recordCount, 1);
    await relay("manager-3", []);
    assert.equal(desk.pool.recordCount, 2);
    desk.reads = 0;
    await relay("manager-4", []);
    assert.equal(desk.reads, 0, "there is nothing new");
  });

  test("is relayed by the manager to which its submitter brings it, with what was left out", async () => {
    const desk = await Desk.create();
    const submission = submitted([documentBytes(), documentBytes(), documentBytes()]);
    await desk.submissions.takeRelayed("manager-2", submission.message, [1, 2]);
    await desk.take(submission.message, WaitFor.ACCEPTED);
    assert.deepEqual([desk.relayed, desk.leftOut], [[submission.message], [[]]]);
    assert.equal(desk.pool.own().length, 1, "relayed again when a link comes up");
    await desk.take(submission.message, WaitFor.ACCEPTED);
    assert.equal(desk.relayed.length, 1);
  });

  test("is relayed again with records that were refused and keep every rule by now", async () => {
    const [taking, other] = [await Desk.create(), await Desk.create()];
    const parent = documentBytes();
    const child = documentBytes({}, { parent: hashOf(parent) });
    const submission = submitted([documentBytes(), child]);
    for (const desk of [taking, other]) desk.knowsAllFinal = true;
    void taking.take(submission.message);
    await settled(() => taking.relayed.length === 1);
    await other.submissions.takeRelayed("manager-2", submission.message, taking.leftOut[0]);
    assert.deepEqual(taking.leftOut, [[1]]);
    for (const desk of [taking, other]) await desk.extend([submitted([parent])]);
    void taking.take(submission.message);
    await settled(() => taking.relayed.length === 2);
    await other.submissions.takeRelayed("manager-2", submission.message, taking.leftOut[1]);
    assert.equal(other.pool.recordCount, 2);
  });

  test("is looked at again where a record of it was refused and is relayed once more", async () => {
    const desk = await Desk.create();
    const parent = documentBytes();
    const child = documentBytes({}, { parent: hashOf(parent) });
    const submission = submitted([documentBytes(), child]);
    await desk.submissions.takeRelayed("manager-2", submission.message);
    const lacking = { height: 0, reason: "PARENT_UNKNOWN", index: 1 };
    await desk.object("manager-3", objectionTo(submission, { ...lacking, author: "manager-3" }));
    assert.equal(desk.pool.recordCount, 1);
    await desk.extend([submitted([parent])]);
    await desk.submissions.takeRelayed("manager-2", submission.message);
    assert.equal(desk.pool.recordCount, 2);
  });

  test("leaves no trace when it is malformed or its signature is not its submitter's", async () => {
    const desk = await Desk.create();
    const message = submissionOf([documentBytes()]);
    const forged = { ...message, signature: new Uint8Array(64) };
    const malformed = { ...message, header: new Uint8Array([1, 2, 3]) };
    for (const each of [forged, malformed]) {
      assert.deepEqual(await desk.submissions.takeRelayed("manager-2", each), undefined);
    }
    assert.equal(desk.pool.submissionCount, 0);
    assert.deepEqual(desk.verdicts, []);
  });
});

describe("an objection", () => {
  const reading = readingBytes({ exported: 50, imported: 0 });
  const bought = readingBytes({ owner: "participant-2", meter: "meter-2", exported: 0 });
  const meters = [submitted([reading]), submitted([bought], "participant-2")];

  const against = (submission: ParsedSubmission, height: number) =>
    objectionTo(submission, { height, reason: "DOUBLE_SPEND" });

  test("that holds on this ledger too ends the wait and the record's stay, on disk too", async () => {
    const desk = await Desk.create();
    await desk.extend(meters);
    const trade = submitted([tradeBytes({ energy: 60 })]);
    await desk.take(trade.message, WaitFor.ACCEPTED);
    const answer = desk.take(trade.message);
    await turns();
    await desk.object("manager-2", against(trade, 1));
    assert.deepEqual((await answer).outcomes.map(textOf), ["objection DOUBLE_SPEND"]);
    assert.equal(desk.pool.submissionCount, 0);
    assert.deepEqual(await desk.world.savedIds(), []);
  });

  test("that does not hold here changes nothing, whoever makes it", async () => {
    const desk = await Desk.create();
    await desk.extend(meters);
    const trade = submitted([tradeBytes({ energy: 40 })]);
    await desk.take(trade.message, WaitFor.ACCEPTED);
    await desk.object("manager-2", against(trade, 1));
    assert.ok(desk.pool.has(trade.idHex));
    await desk.object("manager-2", against(submitted([documentBytes()]), 1));
  });

  test("does not throw out a record that others in the pool may cure", async () => {
    const desk = await Desk.create();
    const update = { exported: 55, imported: 0, parent: hashOf(reading) };
    const child = submitted([readingBytes(update)]);
    const trade = submitted([tradeBytes({ energy: 40 })]);
    for (const each of [child, trade]) await desk.take(each.message, WaitFor.ACCEPTED);
    for (const each of meters) await desk.submissions.takeRelayed("manager-2", each.message);
    for (const each of [child, trade]) {
      await desk.object("manager-2", against(each, 0));
      assert.ok(desk.pool.has(each.idHex));
    }
    await desk.extend([...meters, child, trade]);
    assert.equal(desk.pool.submissionCount, 0);
    const lone = submitted([readingBytes({ ...update, parent: hashOf(documentBytes()) })]);
    await desk.take(lone.message, WaitFor.ACCEPTED);
    await desk.object("manager-2", against(lone, 0));
    assert.ok(!desk.pool.has(lone.idHex), "nothing that waits can cure it");
  });

  test("throws out a trade once the readings are there and do not suffice", async () => {
    const desk = await Desk.create();
    const trade = submitted([tradeBytes({ energy: 60 })]);
    for (const each of [...meters, trade])
      await desk.submissions.takeRelayed("manager-2", each.message);
    await desk.object("manager-2", against(trade, 0));
    assert.ok(desk.pool.has(trade.idHex));
    await desk.extend(meters);
    await desk.object("manager-2", against(trade, 1));
    assert.equal(desk.pool.submissionCount, 0);
  });

  test("cannot be put off by another one that names a later height", async () => {
    const desk = await Desk.create();
    const trade = submitted([tradeBytes({ energy: 60 })]);
    await desk.take(trade.message, WaitFor.ACCEPTED);
    for (const height of [1, 2, 1_000_000]) {
      await desk.object("manager-2", against(trade, height));
    }
    await desk.extend(meters);
    assert.equal(desk.pool.submissionCount, 0);
  });

  test("waits until this ledger has reached its height", async () => {
    const desk = await Desk.create();
    const trade = submitted([tradeBytes({ energy: 60 })]);
    await desk.take(trade.message, WaitFor.ACCEPTED);
    await desk.object("manager-2", against(trade, 1));
    assert.ok(desk.pool.has(trade.idHex), "before the readings nobody can say");
    await desk.extend(meters);
    assert.equal(desk.pool.submissionCount, 0);
  });

  test("by this manager's own block is told to all, with the height at which it holds", async () => {
    const desk = await Desk.create();
    await desk.extend(meters);
    const trade = submitted([tradeBytes({ energy: 60 })]);
    const answer = desk.take(trade.message);
    await settled(() => desk.pool.has(trade.idHex));
    const built = desk.world.chain.propose({ candidates: [trade] });
    assert.equal(built.executed.facts.leafCount, 0);
    await desk.submissions.reportObjections(built.objections, built.executed);
    assert.deepEqual(
      desk.objections
        .flatMap(({ objections }) => objections)
        .map(({ reason, height }) => [reason, height]),
      [["DOUBLE_SPEND", 2n]],
    );
    assert.ok(desk.pool.has(trade.idHex), "another block may have been decided meanwhile");
    await desk.extend([]);
    assert.deepEqual((await answer).outcomes.map(textOf), ["objection DOUBLE_SPEND"]);
  });

  test("[R3.9] to all of a large submission is looked into at once, and told once", async () => {
    const desk = await Desk.create();
    await desk.extend(meters);
    const trades = Array.from({ length: 40 }, () => tradeBytes({ energy: 60 }));
    const submission = submitted(trades);
    const answer = desk.take(submission.message);
    await settled(() => desk.pool.has(submission.idHex));
    const built = desk.world.chain.propose({ candidates: [submission] });
    for (let round = 0; round < 3; round++) {
      await desk.submissions.reportObjections(built.objections, built.executed);
    }
    assert.equal(desk.objections.length, 1, "not again in each round");
    for (let index = 0; index < trades.length; index++) {
      const others = { height: 2, reason: "DOUBLE_SPEND", index };
      for (const author of ["manager-2", "manager-3"]) {
        await desk.object(author, objectionTo(submission, { ...others, author }));
      }
    }
    desk.reads = 0;
    await desk.extend([]);
    assert.equal(desk.reads, 1, "one read for 40 records and 120 objections");
    const expected = Array(trades.length).fill("objection DOUBLE_SPEND");
    assert.deepEqual((await answer).outcomes.map(textOf), expected);
    assert.equal(desk.pool.submissionCount, 0);
  });

  test("by its own block is no refusal when the block of others has what the record needs", async () => {
    const desk = await Desk.create();
    const update = { exported: 55, imported: 0, parent: hashOf(reading) };
    const child = submitted([readingBytes(update)]);
    const answer = desk.take(child.message);
    await settled(() => desk.pool.has(child.idHex));
    const built = desk.world.chain.propose({ candidates: [child] });
    await desk.submissions.reportObjections(built.objections, built.executed);
    assert.deepEqual(
      desk.objections.flatMap(({ objections }) => objections).map(({ reason }) => reason),
      ["PARENT_UNKNOWN"],
    );
    await desk.extend(meters);
    assert.ok(desk.pool.has(child.idHex), "its parent was on the way to this manager");
    await desk.extend([child]);
    assert.deepEqual((await answer).outcomes.map(textOf), ["committed 2/2"]);
  });

  test("by this manager's own block puts a record behind those that may yet set it right", async () => {
    const desk = await Desk.create();
    const trade = submitted([tradeBytes({ energy: 60 })]);
    for (const each of [trade, ...meters])
      await desk.submissions.takeRelayed("manager-2", each.message);
    const built = desk.world.chain.propose({ candidates: [trade] });
    await desk.submissions.reportObjections(built.objections, built.executed);
    const order = desk.pool.ripe(Number.MAX_SAFE_INTEGER, [], 1_000);
    assert.deepEqual([order.length, order.findIndex(({ idHex }) => idHex === trade.idHex)], [3, 2]);
  });
});

describe("what a stop left behind", () => {
  test("is pooled and relayed again, but for what is on the ledger or no longer right", async () => {
    const desk = await Desk.create();
    const [waiting, done] = [submitted([documentBytes()]), submitted([documentBytes()])];
    const wrong = submissionOf([documentBytes({ mediaType: "" })]);
    await desk.extend([done]);
    for (const each of [waiting, done]) await desk.world.store.savePooled(each);
    await desk.submissions.restore([waiting.message, done.message, wrong]);
    assert.deepEqual(
      desk.pool.own().map(({ submission }) => submission),
      [waiting],
    );
    assert.deepEqual(desk.relayed, [waiting.message]);
    assert.deepEqual(await desk.world.savedIds(), [toHex(waiting.message.signature)]);
  });

  test("is all pooled, whatever share of the pool its participants may have by now", async () => {
    const limits = { submissionsMax: 64, bytesMax: 100_000_000 };
    const desk = await Desk.create(limits);
    const accepted: ParsedSubmission[] = [];
    for (const id of ["participant-1", "participant-2"]) {
      for (let i = 0; i < 8; i++) {
        const each = submitted([documentBytes({}, { ownerId: id })], id);
        await desk.take(each.message, WaitFor.ACCEPTED, never, id);
        accepted.push(each);
      }
    }
    const after = await Desk.create({ ...limits, submissionsMax: 20 });
    await after.submissions.restore(accepted.reverse().map(({ message }) => message));
    assert.equal(after.pool.submissionCount, accepted.length);
    assert.equal(after.relayed.length, accepted.length);
    assert.ok(after.leftOut.every((left) => left.length === 0));
  });

  test("stays on disk when the pool has no room for it", async () => {
    const desk = await Desk.create({ submissionsMax: 1, bytesMax: 10_000_000 });
    const two = [submitted([documentBytes()]), submitted([documentBytes()])];
    for (const each of two) await desk.world.store.savePooled(each);
    await desk.submissions.restore(two.map(({ message }) => message));
    assert.equal((await desk.world.savedIds()).length, 2);
    assert.deepEqual(desk.relayed, [two[0]?.message], "what does not wait here is not relayed");
  });
});
