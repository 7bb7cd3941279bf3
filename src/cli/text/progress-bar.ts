/** Progress bars: on stderr, so that results can be piped, and on terminals only. */
import { SingleBar } from "cli-progress";

/** How all of them look. */
export const barLook = {
  fps: 8,
  barsize: 24,
  hideCursor: true,
  clearOnComplete: true,
  barCompleteChar: "█",
  barIncompleteChar: "░",
} as const;

/** How far a command is that goes through a whole chain. */
export type HeightBar = {
  /** Shows it from the first call on. */
  show(height: number, top: number): void;
  /** Takes the bar away; may be called more than once. */
  stop(): void;
};

/** A bar on stderr when that is a terminal; elsewhere nothing. */
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
