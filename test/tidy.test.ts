/**
 * Holds the code to its architecture. Who may import whom, what stays pure and how files are named
 * is checked by the linter (biome.json, tidy/pure.grit), what no linter knows by tidy/rules.ts.
 * Both are first shown to fail on made-up sources, because a checker that cannot fail is worth
 * nothing.
 */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, test } from "node:test";
import { temporaryDirectory } from "./support/temporary-directory.js";
import { listFiles, repositoryRoot } from "./support/tree.js";
import { lint } from "./tidy/linter.js";
import {
  checkLines,
  columns,
  domainTags,
  literalSpreads,
  unfinishedProduct,
  unfinishedWork,
  type Violation,
} from "./tidy/rules.js";

/** The only file whose strings may be domain tags. */
const domainTagFile = "src/crypto/hash.ts";
/** Where the product is written; phrases of unfinished work have no place in it. */
const productDirectories = ["src", "proto", "bench", "clients", "examples", "deploy"];
const otherDirectories = ["docs", "test"];
const topFiles = ["Makefile", "README.md", "CHANGELOG.md", ".ci/run", "package.json"];
/** Not prose or code of ours: vectors, data sets, and what is generated or built for clients. */
const dataPaths = /^test\/vectors\/|^clients\/(.+\/bssv1|\w+\/target)\/|\/data\/|\.(csv|png|svg)$/;

describe("the linter's rules fail where they should", () => {
  const violating: readonly (readonly [rule: string, directory: string, source: string])[] = [
    ["noRestrictedImports", "src/base", 'export { b } from "../crypto/b.js";'],
    ["noRestrictedImports", "src/base", 'export { b } from "../../test/b.js";'],
    ["noRestrictedImports", "src/base", 'export { readFileSync } from "node:fs";'],
    ["noRestrictedImports", "src/base", 'export { sha512 } from "#platform/crypto";'],
    ["noRestrictedImports", "src/ledger", 'export { hexOf } from "#platform/base";'],
    ["noRestrictedImports", "src/crypto", 'export type { B } from "../ledger/b.js";'],
    ["noRestrictedImports", "src/ledger", 'export * from "../store/b.js";'],
    ["noRestrictedImports", "src/ledger/deep", 'export { b } from "../../consensus/b.js";'],
    ["noRestrictedImports", "src/ledger", 'export { createHash } from "node:crypto";'],
    ["noRestrictedImports", "src/ledger", 'export { b } from "../crypto/random.js";'],
    ["noRestrictedImports", "src/consensus", 'import "../manager/b.js";'],
    ["noRestrictedImports", "src/consensus", 'export { b } from "../settlement/b.js";'],
    ["noRestrictedImports", "src/settlement", 'export { b } from "../client/b.js";'],
    ["noRestrictedImports", "src/rpc", 'export const b = await import("../store/b.js");'],
    ["noRestrictedImports", "src/metrics", 'export { pino } from "pino";'],
    ["noRestrictedImports", "src/manager", 'export { b } from "../storage-node/b.js";'],
    ["noRestrictedImports", "src/client", 'export { b } from "rocksdb";'],
    ["noRestrictedImports", "src/client", 'export { b } from "../energy-files/b.js";'],
    ["noRestrictedImports", "src/energy-files", 'export { b } from "../config/b.js";'],
    ["noRestrictedImports", "src/energy-files", 'export { readFileSync } from "node:fs";'],
    ["noRestrictedGlobals", "src/ledger", "export type A = Promise<void>;"],
    ["noRestrictedGlobals", "src/ledger", "setTimeout(f, 1);"],
    ["noRestrictedGlobals", "src/sync", "export const e = process.env.HOME;"],
    ["plugin", "src/ledger", "export const f = async () => {};"],
    ["plugin", "src/ledger", "export async function f() {}"],
    ["plugin", "src/ledger", "await x;"],
    ["plugin", "src/consensus", "export const r = Math.random();"],
    ["plugin", "src/consensus", "export const f = (a, b) => a.localeCompare(b);"],
    ["plugin", "src/sync", "export const here = () => import.meta.url;"],
    ["plugin", "src/consensus", "export const now = Date.now();"],
    ["plugin", "src/ledger", "export const now = new Date();"],
    ["plugin", "src/ledger", "export const now = new Date().toISOString();"],
    ["plugin", "src/ledger", "export const now = new Date(Date.now()).toISOString();"],
    ["plugin", "src/ledger", "export const now = new Date(...[]).toISOString();"],
    ["plugin", "src/ledger", "export const now = Date();"],
    ["plugin", "src/ledger", "const Clock = Date;\nexport const now = new Clock();"],
    ["plugin", "src/ledger", "export const f = (text) => new Date(text).toISOString();"],
    ["plugin", "src/sync", "export const local = (y) => new Date(y, 1).toISOString();"],
    ["plugin", "src/ledger", "export const f = (text) => new Date(text).toISOString();"],
    ["plugin", "src/sync", "export const local = (ms) => new Date(ms).getHours();"],
    ["noDefaultExport", "test/unit", "export default 1;"],
    ["noImportCycles", "src/rpc", 'import type { A } from "./cycle.js";\nexport type B = A;'],
  ];
  const clean: readonly (readonly [directory: string, source: string])[] = [
    ["src/base", 'export { hexOf } from "#platform/base";'],
    ["src/crypto", 'export { x } from "@noble/hashes/sha3.js";'],
    [
      "src/ledger",
      'export { a } from "../crypto/hash.js";\nexport { c } from "../gen/bss/store/v1/c.js";',
    ],
    ["src/ledger/deep", 'export { a } from "../b.js";'],
    ["src/store", 'export { readFileSync } from "node:fs";\nexport { b } from "node:fs/promises";'],
    ["src/rpc", "export const now = async () => Date.now();"],
    ["src/consensus", "export const text = 'async Date.now()'; // await it"],
    ["src/ledger", "export const f = (ms) => new Date(ms).toISOString().slice(0, 10);"],
  ];
  const fileOf = (directory: string, index: number, kind: string) =>
    `${directory}/${kind}-${index}.ts`;
  const files = new Map([
    ...violating.map(([, directory, source], i) => [fileOf(directory, i, "bad"), source] as const),
    ...clean.map(([directory, source], i) => [fileOf(directory, i, "good"), source] as const),
    [
      "src/rpc/cycle.ts",
      `import type { B } from "./bad-${violating.length - 1}.js";\nexport type A = B;`,
    ],
    ["src/rpc/grpcServer.ts", "export const a = 1;"],
    ["src/rpc/grpc_server.ts", "export const a = 1;"],
  ]);
  const found = lint(temporaryDirectory(), files);

  for (const [index, [rule, directory, source]] of violating.entries()) {
    test(`${rule} ${index}: ${directory}: ${source.replaceAll("\n", " ")}`, () => {
      assert.ok(found.has(`${fileOf(directory, index, "bad")} ${rule}`), [...found].join("\n"));
    });
  }
  for (const [index, [directory, source]] of clean.entries()) {
    test(`but not in ${directory} on ${source.replaceAll("\n", " ")}`, () => {
      const path = fileOf(directory, index, "good");
      assert.deepEqual(
        [...found].filter((each) => each.startsWith(`${path} `)),
        [],
      );
    });
  }
  test("names that are not in kebab-case", () => {
    assert.ok(found.has("src/rpc/grpcServer.ts useFilenamingConvention"));
    assert.ok(found.has("src/rpc/grpc_server.ts useFilenamingConvention"));
  });
});

describe("the tidy rules fail where they should", () => {
  test("on long lines", () => {
    assert.equal(checkLines("a.ts", `// ${"é".repeat(98)}`, [columns]).length, 1);
    assert.equal(checkLines("a.ts", `x;\nconst a = ${"x".repeat(100)};`, [columns])[0]?.line, 2);
    const allowed = [
      `// https://example.org/${"x".repeat(100)}`,
      `// ${"é".repeat(97)}`,
      `const a = "${"x".repeat(100)}";`,
    ];
    assert.deepEqual(checkLines("a.ts", allowed.join("\n"), [columns]), []);
  });

  test("on words of unfinished work", () => {
    for (const word of ["TO-DO", "FIX-ME", "XX-X", "HA-CK"]) {
      const text = `a\n// ${word.replace("-", "")}: later`;
      assert.deepEqual(
        checkLines("docs/a.md", text, [unfinishedWork]).map(({ line }) => line),
        [2],
      );
      assert.deepEqual(checkLines("docs/a.md", `${text.toLowerCase()}y`, [unfinishedWork]), []);
    }
    for (const phrase of ["For n-ow", "not yet implement-ed", "a place-holder"]) {
      const text = phrase.replace("-", "");
      assert.equal(checkLines("src/a.ts", text, [unfinishedProduct]).length, 1, text);
    }
  });

  test("on literals that are spread", () => {
    assert.equal(
      checkLines("a.ts", "const a = { ..".concat(".{ b, c } };"), [literalSpreads]).length,
      1,
    );
    assert.deepEqual(
      checkLines("a.ts", "const a = { ...b, ...(c ? {} : { d }) };", [literalSpreads]),
      [],
    );
  });

  test("on domain tags", () => {
    const tag = ["bss", "v1", "record"].join("/");
    assert.equal(checkLines("a.ts", `const tag = "${tag}";`, [domainTags]).length, 1);
    assert.equal(checkLines("a.ts", `const tag = \`${tag}\${kind}\`;`, [domainTags]).length, 1);
    assert.deepEqual(checkLines("a.ts", `import { R } from "../gen/${tag}.js";`, [domainTags]), []);
  });
});

describe("the project is tidy", () => {
  const root = repositoryRoot();
  const paths = ["src", "test", "bench", "examples"]
    .flatMap((directory) => listFiles(root, directory))
    .filter((path) => path.endsWith(".ts") && !path.startsWith("src/gen/"));
  const read = (path: string) => readFileSync(join(root, path), "utf8");

  test("no line is too long", () => {
    assertNone(paths.flatMap((path) => checkLines(path, read(path), [columns])));
  });

  test("no literal is spread into another", () => {
    assertNone(paths.flatMap((path) => checkLines(path, read(path), [literalSpreads])));
  });

  test("comments name files that exist", () => {
    const names = new Set(paths.map((path) => basename(path)));
    const commented = /^\s*(?:\/\/|\/?\*)/;
    const missing = paths.flatMap((path) =>
      read(path)
        .split("\n")
        .flatMap((line, i) =>
          (commented.test(line) ? [...line.matchAll(/[\w-]{2,}(?:\.test)?\.ts\b/g)] : []).map(
            ([name]) => [name, i + 1] as const,
          ),
        )
        .filter(([name]) => !names.has(name))
        .map(([name, line]) => ({ path, line, message: `names ${name}` })),
    );
    assertNone(missing);
  });

  test("domain tags stand in one file", () => {
    const others = paths.filter((path) => path.startsWith("src/") && path !== domainTagFile);
    assertNone(others.flatMap((path) => checkLines(path, read(path), [domainTags])));
    assert.ok(checkLines(domainTagFile, read(domainTagFile), [domainTags]).length > 10);
  });

  test("nothing speaks of unfinished work", () => {
    const textIn = (directory: string) =>
      listFiles(root, directory).filter((path) => !dataPaths.test(path));
    const product = [
      ...productDirectories.flatMap(textIn),
      ...topFiles.filter((path) => existsSync(join(root, path))),
    ];
    assertNone([
      ...product.flatMap((path) => checkLines(path, read(path), [unfinishedProduct])),
      ...[...product, ...otherDirectories.flatMap(textIn)].flatMap((path) =>
        checkLines(path, read(path), [unfinishedWork]),
      ),
    ]);
  });

  test("the linter knows every directory of src", () => {
    const { overrides } = JSON.parse(read("biome.json")) as {
      readonly overrides: readonly { readonly includes: readonly string[] }[];
    };
    const known = new Set(overrides.flatMap(({ includes }) => includes));
    const directories = readdirSync(join(root, "src")).filter((name) => name !== "gen");
    assert.ok(directories.length > 10 && paths.length > 500);
    for (const name of directories) assert.ok(known.has(`src/${name}/**`), name);
  });
});

function assertNone(violations: readonly Violation[]): void {
  const lines = violations.map((one) => `${one.path}:${one.line} ${one.message}`);
  assert.ok(lines.length === 0, `\n${lines.join("\n")}`);
}
