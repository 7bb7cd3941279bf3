/**
 * A consortium of real processes that goes on without one of four managers, stands still without
 * two, and puts on the chain who was absent and who contradicted itself.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import type { BssClient, Submission, SubmitResponse } from "../../../src/client/index.js";
import { readManagerKeys } from "../../../src/config/key-files.js";
import { loadNodeConfig } from "../../../src/config/node-config.js";
import { ed25519Signer } from "../../../src/crypto/ed25519.js";
import { SuspensionReason } from "../../../src/gen/bss/v1/members_pb.js";
import type { GetConsortiumResponse } from "../../../src/gen/bss/v1/query_pb.js";
import { VoteKind, VoteSchema, VoteService } from "../../../src/gen/bss/v1/vote_pb.js";
import { voteDigest } from "../../../src/ledger/certificates/vote-digests.js";
import { createClient } from "../../../src/rpc/channels/typed-client.js";
import { LiveConsortium, poll, quickPolicy } from "../../support/live-consortium.js";
import { noteOf } from "../../support/notes.js";
import { rpcErrorFrom } from "../../support/rpc-consortium.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";

const policy = `${quickPolicy}suspension: floor
suspend_after_ms: 3000
resume_wait_ms: 1000
resume_wait_max_ms: 60000
`;

const others = ["manager-1", "manager-2", "manager-3"] as const;

describe("a consortium that suspends absent managers", { timeout: 840_000 }, () => {
  let consortium: LiveConsortium;
  let client: BssClient;
  let auditor: BssClient;

  after(() => consortium?.close());
  const parent = temporaryDirectory();

  before(async () => {
    const sizes = { managers: 4, storage: 1, participants: 2 };
    consortium = await LiveConsortium.start(join(parent, "live"), sizes, { policy });
    client = await consortium.client("participant-1", ["manager-1"]);
    auditor = await consortium.client("participant-2", ["manager-2"]);
  });

  const submit = (text: string, timeoutMs = 120_000): Promise<SubmitResponse> =>
    client.submit(client.sign([noteOf("participant-1", text)]), { timeoutMs });
  const heightOf = (answer: SubmitResponse) => Number(answer.blocks[0]?.height);

  /** What a client is told of a submission while these managers are away. */
  const refusal = (missing: string, submission: Submission) =>
    poll(async () => {
      const failure = await rpcErrorFrom(client.submit(submission, { timeoutMs: 2_000 }));
      // A busy machine may notice late who is gone, or be too late to say it.
      return failure.metadata.missing_managers === missing ? failure : undefined;
    }, `a refusal for want of ${missing}`);

  /** What the chain says of a manager, once it is as expected. */
  const entryOf = (id: string, what: string, expected: (entry: Entry) => boolean) =>
    poll(async () => {
      const entry = managerOf(await auditor.getConsortium(), id);
      return expected(entry) ? entry : undefined;
    }, `${id}: ${what}`);

  test("goes on without one of four, names it, and takes it back by itself", async () => {
    await submit("all four are there");
    const load = await startLoad();
    await consortium.kill(["manager-4"]);
    const entry = await entryOf("manager-4", "suspended", ({ active }) => !active);
    assert.equal(entry.reason, SuspensionReason.ABSENT);
    assert.equal(entry.offenceHeight, 0n);
    const made = load.answers.length;
    await poll(async () => load.answers.length > made + 5 || undefined, "going on without it");

    await consortium.restart(["manager-4"]);
    const back = await entryOf("manager-4", "active again", ({ active }) => active);
    assert.ok(back.changedHeight > entry.changedHeight);
    assert.ok(back.absences > 0);
    const answers = await load.stop();
    assert.ok(answers.every(({ outcomes }) => outcomes[0]?.outcome.case === "committed"));
    await consortium.agreeOn(Math.max(...answers.map(heightOf)));
    const kinds = (await history()).filter(([, id]) => id === "manager-4").map(([kind]) => kind);
    assert.deepEqual(kinds.slice(-2), ["suspendManager", "resumeManager"]);
    for (const id of others) {
      const isLogged = (what: string) => {
        const log = readFileSync(consortium.node(id).logFile, "utf8");
        return log.split("\n").some((line) => line.includes("manager-4") && line.includes(what));
      };
      for (const what of ["a manager is suspended", "a suspended manager is active again"]) {
        await poll(async () => isLogged(what) || undefined, `${id} writes: ${what}`);
      }
    }
  });

  test("stands still without two, loses nothing, and goes on when one is back", async () => {
    const { height } = await consortium.agreeOn(0);
    await consortium.kill(["manager-3", "manager-4"]);
    const record = noteOf("participant-1", "nobody can make this final");
    const submission = client.sign([record]);
    const failure = await refusal("manager-3, manager-4", submission);
    assert.equal(failure.status, "UNAVAILABLE");
    assert.equal(failure.reason, "MANAGERS_UNAVAILABLE");
    for (const id of ["manager-1", "manager-2", "storage-1"]) {
      const status = await poll(() => consortium.statusOf(id), `${id} answers`);
      assert.equal(status.height, height, `${id} has made no block`);
    }
    await consortium.restart(["manager-3"]);
    const answer = await client.submit(submission, { timeoutMs: 120_000 });
    assert.equal(answer.outcomes[0]?.outcome.case, "committed");
    await consortium.restart(["manager-4"]);
    await entryOf("manager-4", "active again", ({ active }) => active);
    await consortium.agreeOn(heightOf(answer));
  });

  test("takes one back in the very block that suspends another", async () => {
    await consortium.kill(["manager-4"]);
    await submit("the fourth is away");
    await entryOf("manager-4", "suspended", ({ active }) => !active);
    await consortium.kill(["manager-3"]);
    const submission = client.sign([noteOf("participant-1", "the third is away too")]);
    await refusal("manager-3, manager-4", submission);
    await consortium.restart(["manager-4"]);
    const answer = await client.submit(submission, { timeoutMs: 120_000 });
    assert.equal(answer.outcomes[0]?.outcome.case, "committed");
    const third = await entryOf("manager-3", "suspended", ({ active }) => !active);
    const fourth = await entryOf("manager-4", "active", ({ active }) => active);
    assert.equal(third.changedHeight, fourth.changedHeight);
    await consortium.restart(["manager-3"]);
    await entryOf("manager-3", "active again", ({ active }) => active);
    await consortium.agreeOn(heightOf(answer));
  });

  test("names on the chain, once, who signed two votes", async () => {
    const { height } = await consortium.agreeOn(0);
    await consortium.kill(["manager-4"]);
    await contradict(height + 1);
    const entry = await entryOf(
      "manager-4",
      "convicted",
      ({ offenceHeight, reason }) => offenceHeight > 0n && reason === SuspensionReason.EQUIVOCATED,
    );
    assert.equal(entry.active, false);
    const last = await submit("three of four go on");
    await consortium.restart(["manager-4"]);
    await consortium.agreeOn(heightOf(last));
    await submit("nobody takes it back");
    assert.equal(managerOf(await auditor.getConsortium(), "manager-4").active, false);
    const accusations = (await history()).filter(([kind]) => kind === "evidence");
    assert.deepEqual(accusations, [["evidence", "manager-4"]]);
  });

  /** Submits through each of the others, one record after the other, until it is stopped. */
  const startLoad = async () => {
    const answers: SubmitResponse[] = [];
    let stopped = false;
    const loops = others.map(async (id) => {
      const loaded = await consortium.client("participant-1", [id]);
      for (let i = 0; !stopped; i++) {
        const submission = loaded.sign([noteOf("participant-1", `${id} ${i}`)]);
        answers.push(await loaded.submit(submission, { timeoutMs: 120_000 }));
      }
    });
    const ended = Promise.all(loops);
    ended.catch(() => {});
    return {
      answers,
      stop: async () => {
        stopped = true;
        await ended;
        return answers;
      },
    };
  };

  /** Speaks as manager-4, which does not run: two COMMITs of one round. */
  const contradict = async (height: number): Promise<void> => {
    const { consortiumId } = consortium.genesis;
    const config = loadNodeConfig(
      join(consortium.directory, "managers", "manager-4", "config.yaml"),
    );
    assert.ok(config.role === "manager");
    const { sign } = ed25519Signer(readManagerKeys(config).signingSeed);
    for (const to of others) {
      const channel = consortium.channel(consortium.tlsOf("managers/manager-4"), to);
      const stream = createClient(VoteService, channel).vote();
      for (const block of [1, 2]) {
        const vote = create(VoteSchema, {
          kind: VoteKind.COMMIT,
          height: BigInt(height),
          round: 0,
          validRound: -1,
          blockId: new Uint8Array(32).fill(block),
          managerId: "manager-4",
        });
        const digest = voteDigest(vote, consortiumId);
        assert.ok(digest);
        await stream.write({
          message: { case: "vote", value: { ...vote, signature: sign(digest) } },
        });
      }
    }
  };

  /** What the chain tells of its managers after genesis, in order. */
  const history = async (): Promise<(readonly [kind: string, managerId: string])[]> => {
    const { history: entries } = await auditor.getConsortium();
    return entries.flatMap(({ height, operation }) => {
      const { case: kind, value } = operation?.operation ?? { case: undefined };
      if (height === 0n || kind === undefined || !("managerId" in value)) return [];
      return [[kind, value.managerId] as const];
    });
  };
});

type Entry = GetConsortiumResponse["managers"][number];

function managerOf({ managers }: GetConsortiumResponse, id: string): Entry {
  const found = managers.find(({ member }) => member?.managerId === id);
  assert.ok(found);
  return found;
}
