/** Tables for a terminal: the first column to the left, figures to the right. */

export type Cell = string | number | undefined;

export function textTable(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const lines = [head, ...rows].map((row) => row.map(cellText));
  const widths = head.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

export function cellText(cell: Cell): string {
  if (cell === undefined) return "–";
  return typeof cell === "string" ? cell : figure(cell);
}

/** Three digits that say something, integers in full; "–" for what is not there. */
export function figure(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return "–";
  const whole = Number.isInteger(value) || Math.abs(value) >= 100;
  if (whole) return Math.round(value).toLocaleString("en-US");
  return value.toPrecision(Math.abs(value) < 0.01 ? 2 : 3);
}
