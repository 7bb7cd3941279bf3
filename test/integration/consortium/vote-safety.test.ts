/**
 * A manager whose store was lost, rolled back or emptied of its votes does not contradict itself,
 * whoever asks it to: real processes, and peers with the other managers' keys that replay what they
 * have heard. What it says afterwards is all collected.
 */
import assert from "node:assert/strict";
import { cpSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { emptyBytes, toHex } from "../../../src/base/bytes.js";
import { type BssClient, type SubmitResponse, WaitFor } from "../../../src/client/index.js";
import {
  type Proposal,
  type SignedHead,
  SignedHeadSchema,
  type Vote,
  VoteKind,
  VoteSchema,
} from "../../../src/gen/bss/v1/vote_pb.js";
import { headDigest, voteDigest } from "../../../src/ledger/certificates/vote-digests.js";
import { startManager } from "../../../src/manager/manager-node.js";
import { buckets } from "../../../src/store/buckets.js";
import { bucketRange } from "../../../src/store/key-codec.js";
import { openRocksDb } from "../../../src/store/rocksdb/rocksdb-store.js";
import { LiveConsortium, poll, quickPolicy } from "../../support/live-consortium.js";
import { noteOf } from "../../support/notes.js";
import { ScriptedManager } from "../../support/scripted-manager.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";

const policy = `${quickPolicy}suspension: floor
suspend_after_ms: 1000
resume_wait_ms: 500
resume_wait_max_ms: 2000
`;
const victim = "manager-1";
const others = ["manager-2", "manager-3", "manager-4"] as const;
/** Long enough for a manager to find no proposal, and for two such rounds. */
const roundMs = 2_500;
const attackMs = 2 * roundMs;

const kindNames: Readonly<Record<VoteKind, string>> = {
  [VoteKind.UNSPECIFIED]: "nothing",
  [VoteKind.ACCEPT]: "ACCEPT",
  [VoteKind.APPROVE]: "APPROVE",
  [VoteKind.COMMIT]: "COMMIT",
};

/** What a manager has signed that could contradict something, by what and where. */
class Heard {
  readonly statements = new Map<string, Set<string>>();
  readonly replayable: (Vote | Proposal)[] = [];
  readonly heads: SignedHead[] = [];

  take(message: { readonly case: string; readonly value: unknown }): void {
    if (message.case === "head") this.heads.push(message.value as SignedHead);
    if (message.case === "vote") this.#note(message.value as Vote);
    if (message.case === "proposal") this.#note(message.value as Proposal);
  }

  /** Those of one height and after. */
  from(height: bigint): readonly (Vote | Proposal)[] {
    return this.replayable.filter((each) => each.height >= height);
  }

  /** Places in which the victim has said two things. */
  get contradictions(): readonly string[] {
    return [...this.statements].filter(([, said]) => said.size > 1).map(([place]) => place);
  }

  #note(statement: Vote | Proposal): void {
    if (statement.managerId !== victim) return;
    const kind = "kind" in statement ? kindNames[statement.kind] : "PROPOSE";
    if (kind === "ACCEPT") return;
    const { height, round, blockId, validRound } = statement;
    const place = `${kind} ${height}/${round}`;
    const said = this.statements.get(place) ?? new Set();
    this.statements.set(place, said.add(`${toHex(blockId)} ${validRound}`));
    this.replayable.push(statement);
  }
}

describe("a manager that has lost what it has said", { timeout: 840_000 }, () => {
  let consortium: LiveConsortium;
  let client: BssClient;
  const parent = temporaryDirectory();
  const scripted: ScriptedManager[] = [];
  /** Over all parts of the test: the key is the same. */
  const heard = new Heard();
  let openHeight: bigint;

  before(async () => {
    const sizes = { managers: 4, storage: 1, participants: 2 };
    consortium = await LiveConsortium.start(join(parent, "live"), sizes, { policy });
    client = await consortium.client("participant-1", ["manager-2"]);
  });
  after(async () => {
    await hush();
    await consortium?.close();
  });

  const submit = (text: string, timeoutMs = 120_000): Promise<SubmitResponse> =>
    client.submit(client.sign([noteOf("participant-1", text)]), { timeoutMs });
  const configOf = (id: string) => consortium.node(id).config;
  const dataOf = (id: string) => configOf(id).dataDirectory;
  const abstaining = async () => (await consortium.statusOf(victim))?.abstaining;
  const votesAgain = () =>
    poll(async () => ((await abstaining()) === "" ? true : undefined), `${victim} votes again`);

  /** In the place of managers that do not run. */
  const script = async (...ids: readonly string[]) => {
    for (const id of ids) {
      const peer = new ScriptedManager(configOf(id), configOf(victim), consortium.genesis, (said) =>
        heard.take(said),
      );
      await peer.listen();
      scripted.push(peer);
    }
  };
  const hush = () => Promise.all(scripted.splice(0).map((peer) => peer.close()));

  /** The others show that they are where the victim is, and vote nil there. */
  const attack = async (head: SignedHead, isOver = (passedMs: number) => passedMs >= attackMs) => {
    const { consortiumId } = consortium.genesis;
    const height = head.height + 1n;
    const startMs = performance.now();
    for (let passedMs = 0; !isOver(passedMs); passedMs = performance.now() - startMs) {
      const round = Math.floor(passedMs / roundMs);
      for (const peer of scripted) {
        const claim = { ...head, consortiumId, height: Number(head.height) };
        const signature = peer.sign(headDigest(claim));
        const value = create(SignedHeadSchema, { ...head, managerId: peer.id, signature });
        await peer.say({ case: "head", value });
        for (const kind of [VoteKind.APPROVE, VoteKind.COMMIT] as const) {
          const vote = create(VoteSchema, {
            kind,
            height,
            round,
            validRound: -1,
            blockId: emptyBytes,
            managerId: peer.id,
          });
          vote.signature = peer.sign(voteDigest(vote, consortiumId) ?? emptyBytes);
          await peer.say({ case: "vote", value: vote });
        }
      }
      await sleep(400);
    }
  };
  const headOfVictim = async () => poll(async () => heard.heads.at(-1), `a head of ${victim}`);

  /** Copies of the victim's data directory, by what they are. */
  const copyAs = (name: string) => cpSync(dataOf(victim), join(parent, name), { recursive: true });
  const useCopy = (name: string) => {
    rmSync(dataOf(victim), { recursive: true });
    cpSync(join(parent, name), dataOf(victim), { recursive: true });
  };

  test("votes at a height that stays open, and is then killed", async () => {
    await submit("one");
    await consortium.agreeOn(1);
    await consortium.kill([victim]);
    copyAs("yesterday");
    await consortium.restart([victim]);
    await votesAgain();
    await submit("two");
    let { height } = await consortium.agreeOn(2);
    // At the open height the first turn is to be that of a manager that will run.
    const { members } = consortium.genesis;
    while (!["manager-1", "manager-2"].includes(members.proposer(height + 1, 0))) {
      await submit(`another one after ${height}`);
      ({ height } = await consortium.agreeOn(height + 1));
    }
    openHeight = BigInt(height) + 1n;
    await consortium.kill([victim]);
    copyAs("a moment before");
    await consortium.restart([victim]);
    await votesAgain();
    await consortium.kill(["manager-3", "manager-4"]);
    await script("manager-3", "manager-4");
    const third = client.sign([noteOf("participant-1", "three, with two of four")]);
    await client.submit(third, { waitFor: WaitFor.ACCEPTED, timeoutMs: 120_000 });
    await poll(
      async () => (heard.from(openHeight).length > 1 ? true : undefined),
      `${victim} votes at height ${openHeight}`,
    );
    await consortium.kill([victim, "manager-2"]);
    await hush();
    copyAs("without votes");
    await forgetVotes(join(parent, "without votes"));
    mkdirSync(join(parent, "empty"), { mode: 0o700 });
    await script(...others);
  });

  for (const name of ["yesterday", "a moment before", "without votes", "empty"]) {
    test(`says that it abstains, and signs no vote, on a data directory: ${name}`, async () => {
      useCopy(name);
      const said = heard.replayable.length;
      heard.heads.length = 0;
      await consortium.restart([victim]);
      for (const peer of scripted) await peer.dial();
      await attack(await headOfVictim());
      const reason = await poll(abstaining, `${victim} says whether it abstains`);
      assert.match(reason, /its store does not hold: no vote until height \d+/);
      assert.deepEqual(heard.replayable.slice(said), []);
      assert.deepEqual(heard.contradictions, []);
      await consortium.kill([victim]);
    });
  }

  test("would contradict itself without the record of what its key has signed", async () => {
    useCopy("a moment before");
    heard.heads.length = 0;
    const config = configOf(victim);
    assert(config.role === "manager");
    const stripped = { ...config, signerStateDirectory: join(parent, "new record") };
    const quiet = { processMetrics: false, logTo: { write: () => {} } };
    await assert.rejects(startManager(stripped, quiet), {
      name: "StartError",
      next: /--new-signer-state/,
    });
    const node = await startManager(stripped, { ...quiet, newSignerAccepted: true });
    try {
      for (const peer of scripted) await peer.dial();
      await attack(await headOfVictim(), () => heard.contradictions.length > 0);
    } finally {
      await node.close();
    }
  });

  test("catches up when the others are back, votes again, and nobody has evidence", async () => {
    await hush();
    useCopy("yesterday");
    await consortium.restart();
    await consortium.agreeOn(Number(openHeight));
    await submit("four");
    await votesAgain();
    await consortium.kill(["manager-4"]);
    await submit("five, for which it is needed");
    await consortium.restart(["manager-4"]);
    await consortium.agreeOn(Number(openHeight) + 2);
    assert.doesNotMatch(consortium.logs(), /contradicted itself/);
  });

  test("is no second process for the same key", async () => {
    const config = configOf(victim);
    assert(config.role === "manager");
    const listen = { host: "127.0.0.1", port: 0 };
    const { metrics: _, ...others } = config;
    const second = { ...others, listen, dataDirectory: join(parent, "another directory") };
    await assert.rejects(startManager(second, { processMetrics: false }), {
      name: "StartError",
      message: /signer state .* is in use/,
    });
  });
});

/** As a repair of the store may leave it: the chain, and nothing of what was said. */
async function forgetVotes(directory: string): Promise<void> {
  const kv = await openRocksDb(directory);
  const said: Uint8Array[] = [];
  for await (const [key] of kv.scan(bucketRange(buckets.voteLog))) said.push(key);
  assert.notDeepEqual(said, []);
  await kv.write(
    said.map((key) => ({ type: "delete", key })),
    "sync",
  );
  await kv.close();
}
