/**
 * A consortium of real processes with fewer storage nodes than its policy wants: it makes no blocks
 * for records that no block can hold, says who is missing, and goes on by itself.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type BssClient, RpcError } from "../../../src/client/index.js";
import { StorageSuspension } from "../../../src/gen/bss/v1/members_pb.js";
import { LiveConsortium, poll, quickPolicy } from "../../support/live-consortium.js";
import { noteOf } from "../../support/notes.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";

const policy = `${quickPolicy.replace("min_storage: 1", "min_storage: 4")}suspension: floor
suspend_after_ms: 2000
resume_wait_ms: 1000
resume_wait_max_ms: 60000
unreachable_after_ms: 2000
`;
const away = ["storage-4", "storage-5"] as const;
/** Blocks that may be open, or carry what brings storage nodes back or takes them out. */
const blocksMax = 10;

describe("a consortium with too few storage nodes", { timeout: 600_000 }, () => {
  let consortium: LiveConsortium;
  let client: BssClient;
  const parent = temporaryDirectory();

  before(async () => {
    const sizes = { managers: 4, storage: 5, participants: 1 };
    consortium = await LiveConsortium.start(join(parent, "live"), sizes, { policy });
    client = await consortium.client("participant-1", ["manager-2"]);
  });
  after(() => consortium?.close());

  const note = (text: string) => client.sign([noteOf("participant-1", text)]);

  test("starts no height in vain, names who is missing, and goes on when they are back", async () => {
    await client.submit(note("before"), { timeoutMs: 60_000 });
    await consortium.kill(away);
    for (const id of away) {
      await poll(async () => {
        const node = await client.storageNode(id);
        return node?.suspension === StorageSuspension.UNREACHABLE ? node : undefined;
      }, `${id} is suspended`);
    }
    const before = (await client.status()).height;
    const submission = note("meanwhile");
    const error = await client
      .submit(submission, { timeoutMs: 12_000 })
      .then(() => undefined)
      .catch((reason: unknown) => reason);
    assert.ok(error instanceof RpcError);
    assert.equal(error.reason, "STORAGE_UNAVAILABLE");
    assert.equal(error.metadata.missing_storage, away.join(", "));
    const blocks = (await client.status()).height - before;
    assert.ok(blocks <= blocksMax, `${blocks} blocks that hold nothing`);
    await consortium.restart(away);
    const { outcomes } = await client.submit(submission, { timeoutMs: 120_000 });
    assert.deepEqual(
      outcomes.map(({ outcome }) => outcome.case),
      ["committed"],
    );
  });
});
