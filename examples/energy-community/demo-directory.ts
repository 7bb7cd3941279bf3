/**
 * The demo's own directory. Each run begins with an empty one, so what is there is removed, but
 * only where a marker file says that a demo made it.
 *
 *     <directory>/.bss-demo     the marker: process id of the run, empty when it has ended
 *     <directory>/consortium/   what `bss init` made, and the nodes' data and logs
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CliError } from "../../src/cli/text/cli-error.js";

const markerName = ".bss-demo";

export class DemoDirectory {
  readonly path: string;
  readonly #marker: string;

  /** Makes the directory, or empties one that a demo made. Throws `CliError` for any other. */
  constructor(path: string) {
    this.path = path;
    this.#marker = join(path, markerName);
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const names = readdirSync(path);
    if (names.length > 0) this.#checkMarker();
    for (const name of names) rmSync(join(path, name), { recursive: true, force: true });
    writeFileSync(this.#marker, `${process.pid}\n`);
  }

  file(name: string): string {
    return join(this.path, name);
  }

  /** Lets the next run have the directory; what is in it stays. */
  release(): void {
    writeFileSync(this.#marker, "");
  }

  #checkMarker(): void {
    if (!existsSync(this.#marker)) {
      const what = `${this.path} is not empty and was not made by the demo`;
      throw new CliError(what, "choose another directory with DEMO_DIR");
    }
    const pid = Number(readFileSync(this.#marker, "utf8"));
    if (pid > 0 && pid !== process.pid && isRunning(pid)) {
      const what = `a demo is running in ${this.path} (process ${pid})`;
      throw new CliError(what, "wait for its end, or choose another directory with DEMO_DIR");
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
