/** The command `bss`, for tests of what its commands do. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { findMainFile } from "../../src/cli/nodes/main-file.js";

const cli = join(import.meta.dirname, "../../src/cli");
export const compiledMainFile = join(cli, "main.js");
/** The bundle, which users run and which starts in half the time, or else what is compiled. */
export const mainFile = findMainFile(join(cli, "nodes"));

/** How a command ended and what it printed. */
export type Ran = { readonly code: number; readonly out: string; readonly err: string };

/**
 * Runs one command line after the other in one process that stays, as loading the program takes
 * longer than most commands do. Not for commands that start a node or are ended by a signal.
 */
export class BssProcess {
  readonly #child: ChildProcess;
  /** Rejects when the process ends. */
  readonly #ended: Promise<never>;
  #previous: Promise<unknown> = Promise.resolve();

  /** File names on the command lines are relative to `cwd`. */
  constructor(cwd = process.cwd()) {
    const file = join(import.meta.dirname, "bss-process.js");
    // Never a terminal, whoever runs the test: commands would draw their progress.
    this.#child = fork(file, { cwd, stdio: ["ignore", "ignore", "pipe", "ipc"] });
    this.#child.stderr?.pipe(process.stderr);
    this.#ended = once(this.#child, "exit").then(([code]) => {
      throw new Error(`the process that runs bss ended with code ${code}`);
    });
    this.#ended.catch(() => {});
  }

  run(...args: readonly string[]): Promise<Ran> {
    const ran = this.#previous.then(() => this.#run(args));
    this.#previous = ran.catch(() => {});
    return ran;
  }

  close(): void {
    if (this.#child.connected) this.#child.disconnect();
  }

  async #run(args: readonly string[]): Promise<Ran> {
    this.#child.send(args);
    const [ran] = await Promise.race([once(this.#child, "message"), this.#ended]);
    return ran;
  }
}
