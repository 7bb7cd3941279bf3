/** One mistake in a configuration file: where it stands, what is wrong, and what to do about it. */
export type ConfigIssue = {
  /** 1-based; absent when the mistake has no place in the file. */
  readonly line?: number;
  /** Key path, such as `tls.key` or `managers[1].address`; empty for the whole file. */
  readonly path: string;
  readonly what: string;
  readonly next: string;
};

/**
 * A file that cannot be used as it is. `message` has one line per mistake, "file:line: what; what
 * to do next".
 */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly file: string;
  readonly issues: readonly ConfigIssue[];

  constructor(file: string, issues: readonly ConfigIssue[]) {
    super(issues.map((issue) => describe(file, issue)).join("\n"));
    this.file = file;
    this.issues = issues;
  }
}

/** The error for a file as a whole, which is missing, not readable or too large. */
export function fileError(file: string, what: string, next: string): ConfigError {
  return new ConfigError(file, [{ path: "", what, next }]);
}

function describe(file: string, { line, what, next }: ConfigIssue): string {
  return `${line === undefined ? file : `${file}:${line}`}: ${what}; ${next}`;
}
