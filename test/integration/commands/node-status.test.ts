import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { initConsortium } from "../../../src/cli/init/init-consortium.js";
import { openStatusSource, type StatusSource } from "../../../src/cli/nodes/node-status.js";
import { readGenesisFile, readTlsFiles } from "../../../src/config/key-files.js";
import { loadNodeConfig, type NodeConfig } from "../../../src/config/node-config.js";
import { QueryService } from "../../../src/gen/bss/v1/query_pb.js";
import { parseGenesis } from "../../../src/ledger/genesis.js";
import { createServer, type RpcServer } from "../../../src/rpc/server/server.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";

describe("the status of a node, asked with what bss init wrote", () => {
  const directory = join(temporaryDirectory(), "consortium");
  let server: RpcServer;
  let config: NodeConfig;
  let source: StatusSource;
  const callers: string[] = [];

  before(async () => {
    const counts = { managers: 1, storage: 2, participants: 0 };
    const options = { name: "demo", basePort: 7400, ...counts };
    const { genesisFile } = await initConsortium(directory, options);
    const genesis = parseGenesis(readGenesisFile(genesisFile));
    assert(genesis.ok);
    const { members } = genesis.value;
    const onDisk = loadNodeConfig(join(directory, "storage", "storage-1", "config.yaml"));
    server = createServer({
      tls: readTlsFiles(onDisk.tls),
      consortiumName: "demo",
      registry: { spkiOf: async (_role, id) => members.officer(id)?.tlsSpkiSha256 },
      onInternalError: (error) => assert.fail(String(error)),
    });
    server.implement(QueryService, {
      getStatus: async (_request, { identity }) => {
        callers.push(`${identity.role} ${identity.id}`);
        const peers = [{ connected: true }, { connected: false }, { connected: true }];
        const root = new Uint8Array(32).fill(7);
        const waiting = { heightMs: 3_000n, missingAccepts: ["manager-3"] };
        const ring = { round: 2, step: "verify", waiting, abstaining: "the vote log is behind" };
        return { height: 12n, treeSize: 345n, root, peers, ...ring };
      },
    });
    const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
    config = { ...onDisk, listen: { host: "0.0.0.0", port } };
    source = openStatusSource(directory);
  });

  after(async () => {
    source.close();
    await server.close();
  });

  test("is read in the auditor's name, also where it listens on every address", async () => {
    // On a busy machine the node may not answer in time.
    let status = await source.statusOf(config);
    while (status === undefined) status = await source.statusOf(config);
    assert.deepEqual(status, {
      height: 12,
      treeSize: 345,
      root: new Uint8Array(32).fill(7),
      peers: 2,
      syncing: false,
      round: 2,
      step: "verify",
      waitsFor: "the ACCEPT of manager-3",
      abstaining: "the vote log is behind",
      halted: "",
    });
    assert.deepEqual([...new Set(callers)], ["auditor auditor-1"]);
  });

  test("is unknown when another node answers at its address, or nobody", async () => {
    const answered = callers.length;
    assert.equal(await source.statusOf({ ...config, id: "storage-2" }), undefined);
    const nobody = { ...config, id: "storage-9", listen: { host: "127.0.0.1", port: 1 } };
    assert.equal(await source.statusOf(nobody), undefined);
    assert.equal(callers.length, answered);
  });
});
