/**
 * YAML files with a schema. An error says all that a person needs to correct the file: the line and
 * the key path of each mistake, what is there, what is expected, and the nearest known key if one
 * was mistyped. All mistakes of a file are reported at once.
 */
import { readFileSync, statSync } from "node:fs";
import { isMap, isNode, isScalar, LineCounter, parseDocument, type YAMLMap } from "yaml";
import type { z } from "zod";
import { ConfigError, type ConfigIssue, fileError } from "./config-error.js";
import { looksSecret } from "./fields.js";
import { checkUnaltered } from "./file-access.js";

type Path = readonly (string | number)[];
type Document = ReturnType<typeof parseDocument>;

/** No more mistakes than this are listed: a file with more of them is the wrong file. */
const issuesMax = 20;

type YamlFileOptions = {
  /** Largest file that is read, bytes. */
  readonly bytesMax?: number;
  /** What to do when the file does not exist, or is a directory. */
  readonly whenMissing?: string;
  /** Refuses a file that others can write to, because it says where keys and data are. */
  readonly unaltered?: boolean;
  /** Recognizes another kind of file by a key that only it has. */
  readonly mistaken?: { readonly key: string; readonly what: string; readonly next: string };
};

/** Reads and checks a YAML file. Throws `ConfigError`. */
export function readYamlFile<Schema extends z.ZodType>(
  file: string,
  schema: Schema,
  options: YamlFileOptions = {},
): z.output<Schema> {
  return parseYaml(file, readText(file, options), schema, options);
}

function parseYaml<Schema extends z.ZodType>(
  file: string,
  text: string,
  schema: Schema,
  options: YamlFileOptions = {},
): z.output<Schema> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [problem] = [...document.errors, ...document.warnings];
  if (problem !== undefined) {
    const what = `this is not valid YAML: ${problem.message.replaceAll(/\s+/g, " ")}`;
    const { line } = lines.linePos(problem.pos[0]);
    throw new ConfigError(file, [{ line, path: "", what, next: "correct the syntax" }]);
  }
  const value = toValue(file, document);
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { mistaken } = options;
  if (mistaken !== undefined && document.has(mistaken.key)) {
    throw fileError(file, mistaken.what, mistaken.next);
  }
  if (hasNoKnownKey(value, parsed.error.issues)) {
    const what = "this is another kind of file: it has none of the expected keys";
    throw fileError(file, what, options.whenMissing ?? "check that it is the right file");
  }
  const issues = parsed.error.issues.flatMap((issue) => toIssues(issue, value, document, lines));
  throw new ConfigError(file, withoutFollowers(issues).slice(0, issuesMax));
}

function readText(
  file: string,
  { bytesMax = 1024 * 1024, whenMissing, unaltered = false }: YamlFileOptions,
): string {
  try {
    const stats = statSync(file);
    if (unaltered) checkUnaltered(file, stats);
    if (stats.size > bytesMax) {
      throw fileError(
        file,
        `this file is larger than ${bytesMax} bytes`,
        "check that it is the right one",
      );
    }
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT") {
      throw fileError(file, "no such file", whenMissing ?? "check the path");
    }
    if (code === "EISDIR") {
      throw fileError(file, "this is a directory, not a file", whenMissing ?? "give a file in it");
    }
    throw fileError(file, `cannot be read (${code})`, "check the path and its permissions");
  }
}

function toValue(file: string, document: Document): unknown {
  try {
    return document.toJS();
  } catch {
    throw fileError(
      file,
      "this file uses too many or unknown YAML aliases",
      "write the values out",
    );
  }
}

function hasNoKnownKey(value: unknown, issues: readonly z.core.$ZodIssue[]): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const found = issues.filter(
    (issue) => issue.code === "unrecognized_keys" && issue.path.length === 0,
  );
  if (found.some(({ message }) => message.includes("did you mean"))) return false;
  const unknown = found.flatMap((issue) => (issue.code === "unrecognized_keys" ? issue.keys : []));
  // A single key may be a misspelt one.
  return unknown.length > 1 && unknown.length === Object.keys(value).length;
}

function toIssues(
  issue: z.core.$ZodIssue,
  value: unknown,
  document: Document,
  lines: LineCounter,
): readonly ConfigIssue[] {
  const path = issue.path.map((part) => (typeof part === "symbol" ? String(part) : part));
  if (issue.code === "unrecognized_keys") {
    const hints = issue.message.split("\n");
    return issue.keys.map((key, index) => ({
      ...lineOf(document, lines, [...path, key]),
      path: pathText([...path, key]),
      what: `unknown key \`${pathText([...path, key])}\``,
      next: hints[index] ?? "remove it",
    }));
  }
  const actual = valueAt(value, path);
  const name = path.length === 0 ? "the file" : `\`${pathText(path)}\``;
  const place = lineOf(document, lines, path);
  const issueOf = (what: string, next: string) => [{ ...place, path: pathText(path), what, next }];
  if (issue.code === "custom" && issue.params?.next !== undefined) {
    return issueOf(issue.message, String(issue.params.next));
  }
  if (actual === undefined) {
    if (path.length === 0) return issueOf("the file is empty", `write ${issue.message}`);
    return issueOf(`key ${name} is missing`, `set it to ${issue.message}`);
  }
  const next = `use ${issue.message}`;
  return issueOf(`${name} is ${sourceOf(document, path) ?? shown(actual)}`, next);
}

/** Leaves out missing keys for which an unknown key is probably a misspelling. */
function withoutFollowers(issues: readonly ConfigIssue[]): readonly ConfigIssue[] {
  const meant = new Set(
    issues.flatMap(({ path, next }) => {
      const nearest = /^did you mean `(.+)`\?$/.exec(next)?.[1];
      return nearest === undefined ? [] : [path.replace(/[^.]+$/, nearest)];
    }),
  );
  return issues
    .filter(({ path, what }) => !(meant.has(path) && what.endsWith("is missing")))
    .toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0));
}

/** The line of the key that the path ends with, or of the nearest thing around it that exists. */
function lineOf(document: Document, lines: LineCounter, path: Path): { line?: number } {
  for (let length = path.length; length > 0; length--) {
    const parent = document.getIn(path.slice(0, length - 1), true);
    const last = path[length - 1];
    const node = isMap(parent)
      ? keyNode(parent, last)
      : document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return { line: lines.linePos(node.range[0]).line };
  }
  const root = document.contents;
  return root?.range ? { line: lines.linePos(root.range[0]).line } : {};
}

function keyNode(map: YAMLMap, key: string | number | undefined): unknown {
  return map.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === String(key))
    ?.key;
}

function valueAt(value: unknown, path: Path): unknown {
  let current = value;
  for (const part of path) {
    if (typeof current !== "object" || current === null) return undefined;
    current = (current as Record<string | number, unknown>)[part];
  }
  return current;
}

function pathText(path: Path): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else text += text === "" ? part : `.${part}`;
  }
  return text;
}

/** A number as it is written: 007 rather than the 7 that YAML reads. */
function sourceOf(document: Document, path: Path): string | undefined {
  const node = document.getIn(path, true);
  return isScalar(node) && typeof node.value === "number" ? node.source : undefined;
}

function shown(value: unknown): string {
  if (value === null) return "empty";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a mapping";
  if (typeof value !== "string") return String(value);
  if (looksSecret(value)) return "a text that looks like a key";
  return value.length > 60 ? `"${value.slice(0, 60)}…"` : JSON.stringify(value);
}
