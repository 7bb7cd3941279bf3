import { TextDecoder } from "node:util";
import type { Input } from "./input.js";

/**
 * The text of a CSV file with "\n" at the end of each line, whatever ends them in the file: UTF-8,
 * or UTF-16 with a byte order mark, as spreadsheets save it.
 */
export async function* csvText(input: Input): AsyncGenerator<string> {
  let decoder: TextDecoder | undefined;
  let held = "";
  for await (const chunk of input.read() as AsyncIterable<Buffer>) {
    decoder ??= new TextDecoder(encodingOf(chunk));
    const text = held + decoder.decode(chunk, { stream: true });
    // The second half of a line end may come with the next chunk.
    held = text.endsWith("\r") ? "\r" : "";
    yield withLineFeeds(text.slice(0, text.length - held.length));
  }
  yield withLineFeeds(held + (decoder?.decode() ?? ""));
}

function encodingOf(beginning: Uint8Array): string {
  const [first, second] = beginning;
  if (first === 0xff && second === 0xfe) return "utf-16le";
  return first === 0xfe && second === 0xff ? "utf-16be" : "utf-8";
}

function withLineFeeds(text: string): string {
  return text.replaceAll(/\r\n?/g, "\n");
}
