/** What the walk of wire-bounds.ts counts, found as the smallest bounds that let bytes through. */
import type { DescMessage } from "@bufbuild/protobuf";
import { wireProblem } from "../../src/ledger/wire-bounds.js";

/** Undefined for bytes that are not decoded, whatever the bounds. */
export function wireCost(
  schema: DescMessage,
  bytes: Uint8Array,
): { readonly elements: number; readonly memoryBytes: number } | undefined {
  const unbounded = { elements: Number.MAX_SAFE_INTEGER, memoryBytes: Number.MAX_SAFE_INTEGER };
  if (wireProblem(schema, bytes, unbounded) !== undefined) return undefined;
  const smallest = (bound: keyof typeof unbounded) =>
    least((value) => wireProblem(schema, bytes, { ...unbounded, [bound]: value }) === undefined);
  return { elements: smallest("elements"), memoryBytes: smallest("memoryBytes") };
}

/** The least number from 0 that fits, if all above one that fits do. */
function least(fits: (value: number) => boolean): number {
  let high = 1;
  while (!fits(high)) high *= 2;
  let low = 0;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
