/**
 * Nodes of a live consortium that were away, for a while or with everything that they had: they
 * come back to the others' chain while it goes on and while those who serve them are killed.
 */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { BssClient } from "../../../src/client/index.js";
import { QueryService } from "../../../src/gen/bss/v1/query_pb.js";
import { createClient } from "../../../src/rpc/channels/typed-client.js";
import {
  LiveConsortium,
  poll,
  quickPolicy,
  suiteTimeoutMs,
} from "../../support/live-consortium.js";
import { startNoteLoad } from "../../support/notes.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";

const policy = `${quickPolicy}suspension: floor
suspend_after_ms: 1000
resume_wait_ms: 1000
resume_wait_max_ms: 60000
`;
const blocksMissed = 40;

describe("a consortium whose nodes were away", { timeout: suiteTimeoutMs }, () => {
  let consortium: LiveConsortium;
  let client: BssClient;
  let load: { stop(): Promise<void> };
  const parent = temporaryDirectory();

  before(async () => {
    const sizes = { managers: 4, storage: 4, participants: 1 };
    consortium = await LiveConsortium.start(join(parent, "live"), sizes, { policy });
    client = await consortium.client("participant-1", ["manager-2"]);
    load = startNoteLoad(client);
  });
  after(async () => {
    await load?.stop();
    await consortium?.close();
  });

  const heightOf = (id: string) =>
    poll(async () => (await consortium.statusOf(id))?.height, `${id} says its height`);
  const reaches = (id: string, height: number) =>
    poll(async () => (await heightOf(id)) >= height || undefined, `${id} at height ${height}`);

  function lose(id: string): void {
    rmSync(consortium.node(id).config.dataDirectory, { recursive: true, force: true });
  }

  test("a storage node that lost its directory has everything again, while blocks come", async () => {
    await reaches("manager-2", blocksMissed);
    await consortium.kill(["storage-4"]);
    lose("storage-4");
    const tip = await heightOf("manager-2");
    await consortium.restart(["storage-4"]);
    await reaches("storage-4", tip);
  });

  test("one manager and one storage node do, though who serves them is killed", async () => {
    await consortium.kill(["manager-4"]);
    const missed = (await heightOf("manager-2")) + 20;
    await reaches("manager-2", missed);
    await consortium.kill(["storage-3"]);
    for (const id of ["manager-4", "storage-3"]) lose(id);
    await Promise.all([
      consortium.restart(["manager-4", "storage-3"]),
      poll(async () => (await heightOf("storage-3")) > 0 || undefined, "storage-3 fetches").then(
        () => consortium.kill(["manager-1"]),
      ),
    ]);
    await Promise.all([reaches("manager-4", missed), reaches("storage-3", missed)]);
    await consortium.restart(["manager-1"]);
    await load.stop();
    await consortium.agreeOn(missed);
    assert.doesNotMatch(consortium.logs(), /"reason":"(invalid|malformed|empty)"/);
  });

  test("says how far it is while it fetches, and nothing when it is through", async () => {
    const { height } = await consortium.agreeOn(0);
    await consortium.kill(["storage-1"]);
    lose("storage-1");
    const tls = consortium.tlsOf("auditors/auditor-1");
    await consortium.restart(["storage-1"]);
    const channel = consortium.channel(tls, "storage-1");
    const queries = createClient(QueryService, channel);
    let seen = 0n;
    // The chain may go on meanwhile: a manager that was away is taken back in a block.
    await poll(async () => {
      const { sync, syncing, height: reached } = await queries.getStatus({});
      if (sync !== undefined) seen = sync.targetHeight;
      const isThrough = reached >= BigInt(height) && sync === undefined && !syncing;
      return isThrough || undefined;
    }, "storage-1 is through");
    assert.ok(seen === 0n || seen >= BigInt(height), `it was heading for ${seen}`);
  });

  test("a manager that lost its data has everything again after all of them stopped at once", async () => {
    const { height } = await consortium.agreeOn(0);
    await consortium.kill();
    lose("manager-3");
    await consortium.restart();
    await consortium.agreeOn(height);
  });
});
