/** The rows of a CSV file as they come, however large the file; a broken row is that row alone. */
import { pipeline } from "node:stream";
import { type Info, parse } from "csv-parse";
import type { CsvMapping } from "./csv-mapping.js";
import { csvText } from "./csv-text.js";

export type CsvRecord = {
  /** Line of the file on which the row ends, from 1. */
  readonly line: number;
  readonly cells: readonly string[];
  /** Why it cannot be read; then it has no cells. */
  readonly broken?: string;
};

type Parsed = { readonly record: readonly string[]; readonly info: Info };

const rowBytesMax = 1024 * 1024;

/** The header comes first, if the mapping says that there is one. */
export async function* csvRecords(
  chunks: AsyncIterable<Uint8Array>,
  { delimiter, encoding, headerLine }: Pick<CsvMapping, "delimiter" | "encoding" | "headerLine">,
): AsyncGenerator<CsvRecord> {
  let broken: CsvRecord[] = [];
  const parser = parse({
    info: true,
    ltrim: true,
    delimiter,
    record_delimiter: "\n",
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: rowBytesMax,
    from_line: Math.max(1, headerLine),
    bom: true,
    // A quote in the wrong place then stays in its value, which is a problem of that row alone.
    relax_quotes: true,
    skip_records_with_error: true,
  });
  parser.on("skip", (error?: { readonly message: string; readonly lines?: number }) => {
    const message = (error?.message ?? "cannot be read").replaceAll(/\s+/g, " ");
    broken.push({ line: error?.lines ?? 0, cells: [], broken: message });
  });
  const text = csvText(chunks, { ...(encoding !== undefined && { encoding }), fatal: true });
  // The iterator below sees every error: pipeline destroys the parser with it.
  pipeline(text, parser, () => {});
  for await (const { record, info } of parser as AsyncIterable<Parsed>) {
    // The parser is ahead, so it may have complained about rows further below.
    const above = broken.filter(({ line }) => line < info.lines);
    broken = broken.filter((row) => !above.includes(row));
    yield* above;
    yield { line: info.lines, cells: record.map((cell) => cell.trim()) };
  }
  yield* broken;
}
