/** How a run of `bss submit` ended, for people and programs. */
import { CliError } from "../text/cli-error.js";
import { formatDuration, type Output } from "../text/output.js";
import type { InputKind } from "./input/input-rows.js";
import type { RunTotals } from "./submit-run.js";

const nouns = {
  "meter-readings": "meter reading",
  trades: "trade",
  charging: "charging session",
  document: "document",
} as const satisfies Record<InputKind, string>;

/** Prints the result. Throws `CliError` when a row has no receipt. */
export function report(
  totals: RunTotals,
  run: {
    readonly kind: InputKind;
    readonly out: string;
    readonly refusedFile: string | undefined;
    readonly ms: number;
  },
  output: Output,
): void {
  const { received, doneBefore, malformed, refused, firstHeight, lastHeight } = totals;
  const { kind, out, refusedFile, ms } = run;
  const value = {
    kind,
    received,
    done_before: doneBefore,
    malformed,
    refused,
    receipts: out,
    first_height: firstHeight ?? null,
    last_height: lastHeight ?? null,
    refused_rows: refusedFile ?? null,
    seconds: ms / 1000,
  };
  output.result(value, () => {
    const blocks =
      firstHeight === lastHeight
        ? `block ${firstHeight}`
        : `blocks ${firstHeight} to ${lastHeight}`;
    const where = firstHeight === undefined ? "" : ` in ${blocks}`;
    const rate = received === 0 ? "" : `, ${((received / ms) * 1000).toFixed(0)} records/s`;
    const before = doneBefore === 0 ? "" : `; ${doneBefore} had receipts already`;
    const took = `${formatDuration(ms)}${rate}${before}`;
    return `${counted(received, nouns[kind])}${where}, ${took}; receipts in ${out}`;
  });
  const failed = malformed + refused;
  if (failed === 0) return;
  const how = `${malformed} malformed, ${refused} refused, all listed in ${refusedFile}`;
  const what = `no receipt for ${counted(failed, "row")} (${how})`;
  throw new CliError(
    what,
    "correct them and run the same command again: the rest is not sent twice",
  );
}

function counted(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
