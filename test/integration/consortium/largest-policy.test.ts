/**
 * A consortium with the longest records and blocks that a policy may allow: blocks go on, whoever
 * was away catches up, and what was promised to be kept survives.
 */
import assert from "node:assert/strict";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import {
  type BssClient,
  document,
  recordHash,
  type Submission,
  WaitFor,
} from "../../../src/client/index.js";
import { QueryService } from "../../../src/gen/bss/v1/query_pb.js";
import { recordBytesBound, sizeProblems } from "../../../src/ledger/message-sizes.js";
import { createChannel } from "../../../src/rpc/channels/channel.js";
import { createClient } from "../../../src/rpc/channels/typed-client.js";
import { LiveConsortium, poll, suiteTimeoutMs } from "../../support/live-consortium.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";

/** What gRPC clients take unless they are told otherwise, bytes. */
const clientDefaultBytes = 4 * 2 ** 20;
const blockRecordsMax = 1_000;

/** The longest blocks for so many records. */
function largestBlockBytes(): number {
  let [low, high] = [1, 2 ** 24];
  while (low < high) {
    const blockBytesMax = Math.ceil((low + high) / 2);
    const fits = sizeProblems({ blockRecordsMax, blockBytesMax, recordBytesMax: 1 }).length === 0;
    if (fits) low = blockBytesMax;
    else high = blockBytesMax - 1;
  }
  return low;
}

const policy = `block_records_max: ${blockRecordsMax}
block_bytes_max: ${largestBlockBytes()}
record_bytes_max: ${recordBytesBound}
verdict_wait_ms: 1000
heartbeat_ms: 0
min_storage: 1
timeouts:
  propose_ms: 4000
  approve_ms: 4000
  verify_ms: 4000
  commit_ms: 1000
  step_ms: 1000
  max_ms: 30000
suspension: never
unreachable_after_ms: 0
`;
const callTimeoutMs = 10 * 60_000;

describe("a consortium with the largest policy", { timeout: suiteTimeoutMs }, () => {
  let consortium: LiveConsortium;
  const clients: BssClient[] = [];

  after(() => consortium?.close());
  const parent = temporaryDirectory();

  before(async () => {
    const sizes = { managers: 4, storage: 2, participants: 3 };
    consortium = await LiveConsortium.start(join(parent, "live"), sizes, { policy });
    for (const i of [1, 2, 3]) clients.push(await consortium.client(`participant-${i}`));
  });

  /** A record of exactly the longest length. */
  const longest = (client: BssClient, name: string) => {
    const parts = { ownerId: client.profile.id, mediaType: "application/pdf", name, timeMs: 1 };
    const without = document({ ...parts, content: new Uint8Array(4_000_000) }).length - 4_000_000;
    const content = new Uint8Array(recordBytesBound - without);
    const record = document({ ...parts, content });
    assert.equal(record.length, recordBytesBound);
    return record;
  };

  test("makes blocks of one longest record after the other, for storage nodes too", async () => {
    const submissions = clients.flatMap((client) =>
      [1, 2].map((i) => [client, client.sign([longest(client, `${i}`)])] as const),
    );
    const outcomes = await Promise.all(
      submissions.map(([client, submission]) =>
        client.submit(submission, { timeoutMs: callTimeoutMs }),
      ),
    );
    for (const { outcomes: ofOne } of outcomes) {
      assert.deepEqual(
        ofOne.map(({ outcome }) => outcome.case),
        ["committed"],
      );
    }
    const { treeSize } = await consortium.agreeOn(1);
    assert.equal(Number(treeSize), submissions.length);
  });

  test("answers every client, in pages of one where a page holds no more", async () => {
    const [client] = clients;
    assert.ok(client);
    const { id, tls } = client.profile;
    const channel = createChannel({
      address: consortium.addressOf("manager-1"),
      tls,
      messageBytesMax: clientDefaultBytes,
      expected: { consortiumName: consortium.genesis.name, role: "manager", id: "manager-1" },
    });
    const queries = createClient(QueryService, channel);
    const lengths: number[] = [];
    let pageToken = "";
    do {
      const page = await queries.listRecords({ participantId: id, pageToken });
      lengths.push(...page.entries.map(({ record }) => record?.length ?? 0));
      assert.equal(page.entries.length, 1);
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    assert.deepEqual(lengths, [recordBytesBound, recordBytesBound]);
    channel.close();
  });

  test("ships its blocks to a manager and a storage node that have lost theirs", async () => {
    const { height } = await consortium.agreeOn(1);
    await consortium.kill();
    for (const directory of ["managers/manager-4", "storage/storage-2"]) {
      rmSync(join(consortium.directory, directory, "data"), { recursive: true });
      mkdirSync(join(consortium.directory, directory, "data"), { mode: 0o700 });
    }
    await consortium.restart();
    await consortium.agreeOn(height);
  });

  test("keeps what was accepted over a kill of all, and makes it final", async () => {
    const [client] = clients;
    assert.ok(client);
    await consortium.kill(["manager-4"]);
    const own = await consortium.client("participant-1", ["manager-1"]);
    const record = longest(own, "kept");
    const submission: Submission = own.sign([record]);
    const waitFor = WaitFor.ACCEPTED;
    const answer = await own.submit(submission, { waitFor, timeoutMs: callTimeoutMs });
    assert.equal(answer.outcomes[0]?.outcome.case, "pending");
    await consortium.kill();
    await consortium.restart();
    const hash = recordHash(consortium.genesis.consortiumId, record);
    const found = await poll(
      () => client.getRecord(hash).catch(() => undefined),
      "the record that was accepted",
    );
    assert.equal(found.content?.bytes.length, recordBytesBound);
    await consortium.agreeOn(found.height);
  });
});
