/**
 * Holds the code to its architecture: who may import whom, what stays pure, how files are named and
 * sized. The house is the data below; the rules are in tidy/rules.ts. Each rule is first shown to
 * fail on made-up sources, because a checker that cannot fail is worth nothing.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { listFiles, repositoryRoot } from "./support/tree.js";
import {
  checkCycles,
  checkFile,
  checkVisited,
  checkWords,
  type House,
  readSource,
  type Violation,
} from "./tidy/rules.js";

const core = ["base", "gen", "crypto", "ledger", "consensus"];
const belowNodes = [...core, "sync", "store", "rpc", "query", "metrics", "config"];
const protobuf = "@bufbuild/protobuf";

const house: House = {
  directories: {
    base: { imports: [], filesMin: 3 },
    gen: { imports: [], packages: [protobuf], filesMin: 10 },
    crypto: {
      imports: ["base"],
      packages: ["@noble/curves", "@noble/hashes", "@hpke/core"],
      builtins: ["crypto"],
      filesMin: 6,
    },
    ledger: { imports: ["base", "gen", "crypto"], packages: [protobuf], pure: true, filesMin: 15 },
    consensus: {
      imports: ["base", "gen", "crypto", "ledger"],
      packages: [protobuf],
      pure: true,
      filesMin: 4,
    },
    sync: { imports: ["base"], pure: true, filesMin: 4 },
    store: {
      imports: ["base", "gen", "crypto", "ledger", "consensus"],
      packages: [protobuf, "rocksdb"],
      builtins: "any",
      filesMin: 5,
    },
    metrics: {
      imports: ["base", "ledger"],
      packages: ["prom-client"],
      builtins: "any",
      filesMin: 3,
    },
    config: {
      imports: ["base", "gen", "crypto", "ledger"],
      packages: ["yaml", "zod"],
      builtins: "any",
      filesMin: 2,
    },
    rpc: {
      imports: ["base", "gen", "crypto", "ledger", "consensus", "metrics"],
      packages: [protobuf, "@grpc/grpc-js"],
      builtins: "any",
      filesMin: 5,
    },
    query: {
      imports: ["base", "gen", "crypto", "ledger", "store", "rpc"],
      packages: [protobuf],
      builtins: "any",
      filesMin: 3,
    },
    pki: {
      imports: ["base", "crypto", "rpc", "config"],
      packages: ["@peculiar/x509", "reflect-metadata"],
      builtins: ["crypto", "net"],
      filesMin: 3,
    },
    node: { imports: [...belowNodes, "pki"], packages: ["pino"], builtins: [], filesMin: 3 },
    manager: {
      imports: [...belowNodes, "node", "pki"],
      packages: [protobuf, "pino"],
      builtins: "any",
      filesMin: 2,
    },
    "storage-node": {
      imports: [...belowNodes, "node", "pki"],
      packages: [protobuf, "pino"],
      builtins: "any",
      filesMin: 2,
    },
    client: {
      imports: ["base", "gen", "crypto", "ledger", "consensus", "rpc", "config"],
      packages: [protobuf, "@grpc/grpc-js"],
      builtins: "any",
      filesMin: 2,
    },
    cli: {
      imports: [
        ...["base", "gen", "crypto", "config", "client", "manager", "storage-node"],
        ...["ledger", "rpc", "metrics", "store", "pki"],
      ],
      packages: [...[protobuf, "commander", "cli-progress", "csv-parse", "pino", "yaml", "zod"]],
      builtins: "any",
      filesMin: 5,
    },
  },
  impureFiles: ["src/crypto/random.ts"],
  domainTagFile: "src/crypto/hash.ts",
  domainTagPrefix: "bss/v1/",
  linesMax: 400,
  columnsMax: 100,
};

/** Where the product is written; phrases of unfinished work have no place in it. */
const productDirectories = ["src", "proto", "bench", "examples", "deploy"];
const otherDirectories = ["docs", "test"];
const topFiles = ["Makefile", "README.md", "CHANGELOG.md", ".ci/run", "package.json"];
/** Not prose or code of ours: vectors and data sets. */
const dataPaths = /^test\/vectors\/|\/data\/|\.(csv|png|svg)$/;

describe("the tidy rules fail where they should", () => {
  const violating: readonly (readonly [rule: string, path: string, source: string])[] = [
    ["imports", "src/base/a.ts", 'import { b } from "../crypto/b.js";'],
    ["imports", "src/crypto/a.ts", 'import type { B } from "../ledger/b.js";'],
    ["imports", "src/ledger/a.ts", 'export * from "../store/b.js";'],
    ["imports", "src/ledger/a.ts", 'export type { B } from "../rpc/b.js";'],
    ["imports", "src/ledger/deep/a.ts", 'import { b } from "../../consensus/b.js";'],
    ["imports", "src/consensus/a.ts", 'import "../manager/b.js";'],
    ["imports", "src/store/a.ts", 'type B = import("../rpc/b.js").B;'],
    ["imports", "src/rpc/a.ts", 'const b = await import("../store/b.js");'],
    ["imports", "src/rpc/a.ts", 'const b = await import(\n  "../store/b.js",\n);'],
    ["imports", "src/rpc/a.ts", "const b = await import(`../store/b.js`);"],
    ["imports", "src/rpc/a.ts", "const b = await import(name);"],
    ["imports", "src/manager/a.ts", 'import {\n  b,\n  c,\n} from "../storage-node/b.js";'],
    ["imports", "src/client/a.ts", "import { b } from '../manager/b.js';"],
    ["imports", "src/base/a.ts", 'import { b } from "../../test/b.js";'],
    ["imports", "src/base/a.ts", 'import { b } from "./b";'],
    ["imports", "src/base/a.ts", 'import { readFileSync } from "node:fs";'],
    ["imports", "src/ledger/a.ts", 'import { createHash } from "node:crypto";'],
    ["imports", "src/ledger/a.ts", 'import { b } from "../crypto/random.js";'],
    ["imports", "src/metrics/a.ts", 'import { pino } from "pino";'],
    ["imports", "src/client/a.ts", 'import RocksDb from "rocksdb";'],
    ["imports", "src/store/a.ts", 'const x = require("@grpc/grpc-js/build");'],
    ["imports", "src/store/a.ts", 'const x = require.resolve("prom-client");'],
    ["house", "src/utils/a.ts", "export const a = 1;"],
    ["house", "src/a.ts", "export const a = 1;"],
    ["pure", "src/ledger/a.ts", "export async function a() {}"],
    ["pure", "src/ledger/a.ts", "for (;;) await x;"],
    ["pure", "src/ledger/a.ts", "type A = Promise<void>;"],
    ["pure", "src/ledger/a.ts", "setTimeout(f, 1);"],
    ["pure", "src/ledger/a.ts", "setInterval(f, 1);"],
    ["pure", "src/ledger/a.ts", "setImmediate(f);"],
    ["pure", "src/ledger/a.ts", "queueMicrotask(f);"],
    ["pure", "src/consensus/a.ts", "const now = Date.now();"],
    ["pure", "src/consensus/a.ts", `const now = \`\${Date.now()}\`;`],
    ["pure", "src/consensus/a.ts", "const d = new Date();"],
    ["pure", "src/consensus/a.ts", "const r = Math.random();"],
    ["pure", "src/consensus/a.ts", "const r = Math [name]();"],
    ["pure", "src/consensus/a.ts", "const e = process.env.HOME;"],
    ["pure", "src/consensus/a.ts", 'console.log("x");'],
    ["pure", "src/consensus/a.ts", "const now = performance.now();"],
    ["pure", "src/consensus/a.ts", "crypto.getRandomValues(bytes);"],
    ["pure", "src/consensus/a.ts", "globalThis.process.exit();"],
    ["pure", "src/consensus/a.ts", "ids.sort((a, b) => a.localeCompare(b));"],
    ["default export", "src/rpc/a.ts", "export default 1;"],
    ["default export", "src/rpc/a.ts", "const a = 1;\nexport { a as default };"],
    ["default export", "test/unit/a.test.ts", "export default function a() {}"],
    ["name", "src/rpc/grpcServer.ts", ""],
    ["name", "src/rpc/Server.ts", ""],
    ["name", "src/rpc/grpc_server.ts", ""],
    ["name", "test/unit/storageNode/a.test.ts", ""],
    ["lines", "src/rpc/a.ts", "x;\n".repeat(401)],
    ["columns", "src/rpc/a.ts", `// ${"é".repeat(98)}`],
    ["columns", "bench/a.ts", `const a = ${"x".repeat(100)};`],
    ["domain tag", "src/ledger/a.ts", 'const tag = "bss/v1/record";'],
    ["domain tag", "src/ledger/a.ts", `const tag = \`bss/v1/\${kind}\`;`],
    ["scan", "src/rpc/a.ts", 'const a = "never ends;\n'],
    ["scan", "src/rpc/a.ts", "/* never ends"],
    ["scan", "src/rpc/a.ts", "const a = `never ends"],
  ];
  for (const [index, [rule, path, source]] of violating.entries()) {
    test(`${rule} ${index}: ${path} ${source.slice(0, 50).replaceAll("\n", " ")}`, () => {
      assert.deepEqual([...new Set(rulesBroken(path, source))], [rule]);
    });
  }

  const clean: readonly (readonly [why: string, path: string, source: string])[] = [
    ["comments are not code", "src/ledger/a.ts", "// await new Date()\n/* process.exit */"],
    ["strings are not code", "src/ledger/a.ts", 'const a = "async Date";\nconst b = `console.`;'],
    ["an import in a comment", "src/base/a.ts", '// import { a } from "../store/a.js";'],
    ["an import in a string", "src/base/a.ts", "const a = 'import \"../store/a.js\"';"],
    ["an allowed import", "src/ledger/a.ts", 'import { a } from "../crypto/hash.js";'],
    ["the own directory", "src/ledger/deep/a.ts", 'import { a } from "../b.js";'],
    ["a subpath of a package", "src/crypto/a.ts", 'import { x } from "@noble/hashes/sha3.js";'],
    ["a call named from", "src/base/a.ts", 'const b = Buffer.from("../store/a.js");'],
    ["a longer word", "src/ledger/a.ts", "const processed = update(isDated, asyncness);"],
    ["a property", "src/ledger/a.ts", "this.process(entry.console);"],
    ["our crypto directory", "src/ledger/a.ts", 'import { crypto } from "../crypto/hash.js";'],
    ["a quote in a regular expression", "src/ledger/a.ts", "const a = /[\"'/]/;\nconst b = 'c';"],
    ["a division", "src/ledger/a.ts", "const a = (b / c) / 'd'.length; // isn't"],
    ["nested templates", "src/ledger/a.ts", `const a = \`\${b({ c: \`\${d}\` })} async\`;`],
    ["a long address", "src/rpc/a.ts", `// https://example.org/${"x".repeat(100)}`],
    ["exactly 100 columns", "src/rpc/a.ts", `// ${"é".repeat(97)}`],
    ["a long literal", "src/rpc/a.ts", `const a = "${"x".repeat(100)}";`],
    ["exactly 400 lines", "src/rpc/a.ts", "x;\n".repeat(400)],
    ["the domain tags' own file", "src/crypto/hash.ts", 'const tag = "bss/v1/record";'],
    [
      "a generated module's path",
      "src/rpc/a.ts",
      'import { R } from "../gen/bss/v1/record_pb.js";',
    ],
    ["generated names", "src/gen/bss/v1/record_pb.ts", ""],
  ];
  for (const [why, path, source] of clean) {
    test(`but not on ${why}`, () => assert.deepEqual(rulesBroken(path, source), []));
  }

  test("words of unfinished work are found anywhere, phrases in the product", () => {
    for (const word of ["TO-DO", "FIX-ME", "XX-X", "HA-CK"]) {
      const text = `a\n// ${word.replace("-", "")}: later`;
      assert.deepEqual(
        checkWords("docs/a.md", text, false).map(({ line }) => line),
        [2],
      );
      assert.deepEqual(checkWords("docs/a.md", `${text.toLowerCase()}y`, false), []);
    }
    for (const phrase of ["For n-ow", "not yet implement-ed", "a place-holder"]) {
      const text = phrase.replace("-", "");
      assert.equal(checkWords("src/a.ts", text, true).length, 1, text);
      assert.equal(checkWords("docs/a.md", text, false).length, 0, text);
    }
  });

  test("a cycle is found, through types and subdirectories too", () => {
    const files = [
      readSource("src/ledger/a.ts", 'import type { B } from "./deep/b.js";'),
      readSource("src/ledger/deep/b.ts", 'export { c } from "../c.js";'),
      readSource("src/ledger/c.ts", 'import { a } from "./a.js";'),
      readSource("src/ledger/d.ts", 'import { a } from "./a.js";'),
    ];
    const found = checkCycles(files).map(({ message }) => message);
    assert.deepEqual(found, [
      "imports itself: src/ledger/a.ts → src/ledger/deep/b.ts → src/ledger/c.ts → src/ledger/a.ts",
    ]);
    assert.deepEqual(checkCycles(files.slice(1)), []);
    assert.equal(checkCycles([readSource("src/base/a.ts", 'import "./a.js";')]).length, 1);
  });

  test("a directory of which hardly anything was read is found", () => {
    assert.deepEqual(
      checkVisited(["src/base/a.ts", "src/metrics/a.ts", "src/metrics/b.ts"], house).map(
        ({ path }) => path,
      ),
      ["src/base", "src/metrics"],
    );
  });

  function rulesBroken(path: string, source: string): string[] {
    return checkFile(readSource(path, source), house).map(({ rule }) => rule);
  }
});

describe("the project is tidy", () => {
  const root = repositoryRoot();
  const paths = ["src", "test", "bench", "examples"].flatMap((directory) =>
    listFiles(root, directory).filter((path) => path.endsWith(".ts")),
  );
  const files = paths.map((path) => readSource(path, readFileSync(join(root, path), "utf8")));
  const sources = files.filter(({ path }) => path.startsWith("src/"));

  test("every file keeps the rules of its directory", () => {
    assertNone(files.flatMap((file) => checkFile(file, house)));
  });

  test("no file imports itself, directly or through others", () => {
    assertNone(checkCycles(sources));
  });

  test("nothing speaks of unfinished work", () => {
    const violations = [...productDirectories, ...otherDirectories].flatMap((directory) =>
      listFiles(root, directory)
        .filter((path) => !dataPaths.test(path))
        .flatMap((path) => wordsIn(path, productDirectories.includes(directory))),
    );
    const top = topFiles.filter((path) => existsSync(join(root, path)));
    assertNone([...violations, ...top.flatMap((path) => wordsIn(path, true))]);
  });

  test("the rules saw the files that they are about", () => {
    assertNone(
      checkVisited(
        sources.map(({ path }) => path),
        house,
      ),
    );
    assert.ok(existsSync(join(root, house.domainTagFile)));
    for (const path of house.impureFiles) assert.ok(existsSync(join(root, path)), path);
    const tags = readFileSync(join(root, house.domainTagFile), "utf8").split(house.domainTagPrefix);
    assert.ok(tags.length > 10, "the domain tags have moved");
    assert.ok(sources.flatMap(({ imports }) => imports).length > 100, "imports are not found");
  });

  function wordsIn(path: string, phrases: boolean): Violation[] {
    return checkWords(path, readFileSync(join(root, path), "utf8"), phrases);
  }
});

function assertNone(violations: readonly Violation[]): void {
  const lines = violations.map((one) => `${one.path}:${one.line} [${one.rule}] ${one.message}`);
  assert.ok(lines.length === 0, `\n${lines.join("\n")}`);
}
