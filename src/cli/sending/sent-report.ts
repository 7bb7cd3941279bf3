/** What `bss submit` and `bss import` say alike of a run that has ended. */
import type { RowsSent } from "./send-rows.js";

/** For `--json`. */
export function sentJson({ totals, out, refusedFile, ms }: RowsSent): object {
  const { received, doneBefore, malformed, refused, firstHeight, lastHeight } = totals;
  return {
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
}

/**
 * The end of the sentence on what was recorded: what was before, and where the receipts are.
 * Nothing is said of a file that holds none.
 */
export function receiptsText({ totals, out }: Pick<RowsSent, "out" | "totals">): string {
  const { received, doneBefore } = totals;
  const before = doneBefore === 0 ? "" : `; ${doneBefore} had receipts already`;
  return received + doneBefore === 0 ? "" : `${before}; receipts in ${out}`;
}
