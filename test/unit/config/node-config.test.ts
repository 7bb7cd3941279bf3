import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { ConfigError } from "../../../src/config/config-error.js";
import { loadNodeConfig } from "../../../src/config/node-config.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";

const managerLines = [
  "role: manager",
  "id: manager-1",
  "consortium: ../../genesis.json",
  "listen: {host: 127.0.0.1, port: 7401}",
  "metrics:",
  "  host: 127.0.0.1",
  "  port: 9401",
  "tls:",
  "  certificate: tls.crt",
  "  key: tls.key",
  "  ca: ../../ca-bundle.pem",
  "signing_key: signing.key",
  "vrf_key: vrf.key",
  "hpke_key: hpke.key",
  "epoch_wraps: [epoch-0.wrap]",
  "data_directory: data",
];

describe("loadNodeConfig", () => {
  const directory = temporaryDirectory();
  const file = join(directory, "config.yaml");
  const load = (lines: readonly string[]) => {
    writeFileSync(file, `${lines.join("\n")}\n`);
    return loadNodeConfig(file);
  };

  test("resolves every path against the config file's directory and fills in defaults", () => {
    const config = load(managerLines);
    assert.equal(config.role, "manager");
    assert(config.role === "manager");
    assert.equal(config.file, file);
    assert.equal(config.genesisFile, join(directory, "../../genesis.json"));
    assert.deepEqual(config.tls, {
      certificate: join(directory, "tls.crt"),
      key: join(directory, "tls.key"),
      ca: join(directory, "../../ca-bundle.pem"),
    });
    assert.deepEqual(config.epochWrapFiles, [join(directory, "epoch-0.wrap")]);
    assert.equal(config.dataDirectory, join(directory, "data"));
    assert.equal(config.signerStateDirectory, join(directory, "signing.key.state"));
    const renewed = join(directory, "signing.key.state", "renewed-tls.crt");
    assert.equal(config.renewedCertificateFile, renewed);
    assert.deepEqual(config.log, { level: "info" });
    assert.deepEqual(config.metrics, { host: "127.0.0.1", port: 9401 });
    assert.equal(config.advertise, undefined);
    assert.equal(config.limits.messageBytesMax, 4 * 1024 * 1024);
    assert.equal(config.limits.poolSubmissionsMax, 10_000);
    assert.equal(config.managerAddresses.size, 0);
  });

  test("takes overrides of managers' addresses, limits, log level and absolute paths", () => {
    const config = load([
      ...managerLines.with(2, "consortium: /etc/bss/genesis.json"),
      "signer_state: /var/lib/bss-signer",
      "advertise: grid-a.example.org:7401",
      "managers: [{id: manager-2, address: '[::1]:7402'}]",
      "limits: {pool_submissions_max: 5}",
      "log: {level: debug}",
    ]);
    assert(config.role === "manager");
    assert.equal(config.genesisFile, "/etc/bss/genesis.json");
    assert.equal(config.signerStateDirectory, "/var/lib/bss-signer");
    assert.equal(config.renewedCertificateFile, "/var/lib/bss-signer/renewed-tls.crt");
    assert.equal(config.advertise, "grid-a.example.org:7401");
    assert.deepEqual([...config.managerAddresses], [["manager-2", "[::1]:7402"]]);
    assert.equal(config.limits.poolSubmissionsMax, 5);
    assert.equal(config.log.level, "debug");
  });

  test("a storage node has no VRF key, no HPKE key and no epoch keys", () => {
    const storage = managerLines.filter((line) => !/^(vrf|hpke|epoch)_/.test(line));
    assert.equal(load(storage.with(0, "role: storage")).role, "storage");
    assertMessages(load, managerLines.with(0, "role: storage"), [
      "13: unknown key `vrf_key`; remove it or use one of role, id, consortium",
      "14: unknown key `hpke_key`;",
      "15: unknown key `epoch_wraps`;",
    ]);
  });

  test("a manager may issue, and a storage node may have a checkpoint", () => {
    const manager = load([...managerLines, "issuer: {certificate: ca.crt, key: ca.key}"]);
    assert(manager.role === "manager");
    const [certificateFile, keyFile] = [join(directory, "ca.crt"), join(directory, "ca.key")];
    const lifetimeMs = 90 * 86_400_000;
    assert.deepEqual(manager.issuer, { certificateFile, keyFile, lifetimeMs });
    const storage = managerLines.filter((line) => !/^(vrf|hpke|epoch)_/.test(line));
    const blockId = "ab".repeat(32);
    const checkpoint = `checkpoint: {height: 7, block_id: ${blockId}}`;
    const node = load([...storage.with(0, "role: storage"), checkpoint]);
    assert(node.role === "storage");
    assert.deepEqual(node.checkpoint, { height: 7, blockId: new Uint8Array(32).fill(0xab) });
    assertMessages(
      load,
      [...storage.with(0, "role: storage"), checkpoint.replace(blockId, "abab")],
      ["14: `checkpoint.block_id`"],
    );
  });

  const replaced = (from: string | RegExp, to: string) =>
    managerLines.map((line) => line.replace(from, to));
  const mistakes: readonly {
    readonly title: string;
    readonly lines: readonly string[];
    readonly messages: readonly string[];
  }[] = [
    {
      title: "a mistyped key, without complaining about the missing one that was meant",
      lines: replaced(/^listen/, "listn"),
      messages: ["4: unknown key `listn`; did you mean `listen`?"],
    },
    {
      title: "a mistyped key inside a mapping",
      lines: replaced(/^ {2}key:/, "  kye:"),
      messages: ["10: unknown key `tls.kye`; did you mean `key`?"],
    },
    {
      title: "an unknown key that resembles nothing",
      lines: [...managerLines, "colour: red"],
      messages: ["17: unknown key `colour`; remove it or use one of role, id, consortium,"],
    },
    {
      title: "two unknown keys",
      lines: [...managerLines, "colour: red", "advertize: a:1"],
      messages: [
        "17: unknown key `colour`; remove it",
        "18: unknown key `advertize`; did you mean `advertise`?",
      ],
    },
    {
      title: "a missing key, at the mapping that lacks it",
      lines: managerLines.filter((line) => !line.includes("ca:")),
      messages: ["8: key `tls.ca` is missing; set it to the path of a file, relative to this one"],
    },
    {
      title: "a wrong role",
      lines: replaced("role: manager", "role: boss"),
      messages: ['1: `role` is "boss"; use manager or storage'],
    },
    {
      title: "no role",
      lines: managerLines.slice(1),
      messages: ["1: key `role` is missing; set it to manager or storage"],
    },
    {
      title: "a port out of range",
      lines: replaced("port: 9401", "port: 94010"),
      messages: ["7: `metrics.port` is 94010; use a port number, 1 to 65535"],
    },
    {
      title: "a port that is text",
      lines: replaced("port: 9401", "port: http"),
      messages: ['7: `metrics.port` is "http"; use a port number, 1 to 65535'],
    },
    {
      title: "a host that is none",
      lines: replaced("  host: 127.0.0.1", "  host: 127.0.0.300"),
      messages: ['6: `metrics.host` is "127.0.0.300"; use a host name or an IP address'],
    },
    {
      title: "an id with capitals",
      lines: replaced("id: manager-1", "id: Manager-1"),
      messages: ['2: `id` is "Manager-1"; use an id: 1 to 63 characters out of a-z, 0-9 and -'],
    },
    {
      title: "a scalar where a mapping belongs",
      lines: replaced(/^listen:.*/, "listen: 127.0.0.1:7401"),
      messages: ['4: `listen` is "127.0.0.1:7401"; use a mapping with the keys host, port'],
    },
    {
      title: "a key without a value",
      lines: replaced("signing_key: signing.key", "signing_key:"),
      messages: ["12: `signing_key` is empty; use the path of a file, relative to this one"],
    },
    {
      title: "an address without a port, in a list",
      lines: [
        ...managerLines,
        "managers:",
        "  - {id: manager-2, address: 'x:1'}",
        "  - id: manager-3",
        "    address: example.org",
      ],
      messages: ['20: `managers[1].address` is "example.org"; use host:port'],
    },
    {
      title: "an empty list of epoch keys",
      lines: replaced("[epoch-0.wrap]", "[]"),
      messages: [
        "15: `epoch_wraps` is a list; use a list of paths of epoch key wraps, epoch 0 first",
      ],
    },
    {
      title: "a limit beyond what is safe",
      lines: [...managerLines, "limits: {message_bytes_max: 1000000000}"],
      messages: [
        "17: `limits.message_bytes_max` is 1000000000; use a whole number from 65536 to 4194304",
      ],
    },
    {
      title: "a log level that does not exist",
      lines: [...managerLines, "log: {level: loud}"],
      messages: [
        '17: `log.level` is "loud"; use one of trace, debug, info, warn, error, fatal, silent',
      ],
    },
    {
      title: "a key that stands twice",
      lines: [...managerLines, "id: manager-2"],
      messages: ["17: this is not valid YAML: Map keys must be unique; correct the syntax"],
    },
    {
      title: "broken YAML",
      lines: [...managerLines, "log: {level: info"],
      messages: ["18: this is not valid YAML:"],
    },
  ];
  for (const { title, lines, messages } of mistakes) {
    test(`says where and how to mend ${title}`, () => assertMessages(load, lines, messages));
  }

  test("says that a file is empty or missing, without a line", () => {
    assert.throws(() => load([]), {
      name: "ConfigError",
      message: /config\.yaml: the file is empty; /,
    });
    assert.throws(() => loadNodeConfig(join(directory, "none.yaml")), {
      name: "ConfigError",
      message: /none\.yaml: no such file; give the path of a node's config\.yaml/,
    });
    assert.throws(() => loadNodeConfig(directory), {
      name: "ConfigError",
      message: /: this is a directory, not a file; give the path of a node.s config\.yaml/,
    });
  });

  test("never repeats a key that was pasted in place of a path", () => {
    const secret = "0123456789abcdef".repeat(4);
    assertMessages(load, replaced("signing_key: signing.key", `signing_key: ${secret}`), [
      "12: `signing_key` is a text that looks like a key; use the path of a file, relative to this one",
    ]);
  });
});

/**
 * Loads `lines` and compares the beginning of each mistake that is reported, after the file's name
 * and a colon.
 */
function assertMessages(
  load: (lines: readonly string[]) => unknown,
  lines: readonly string[],
  expected: readonly string[],
): void {
  assert.throws(
    () => load(lines),
    (error) => {
      assert(error instanceof ConfigError);
      const messages = error.message.split("\n").map((line) => line.replace(/^[^:]*:/, ""));
      const starts = messages.map((line, index) => line.slice(0, expected[index]?.length ?? 0));
      assert.deepEqual(starts, expected, error.message);
      assert.equal(messages.length, expected.length, error.message);
      return true;
    },
  );
}
