import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { before, describe, test } from "node:test";
import { fromJsonString, toJsonString } from "@bufbuild/protobuf";
import { toHex, utf8 } from "../../../../src/base/bytes.js";
import { initConsortium, type NewConsortium } from "../../../../src/cli/init/init-consortium.js";
import type { ConsortiumOptions } from "../../../../src/cli/init/plan.js";
import {
  readGenesisFile,
  readManagerKeys,
  readSeedFile,
  readTlsFiles,
} from "../../../../src/config/key-files.js";
import { loadNodeConfig, type ManagerConfig } from "../../../../src/config/node-config.js";
import { loadProfile } from "../../../../src/config/profile.js";
import { ed25519KeyPairFromSeed } from "../../../../src/crypto/ed25519.js";
import { sha256 } from "../../../../src/crypto/hash.js";
import { unwrapEpochKey } from "../../../../src/crypto/hpke.js";
import { epochCommitment } from "../../../../src/crypto/seal.js";
import { vrfKeyPairFromSeed } from "../../../../src/crypto/vrf.js";
import { type Genesis, GenesisSchema } from "../../../../src/gen/bss/v1/genesis_pb.js";
import { parseGenesis } from "../../../../src/ledger/genesis.js";
import { hpkeKeyPairFromSecret } from "../../../support/hpke-key-pair.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const options: ConsortiumOptions = {
  name: "demo",
  managers: 4,
  storage: 7,
  participants: 3,
  basePort: 7400,
};

const nodeFiles = ["config.yaml", "signing.key", "tls.crt", "tls.key"];
const managerFiles = [...nodeFiles, "ca.crt", "ca.key", "epoch-0.wrap", "hpke.key", "vrf.key"];
const clientFiles = ["profile.yaml", "signing.key", "tls.crt", "tls.key"];

describe("initConsortium", () => {
  const parent = temporaryDirectory();
  const directory = join(parent, "deep", "consortium");
  let made: NewConsortium;
  let genesis: Genesis;

  before(async () => {
    const umask = process.umask(0o277);
    try {
      made = await initConsortium(directory, options);
    } finally {
      process.umask(umask);
    }
    genesis = fromJsonString(GenesisSchema, readFileSync(made.genesisFile, "utf8"));
  });

  const config = (id: string) => {
    const path = `${id.startsWith("manager") ? "managers" : "storage"}/${id}/config.yaml`;
    return loadNodeConfig(join(directory, path));
  };
  const managerConfigs = () => [1, 2, 3, 4].map((i) => config(`manager-${i}`) as ManagerConfig);

  test("writes exactly the files of each party", () => {
    const expected = [
      "ca-bundle.pem",
      "genesis.json",
      ...ids("managers/manager", 4, managerFiles),
      ...ids("storage/storage", 7, nodeFiles),
      ...ids("participants/participant", 3, clientFiles),
      ...ids("operators/operator", 4, clientFiles),
      ...ids("auditors/auditor", 1, clientFiles),
    ];
    assert.deepEqual(filesBelow(directory), expected.sort());
    assert.deepEqual(readdirSync(join(directory, "managers/manager-1/data")), []);
    assert.deepEqual(readdirSync(join(directory, "storage/storage-7/data")), []);
    assert.deepEqual(readdirSync(dirname(directory)), ["consortium"], "nothing is left beside it");
  });

  test("keeps secrets to their owner, whatever the umask", () => {
    for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      const secret = /\.(key|wrap)$/.test(entry.name);
      const expected = entry.isDirectory() ? 0o700 : secret ? 0o600 : 0o644;
      assert.equal((statSync(path).mode & 0o777).toString(8), expected.toString(8), path);
    }
    assert.equal(statSync(directory).mode & 0o777, 0o700);
  });

  test("the consortium id is SHA-256 of the genesis file, which survives a round trip", () => {
    const bytes = readGenesisFile(made.genesisFile);
    assert.equal(made.consortiumId, toHex(sha256(bytes)));
    const again = toJsonString(GenesisSchema, genesis, {
      prettySpaces: 2,
      alwaysEmitImplicit: true,
    });
    assert.deepEqual(utf8(`${again}\n`), bytes);
  });

  test("the ledger takes the genesis file", () => {
    const parsed = parseGenesis(readGenesisFile(made.genesisFile));
    assert(parsed.ok);
    assert.equal(toHex(parsed.value.consortiumId), made.consortiumId);
    assert.equal(parsed.value.members.activeManagerIds.length, 4);
    assert.equal(parsed.value.operations.length, 6);
  });

  test("every config loads, and its keys are those that genesis names", () => {
    for (const [index, manager] of managerConfigs().entries()) {
      const member = genesis.managers[index];
      const keys = readManagerKeys(manager);
      assert.equal(member?.managerId, manager.id);
      assert.equal(member?.address, manager.advertise);
      assert.deepEqual(member?.signingKey, ed25519KeyPairFromSeed(keys.signingSeed).publicKey);
      assert.deepEqual(member?.vrfKey, vrfKeyPairFromSeed(keys.vrfSeed).publicKey);
      assert.deepEqual(member?.hpkeKey, hpkeKeyPairFromSecret(keys.hpkeSecretKey).publicKey);
      assert.deepEqual(member?.tlsSpkiSha256, spkiOf(readTlsFiles(manager.tls).certPem));
      assert.equal(manager.genesisFile, made.genesisFile);
    }
    for (const value of operations(genesis, "admitStorageNode")) {
      const node = config(value.nodeId);
      assert.deepEqual(value.signingKey, publicKeyIn(node.signingKeyFile));
      assert.deepEqual(value.tlsSpkiSha256, spkiOf(readTlsFiles(node.tls).certPem));
    }
    assert.equal(operations(genesis, "admitStorageNode").length, 7);
  });

  test("every profile loads, and its keys are those that genesis names", () => {
    for (const value of operations(genesis, "registerParticipant")) {
      const profile = loadProfile(
        join(directory, "participants", value.participantId, "profile.yaml"),
      );
      assert.equal(profile.role, "participant");
      assert.deepEqual(value.signingKey, publicKeyIn(profile.signingKeyFile));
      assert.deepEqual(value.tlsSpkiSha256, spkiOf(readTlsFiles(profile.tls).certPem));
    }
    const officers = operations(genesis, "registerOfficer");
    assert.deepEqual(
      officers.map(({ officerId }) => officerId),
      ["operator-1", "operator-2", "operator-3", "operator-4", "auditor-1"],
    );
    assert.deepEqual(
      officers.map(({ managerId }) => managerId),
      ["manager-1", "manager-2", "manager-3", "manager-4", ""],
      "an operator acts for its manager",
    );
    for (const value of officers) {
      const parentName = value.officerId.replace(/-\d+$/, "s");
      const profile = loadProfile(join(directory, parentName, value.officerId, "profile.yaml"));
      assert.deepEqual(value.signingKey, publicKeyIn(profile.signingKeyFile));
      assert.deepEqual(value.tlsSpkiSha256, spkiOf(readTlsFiles(profile.tls).certPem));
    }
    const meters = operations(genesis, "registerMeter");
    assert.deepEqual(
      meters.map(({ meterId, ownerId, ratedPowerW }) => [meterId, ownerId, ratedPowerW]),
      [
        ["meter-1", "participant-1", 25_000n],
        ["meter-2", "participant-2", 25_000n],
        ["meter-3", "participant-3", 25_000n],
      ],
    );
  });

  test("every certificate chains to its sponsor's authority, and all are in the bundle", () => {
    const bundle = readFileSync(join(directory, "ca-bundle.pem"), "utf8");
    assert.equal(bundle, genesis.caCertificatesPem.join(""));
    const authorities = managerConfigs().map(({ file }) => {
      return new X509Certificate(readFileSync(join(dirname(file), "ca.crt")));
    });
    for (const value of operations(genesis, "admitStorageNode")) {
      const certificate = new X509Certificate(readTlsFiles(config(value.nodeId).tls).certPem);
      const [issuer] = authorities.filter(({ publicKey }) => certificate.verify(publicKey));
      assert.match(issuer?.subject ?? "", new RegExp(`CN=${value.sponsorId} `));
    }
  });

  test("each manager opens its own wrap of the epoch key, and nobody else's", async () => {
    const consortiumId = Buffer.from(made.consortiumId, "hex");
    const managers = managerConfigs().map(({ id, ...rest }) => ({
      id,
      keys: readManagerKeys({ id, ...rest }),
    }));
    for (const { id, keys } of managers) {
      const [wrapped] = keys.epochWraps;
      assert(wrapped !== undefined);
      const context = { managerId: id, epochNumber: 0, consortiumId, wrapped };
      const epochKey = await unwrapEpochKey({ ...context, secretKey: keys.hpkeSecretKey });
      assert(epochKey !== undefined);
      assert.deepEqual(epochCommitment(0, epochKey), genesis.epochCommitment);
      for (const other of managers) {
        if (other.id === id) continue;
        const { hpkeSecretKey: secretKey } = other.keys;
        assert.equal(await unwrapEpochKey({ ...context, secretKey }), undefined);
      }
    }
  });

  test("no secret is in a public file", () => {
    const secrets = filesBelow(directory)
      .filter((path) => path.endsWith(".key"))
      .map((path) => readFileSync(join(directory, path), "utf8").trim());
    for (const path of filesBelow(directory).filter((file) => !/\.(key|wrap)$/.test(file))) {
      const content = readFileSync(join(directory, path), "utf8");
      assert(!content.includes("PRIVATE"), path);
      for (const secret of secrets) {
        assert(!content.includes(secret), path);
        assert(!content.includes(Buffer.from(secret, "hex").toString("base64") || secret), path);
      }
    }
  });

  test("the same options give the same configs and profiles, with other keys", async () => {
    const second = join(parent, "second");
    const other = await initConsortium(second, options);
    assert.notEqual(other.consortiumId, made.consortiumId);
    assert.deepEqual(filesBelow(second), filesBelow(directory));
    for (const path of filesBelow(directory)) {
      const [a, b] = [directory, second].map((root) => readFileSync(join(root, path), "utf8"));
      if (path.endsWith(".yaml")) assert.equal(a, b, path);
      else assert.notEqual(a, b, path);
    }
  });

  test("never overwrites a directory with something in it, nor a file", async () => {
    const before = readFileSync(made.genesisFile);
    await assert.rejects(initConsortium(directory, options), {
      name: "CliError",
      what: `${directory} exists already, and nothing is overwritten`,
    });
    assert.deepEqual(readFileSync(made.genesisFile), before);
    const file = join(parent, "file");
    writeFileSync(file, "mine");
    await assert.rejects(initConsortium(file, options), /exists already/);
    assert.equal(readFileSync(file, "utf8"), "mine");
  });

  test("takes an empty directory, and leaves nothing behind when it fails", async () => {
    const empty = join(parent, "empty");
    mkdirSync(empty);
    const bare = { ...options, managers: 1, storage: 0, participants: 0 };
    const { genesisFile } = await initConsortium(empty, bare);
    const parsed = parseGenesis(readGenesisFile(genesisFile));
    assert.deepEqual(parsed.ok && parsed.value.members.storageNodes, [], "all join later");
    assert.equal(statSync(empty).mode & 0o777, 0o700);
    const inside = join(parent, "failing");
    const target = join(inside, "x");
    const hostsFile = join(parent, "hosts.yaml");
    writeFileSync(hostsFile, "manager-1: a:1\nmanager-2: a:1\n");
    await assert.rejects(initConsortium(target, { ...options, managers: 2, hostsFile }), {
      what: "the genesis file would not be valid: managers[1].address: Two managers have this value",
    });
    assert.deepEqual(readdirSync(inside), []);
  });
});

type OperationValue<Case extends string> = Extract<
  Genesis["operations"][number]["operation"],
  { case: Case }
>["value"];

function operations<Case extends Genesis["operations"][number]["operation"]["case"] & string>(
  genesis: Genesis,
  name: Case,
): readonly OperationValue<Case>[] {
  return genesis.operations.flatMap(({ operation }) =>
    operation.case === name ? [operation.value as OperationValue<Case>] : [],
  );
}

function ids(prefix: string, count: number, files: readonly string[]): string[] {
  return Array.from({ length: count }, (_, index) =>
    files.map((file) => `${prefix}-${index + 1}/${file}`),
  ).flat();
}

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .sort();
}

function publicKeyIn(seedFile: string): Uint8Array {
  return ed25519KeyPairFromSeed(readSeedFile(seedFile)).publicKey;
}

function spkiOf(certificatePem: string): Uint8Array {
  const { publicKey } = new X509Certificate(certificatePem);
  return sha256(new Uint8Array(publicKey.export({ type: "spki", format: "der" })));
}
