import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { describe, test } from "node:test";
import { createProgress, estimate } from "../../../../src/cli/text/progress-bar.js";

/** A terminal, or a file that pretends to be none. */
class Screen extends Writable {
  text = "";
  readonly isTTY: boolean;
  readonly columns = 120;

  constructor(isTTY: boolean) {
    super();
    this.isTTY = isTTY;
  }

  cursorTo(): boolean {
    return true;
  }

  clearLine(): boolean {
    return true;
  }

  moveCursor(): boolean {
    return true;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

const on = (isTTY: boolean) => {
  const screen = new Screen(isTTY);
  return { screen, progress: createProgress(10, screen as unknown as NodeJS.WriteStream) };
};

describe("the progress of a submission", () => {
  test("on a terminal is a bar with a rate and the time left", () => {
    const { screen, progress } = on(true);
    progress.settle(20);
    progress.stop();
    assert.match(screen.text, /0 % {2}0\/10 records/);
    assert.match(screen.text, /records\/s/);
  });

  test("anywhere else is nothing but the notes", () => {
    const { screen, progress } = on(false);
    progress.settle(20);
    progress.note("row 3 is wrong");
    progress.stop();
    assert.equal(screen.text, "row 3 is wrong\n");
  });

  test("a note on a terminal takes a line of its own", () => {
    const { screen, progress } = on(true);
    progress.note("row 3 is wrong");
    progress.stop();
    assert.ok(screen.text.includes("\r\u001B[Krow 3 is wrong\n"));
  });

  for (const [settled, total, ms, rate, left] of [
    [0, 100, 5000, "-", "-"],
    [50, 100, 1000, "50", "1.0 s"],
    [3, 10, 2000, "1.5", "4.7 s"],
    [1000, 181_000, 1000, "1000", "3 min 00 s"],
    [12, 10, 1000, "12", "0 ms"],
  ] as const) {
    test(`${settled} of ${total} after ${ms} ms are ${rate} a second, ${left} left`, () => {
      assert.deepEqual(estimate({ settled, total, ms }), { rate, left });
    });
  }
});
