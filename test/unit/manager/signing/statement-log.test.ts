/** Signed, stored, marked, and only then sent. */
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { emptyBytes } from "../../../../src/base/bytes.js";
import { err, ok, type Result } from "../../../../src/base/result.js";
import { systemTime, type Time } from "../../../../src/base/time.js";
import type { Statement } from "../../../../src/consensus/ring/events.js";
import { ed25519Verify } from "../../../../src/crypto/ed25519.js";
import { SignatureCache } from "../../../../src/crypto/signature-cache.js";
import { LockCertificateSchema } from "../../../../src/gen/bss/v1/block_pb.js";
import { checkVote } from "../../../../src/ledger/certificates/votes.js";
import type {
  Signature,
  Signer,
  SignerUnavailable,
  SignRequest,
} from "../../../../src/manager/signing/signer.js";
import { StatementLog } from "../../../../src/manager/signing/statement-log.js";
import { StoreError } from "../../../../src/store/store-error.js";
import { Chain } from "../../ledger/support/chain.js";
import { consortiumId, genesis } from "../../ledger/support/consortium.js";
import { accepted } from "../../ledger/support/outcome.js";
import { documentBytes, seedOf, submitted } from "../../ledger/support/records.js";
import { gate } from "../support/ledger-world.js";
import { memorySigner } from "../support/signers.js";

const selfId = "manager-1";
const { block, executed } = new Chain().propose({ candidates: [submitted([documentBytes()])] });
const { blockId } = executed.facts;

const propose: Statement = { kind: "propose", height: 1, round: 0, validRound: -1, blockId };
const accept: Statement = { kind: "accept", height: 1, blockId };
const approve = (round = 0, height = 1): Statement => {
  return { kind: "approve", height, round, validRound: -1, blockId };
};
const certificate = create(LockCertificateSchema);
const commit: Statement = {
  kind: "commit",
  height: 1,
  round: 0,
  blockId,
  lock: { round: 0, blockId, certificate },
};

/** A signer that can be made to fail, over one that does not. */
class MoodySigner implements Signer {
  readonly #signer: Signer;
  readonly asked: string[] = [];
  isLocal?: true;
  unavailable: string | undefined;
  isWrong = false;
  throws: Error | undefined;
  before = async (_: "marks" | "sign" | "settle") => {};

  constructor(signer: Signer) {
    this.#signer = signer;
  }

  async marks() {
    return this.#moody("marks", () => this.#signer.marks());
  }

  async sign(
    requests: readonly SignRequest[],
  ): Promise<Result<readonly Signature[], SignerUnavailable>> {
    this.asked.push(requests.map(({ kind }) => kind).join(" "));
    return this.#moody("sign", async () => {
      const answer = await this.#signer.sign(requests);
      if (!answer.ok || !this.isWrong) return answer;
      // The last one only, and by one bit.
      return ok(answer.value.map((each, i, { length }) => (i < length - 1 ? each : spoilt(each))));
    });
  }

  async settle() {
    return this.#moody("settle", () => this.#signer.settle());
  }

  async #moody<T>(
    what: "marks" | "sign" | "settle",
    call: () => Promise<Result<T, SignerUnavailable>>,
  ) {
    await this.before(what);
    if (this.throws !== undefined) throw this.throws;
    if (this.unavailable !== undefined) return err({ message: this.unavailable });
    return call();
  }
}

function spoilt(signature: Signature): Signature {
  return signature.ok
    ? ok(signature.value.map((byte, i) => (i === 40 ? byte ^ 1 : byte)))
    : signature;
}

describe("the statement log", () => {
  let signer: MoodySigner;
  let events: string[];
  let troubles: (string | undefined)[];
  let refused: string[];
  let mayVote: boolean;
  let height: number;
  let timers: (() => void)[];
  let fatal: Error[];
  let log: StatementLog;
  let storing: () => Promise<void>;
  let signatures: SignatureCache;
  /** Signatures that were verified: known ones are not. */
  let verified: number;

  beforeEach(async () => {
    signer = new MoodySigner(await memorySigner(selfId));
    [events, troubles, refused, timers, fatal] = [[], [], [], [], []];
    mayVote = true;
    storing = async () => {};
    height = 1;
    verified = 0;
    signatures = new SignatureCache((...signed) => {
      verified += 1;
      return ed25519Verify(...signed);
    });
    // Waits end when a test lets them.
    const time: Time = {
      ...systemTime,
      after: (_, work) => {
        timers.push(work);
        return { cancel: () => timers.splice(timers.indexOf(work), 1) };
      },
    };
    log = new StatementLog(
      {
        selfId,
        consortiumId,
        members: () => genesis.members,
        signatures,
        signer,
        time,
        store: {
          saveStatements: async ({ votes, proposals, lock, bodies }) => {
            const counts = {
              votes: votes.length,
              proposals: proposals.length,
              bodies: bodies.length,
            };
            events.push(`store ${JSON.stringify(counts)}${lock === undefined ? "" : " with lock"}`);
            await storing();
          },
        },
        observer: { wrote: () => {} },
      },
      {
        ring: {
          get height() {
            return height;
          },
        },
        inbox: { wake: () => events.push("wake") },
        candidates: { get: () => ({ height: 1, block }) },
        abstention: {
          mayVote: () => mayVote,
          compare: () => events.push("compare"),
          refused: (_, message) => refused.push(message),
          signerTrouble: (message) => troubles.push(message),
        },
        failStop: { fail: (error) => fatal.push(error) },
      },
    );
    signer.before = async (what) => void events.push(what);
  });

  const say = async (...statements: readonly Statement[]) => {
    const sent = await log.say(statements);
    return sent.map(({ statement: { kind } }) => kind);
  };
  const runTimers = () => {
    for (const work of timers.splice(0)) work();
  };
  const settled = () => new Promise((resolve) => setImmediate(resolve));

  test("signs, stores once, marks, and hands out what may be sent, in order", async () => {
    assert.deepEqual(await say(propose, accept, approve()), ["propose", "accept", "approve"]);
    assert.deepEqual(events, ["sign", 'store {"votes":2,"proposals":1,"bodies":1}', "settle"]);
    assert.deepEqual(await say(commit), ["commit"]);
    assert.equal(events.at(-2), 'store {"votes":1,"proposals":0,"bodies":1} with lock');
  });

  test("has a signer of this process mark while it stores, and hands out after both", async () => {
    signer.isLocal = true;
    const stored = new Promise<void>((resolve) => {
      storing = () => {
        resolve();
        return new Promise((done) => timers.push(done));
      };
    });
    const sent = say(propose);
    await stored;
    assert.deepEqual(events.slice(-2), ['store {"votes":0,"proposals":1,"bodies":1}', "settle"]);
    let isSent = false;
    void sent.then(() => {
      isSent = true;
    });
    await settled();
    assert.equal(isSent, false, "the log is not on disk");
    runTimers();
    assert.deepEqual(await sent, ["propose"]);
    storing = () => Promise.reject(new StoreError("DISK_FULL", "no space"));
    signer.before = async (what) => {
      if (what === "settle") throw new StoreError("DISK_FULL", "no space for the mark either");
    };
    await assert.rejects(say(accept), { message: "no space" });
    await settled();
  });

  for (const [where, isLocal] of [
    ["in this process", true],
    ["elsewhere", undefined],
  ] as const) {
    test(`knows its own signatures in certificates, of a signer ${where}`, async () => {
      if (isLocal) signer.isLocal = isLocal;
      const [vote] = await log.say([accept]);
      assert.ok(vote?.said.kind === "vote");
      const check = accepted(checkVote(vote.said.vote, genesis.members, consortiumId));
      assert.equal(verified, isLocal ? 0 : 1);
      assert.equal(await signatures.firstInvalid([check]), undefined);
      assert.equal(verified, isLocal ? 0 : 1, "as it is known");
      const other = { ...check, digest: check.digest.map((byte) => byte ^ 1) };
      assert.equal(await signatures.firstInvalid([other]), other);
    });
  }

  test("neither stores nor counts what a signer elsewhere has signed wrongly, and asks again", async () => {
    signer.isWrong = true;
    assert.deepEqual(await say(accept, approve()), []);
    assert.deepEqual(events, ["sign"]);
    assert.equal(troubles.at(-1), "it returns signatures that are wrong");
    assert.equal(await log.sign("head", 1, seedOf("a head")), undefined);
    signer.isWrong = false;
    runTimers();
    assert.deepEqual(await say(), ["accept", "approve"]);
    assert.deepEqual([troubles.at(-1), refused], [undefined, []]);
  });

  test("stores no body with what names nil", async () => {
    await say({ kind: "commit", height: 1, round: 0, blockId: emptyBytes });
    assert.equal(events[1], 'store {"votes":1,"proposals":0,"bodies":0}');
  });

  test("says only ACCEPT while the manager does not vote", async () => {
    mayVote = false;
    assert.deepEqual(await say(propose, accept, approve(), commit), ["accept"]);
    mayVote = true;
    assert.deepEqual(await say(), [], "what was not said then is not said later");
  });

  test("asks a signer that was unavailable again, with all in order, and sends nothing before", async () => {
    signer.unavailable = "no route";
    assert.deepEqual(await say(accept, approve()), []);
    assert.deepEqual(await say(commit), [], "it is not asked at every turn");
    assert.deepEqual(signer.asked, ["accept approve"]);
    assert.equal(troubles.at(-1), "no route");
    assert.equal(log.isDue, false);
    signer.unavailable = undefined;
    runTimers();
    assert.ok(log.isDue);
    assert.equal(events.at(-1), "wake");
    assert.deepEqual(await say(), ["accept", "approve", "commit"]);
    assert.equal(troubles.at(-1), undefined);
    assert.equal(log.isDue, false);
  });

  test("takes a signer that throws for one that is unavailable", async () => {
    signer.throws = new Error("a bug of the module");
    assert.deepEqual(await say(accept), []);
    assert.equal(troubles.at(-1), "a bug of the module");
  });

  test("ends with the disk's error when the marks cannot be written", async () => {
    signer.throws = new StoreError("DISK_FULL", "no space");
    await assert.rejects(log.say([accept]), StoreError);
  });

  for (const what of ["sign", "settle"] as const) {
    test(`goes on without a signer that is slow to ${what}, and sends once it has answered`, async () => {
      const slow = gate();
      signer.before = async (call) => (call === what ? slow.promise : undefined);
      const saying = say(approve());
      await settled();
      runTimers();
      assert.deepEqual(await saying, []);
      assert.equal(troubles.at(-1), "it does not answer");
      slow.open();
      await settled();
      runTimers();
      assert.deepEqual(await say(), ["approve"]);
      assert.deepEqual(signer.asked, ["approve"], "it was asked once");
    });
  }

  test("does not take the marks of an earlier turn for those of a later one", async () => {
    const [first, second] = [gate(), gate()];
    const gates = [first, second];
    signer.before = async (call) => (call === "settle" ? gates.shift()?.promise : undefined);
    const one = say(approve(0));
    await settled();
    runTimers();
    assert.deepEqual(await one, []);
    runTimers();
    const two = say(approve(1));
    await settled();
    first.open();
    await settled();
    runTimers();
    assert.deepEqual(await two, ["approve"], "of the first turn");
    second.open();
    runTimers();
    assert.deepEqual(await say(), ["approve"]);
  });

  test("drops what waits when its height is over", async () => {
    signer.unavailable = "no route";
    await say(approve());
    height = 2;
    signer.unavailable = undefined;
    runTimers();
    assert.deepEqual(await say(approve(0, 2)), ["approve"]);
    assert.deepEqual(signer.asked, ["approve", "approve"]);
  });

  test("reports what the signer refuses, and sends the rest", async () => {
    await say(approve(3));
    assert.deepEqual(await say(accept, approve(2)), ["accept"]);
    assert.equal(refused.length, 1);
    assert.deepEqual(await say(), [], "it is not asked for again");
  });

  test("minds no refusal of what an unavailable signer may have gone beyond", async () => {
    signer.unavailable = "the answer was lost";
    await say(approve(0), approve(1));
    signer.unavailable = undefined;
    await signer.sign([{ kind: "approve", height: 1, round: 2, digest: seedOf("later") }]);
    runTimers();
    assert.deepEqual(await say(), []);
    assert.deepEqual(refused, []);
  });

  test("signs what belongs to no round at any time, if the signer answers", async () => {
    const signature = await log.sign("head", 1, seedOf("a head"));
    assert.equal(signature?.length, 64);
    signer.unavailable = "no route";
    assert.equal(await log.sign("head", 1, seedOf("a head")), undefined);
  });

  describe("at the start", () => {
    test("brings the marks up to the log before it compares them", async () => {
      const [{ said } = assert.fail()] = await log.say([approve()]);
      assert(said.kind === "vote");
      events.length = 0;
      const fresh = new MoodySigner(await memorySigner(selfId));
      Object.assign(signer, { marks: () => fresh.marks(), sign: fresh.sign.bind(fresh) });
      log.open({ votes: [said.vote], proposals: [] });
      await settled();
      assert.deepEqual(fresh.asked, ["approve"]);
      assert.deepEqual(events, ["settle", "compare", "wake"]);
    });

    test("asks again until the signer tells its marks", async () => {
      signer.unavailable = "no route";
      log.open({ votes: [], proposals: [] });
      await settled();
      assert.equal(troubles.at(-1), "no route");
      signer.unavailable = undefined;
      runTimers();
      await settled();
      assert.equal(troubles.at(-1), undefined);
      assert.deepEqual(events.slice(-2), ["compare", "wake"]);
    });

    test("ends with the disk's error, unless it was closed", async () => {
      signer.throws = new StoreError("IO", "gone");
      log.open({ votes: [], proposals: [] });
      await settled();
      assert.deepEqual(fatal, [signer.throws]);
      log.open({ votes: [], proposals: [] });
      log.close();
      await settled();
      assert.equal(fatal.length, 1);
    });
  });
});
