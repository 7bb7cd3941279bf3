import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { comments } from "../../../src/gen/comments.js";
import { reasonTable } from "../../../src/rpc/reasons.js";
import { methodRoles } from "../../../src/rpc/server/method-roles.js";
import { apiFiles, renderApiReference } from "../../support/api-reference.js";
import {
  listedReasons,
  reasonsOfEveryCall,
  reasonsOfMethod,
  reasonsOfNoCall,
  unknownMethods,
} from "../../support/method-reasons.js";
import { repositoryRoot } from "../../support/tree.js";

const directory = join(repositoryRoot(), "proto", "bss", "v1");

describe("docs/api.md", () => {
  test("is what make proto renders", () => {
    const written = readFileSync(join(repositoryRoot(), "docs", "api.md"), "utf8");
    assert.equal(written, renderApiReference(), "run make proto");
  });

  test("covers every proto file of the API", () => {
    const names = readdirSync(directory).map((name) => `bss/v1/${name}`);
    assert.ok(names.length > 0);
    assert.deepEqual(apiFiles.map(({ proto }) => proto.name).toSorted(), names.toSorted());
  });

  test("links to headings that it has", () => {
    const text = renderApiReference();
    const anchors = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
      heading.toLowerCase().replaceAll(/[^a-z0-9_ -]/g, ""),
    );
    for (const [, target = ""] of text.matchAll(/\]\(#([^)]*)\)/g)) {
      assert.ok(anchors.includes(target) || target.includes("google"), target);
    }
    assert.equal(new Set(anchors).size, anchors.length);
  });

  test("knows for each reason which methods give it, or that none does", () => {
    assert.deepEqual([...listedReasons()].toSorted(), Object.keys(reasonTable).toSorted());
    assert.deepEqual(unknownMethods(), []);
    const given = Object.keys(methodRoles).flatMap((method) => [...reasonsOfMethod(method)]);
    for (const reason of reasonsOfNoCall) {
      assert.ok(!given.includes(reason) && !reasonsOfEveryCall.includes(reason), reason);
    }
  });
});

describe("the comments of the API", () => {
  test("stand at every service and method", () => {
    for (const service of apiFiles.flatMap((file) => file.services)) {
      assert.ok(comments[service.typeName], service.typeName);
      for (const { name } of service.methods) {
        assert.ok(comments[`${service.typeName}.${name}`], `${service.typeName}.${name}`);
      }
    }
  });

  test("say nothing of messages that never leave a node", () => {
    assert.ok(!Object.keys(comments).some((name) => name.startsWith("bss.store.")));
  });
});

describe("generated Java", () => {
  test("has no class that a wildcard import would take for one of java.lang", () => {
    const found = apiFiles.flatMap(javaClasses).filter((name) => javaLang.has(name));
    assert.deepEqual(found, []);
    assert.ok(apiFiles.flatMap(javaClasses).includes("Records"));
  });

  test("has each class once", () => {
    const classes = apiFiles.flatMap(javaClasses);
    assert.equal(new Set(classes).size, classes.length);
  });
});

/** Top-level classes of a file. */
function javaClasses({ proto }: (typeof apiFiles)[number]): string[] {
  const { javaOuterClassname = "", javaMultipleFiles = false } = proto.options ?? {};
  assert.notEqual(javaOuterClassname, "", proto.name);
  const services = proto.service.map(({ name }) => `${name}Grpc`);
  if (!javaMultipleFiles) return [javaOuterClassname, ...services];
  const types = [...proto.messageType, ...proto.enumType].map(({ name }) => name);
  return [javaOuterClassname, ...types, ...services];
}

/** Public types of java.lang in Java 25 that are not exceptions or errors. */
const javaLang = new Set(
  (
    "Appendable AutoCloseable Boolean Byte CharSequence Character Class ClassLoader ClassValue " +
    "Cloneable Comparable Compiler Deprecated Double Enum Error Exception Float " +
    "FunctionalInterface IO InheritableThreadLocal Integer Iterable Long Math Module ModuleLayer " +
    "Number Object Override Package Process ProcessBuilder ProcessHandle Readable Record Runnable " +
    "Runtime RuntimePermission SafeVarargs ScopedValue SecurityManager Short StackTraceElement " +
    "StackWalker StrictMath String StringBuffer StringBuilder SuppressWarnings System Thread " +
    "ThreadGroup ThreadLocal Throwable Void"
  ).split(" "),
);
