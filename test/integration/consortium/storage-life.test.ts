/**
 * Storage nodes of a consortium of real processes: one that dies is suspended and returns by
 * itself, one that vouches for what it does not hold is found out and boycotted.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { BssClient } from "../../../src/client/index.js";
import { readSeedFile } from "../../../src/config/key-files.js";
import { ed25519Signer } from "../../../src/crypto/ed25519.js";
import { StorageSuspension } from "../../../src/gen/bss/v1/members_pb.js";
import type { StorageNodeStatus } from "../../../src/gen/bss/v1/query_pb.js";
import { EchoingNode } from "../../support/echoing-node.js";
import { LiveConsortium, poll, quickPolicy } from "../../support/live-consortium.js";
import { startNoteLoad } from "../../support/notes.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";

const policy = `${quickPolicy}suspension: floor
suspend_after_ms: 2000
resume_wait_ms: 1000
resume_wait_max_ms: 60000
unreachable_after_ms: 2000
audits_per_block: 5
`;

describe("the life of storage nodes", { timeout: 840_000 }, () => {
  let consortium: LiveConsortium;
  let client: BssClient;
  let load: { stop(): Promise<void> };
  const parent = temporaryDirectory();

  before(async () => {
    const sizes = { managers: 4, storage: 5, participants: 1 };
    consortium = await LiveConsortium.start(join(parent, "live"), sizes, { policy });
    client = await consortium.client("participant-1", ["manager-2"]);
    load = startNoteLoad(client);
  });
  after(async () => {
    await load?.stop();
    await consortium?.close();
  });

  /** What the chain says of a storage node, once it is as expected. */
  const nodeOnce = (id: string, what: string, expected: (node: StorageNodeStatus) => boolean) =>
    poll(async () => {
      const node = await client.storageNode(id);
      return node !== undefined && expected(node) ? node : undefined;
    }, `${id}: ${what}`);
  const isActive = ({ suspension }: StorageNodeStatus) =>
    suspension === StorageSuspension.UNSPECIFIED;

  test("one that dies is suspended as unreachable, and returns by itself", async () => {
    const isEarning = ({ reward, credit }: StorageNodeStatus) => reward > 0n && credit > 100;
    await nodeOnce("storage-5", "earning", isEarning);
    await consortium.kill(["storage-5"]);
    const isAway = ({ suspension }: StorageNodeStatus) =>
      suspension === StorageSuspension.UNREACHABLE;
    const away = await nodeOnce("storage-5", "unreachable", isAway);
    assert.equal(away.eligible, false);
    await consortium.restart(["storage-5"]);
    const back = await nodeOnce("storage-5", "active again", isActive);
    assert.ok(back.changedHeight > away.changedHeight);
    await nodeOnce("storage-5", "attesting again", (node) => {
      return node.lastAttestedHeight > back.changedHeight;
    });
  });

  test("one that vouches for what it does not hold is found by audits and boycotted", async () => {
    const { config } = consortium.node("storage-3");
    assert.ok(config.role === "storage");
    // It is silent and linked until the other one is there, so that nobody misses it.
    consortium.node("storage-3").kill("SIGSTOP");
    const tls = consortium.tlsOf("storage/storage-3");
    const managers = consortium.genesis.members.managers.map(({ managerId }) => managerId);
    const echoing = new EchoingNode({
      nodeId: "storage-3",
      consortiumId: consortium.genesis.consortiumId,
      sign: ed25519Signer(readSeedFile(config.signingKeyFile)).sign,
      channels: managers.map((id) => consortium.channel(tls, id)),
    });
    after(() => echoing.close());
    await poll(async () => echoing.attested > 0 || undefined, "it is taken for the node");
    await consortium.kill(["storage-3"]);
    const isOut = ({ suspension }: StorageNodeStatus) => suspension === StorageSuspension.BOYCOTTED;
    const out = await nodeOnce("storage-3", "boycotted", isOut);
    assert.ok(out.credit < 50);
    // The chain says so, whoever reads it, and of nobody else.
    await consortium.agreeOn(Number(out.changedHeight), managers);
    for (const id of managers) {
      const lines = await poll(async () => {
        const log = readFileSync(consortium.node(id).logFile, "utf8");
        const found = log.split("\n").filter((line) => line.includes("that an audit failed"));
        return found.length > 0 ? found : undefined;
      }, `${id} writes into its log that an audit failed`);
      assert.ok(
        lines.every((line) => line.includes('"nodeId":"storage-3"')),
        lines.join("\n"),
      );
    }
  });
});
