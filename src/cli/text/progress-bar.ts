/** Progress: on stderr, so that results can be piped. Bars are for terminals only. */
import { SingleBar } from "cli-progress";
import { formatDuration, note as noteLine } from "./output.js";

/** How all bars look. */
const barLook = {
  fps: 8,
  barsize: 24,
  hideCursor: true,
  clearOnComplete: true,
  barCompleteChar: "█",
  barIncompleteChar: "░",
} as const;

/** How many blocks are done by a command that goes through the whole chain. */
type HeightBar = {
  /** The first call shows the bar. */
  show(height: number, top: number): void;
  /** Removes the bar; may be called more than once. */
  stop(): void;
};

/** A bar if the stream is a terminal; elsewhere nothing. */
export function createHeightBar(stream: NodeJS.WriteStream = process.stderr): HeightBar {
  if (!stream.isTTY) return { show() {}, stop() {} };
  const format = "{bar} {percentage} %  height {value} of {total}  {eta_formatted} left";
  const bar = new SingleBar({ ...barLook, stream, format });
  let running = false;
  return {
    show(height, top) {
      if (!running) bar.start(top, 0);
      running = true;
      bar.update(height);
    },
    stop() {
      if (running) bar.stop();
      running = false;
    },
  };
}

/** How many records of `bss submit` are done. */
export type Progress = {
  /** So many more records have an outcome. */
  settle(count: number): void;
  /** Prints a line above the bar, or just the line. */
  note(text: string): void;
  stop(): void;
};

/** How often a line says how far it is where there is no terminal, ms. */
const linesEveryMs = 10_000;

/** A bar if the stream is a terminal; elsewhere now and then a line, which logs can keep. */
export function createProgress(
  total: number,
  stream: NodeJS.WriteStream = process.stderr,
): Progress {
  const startedMs = performance.now();
  if (!stream.isTTY) return progressLines(total, stream, startedMs);
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
      // The line takes the place of the bar, which the next frame draws below it.
      stream.write(`\r\u001B[K${noteLine(text, stream)}\n`);
    },
    stop: () => bar.stop(),
  };
}

function progressLines(total: number, stream: NodeJS.WriteStream, startedMs: number): Progress {
  let settled = 0;
  let saidMs = startedMs;
  const note = (text: string) => void stream.write(`${noteLine(text, stream)}\n`);
  return {
    settle(count) {
      settled += count;
      const nowMs = performance.now();
      if (nowMs - saidMs < linesEveryMs) return;
      saidMs = nowMs;
      const { rate, left } = estimate({ settled, total, ms: nowMs - startedMs });
      note(`bss: ${settled} of ${total} records, ${rate} records/s, ${left} left`);
    },
    note,
    stop() {},
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
