import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { defined } from "../../../../src/base/assert.js";
import { toHex } from "../../../../src/base/bytes.js";
import { ed25519Verify } from "../../../../src/crypto/ed25519.js";
import {
  type ProvenObjection,
  type SignedObjections,
  SignedObjectionsSchema,
} from "../../../../src/gen/bss/v1/broadcast_pb.js";
import { CanonicalObjectionSchema } from "../../../../src/gen/bss/v1/canonical_pb.js";
import {
  objectionsDigest,
  objectionsRoot,
} from "../../../../src/ledger/certificates/objections.js";
import { leafHash } from "../../../../src/ledger/merkle/nodes.js";
import { verifyInclusion } from "../../../../src/ledger/merkle/verify.js";
import type { ParsedSubmission } from "../../../../src/ledger/records/submissions.js";
import { Pool } from "../../../../src/manager/pool/pool.js";
import { Objections } from "../../../../src/manager/screening/objections.js";
import { consortiumId } from "../../ledger/support/consortium.js";
import {
  documentBytes,
  hashOf,
  publicKeyOf,
  readingBytes,
  seedOf,
  sign,
  submitted,
  tradeBytes,
} from "../../ledger/support/records.js";
import { LedgerWorld } from "../support/ledger-world.js";
import { type ObjectionOptions, objectionTo } from "../support/objections.js";

const relay = { kind: "manager", id: "manager-2", participantId: "participant-1" } as const;

describe("objections of other managers", () => {
  let world: LedgerWorld;
  let pool: Pool;
  let objections: Objections;
  let dropped: string[];
  let refused: string[];
  let counted: string[];
  let atTip: boolean;

  beforeEach(async () => {
    world = await LedgerWorld.create();
    pool = new Pool({ limits: { submissionsMax: 1_000, bytesMax: 1e8 }, verdictWaitMs: 500 });
    [dropped, refused, counted] = [[], [], []];
    atTip = true;
    objections = new Objections(
      {
        ...world.ports,
        selfId: "manager-1",
        store: world.store,
        observer: {
          dropped: (from, what) => dropped.push(`${from}: ${what}`),
          objection: () => {},
          falseObjection: (managerId) => counted.push(managerId),
        },
      },
      {
        pool,
        abstention: {
          get atTip() {
            return atTip;
          },
        },
        statements: { sign: async (_kind, _height, digest) => sign("manager-1", digest) },
        background: { follow: (work) => void work },
        refuse: async (_, refusals) => {
          for (const { record, violation } of refusals) {
            refused.push(`${record.hashHex} ${violation.reason}`);
            pool.refuse([record.hashHex]);
          }
        },
      },
    );
  });

  /** Puts it into the pool, as if this manager had found all of it accurate. */
  const waiting = (records: readonly Uint8Array[]): ParsedSubmission => {
    const submission = submitted(records);
    const unsettled = submission.records.map(({ hashHex }) => hashHex);
    pool.add(submission, { causer: relay, nowMs: 0, unsettled });
    return submission;
  };

  const take = async (
    submission: ParsedSubmission,
    options: ObjectionOptions = {},
    from?: string,
  ) => {
    await objections.take(from ?? options.author ?? "manager-2", objectionTo(submission, options));
    await objections.idle();
  };

  const countOf = (managerId: string) => world.store.falseObjections.countOf(managerId);

  const extend = async (candidates: readonly ParsedSubmission[] = []) => {
    const { placed } = (await world.extend({ candidates })).executed;
    pool.refuse(placed.map(({ record }) => record.hashHex));
    objections.onAppended();
    await objections.idle();
  };

  test("[R4.7.4] are kept and counted against their author where they do not hold", async () => {
    const submission = waiting([documentBytes()]);
    await take(submission);
    assert.deepEqual(counted, ["manager-2"]);
    const [kept, ...others] = await world.store.falseObjections.of("manager-2");
    assert.equal(others.length, 0);
    const { objections: said, signature } = objectionTo(submission);
    assert.deepEqual([kept?.objection, kept?.signature], [said[0], signature]);
    assert.deepEqual([refused, dropped], [[], []]);
    assert.ok(pool.has(submission.idHex), "the record stays");
  });

  test("[R4.7.4] are their author's, whoever passes them on", async () => {
    await take(waiting([documentBytes()]), { author: "manager-3" }, "manager-4");
    assert.deepEqual(counted, ["manager-3"]);
  });

  test("[R4.7.4] count once for a record and a height, however often and for what reason", async () => {
    const submission = waiting([documentBytes()]);
    for (const reason of ["DOCUMENT_INVALID", "SALT_INVALID"]) {
      for (const from of ["manager-2", "manager-3"]) await take(submission, { reason }, from);
    }
    assert.equal(countOf("manager-2"), 1);
    await extend();
    await take(submission, { author: "manager-3" });
    assert.equal(countOf("manager-3"), 0, "of an earlier height nobody here can tell any more");
    await take(submission, { height: 1 });
    assert.equal(countOf("manager-2"), 2);
  });

  test("[R4.7.4] that wait for their height are judged there, and only there", async () => {
    const submission = waiting([documentBytes()]);
    await take(submission, { height: 2 });
    await extend();
    assert.deepEqual(counted, []);
    await extend();
    assert.deepEqual(counted, ["manager-2"]);
  });

  const forged: readonly (readonly [string, ObjectionOptions, string])[] = [
    ["by another manager's key", { key: "manager-3" }, "SIGNATURE_INVALID"],
    ["by a participant", { author: "participant-1" }, "SIGNER_UNKNOWN"],
    ["in another consortium", { consortium: seedOf("other") }, "SIGNATURE_INVALID"],
  ];
  for (const [how, options, reason] of forged) {
    test(`signed ${how} are dropped, and nobody is blamed but the link`, async () => {
      const wrong = documentBytes({ mediaType: "" });
      const [right, submission] = [waiting([documentBytes()]), waiting([wrong])];
      for (const each of [right, submission]) await take(each, options, "manager-4");
      assert.deepEqual(dropped, [`manager-4: ${reason}`, `manager-4: ${reason}`]);
      assert.deepEqual([counted, refused], [[], []]);
    });
  }

  test("whose claim was changed on the way are dropped", async () => {
    const [one, other] = [waiting([documentBytes()]), waiting([documentBytes()])];
    const objection = objectionTo(one);
    const [said] = objection.objections;
    const { signature } = objection;
    assert.ok(said && signature);
    const changes: readonly Partial<SignedObjections>[] = [
      { objections: [{ ...said, reason: "SALT_INVALID" }] },
      { objections: [{ ...said, height: 1n }] },
      { objections: [said, said] },
      {
        objections: [{ ...said, recordHash: other.records[0]?.hash ?? seedOf("") }],
        signature: { ...signature, submissionId: other.id },
      },
    ];
    for (const change of changes) await objections.take("manager-4", { ...objection, ...change });
    assert.deepEqual(dropped, Array(4).fill("manager-4: SIGNATURE_INVALID"));
  });

  const wrongObjections = [
    { recordHash: new Uint8Array(33) },
    { height: 2n ** 60n },
    { reason: "X".repeat(65) },
    { message: "x".repeat(1_001) },
    { field: "x".repeat(257) },
  ];
  const wrongSignatures = [
    { submissionId: seedOf("").subarray(1) },
    { signature: new Uint8Array(63) },
  ];
  for (const shape of [...wrongObjections, ...wrongSignatures]) {
    test(`of a wrong shape are dropped: ${Object.keys(shape)}`, async () => {
      const { objections: said, signature, ...rest } = objectionTo(waiting([documentBytes()]));
      const [first] = said;
      assert.ok(first && signature);
      await objections.take("manager-2", {
        ...rest,
        objections: [{ ...first, ...shape } as typeof first],
        signature: { ...signature, ...shape } as typeof signature,
      });
      assert.deepEqual(dropped, ["manager-2: VOTE_MALFORMED"]);
      assert.deepEqual(counted, []);
    });
  }

  test("by the thousands at once, of nothing, or of nobody are dropped", async () => {
    const signed = objectionTo(waiting([documentBytes()]));
    const [first] = signed.objections;
    assert.ok(first);
    await objections.take("manager-2", { ...signed, objections: Array(1_001).fill(first) });
    await objections.take("manager-2", { ...signed, objections: [] });
    const { signature: _, ...unsigned } = signed;
    await objections.take("manager-2", unsigned);
    assert.deepEqual(dropped, Array(3).fill("manager-2: VOTE_MALFORMED"));
  });

  test("[R4.7.2] refuse nothing while this manager is behind: others may have what cures it", async () => {
    const submission = waiting([tradeBytes()]);
    const objection = { reason: "DOUBLE_SPEND" };
    atTip = false;
    await take(submission, objection);
    await take(submission, { ...objection, height: 1 });
    await extend();
    assert.deepEqual(refused, []);
    atTip = true;
    await take(submission, objection);
    assert.equal(refused.length, 1);
  });

  const blameless: readonly (readonly [string, ObjectionOptions])[] = [
    ["a reason of order", { reason: "DOUBLE_SPEND" }],
    ["a reason of another clock", { reason: "TIME_IN_FUTURE" }],
    ["a reason of other readings", { reason: "ENERGY_INVALID" }],
    ["a reason that nobody knows", { reason: "NO_SUCH_REASON" }],
    ["this manager itself", { author: "manager-1" }],
    ["a height far ahead", { height: 17 }],
  ];
  for (const [what, options] of blameless) {
    test(`are no offence with ${what}`, async () => {
      await take(waiting([documentBytes()]), options);
      assert.deepEqual([counted, dropped, refused], [[], [], []]);
    });
  }

  test("are no offence where the record breaks another rule here", async () => {
    const parent = hashOf(documentBytes());
    const submission = waiting([readingBytes({ meter: "meter-2", parent }), tradeBytes()]);
    await take(submission, { reason: "METER_OWNER_MISMATCH" });
    await take(submission, { reason: "TRADE_PARTIES_EQUAL", index: 1 });
    assert.deepEqual(counted, []);
    assert.equal(refused.length, 2, "but the records go, as this manager finds them wrong");
  });

  test("are no offence about what is on the ledger, or was never here", async () => {
    const placed = waiting([documentBytes()]);
    await extend([placed]);
    await take(placed, { height: 1 });
    await take(submitted([documentBytes()]), { height: 1 });
    assert.deepEqual([counted, dropped], [[], []]);
  });

  test("are no offence when the ledger goes on while this manager looks", async () => {
    const submission = waiting([documentBytes()]);
    const { readState } = world.ports;
    let reads = 0;
    const slow = new Objections(
      {
        ...world.ports,
        selfId: "manager-1",
        store: world.store,
        observer: { dropped: () => {}, objection: () => {}, falseObjection: () => {} },
        readState: async (keys) => {
          reads += 1;
          const state = await readState(keys);
          await world.extend();
          return state;
        },
      },
      {
        pool,
        abstention: { atTip: true },
        statements: { sign: async (_kind, _height, digest) => sign("manager-1", digest) },
        background: { follow: (work) => void work },
        refuse: async () => {},
      },
    );
    await slow.take("manager-2", objectionTo(submission));
    await slow.idle();
    assert.equal(countOf("manager-2"), 0);
    assert.equal(reads, 3, "it does not follow a ledger for ever");
  });

  test("do not hurt a record that another submission brings rightly", async () => {
    const record = documentBytes();
    const own = waiting([record]);
    const foreign = submitted([record], "participant-3");
    pool.add(foreign, { causer: relay, nowMs: 0, unsettled: [] });
    await take(foreign, { reason: "AGENT_NOT_AUTHORIZED" });
    assert.deepEqual([refused, counted], [[], []]);
    assert.ok(pool.has(own.idHex));
  });

  test("of one manager in a flood: some are kept, the others' are heard all the same", async () => {
    const many = waiting(Array.from({ length: 40 }, () => documentBytes()));
    for (let index = 0; index < 40; index++) await take(many, { index });
    assert.equal(countOf("manager-2"), 16);
    await take(many, { author: "manager-3" });
    assert.equal(countOf("manager-3"), 1);
    await extend();
    await take(many, { height: 1 });
    assert.equal(countOf("manager-2"), 17, "at the next height it is heard again");
  });

  test("that wait are at most its author's share", async () => {
    const wrong = () => documentBytes({ mediaType: "" });
    const batches = Array.from({ length: 51 }, () => waiting(Array.from({ length: 50 }, wrong)));
    for (const batch of batches) {
      for (let index = 0; index < 50; index++) {
        objections.consider(objectionTo(batch, { height: 1, index }));
      }
    }
    const [last] = batches.slice(-1);
    assert.ok(last);
    objections.consider(objectionTo(last, { height: 1, author: "manager-3" }));
    await extend();
    assert.equal(refused.length, 2_500 + 1, "a quarter of 10,000, and the other author's");
  });

  test("count with all that were signed with them, as they are held together", async () => {
    const wrong = () => documentBytes({ mediaType: "" });
    const filler = submitted([documentBytes()]);
    const flood = () => {
      const [real, other] = [waiting([wrong()]), filler].map((each) =>
        objectionTo(each, { height: 1 }),
      );
      const fillers = Array.from({ length: 999 }, () =>
        defined(other?.objections[0], "there is one"),
      );
      const {
        signature,
        objections: [first],
      } = defined(real, "there is one");
      return create(SignedObjectionsSchema, {
        objections: [defined(first, "there is one"), ...fillers],
        ...(signature && { signature }),
      });
    };
    for (let i = 0; i < 4; i++) objections.consider(flood());
    await extend();
    assert.equal(refused.length, 2, "2,500 is a manager's share");
    objections.consider(flood());
    await extend();
    assert.equal(refused.length, 3, "there is room again");
  });

  test("all count that are signed together, though they be more than a share", async () => {
    const records = Array.from({ length: 3 }, () => documentBytes({ mediaType: "" }));
    const batch = waiting(records);
    const said = records.map((_, index) => {
      const { objections: own } = objectionTo(batch, { height: 1, index });
      return defined(own[0], "there is one");
    });
    const { signature } = objectionTo(batch, { height: 1 });
    const filler = objectionTo(submitted([documentBytes()]), { height: 1 }).objections;
    const fillers = Array.from({ length: 2_500 }, () => defined(filler[0], "there is one"));
    const together = create(SignedObjectionsSchema, {
      objections: [...said, ...fillers],
      ...(signature && { signature }),
    });
    objections.consider(together);
    await extend();
    assert.equal(refused.length, 3);
  });

  test("[R4.7.1] of this manager have one signature, which binds consortium, place and reason", async () => {
    const submission = submitted([documentBytes(), documentBytes()]);
    const violation = { reason: "SALT_INVALID", message: "No.", field: "salt" } as const;
    const refusals = submission.records.map((record) => ({ record, violation }));
    const raised = await objections.signed(submission, objections.ofRefusals(refusals, 7));
    assert.ok(raised?.signature);
    assert.deepEqual(
      raised.objections.map(({ recordHash, reason, height }) => [
        toHex(recordHash),
        reason,
        height,
      ]),
      submission.records.map(({ hashHex }) => [hashHex, "SALT_INVALID", 7n]),
    );
    const { submissionId, managerId, signature } = raised.signature;
    assert.deepEqual([toHex(submissionId), managerId], [submission.idHex, "manager-1"]);
    const root = objectionsRoot(raised.objections);
    const digest = objectionsDigest({ consortiumId, submissionId, count: 2, root });
    assert.ok(ed25519Verify(publicKeyOf("manager-1"), digest, signature));
    assert.equal(await objections.signed(submission, []), undefined, "nothing to sign");
  });

  test("[R4.7.4] are kept so that each can be shown without those signed with it", async () => {
    const submission = waiting([documentBytes(), documentBytes(), documentBytes()]);
    const said = submission.records.map(({ hash }) => {
      const words = { message: "what whoever relays it wrote", field: "salt" };
      return { recordHash: hash, reason: "SALT_INVALID", height: 0n, ...words };
    });
    const { id: submissionId } = submission;
    const [count, root] = [said.length, objectionsRoot(said)];
    const digest = objectionsDigest({ consortiumId, submissionId, count, root });
    const signature = {
      submissionId,
      managerId: "manager-2",
      signature: sign("manager-2", digest),
    };
    await objections.take(
      "manager-2",
      create(SignedObjectionsSchema, { objections: said, signature }),
    );
    await objections.idle();
    const kept = await world.store.falseObjections.of("manager-2");
    assert.equal(kept.length, 3);
    for (const each of kept) {
      assert.ok(isProven(each));
      assert.ok(!isProven({ ...each, index: (each.index + 1) % 3 }), "at no other place");
      const { message, field } = each.objection ?? {};
      assert.deepEqual([message, field], ["", ""], "which nobody signed");
    }
  });
});

/** Whether a manager has signed the objection that is shown. */
function isProven({ objection, index, count, proof, root, signature }: ProvenObjection): boolean {
  const { recordHash, reason, height } = defined(objection, "an objection is shown");
  const { submissionId, managerId, signature: bytes } = defined(signature, "it is signed");
  const canonical = create(CanonicalObjectionSchema, { recordHash, reason, height });
  const leaf = leafHash(toBinary(CanonicalObjectionSchema, canonical));
  const digest = objectionsDigest({ consortiumId, submissionId, count, root });
  return (
    verifyInclusion({ leafHash: leaf, leafIndex: index, treeSize: count, proof, root }) &&
    ed25519Verify(publicKeyOf(managerId), digest, bytes)
  );
}
