import { basename, dirname, relative, resolve } from "node:path";
import { run } from "node:test";
import { inspect } from "node:util";

export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** How long each file ran, from the start of its process to its end. */
  readonly files: readonly FileTime[];
}

export type FileTime = { readonly file: string; readonly seconds: number };

/** One test file may take this long before it counts as hung. */
const fileTimeoutMs = 30 * 60 * 1000;
/** Lines of a failing file's own output that are shown. */
const outputLinesMax = 200;
/**
 * What Node prints for process warnings: leaks of listeners, deprecations, unhandled rejections.
 */
const processWarning = /^\(node:\d+\) (\[\w+\] )?\w*Warning: /;

/** Runs compiled test files, prints one line per directory and each failure in full. */
export async function runFiles(files: readonly string[], concurrency: number): Promise<Totals> {
  const report = new Report();
  if (files.length === 0) return report.totals();
  const stream = run({ files: [...files], concurrency, timeout: fileTimeoutMs });
  stream.on("test:dequeue", (test) => report.begin(test));
  stream.on("test:complete", (test) => report.end(test));
  stream.on("test:start", (test) => report.start(test.name, test.nesting));
  stream.on("test:pass", (test) => report.pass(test));
  stream.on("test:fail", (test) => report.fail(test));
  stream.on("test:stdout", (output) => report.output(output.file, output.message));
  stream.on("test:stderr", (output) => report.output(output.file, output.message));
  stream.on("test:diagnostic", (note) => report.output(note.file ?? "", `${note.message}\n`));
  for await (const _event of stream);
  report.finish();
  return report.totals();
}

interface Named {
  readonly name: string;
  readonly nesting: number;
  readonly file?: string;
}

interface Ended extends Named {
  readonly line?: number;
  readonly skip?: string | boolean;
  readonly todo?: string | boolean;
  readonly details: { readonly duration_ms: number; readonly type?: string };
}

type Failed = Ended & { readonly details: { readonly error: Error } };

class Report {
  #passed = 0;
  #failed = 0;
  #skipped = 0;
  #directory: { name: string; passed: number; failed: number; durationMs: number } | undefined;
  #path: string[] = [];
  #printedFor = "";
  readonly #outputs = new Map<string, string[]>();
  readonly #begunMs = new Map<string, number>();
  readonly #files: FileTime[] = [];

  totals(): Totals {
    const [passed, failed, skipped] = [this.#passed, this.#failed, this.#skipped];
    return { passed, failed, skipped, files: this.#files };
  }

  begin(test: Named): void {
    if (isFile(test)) this.#begunMs.set(test.file, performance.now());
  }

  end(test: Named): void {
    const begunMs = isFile(test) ? this.#begunMs.get(test.file) : undefined;
    if (begunMs === undefined || test.file === undefined) return;
    this.#begunMs.delete(test.file);
    const seconds = (performance.now() - begunMs) / 1000;
    this.#files.push({ file: shortened(test.file), seconds });
  }

  start(name: string, nesting: number): void {
    this.#path = [...this.#path.slice(0, nesting), name];
  }

  pass(test: Ended): void {
    const directory = this.#enter(test);
    if (test.details.type === "suite") return;
    if (test.skip !== undefined || test.todo !== undefined) {
      this.#skipped += 1;
      return;
    }
    this.#passed += 1;
    directory.passed += 1;
  }

  fail(test: Failed): void {
    const directory = this.#enter(test);
    if (isSubtestsFailed(test.details.error)) return;
    this.#failed += 1;
    directory.failed += 1;
    const titles = [...this.#path.slice(0, test.nesting), test.name].map(shortened).join(" › ");
    const place = test.file === undefined ? "" : `${shortened(test.file)}:${test.line ?? 1}`;
    console.log(`\nFAILED ${titles}\n  ${place}\n${indented(described(test.details.error))}\n`);
    this.#showOutput(shortened(test.file ?? test.name));
  }

  output(file: string, message: string): void {
    const source = shortened(file);
    const lines = this.#outputs.get(source) ?? [];
    lines.push(...message.replace(/\n$/, "").split("\n"));
    this.#outputs.set(source, lines.slice(-outputLinesMax));
    for (const line of message.split("\n")) {
      if (!processWarning.test(line)) continue;
      this.#failed += 1;
      console.log(`\nFAILED ${source} printed a warning:\n  ${line}\n`);
    }
  }

  finish(): void {
    this.#closeDirectory();
  }

  #enter(test: Ended): { passed: number; failed: number; durationMs: number } {
    const name = dirname(shortened(test.file ?? test.name));
    if (this.#directory?.name !== name) {
      this.#closeDirectory();
      this.#directory = { name, passed: 0, failed: 0, durationMs: 0 };
    }
    if (test.nesting === 0) this.#directory.durationMs += test.details.duration_ms;
    return this.#directory;
  }

  #closeDirectory(): void {
    if (this.#directory === undefined) return;
    const { name, passed, failed, durationMs } = this.#directory;
    const verdict = failed === 0 ? "" : `   ${failed} FAILED`;
    const seconds = (durationMs / 1000).toFixed(1);
    console.log(
      `${name.padEnd(36)} ${String(passed).padStart(5)} passed ${seconds.padStart(7)} s${verdict}`,
    );
    this.#directory = undefined;
  }

  #showOutput(source: string): void {
    const lines = this.#outputs.get(source);
    if (lines === undefined || this.#printedFor === source) return;
    this.#printedFor = source;
    console.log(`  output of ${source}:\n${indented(lines.join("\n"))}\n`);
  }
}

/** The runner reports the process of a file as a test that bears the file's path. */
function isFile(test: Named): test is Named & { readonly file: string } {
  return test.nesting === 0 && test.file !== undefined && resolve(test.name) === test.file;
}

/** A parent fails when a child does; the child has been reported already. */
function isSubtestsFailed(error: Error): boolean {
  return "failureType" in error && error.failureType === "subtestsFailed";
}

/** What the test threw, or how its process ended, without the frames of the runner itself. */
function described(error: Error): string {
  const thrown = error.cause instanceof Error ? error.cause : error;
  return inspect(thrown)
    .split("\n")
    .filter((line) => !/^\s+at .*\(?node:(internal\/|async_hooks)/.test(line))
    .join("\n");
}

/** A source path for people, from the path of a compiled file or a source; other titles stay. */
function shortened(pathOrTitle: string): string {
  if (!pathOrTitle.startsWith("/")) return pathOrTitle;
  const path = relative(process.cwd(), pathOrTitle);
  // A batch of files: batches.ts.
  if (path.startsWith("..")) return basename(path);
  return path.replace(/^dist\//, "").replace(/\.js$/, ".ts");
}

function indented(text: string): string {
  return text.replace(/^/gm, "  ");
}
