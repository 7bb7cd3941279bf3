/**
 * The text of a CSV file with "\n" at the end of each line, whatever ends them in the file: UTF-8,
 * UTF-16 with a byte order mark, as spreadsheets save it, or what `encoding` says.
 */
import { TextDecoder } from "node:util";
import { FileUnreadable } from "../file-values.js";

export async function* csvText(
  chunks: AsyncIterable<Uint8Array>,
  { encoding, fatal = false }: { readonly encoding?: string; readonly fatal?: boolean } = {},
): AsyncGenerator<string> {
  let decoder: TextDecoder | undefined;
  let held = "";
  const decoded = (chunk?: Uint8Array): string => {
    try {
      return decoder?.decode(chunk, { stream: chunk !== undefined }) ?? "";
    } catch {
      throw new FileUnreadable(
        `the file is not text in ${decoder?.encoding}`,
        "save it as CSV in UTF-8, or say its encoding, such as windows-1252",
      );
    }
  };
  for await (const chunk of chunks) {
    decoder ??= new TextDecoder(encodingByMark(chunk) ?? encoding ?? "utf-8", { fatal });
    const text = held + decoded(chunk);
    // The second half of a line end may come with the next chunk.
    held = text.endsWith("\r") ? "\r" : "";
    yield withLineFeeds(text.slice(0, text.length - held.length));
  }
  yield withLineFeeds(held + decoded());
}

/** What a byte order mark says; undefined for none. */
export function encodingByMark([a, b, c]: Uint8Array): string | undefined {
  if (a === 0xff && b === 0xfe) return "utf-16le";
  if (a === 0xfe && b === 0xff) return "utf-16be";
  return a === 0xef && b === 0xbb && c === 0xbf ? "utf-8" : undefined;
}

function withLineFeeds(text: string): string {
  return text.replaceAll(/\r\n?/g, "\n");
}
