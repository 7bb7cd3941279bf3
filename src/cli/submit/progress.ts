/**
 * The progress bar of `bss submit`: on a terminal only, and on stderr, so that results can be
 * piped.
 */
import { SingleBar } from "cli-progress";
import { printable } from "../../base/printable.js";
import { formatDuration } from "../text/output.js";
import { barLook } from "../text/progress-bar.js";

export type Progress = {
  /** Records that have an outcome now. */
  settle(count: number): void;
  /** Prints a line above the bar, or just the line. */
  note(text: string): void;
  stop(): void;
};

/** A bar on a terminal; elsewhere only the notes. */
export function createProgress(
  total: number,
  stream: NodeJS.WriteStream = process.stderr,
): Progress {
  if (!stream.isTTY) {
    return {
      settle() {},
      note: (text) => void stream.write(`${printable(text)}\n`),
      stop() {},
    };
  }
  const startedMs = performance.now();
  let settled = 0;
  const bar = new SingleBar({
    ...barLook,
    stream,
    format: "{bar} {percentage} %  {value}/{total} records  {rate} records/s  {left} left",
  });
  bar.start(total, 0, { rate: "-", left: "-" });
  return {
    settle(count) {
      settled += count;
      bar.update(settled, estimate({ settled, total, ms: performance.now() - startedMs }));
    },
    note(text) {
      // Over the bar, which is drawn again below it with the next frame.
      stream.write(`\r\u001B[K${printable(text)}\n`);
    },
    stop: () => bar.stop(),
  };
}

/** Rate and time left, as text. */
export function estimate(done: {
  readonly settled: number;
  readonly total: number;
  readonly ms: number;
}): { readonly rate: string; readonly left: string } {
  const perMs = done.settled / Math.max(1, done.ms);
  if (perMs === 0) return { rate: "-", left: "-" };
  const perSecond = perMs * 1000;
  const rate = perSecond >= 10 ? perSecond.toFixed(0) : perSecond.toFixed(1);
  return { rate, left: formatDuration(Math.max(0, done.total - done.settled) / perMs) };
}
