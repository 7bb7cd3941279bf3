import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Timer } from "../../../../src/base/time.js";
import { FrameReader } from "../../../../src/rpc/bounds/frame-reader.js";
import {
  checkGrpcInternals,
  type Decoder,
  internalsOf,
} from "../../../../src/rpc/bounds/grpc-internals.js";
import { defaultRpcLimits } from "../../../../src/rpc/bounds/server-limits.js";
import { type Upload, Uploads } from "../../../../src/rpc/bounds/uploads.js";
import type { RpcError } from "../../../../src/rpc/rpc-error.js";
import type { Identity } from "../../../../src/rpc/tls/tls-identity.js";

/** What a message counts beside its own bytes. */
const messageBytes = 256;

/** A frame as it travels; `declared` bytes where it says more than it holds. */
function frame(body: Uint8Array, declared = body.length, flag = 0): Buffer {
  const header = Buffer.alloc(5);
  header[0] = flag;
  header.writeUInt32BE(declared, 1);
  return Buffer.concat([header, body]);
}

describe("the frame reader", () => {
  const open = { begin: () => true, grow: () => true, complete: () => {} };

  test("gives the same frames however the data are cut", () => {
    const bodies = [0, 1, 5, 70_000, 0].map((length, i) => Buffer.alloc(length, i));
    const data = Buffer.concat(bodies.map((body) => frame(body)));
    for (const step of [1, 3, 7, 16_384, data.length]) {
      const reader = new FrameReader(open);
      const frames: Buffer[] = [];
      for (let at = 0; at < data.length; at += step) {
        frames.push(...reader.write(data.subarray(at, at + step)));
      }
      assert.deepEqual(
        frames.map((each) => each.subarray(5)),
        bodies,
      );
    }
  });

  test("takes memory as bytes arrive, and not as they are announced", () => {
    const reader = new FrameReader(open);
    const before = process.memoryUsage().arrayBuffers;
    const readers = Array.from({ length: 100 }, () => new FrameReader(open));
    for (const each of readers) each.write(frame(new Uint8Array(10), 2 ** 30));
    assert.ok(process.memoryUsage().arrayBuffers - before < 10_000_000);
    assert.deepEqual(reader.write(Buffer.of(0, 0, 0)), []);
  });

  test("asks for memory as bytes arrive, for no more than the message has, or drops it", () => {
    let [asked, room] = [0, 100_000];
    const grow = (bytes: number) => {
      asked += bytes;
      return asked <= room;
    };
    const reader = new FrameReader({ ...open, grow });
    reader.write(frame(new Uint8Array(), 90_000));
    assert.equal(asked, 0);
    reader.write(Buffer.alloc(1));
    assert.ok(asked > 0 && asked <= 16 * 1024);
    assert.equal(reader.write(Buffer.alloc(89_999)).length, 1);
    assert.equal(asked, 90_000);
    room = 90_000;
    assert.deepEqual(reader.write(frame(new Uint8Array(10))), []);
    assert.deepEqual(reader.write(frame(new Uint8Array())), []);
  });

  test("asks before it keeps a byte, and takes nothing after a refusal", () => {
    const asked: [number, boolean][] = [];
    const begin = (bytes: number, compressed: boolean) => asked.push([bytes, compressed]) < 2;
    const reader = new FrameReader({ ...open, begin });
    const data = Buffer.concat([frame(Buffer.of(1)), frame(Buffer.of(2, 3), 2, 1)]);
    assert.equal(reader.write(data).length, 1);
    assert.deepEqual(reader.write(frame(Buffer.of(4))), []);
    assert.deepEqual(asked, [
      [1, false],
      [2, true],
    ]);
  });
});

describe("uploads", () => {
  const participant: Identity = { role: "participant", id: "alice" };
  const submit = "bss.v1.BroadcastService/Submit";

  /** Uploads with a clock of the test's own. */
  function setUp(limits: Partial<typeof defaultRpcLimits> = {}) {
    let due: { readonly work: () => void } | undefined;
    const after = (_delayMs: number, work: () => void): Timer => {
      const timer = { work };
      due = timer;
      return { cancel: () => (due = due === timer ? undefined : due) };
    };
    const uploads = new Uploads({ ...defaultRpcLimits, ...limits }, { after });
    const refusals: RpcError[] = [];
    const refused: (string | undefined)[][] = [];
    const state = { paused: false };
    const open = (identity: Identity, method: string, single: boolean) => {
      const opened: { decoder?: Decoder; upload?: Upload } = {};
      const stream = { isPaused: () => state.paused };
      const setDecoder = (decoder: Decoder) => (opened.decoder = decoder);
      const refuse = (error: RpcError) => {
        refusals.push(error);
        refused.push([identity.id, error.metadata.what]);
      };
      const upload = uploads.open({
        identity,
        method,
        single,
        refuse,
        internals: { stream, setDecoder },
      });
      return { upload, send: (data: Buffer) => opened.decoder?.write(data) ?? [] };
    };
    const pass = (seconds: number) => {
      for (let i = 0; i < seconds; i++) due?.work();
    };
    return { uploads, refusals, refused, open, pass, state, timed: () => due !== undefined };
  }

  const limitsOf: readonly [Identity, string, number][] = [
    [participant, submit, 4 * 2 ** 20],
    [participant, "bss.v1.QueryService/GetStatus", 256 * 1024],
    [{ role: "auditor", id: "a" }, "grpc.health.v1.Health/Check", 256 * 1024],
    [{ role: "manager", id: "m" }, "bss.v1.VoteService/Vote", 16 * 2 ** 20],
    [{ role: "storage", id: "s" }, "bss.v1.VerifyIntegrityService/VerifyIntegrity", 256 * 1024],
    [{ role: "invited", id: "i" }, submit, 256 * 1024],
  ];
  for (const [identity, method, limit] of limitsOf) {
    test(`take ${limit} bytes of a ${identity.role} to ${method}, and not one more`, () => {
      const { uploads, refusals, open } = setUp();
      open(identity, method, true).send(frame(new Uint8Array(), limit));
      assert.equal(refusals.length, 0);
      open({ ...identity, id: "other" }, method, true).send(frame(new Uint8Array(), limit + 1));
      const [refusal] = refusals;
      assert.equal(refusal?.reason, "MESSAGE_TOO_LARGE");
      assert.deepEqual(refusal?.metadata, { bytes: String(limit + 1), limit: String(limit) });
      const kinds = ["manager", "storage", "member", "invited"] as const;
      assert.ok(kinds.reduce((sum, kind) => sum + uploads.held(kind), 0) <= messageBytes);
    });
  }

  /** One message of so many bytes, as it is counted. */
  const counted = (bytes: number) => bytes + messageBytes;

  test("are counted by caller and in total until their calls end", () => {
    const member = { perCauserMax: counted(250), totalMax: 3 * counted(200) };
    const { uploads, refusals, open } = setUp({ uploads: { ...defaultRpcLimits.uploads, member } });
    const first = open(participant, submit, true);
    first.send(frame(new Uint8Array(200)));
    assert.equal(uploads.held("member"), counted(200));
    open(participant, submit, true).send(frame(new Uint8Array(10), 100));
    assert.deepEqual(
      [refusals[0]?.reason, refusals[0]?.metadata.what],
      ["UPLOADS_EXHAUSTED", "share"],
    );
    assert.match(refusals[0]?.message ?? "", /sent by participant alice$/);
    assert.ok((refusals[0]?.retryAfterMs ?? 0) > 0);
    const others = ["bob", "carol"].map((id) => {
      const opened = open({ ...participant, id }, submit, true);
      opened.send(frame(new Uint8Array(200)));
      return opened;
    });
    // Nobody gives way to one that would hold as much.
    open({ ...participant, id: "dave" }, submit, true).send(frame(new Uint8Array(200)));
    assert.equal(refusals[1]?.metadata.what, "total");
    assert.match(refusals[1]?.message ?? "", /by all participants, auditors and operators/);
    open({ role: "manager", id: "m" }, submit, true).send(frame(new Uint8Array(100)));
    assert.equal(refusals.length, 2);
    for (const { upload } of [first, ...others]) upload.close();
    assert.equal(uploads.held("member"), 0);
  });

  test("count what has arrived, and not what is announced", () => {
    const { uploads, refusals, open } = setUp();
    for (let i = 0; i < 64; i++) {
      open(participant, submit, false).send(frame(new Uint8Array(), 4 * 2 ** 20));
    }
    assert.equal(uploads.held("member"), 64 * messageBytes);
    open({ ...participant, id: "bob" }, submit, true).send(frame(new Uint8Array(2 ** 20)));
    assert.equal(refusals.length, 0);
  });

  test("of whoever holds most give way to one that would hold less, the oldest first", () => {
    const member = { perCauserMax: 4_000, totalMax: 5_000 };
    const { uploads, refused, open } = setUp({ uploads: { ...defaultRpcLimits.uploads, member } });
    // One is whole and at work, two wait for their last byte.
    const whole = open(participant, submit, true);
    whole.send(frame(new Uint8Array(1_000)));
    whole.upload.ended();
    for (let i = 0; i < 2; i++) {
      open(participant, submit, false).send(frame(new Uint8Array(999), 1_000));
    }
    open({ ...participant, id: "bob" }, submit, true).send(frame(new Uint8Array(1_000)));
    assert.deepEqual(refused, [["alice", "most"]]);
    assert.equal(uploads.held("member"), 3 * counted(1_000));
    whole.upload.close();
    assert.equal(uploads.held("member"), 2 * counted(1_000));
  });

  test("of a manager find a reserve, whatever others hold", () => {
    const manager = { perCauserMax: 4_000, totalMax: 4_000, reservedPerCauser: 1_000 };
    const { refused, open } = setUp({ uploads: { ...defaultRpcLimits.uploads, manager } });
    const vote = "bss.v1.VoteService/Vote";
    for (const id of ["m1", "m2", "m3", "m4", "m5"]) {
      for (let i = 0; i < 3; i++) {
        open({ role: "manager", id }, vote, false).send(frame(new Uint8Array(400), 900));
      }
    }
    const before = refused.length;
    open({ role: "manager", id: "m6" }, vote, false).send(frame(new Uint8Array(700)));
    assert.equal(refused.length, before);
  });

  test("of all who are invited are one causer's, of which the oldest gives way", () => {
    const invited = { perCauserMax: 2_000, totalMax: 2_000 };
    const { refused, open } = setUp({ uploads: { ...defaultRpcLimits.uploads, invited } });
    for (const id of ["a", "b", "c"]) {
      open({ role: "invited", id }, submit, true).send(frame(new Uint8Array(500), 600));
    }
    assert.deepEqual(refused, [["a", "most"]]);
  });

  test("of a stream are counted until their handler is done with them", () => {
    const { uploads, open } = setUp();
    const { upload, send } = open(participant, submit, false);
    send(Buffer.concat([frame(new Uint8Array(100)), frame(new Uint8Array(50))]));
    send(frame(new Uint8Array(10), 30));
    assert.equal(uploads.held("member"), counted(100) + counted(50) + counted(30));
    upload.taken();
    assert.equal(uploads.held("member"), counted(100) + counted(50) + counted(30));
    upload.handled();
    assert.equal(uploads.held("member"), counted(50) + counted(30));
    send(Buffer.alloc(20));
    upload.taken();
    upload.close();
    assert.equal(uploads.held("member"), 0);
    // What comes to an end after its call gives nothing back twice.
    open(participant, submit, true).send(frame(new Uint8Array(10)));
    send(Buffer.alloc(10));
    upload.taken();
    upload.handled();
    upload.close();
    assert.equal(uploads.held("member"), counted(10));
  });

  test("of one message are counted elsewhere when it was handed on", () => {
    const { uploads, open } = setUp();
    const { upload, send } = open(participant, submit, true);
    send(frame(new Uint8Array(100)));
    upload.taken();
    assert.equal(uploads.held("member"), counted(100));
    upload.handled();
    assert.equal(uploads.held("member"), 0);
  });

  test("may take long while they go on, and their caller sends at the least rate", () => {
    const limits = { uploadMs: 5_000, uploadBytesPerSecondMin: 10 };
    const { refusals, open, pass } = setUp(limits);
    const slow = open(participant, submit, true);
    slow.send(frame(new Uint8Array(1), 1_000));
    const other = open(participant, submit, true);
    other.send(frame(new Uint8Array(1), 1_000));
    for (let i = 0; i < 20; i++) {
      pass(1);
      slow.send(Buffer.alloc(2));
      other.send(Buffer.alloc(9));
    }
    assert.equal(refusals.length, 0);
    other.upload.ended();
    pass(1);
    slow.send(Buffer.alloc(1));
    pass(9);
    assert.equal(refusals[0]?.reason, "UPLOAD_TOO_SLOW");
  });

  test("that do not finish in time are ended, and hold nothing then", () => {
    const { uploads, refusals, open, pass, timed } = setUp({ uploadMs: 5_000 });
    const { send } = open(participant, submit, true);
    send(frame(new Uint8Array(10), 1_000));
    for (let i = 0; i < 4; i++) {
      pass(1);
      send(Buffer.of(0));
    }
    assert.equal(refusals.length, 0);
    pass(1);
    assert.equal(refusals[0]?.reason, "UPLOAD_TOO_SLOW");
    assert.equal(uploads.held("member"), 0);
    assert.equal(timed(), false);
  });

  test("that never begin are ended too, if the call is for one message", () => {
    const { refusals, open, pass } = setUp({ uploadMs: 5_000 });
    open(participant, submit, false);
    pass(10);
    assert.equal(refusals.length, 0);
    open(participant, submit, true);
    pass(5);
    assert.equal(refusals[0]?.reason, "UPLOAD_TOO_SLOW");
  });

  test("of one message are ended too if the request does not end", () => {
    const { uploads, refusals, open, pass } = setUp({ uploadMs: 5_000 });
    open(participant, submit, true).send(frame(new Uint8Array(10)));
    pass(5);
    assert.equal(refusals[0]?.reason, "UPLOAD_TOO_SLOW");
    assert.equal(uploads.held("member"), 0);
  });

  test("are not hurried while the server does not read, nor once they have arrived", () => {
    const { refusals, open, pass, state } = setUp({ uploadMs: 5_000 });
    const stream = open(participant, submit, false);
    stream.send(frame(new Uint8Array(10), 20));
    state.paused = true;
    pass(60);
    state.paused = false;
    stream.send(Buffer.alloc(10));
    pass(60);
    const unary = open(participant, submit, true);
    unary.send(frame(new Uint8Array(10)));
    unary.upload.ended();
    pass(60);
    assert.equal(refusals.length, 0);
  });

  test("that are compressed are refused before anything is inflated", () => {
    const { uploads, refusals, open } = setUp();
    assert.deepEqual(open(participant, submit, true).send(frame(Buffer.of(1), 1, 1)), []);
    assert.equal(refusals[0]?.reason, "COMPRESSION_UNSUPPORTED");
    assert.equal(uploads.held("member"), 0);
  });
});

describe("the internals of grpc-js", () => {
  test("are as this project needs them", () => {
    checkGrpcInternals();
  });

  test("are missed when they are not there", () => {
    const call = { stream: {}, decoder: {}, incomingEncoding: "identity" };
    assert.throws(() => internalsOf(call as never), /@grpc\/grpc-js is not one/);
  });
});
