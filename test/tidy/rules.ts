/** The rules of the tidy test. What they allow and forbid is data of their caller, tidy.test.ts. */
import { posix } from "node:path";
import { type Scan, scan } from "./scan.js";

/** What the files of one directory of src/ may use. */
export interface DirectoryRules {
  /** Other directories of src/. */
  readonly imports: readonly string[];
  /** npm packages. */
  readonly packages?: readonly string[];
  /** Node's own modules, by name without `node:`; "any" where I/O is the directory's work. */
  readonly builtins?: readonly string[] | "any";
  /** No I/O, no clock, no chance, nothing asynchronous. */
  readonly pure?: true;
  /** The tidy test fails when it saw fewer: a checker that reads nothing finds nothing. */
  readonly filesMin: number;
}

export interface House {
  readonly directories: Readonly<Record<string, DirectoryRules>>;
  /** Files of allowed directories that pure ones may not import all the same. */
  readonly impureFiles: readonly string[];
  /** The only file whose strings may start with `domainTagPrefix`. */
  readonly domainTagFile: string;
  readonly domainTagPrefix: string;
  readonly linesMax: number;
  readonly columnsMax: number;
}

export interface Violation {
  readonly rule: string;
  readonly path: string;
  readonly line: number;
  readonly message: string;
}

/** One file, read and scanned once for all rules. */
export interface SourceFile {
  /** Relative to the repository, with forward slashes. */
  readonly path: string;
  readonly source: string;
  readonly scanned: Scan;
  readonly imports: readonly Import[];
}

interface Import {
  /** Undefined when it is not a plain string. */
  readonly specifier: string | undefined;
  readonly at: number;
}

const impureCode: readonly (readonly [name: string, pattern: RegExp])[] = [
  ...["async", "await", "Promise", "queueMicrotask"],
  ...["setTimeout", "setInterval", "setImmediate"],
  ...["Date", "performance", "process", "console", "fetch", "globalThis", "require", "eval"],
].map((name): readonly [string, RegExp] => [name, new RegExp(`(?<![.\\w$])${name}\\b`)]);

const impureMembers: readonly (readonly [name: string, pattern: RegExp])[] = [
  ["Math.random", /\bMath\s*(\.\s*random\b|\[)/],
  ["the global crypto", /(?<![.\w$])crypto\s*\??\./],
  ["import.meta", /\bimport\s*\.\s*meta\b/],
  ["locale-dependent text", /\b(localeCompare|toLocale\w*|Intl)\b/],
];

/**
 * Comment-free rules of wording; the patterns are split so that this file does not match itself.
 */
const unfinished = /\b(T[O]DO|F[I]XME|X[X]X|H[A]CK)\b/;
const unfinishedPhrase = /\b(not (yet )?implement[e]d|place[h]older|for n[o]w)\b/i;

export function readSource(path: string, source: string): SourceFile {
  const scanned = scan(source);
  return { path, source, scanned, imports: importsOf(scanned) };
}

/** Every rule that needs one file only. */
export function checkFile(file: SourceFile, house: House): Violation[] {
  const inSource = file.path.startsWith("src/");
  const generated = file.path.startsWith("src/gen/");
  return [
    ...checkScan(file),
    ...(inSource ? checkImports(file, house) : []),
    ...(inSource ? checkPurity(file, house) : []),
    ...(generated ? [] : checkDefaultExport(file)),
    ...(generated ? [] : checkName(file)),
    ...(generated ? [] : checkSize(file, house)),
    ...(inSource && !generated ? checkDomainTags(file, house) : []),
  ];
}

/** Words of unfinished work, in any text file; phrases only where the product itself is written. */
export function checkWords(path: string, text: string, phrases: boolean): Violation[] {
  return text.split("\n").flatMap((line, index) => {
    const found = unfinished.exec(line) ?? (phrases ? unfinishedPhrase.exec(line) : null);
    if (found === null) return [];
    return [{ rule: "words", path, line: index + 1, message: `says "${found[0]}"` }];
  });
}

/** Import cycles between files, one violation each, type imports included. */
export function checkCycles(files: readonly SourceFile[]): Violation[] {
  const targets = new Map(files.map((file) => [file.path, [...new Set(importedPaths(file))]]));
  const violations: Violation[] = [];
  const finished = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    if (finished.has(path)) return;
    const seenAt = trail.indexOf(path);
    if (seenAt >= 0) {
      const message = `imports itself: ${[...trail.slice(seenAt), path].join(" → ")}`;
      violations.push({ rule: "cycle", path, line: 1, message });
      return;
    }
    for (const target of targets.get(path) ?? []) visit(target, [...trail, path]);
    finished.add(path);
  };
  for (const path of targets.keys()) visit(path, []);
  return violations;
}

/** Directories of src/ that exist but were hardly read. */
export function checkVisited(paths: readonly string[], house: House): Violation[] {
  const present = new Set(paths.map(directoryOf));
  return [...present].flatMap((directory) => {
    const seen = paths.filter((path) => directoryOf(path) === directory).length;
    const filesMin = house.directories[directory]?.filesMin ?? 1;
    if (seen >= filesMin) return [];
    const message = `only ${seen} files were read, at least ${filesMin} were expected`;
    return [{ rule: "visited", path: `src/${directory}`, line: 1, message }];
  });
}

function checkScan({ path, source, scanned }: SourceFile): Violation[] {
  if (scanned.unterminatedAt === undefined) return [];
  const line = lineAt(source, scanned.unterminatedAt);
  return [{ rule: "scan", path, line, message: "a string or comment seems not to end" }];
}

function checkImports(file: SourceFile, house: House): Violation[] {
  const directory = directoryOf(file.path);
  const rules = house.directories[directory];
  if (rules === undefined) {
    return [
      { rule: "house", path: file.path, line: 1, message: "is in no directory of the house" },
    ];
  }
  return file.imports.flatMap((one) => {
    const message = importProblem(file.path, one.specifier, rules, house);
    if (message === undefined) return [];
    return [{ rule: "imports", path: file.path, line: lineAt(file.source, one.at), message }];
  });
}

function importProblem(
  from: string,
  specifier: string | undefined,
  rules: DirectoryRules,
  house: House,
): string | undefined {
  if (specifier === undefined) return "imports what only running it tells";
  if (specifier.startsWith("node:")) {
    const name = specifier.slice("node:".length);
    if (rules.builtins === "any" || rules.builtins?.includes(name)) return undefined;
    return `may not import ${specifier}`;
  }
  if (!specifier.startsWith(".")) {
    const name = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
    return rules.packages?.includes(name) ? undefined : `may not import the package ${name}`;
  }
  const target = resolve(from, specifier);
  if (!specifier.endsWith(".js")) return `imports ${specifier}, which does not end in .js`;
  if (!target.startsWith("src/")) return `imports ${target}, which is outside src/`;
  if (rules.pure && house.impureFiles.includes(target)) return `is pure, may not import ${target}`;
  const directory = directoryOf(target);
  if (directory === directoryOf(from) || rules.imports.includes(directory)) return undefined;
  return `may not import src/${directory}`;
}

function checkPurity({ path, source, scanned }: SourceFile, house: House): Violation[] {
  if (!house.directories[directoryOf(path)]?.pure) return [];
  return [...impureCode, ...impureMembers].flatMap(([name, pattern]) => {
    const found = pattern.exec(scanned.code);
    if (found === null) return [];
    const line = lineAt(source, found.index);
    return [{ rule: "pure", path, line, message: `is pure, may not use ${name}` }];
  });
}

function checkDefaultExport({ path, source, scanned }: SourceFile): Violation[] {
  const found = /\bexport\s+default\b|\bas\s+default\b(?=[^;]*\})/.exec(scanned.code);
  if (found === null) return [];
  const line = lineAt(source, found.index);
  return [{ rule: "default export", path, line, message: "has a default export" }];
}

function checkName({ path }: SourceFile): Violation[] {
  const name = /^([a-z0-9-]+\/)*[a-z0-9]+(-[a-z0-9]+)*(\.[a-z]+)?\.ts$/;
  return name.test(path) ? [] : [{ rule: "name", path, line: 1, message: "is not kebab-case" }];
}

function checkSize({ path, source }: SourceFile, house: House): Violation[] {
  const lines = source.replace(/\n$/, "").split("\n");
  const tooLong = lines.flatMap((text, index): Violation[] => {
    // An address cannot be broken.
    if ([...text].length <= house.columnsMax || isUnbreakable(text)) return [];
    const message = `has ${[...text].length} columns`;
    return [{ rule: "columns", path, line: index + 1, message }];
  });
  if (path.startsWith("src/") && lines.length > house.linesMax) {
    tooLong.push({ rule: "lines", path, line: 1, message: `has ${lines.length} lines` });
  }
  return tooLong;
}

function checkDomainTags({ path, source, scanned }: SourceFile, house: House): Violation[] {
  if (path === house.domainTagFile) return [];
  return scanned.texts
    .filter((text) => text.value.startsWith(house.domainTagPrefix))
    .map(({ value, start }) => {
      const message = `has the domain tag ${value}: it belongs into ${house.domainTagFile}`;
      return { rule: "domain tag", path, line: lineAt(source, start), message };
    });
}

function importsOf({ code, texts }: Scan): Import[] {
  const imports: Import[] = texts.flatMap((text): Import[] => {
    const before = code.slice(Math.max(0, text.start - 80), text.start).trimEnd();
    const isImport =
      /(?<![.\w$])(from|import)$/.test(before) ||
      /(?<![.\w$])(import|require(\s*\.\s*resolve)?)\s*\($/.test(before);
    if (!isImport) return [];
    return [{ specifier: text.quote === "`" ? undefined : text.value, at: text.start }];
  });
  for (const found of code.matchAll(/(?<![.\w$])import\s*\(\s*[^"'`\s]/g)) {
    imports.push({ specifier: undefined, at: found.index });
  }
  return imports;
}

function importedPaths(file: SourceFile): string[] {
  return file.imports
    .map(({ specifier }) => specifier)
    .filter((specifier) => specifier?.startsWith("."))
    .map((specifier) => resolve(file.path, specifier ?? ""));
}

function resolve(from: string, specifier: string): string {
  return posix.join(posix.dirname(from), specifier).replace(/\.js$/, ".ts");
}

/** The directory right below src/, or "" for a file of src/ itself. */
function directoryOf(path: string): string {
  return path.split("/").slice(1, -1)[0] ?? "";
}

function lineAt(source: string, offset: number): number {
  return source.slice(0, offset).split("\n").length;
}

/**
 * Lines that no formatter can break where it helps: a URL, a diagram or formula set off in a
 * comment, one literal that fills most of the line.
 */
function isUnbreakable(line: string): boolean {
  const unbreakable = [/https?:\/\/\S+/, /^\s*\*\s{3,}\S/, /(["'`]).{60,}\1/];
  return unbreakable.some((pattern) => pattern.test(line));
}
