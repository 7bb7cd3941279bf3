/** A whole storage node, with its disk and its server, among managers that are made up. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { toHex } from "../../../src/base/bytes.js";
import type { NetworkLimits } from "../../../src/config/limit-settings.js";
import { QueryService } from "../../../src/gen/bss/v1/query_pb.js";
import { drawCommittee } from "../../../src/ledger/certificates/committee.js";
import type { RunningNode } from "../../../src/node/running-node.js";
import { createChannel } from "../../../src/rpc/channels/channel.js";
import { createClient } from "../../../src/rpc/channels/typed-client.js";
import { startStorageNode } from "../../../src/storage-node/storage-node.js";
import { poll } from "../../support/live-consortium.js";
import { rpcErrorFrom, until } from "../../support/rpc-consortium.js";
import {
  blocksFrom,
  type FakeManager,
  StorageConsortium,
} from "../../support/storage-consortium.js";
import type { MadeBlock } from "../../support/storage-ledger.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";

class Setup {
  readonly consortium: StorageConsortium;
  readonly log: string[] = [];
  readonly #nodes = new Set<RunningNode>();

  private constructor(consortium: StorageConsortium) {
    this.consortium = consortium;
  }

  static async create(): Promise<Setup> {
    const directory = join(temporaryDirectory(), "consortium");
    const setup = new Setup(await StorageConsortium.create(directory));
    after(() => setup.close());
    return setup;
  }

  async start(limits: Partial<NetworkLimits> = {}): Promise<RunningNode> {
    const config = this.consortium.config();
    const limited = { ...config, limits: { ...config.limits, ...limits } };
    const node = await startStorageNode(limited, {
      processMetrics: false,
      logTo: { write: (line) => void this.log.push(line) },
      onFatal: (error) => {
        throw error;
      },
    });
    this.#nodes.add(node);
    return node;
  }

  async stop(node: RunningNode): Promise<void> {
    this.#nodes.delete(node);
    await node.close();
  }

  queries(node: RunningNode, party = "participants/participant-1") {
    const channel = createChannel({
      address: `127.0.0.1:${node.port}`,
      tls: this.consortium.tlsOf(party),
      expected: { consortiumName: "demo", role: "storage", id: "storage-1" },
    });
    after(() => channel.close());
    return createClient(QueryService, channel);
  }

  /** A block for whose committee storage-1 is drawn in round 0. */
  makeForNode(): MadeBlock {
    for (let i = 0; ; i++) {
      const beacon = new Uint8Array(64).fill(i);
      const made = this.consortium.ledger.make({ header: { beacon } });
      const { eligible } = made.facts;
      if (drawCommittee({ eligible, beacon, round: 0 }).includes("storage-1")) return made;
    }
  }

  async close(): Promise<void> {
    for (const node of this.#nodes) await node.close();
    await this.consortium.close();
  }
}

function allAt(managers: readonly FakeManager[], height: number): Promise<void> {
  return until(() => managers.every(({ heightHeard }) => heightHeard === height));
}

describe("a storage node", { timeout: 600_000 }, () => {
  test("greets managers with its head, attests to all, appends what is final", async () => {
    const setup = await Setup.create();
    const { consortium } = setup;
    const managers = await consortium.startManagers();
    await setup.start();
    await allAt(managers, 0);
    for (const { heard } of managers) assert.equal(heard[0]?.case, "head");

    const made = setup.makeForNode();
    await managers[0]?.verify(made);
    await until(() => managers.every((manager) => manager.heardOf("attestation").length >= 1));
    const attestations = managers.map((manager) => manager.heardOf("attestation")[0]?.value);
    for (const attestation of attestations) assert.deepEqual(attestation, attestations[0]);

    consortium.ledger.append(made);
    await managers[1]?.commit(made, { block: false });
    await allAt(managers, 1);
    await managers[2]?.commit(consortium.ledger.extend(), { block: true });
    await allAt(managers, 2);
    assert.ok(managers.every((manager) => manager.heardOf("fetchBlocks").length === 0));
  });

  test("says after a restart what it said before, and goes on from its disk", async () => {
    const setup = await Setup.create();
    const managers = await setup.consortium.startManagers();
    const node = await setup.start();
    await allAt(managers, 0);
    await managers[0]?.commit(setup.consortium.ledger.extend(), { block: true });
    await allAt(managers, 1);
    const made = setup.makeForNode();
    await managers[3]?.verify(made);
    await until(() => managers.every((manager) => manager.heardOf("attestation").length >= 1));
    await setup.stop(node);
    await setup.start();
    await until(() => managers.every((manager) => manager.heardOf("attestation").length >= 2));
    for (const manager of managers) {
      const [before, again] = manager.heardOf("attestation");
      assert.deepEqual(again?.value, before?.value);
    }
    setup.consortium.ledger.append(made);
    await managers[2]?.commit(made, { block: false });
    await allAt(managers, 2);
  });

  test("catches up from one manager, passing over those that are silent or lie", async () => {
    const setup = await Setup.create();
    const { ledger } = setup.consortium;
    for (let i = 0; i < 130; i++) ledger.extend({ records: 3 });
    const managers = await setup.consortium.startManagers();
    const [liar, honest] = managers;
    assert.ok(liar && honest);
    liar.blocks = () => blocksFrom(ledger)(7);
    const from = blocksFrom(ledger);
    honest.blocks = (fromHeight) => from(fromHeight).slice(0, 40);
    const node = await setup.start();
    await allAt(managers, 0);
    await liar.commit(ledger.at(130), { block: false });
    await until(() => liar.heardOf("fetchBlocks").length > 0);
    await honest.commit(ledger.at(130), { block: false });
    await allAt(managers, 130);
    // After a while it may be asked again.
    const asked = (manager: FakeManager) => manager.heardOf("fetchBlocks").length;
    assert.ok(asked(liar) < asked(honest), `${asked(liar)} and ${asked(honest)} times`);
    assert.ok(setup.log.some((line) => line.includes("did not give the blocks")));
    // It tells its head before it notices that nothing is left to fetch.
    const queries = setup.queries(node);
    const synced = async () => {
      const status = await queries.getStatus({});
      return status.syncing ? undefined : status;
    };
    const status = await poll(synced, "storage-1 is through");
    assert.equal(status.treeSize, 390n);
    assert.equal(toHex(status.root), toHex(ledger.at(130).parsed.header.hash1));
  });

  test("links again to a manager that was restarted, and tells it where it stands", async () => {
    const setup = await Setup.create();
    const managers = await setup.consortium.startManagers();
    await setup.start();
    await allAt(managers, 0);
    const [first, second] = managers;
    assert.ok(first && second);
    await first.close();
    await until(() => !first.linked);
    await second.commit(setup.consortium.ledger.extend(), { block: true });
    await allAt(managers.slice(1), 1);
    first.heard.length = 0;
    await first.listen();
    await until(() => first.heightHeard === 1);
  });

  test("ends a link on which a message is too long, and links again", async () => {
    const setup = await Setup.create();
    const managers = await setup.consortium.startManagers();
    await setup.start();
    await allAt(managers, 0);
    const [first] = managers;
    assert.ok(first);
    first.heard.length = 0;
    const made = setup.consortium.ledger.make();
    const records = [new Uint8Array(17 * 1024 * 1024)];
    await first.verify({ ...made, sealedRecords: records }).catch(() => {});
    await until(() => first.heightHeard === 0);
    await first.commit(setup.consortium.ledger.extend(), { block: true });
    await allAt(managers, 1);
    assert.ok(
      setup.log.some((line) => line.includes("MESSAGE_TOO_LARGE") || line.includes("larger")),
    );
  });

  test("does not talk to a server that is not the manager whose address it has", async () => {
    const setup = await Setup.create();
    const impostor = await setup.consortium.startManager("manager-1", {
      certificateOf: "manager-2",
    });
    const right = await setup.consortium.startManager("manager-3");
    await setup.start();
    const isRefusal = (line: string) =>
      line.includes('"managerId":"manager-1"') && line.includes("a link is down");
    await until(() => right.linked && setup.log.some(isRefusal));
    assert.deepEqual(impostor.heard, []);
  });

  test("answers participants about the public ledger, refuses what it cannot know", async () => {
    const setup = await Setup.create();
    const managers = await setup.consortium.startManagers();
    const node = await setup.start();
    await allAt(managers, 0);
    const { ledger } = setup.consortium;
    for (let i = 0; i < 3; i++) await managers[0]?.commit(ledger.extend(), { block: true });
    await allAt(managers, 3);
    const queries = setup.queries(node);

    const status = await queries.getStatus({});
    assert.equal(status.nodeId, "storage-1");
    assert.equal(status.height, 3n);
    assert.deepEqual(
      status.peers.map(({ peerId, connected }) => [peerId, connected]).toSorted(),
      managers.map(({ id }) => [id, true]),
    );
    const recordHash = ledger.at(2).block.leaves[0]?.recordHash ?? new Uint8Array();
    const { receipt } = await queries.getReceipt({ recordHash });
    assert.equal(receipt?.height, 2n);
    const { entry } = await queries.getRecord({ recordHash });
    assert.equal(entry?.record, undefined);
    assert.equal(entry?.position, 2n);
    const { nodes } = await queries.listStorageNodes({});
    assert.deepEqual(
      nodes.filter(({ connected }) => connected).map(({ nodeId }) => nodeId),
      ["storage-1"],
    );
    for (const call of [
      queries.listRecords({ participantId: "participant-1" }),
      queries.getRecordHistory({ recordHash }),
    ]) {
      assert.equal((await rpcErrorFrom(call)).reason, "NOT_ON_STORAGE_NODE");
    }

    const watched: number[] = [];
    const abort = new AbortController();
    const watching = (async () => {
      for await (const { block } of queries.watchBlocks(
        { fromHeight: 2n },
        { signal: abort.signal },
      )) {
        watched.push(Number(block?.height));
      }
    })().catch(() => {});
    await until(() => watched.length === 2);
    for (let i = 0; i < 3; i++) await managers[1]?.commit(ledger.extend(), { block: true });
    await until(() => watched.length === 5);
    abort.abort();
    await watching;
    assert.deepEqual(watched, [2, 3, 4, 5, 6]);
  });

  test("halts at a fork, says so to everybody, and stays halted after a restart", async () => {
    const setup = await Setup.create();
    const { ledger } = setup.consortium;
    const managers = await setup.consortium.startManagers();
    const node = await setup.start();
    await allAt(managers, 0);
    const other = ledger.make();
    await managers[0]?.commit(ledger.extend(), { block: true });
    await allAt(managers, 1);
    await managers[1]?.commit(other, { block: false });
    const told = () => managers.every((manager) => manager.heardOf("halt").length > 0);
    await until(() => told() && managers.every((manager) => manager.heardOf("fork").length > 0));
    for (const manager of managers) {
      assert.match(
        manager.heardOf("halt")[0]?.value.text ?? "",
        /two blocks are final at height 1/,
      );
      const proof = manager.heardOf("fork")[0]?.value;
      assert.deepEqual(proof?.first, ledger.at(1).certificates.commit);
      assert.deepEqual(proof?.second, other.certificates.commit);
    }
    const queries = setup.queries(node);
    const refused = await rpcErrorFrom(queries.listStorageNodes({}));
    assert.equal(refused.reason, "NODE_HALTED");
    assert.match(refused.message, /two blocks are final at height 1/);
    assert.match((await queries.getStatus({})).halted, /two blocks are final/);
    const { fork, accusedIds } = await queries.getFork({});
    assert.ok(fork && accusedIds.length > 0);
    await setup.stop(node);

    for (const manager of managers) manager.heard.length = 0;
    const again = await setup.start();
    await until(told);
    assert.ok(managers.every((manager) => manager.heard[0]?.case === "halt"));
    assert.match((await setup.queries(again).getFork({})).halted, /two blocks are final/);
  });

  test("writes neither records nor keys into its log", async () => {
    const setup = await Setup.create();
    const managers = await setup.consortium.startManagers();
    await setup.start();
    await allAt(managers, 0);
    const made = setup.makeForNode();
    await managers[0]?.verify(made);
    setup.consortium.ledger.append(made);
    await managers[0]?.commit(made, { block: true });
    await allAt(managers, 1);
    const directory = join(setup.consortium.directory, "storage/storage-1");
    const seed = readFileSync(join(directory, "signing.key"), "utf8").trim();
    const text = setup.log.join("");
    assert.ok(text.length > 0);
    for (const secret of [seed, ...made.sealedRecords.map(toHex)]) {
      assert.ok(!text.includes(secret));
    }
    // RocksDB's own files hold the sealed records, and nothing that managers keep to themselves.
    assert.ok(readdirSync(join(directory, "data")).length > 0);
  });
});

describe("a storage node that cannot start", () => {
  test("names the file of a key that is not the one registered for it", async () => {
    const setup = await Setup.create();
    const config = setup.consortium.config();
    const signingKeyFile = join(setup.consortium.directory, "storage/storage-2/signing.key");
    await assert.rejects(
      startStorageNode({ ...config, signingKeyFile }, { processMetrics: false }),
      /storage-2\/signing\.key: not the signing key that is registered for storage-1/,
    );
    // Everything that was opened has been closed again.
    await setup.start();
  });

  test("names a genesis file that is not one", async () => {
    const setup = await Setup.create();
    const config = setup.consortium.config();
    await assert.rejects(
      startStorageNode({ ...config, genesisFile: config.file }, { processMetrics: false }),
      /config\.yaml: not a valid genesis file/,
    );
  });
});
