/** The rows of an NEM12 file: comma-separated, without a header, of many lengths. */
import { pipeline } from "node:stream";
import { CsvError, type Info, parse } from "csv-parse";
import { FileUnreadable } from "../file-values.js";

export type Nem12Row = {
  /** Line of the file on which the row ends, from 1. */
  readonly line: number;
  /** Trimmed, without the empty ones at the end that spreadsheets add. */
  readonly fields: readonly string[];
};

/** The longest row that the format knows has 288 values and four texts; this is many times that. */
const rowBytesMax = 64 * 1024;

/** Throws `FileUnreadable` when the file is no such table. */
export async function* nem12Rows(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Nem12Row> {
  const parser = parse({
    info: true,
    bom: true,
    trim: true,
    record_delimiter: ["\r\n", "\n", "\r"],
    relax_column_count: true,
    // A quote within a text, as people write inches or names, is then part of the text.
    relax_quotes: true,
    skip_empty_lines: true,
    max_record_size: rowBytesMax,
  });
  // The iterator below sees every error: pipeline destroys the parser with it.
  pipeline(chunks, parser, () => {});
  const parsed = parser as AsyncIterable<{ record: readonly string[]; info: Info }>;
  try {
    for await (const { record, info } of parsed) {
      const end = record.findLastIndex((field) => field !== "") + 1;
      if (end > 0) yield { line: info.lines, fields: record.slice(0, end) };
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const what = error.message.replaceAll(/\s+/g, " ");
    throw new FileUnreadable(
      `the file is no table of comma-separated values: ${what}`,
      "correct that line, or ask for the file again",
    );
  }
}
