/**
 * What happens when nobody reads our output any more: `bss list | head` closes stdout, and a closed
 * terminal fails with EIO. That is the end of the work and no error, but for commands that have
 * others to look after.
 */
import { exitCodes } from "./cli-error.js";

const endProcess = () => process.exit(exitCodes.success);
let atEnd: () => void = endProcess;

/** Call it once, before anything is printed. */
export function watchOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE" && error.code !== "EIO") throw error;
      atEnd();
    });
  }
}

/** Does `work` then, at each further write again, instead of ending the process. */
export function whenOutputEnds(work: () => void): void {
  atEnd = work;
}
