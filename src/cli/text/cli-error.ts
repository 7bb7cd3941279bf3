/**
 * A command that cannot go on: what happened, and what the person should do next. Both without a
 * full stop.
 */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly what: string;
  readonly next: string;
  readonly exitCode: number;

  constructor(what: string, next: string, options: ErrorOptions & { exitCode?: number } = {}) {
    super(`${what}; ${next}`, options);
    this.what = what;
    this.next = next;
    this.exitCode = options.exitCode ?? exitCodes.failure;
  }
}

export const exitCodes = {
  success: 0,
  /** The command was understood and could not be carried out. */
  failure: 1,
  /** The command line itself is wrong. */
  usage: 2,
  /** Stopped by Ctrl-C or SIGTERM before it was done. */
  interrupted: 130,
} as const;
