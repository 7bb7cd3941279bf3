/**
 * The elements of a JSON file, one after the other, however it holds them: one to a line (JSON
 * Lines, as logs are kept), as members of an array, as members of the array `data` of an answer
 * from a server, or one object over several lines. The file is never held as a whole, and an
 * element of more than `elementBytesMax` is refused.
 *
 * Numbers are given as the text that stands in the file. As doubles, 0.1 kWh and 0.2 kWh would add
 * up to something else than 0.3 kWh.
 */
import { Tokenizer, TokenParser, TokenType } from "@streamparser/json";
import { type FileProblem, FileUnreadable } from "../file-values.js";

export type JsonElement = {
  readonly kind: "element";
  readonly line: number;
  /** Where it stands among the file's elements: "[12]", "data[12]", or "" for a line of its own. */
  readonly path: string;
  /** The word before a line's array, as logs have it; else "". */
  readonly prefix: string;
  /** Strings, true, false, null, arrays and objects; numbers as their text. */
  readonly value: unknown;
};

export const elementBytesMax = 4 * 1024 * 1024;
const depthMax = 64;
/** Pieces of a line are looked at after so many bytes. */
const pieceBytesMax = 64 * 1024;

/** Throws `FileUnreadable`. */
export async function* jsonElements(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<JsonElement | FileProblem> {
  const source = chunks[Symbol.asyncIterator]();
  const { head, shape } = await readHead(source);
  const pieces = piecesOf(followedBy(head, source));
  if (shape === "lines") yield* elementsOfLines(pieces);
  else yield* elementsOfDocument(pieces, shape);
}

/** What a text is as JSON; undefined if it is no JSON. */
export function jsonValue(text: string): unknown {
  const parser = new ElementParser("$");
  const isJson = parser.take(new TextEncoder().encode(`${text}\n`), 1);
  const [first, second] = parser.found();
  return isJson && second === undefined ? first?.value : undefined;
}

/** Where in a document the elements are, in the words of the parser; and how people call it. */
type Shape = "lines" | "$" | "$.*" | "$.data.*";

const depthOf = { $: 0, "$.*": 1, "$.data.*": 2 } as const;

/** A line, or the part of it that has come. */
type Piece = { readonly line: number; readonly bytes: Uint8Array; readonly endsLine: boolean };

async function* piecesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Piece> {
  let line = 1;
  for await (const chunk of chunks) {
    for (const piece of piecesOfChunk(chunk, line)) {
      yield piece;
      if (piece.endsLine) line = piece.line + 1;
    }
  }
}

function* piecesOfChunk(chunk: Uint8Array, firstLine: number): Generator<Piece> {
  let line = firstLine;
  let start = 0;
  while (start < chunk.length) {
    const newline = chunk.indexOf(0x0a, start);
    const lineEnd = newline === -1 ? chunk.length : newline + 1;
    const end = Math.min(lineEnd, start + pieceBytesMax);
    const endsLine = newline !== -1 && end === lineEnd;
    yield { line, bytes: chunk.subarray(start, end), endsLine };
    if (endsLine) line += 1;
    start = end;
  }
}

/** The first chunks again, then the rest. */
async function* followedBy(
  head: readonly Uint8Array[],
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield* head;
  yield* { [Symbol.asyncIterator]: () => rest };
}

/** Reads until it is clear how the file holds its elements. */
async function readHead(source: AsyncIterator<Uint8Array>) {
  const head: Uint8Array[] = [];
  const finder = new ShapeFinder();
  let bytes = 0;
  for (;;) {
    const { done, value: chunk } = await source.next();
    if (done === true) return { head, shape: finder.atEnd() };
    head.push(chunk);
    bytes += chunk.length;
    const shape = finder.take(chunk);
    if (shape !== undefined) return { head, shape };
    if (bytes > elementBytesMax) throw tooLarge("line 1");
  }
}

/** Finds the shape by the first tokens of a file, or by where its first object ends. */
class ShapeFinder {
  readonly #tokenizer = new Tokenizer({ separator: "" });
  #line = 1;
  #startLine: number | undefined;
  #shape: Shape | undefined;
  #depth = 0;
  /** The tokens before the present one, the last one last. */
  #before: readonly unknown[] = [];

  constructor() {
    this.#tokenizer.onToken = ({ token, value }) => this.#takeToken(token, value);
  }

  take(chunk: Uint8Array): Shape | undefined {
    for (const { line, bytes, endsLine } of piecesOfChunk(chunk, this.#line)) {
      this.#line = line;
      try {
        this.#tokenizer.write(bytes);
      } catch {
        // Who reads the lines, or the document, says what is wrong.
        this.#shape ??= this.#shapeAtEnd(line);
      }
      if (endsLine) this.#line += 1;
      if (this.#shape !== undefined) return this.#shape;
    }
    return undefined;
  }

  atEnd(): Shape {
    return this.#shapeAtEnd(this.#line);
  }

  #shapeAtEnd(line: number): Shape {
    return this.#startLine === undefined || this.#startLine === line ? "lines" : "$";
  }

  #takeToken(token: TokenType, value: unknown): void {
    if (this.#shape !== undefined) return;
    this.#startLine ??= this.#line;
    this.#shape = this.#shapeBy(token, value);
    this.#before = [...this.#before.slice(-2), value];
    if (opens(token)) this.#depth += 1;
    if (closes(token)) this.#depth -= 1;
    if (this.#depth === 0) this.#shape ??= this.#shapeAtEnd(this.#line);
  }

  /** An array of objects or arrays holds elements. One that starts with a value is a message. */
  #shapeBy(token: TokenType, value: unknown): Shape | undefined {
    const isHolder = opens(token) || value === "]";
    if (this.#depth === 1 && this.#before.at(-1) === "[") return isHolder ? "$.*" : "lines";
    const [key, colon, bracket] = this.#before;
    const isInData = key === "data" && colon === ":" && bracket === "[";
    return this.#depth === 2 && isInData && isHolder ? "$.data.*" : undefined;
  }
}

async function* elementsOfDocument(
  pieces: AsyncIterable<Piece>,
  shape: Exclude<Shape, "lines">,
): AsyncGenerator<JsonElement> {
  const parser = new ElementParser(shape);
  let line = 0;
  for await (const piece of pieces) {
    line = piece.line;
    if (!parser.take(piece.bytes, line)) {
      const next = "mend that line, or export the file again";
      throw new FileUnreadable(`line ${line} is no valid JSON`, next);
    }
    yield* parser.found();
    if (parser.isTooLarge) throw tooLarge(`line ${parser.elementLine}`);
  }
  if (!parser.isBetweenDocuments) {
    throw new FileUnreadable(`the file is cut off after line ${line}`, "export it again");
  }
}

async function* elementsOfLines(
  pieces: AsyncIterable<Piece>,
): AsyncGenerator<JsonElement | FileProblem> {
  let parser = new ElementParser("$");
  let parts: Uint8Array[] = [];
  let bytes = 0;
  const takeLine = function* (line: number): Generator<JsonElement | FileProblem> {
    const isTooLarge = bytes > elementBytesMax;
    const text = isTooLarge ? "" : textOf(parts);
    [parts, bytes] = [[], 0];
    if (isTooLarge) {
      yield problemAt(line, `the line has more than ${elementBytesMax} bytes`);
    } else if (text === undefined) {
      yield problemAt(line, "the line is no UTF-8 text");
    } else {
      const { prefix, json } = withoutPrefix(text);
      const isJson = parser.take(new TextEncoder().encode(`${json}\n`), line);
      const found = [...parser.found()];
      if (!isJson || !parser.isBetweenDocuments) {
        parser = new ElementParser("$");
        yield problemAt(line, "the line is no valid JSON");
      } else {
        for (const element of found) yield prefix === "" ? element : withPrefix(element, prefix);
      }
    }
  };
  let line = 1;
  let isEmpty = true;
  for await (const piece of pieces) {
    line = piece.line;
    isEmpty &&= piece.bytes.every(isBlank);
    bytes += piece.bytes.length;
    if (bytes <= elementBytesMax) parts.push(piece.bytes);
    else parts = [];
    if (piece.endsLine) yield* takeLine(line);
  }
  if (isEmpty) throw new FileUnreadable("the file is empty", "export it again");
  if (bytes > 0) yield* takeLine(line);
}

function isBlank(byte: number): boolean {
  return byte <= 0x20;
}

function withPrefix(element: JsonElement, prefix: string): JsonElement {
  const { kind, line, path, value } = element;
  return { kind, line, path, prefix, value };
}

/** Tokens and values of documents that follow each other, with the limits on what is held. */
class ElementParser {
  readonly #tokenizer = new LiteralTokenizer({ separator: "" });
  readonly #parser: TokenParser;
  readonly #elementDepth: number;
  readonly #pathBefore: string;
  #elements: JsonElement[] = [];
  #line = 0;
  #depth = 0;
  #bytes = 0;
  /** Where the present element begins. */
  elementLine = 1;

  constructor(shape: Exclude<Shape, "lines">) {
    this.#elementDepth = depthOf[shape];
    this.#pathBefore = shape === "$.data.*" ? "data" : "";
    this.#parser = new TokenParser({ paths: [shape], keepStack: false, separator: "" });
    this.#parser.onValue = ({ value, key }) => {
      const path = key === undefined ? "" : `${this.#pathBefore}[${key}]`;
      const line = this.elementLine;
      this.#elements.push({ kind: "element", line, path, prefix: "", value });
    };
    this.#tokenizer.onToken = (token) => {
      if (closes(token.token)) this.#depth -= 1;
      if (this.#depth === this.#elementDepth && !closes(token.token)) {
        this.elementLine = this.#line;
      }
      if (opens(token.token)) this.#depth += 1;
      if (this.#depth > depthMax) throw new Error("nested too deep");
      if (this.#depth <= this.#elementDepth) this.#bytes = 0;
      this.#parser.write(token);
    };
  }

  /** Whether this is JSON so far. */
  take(bytes: Uint8Array, line: number): boolean {
    this.#line = line;
    this.#bytes += bytes.length;
    try {
      this.#tokenizer.write(bytes);
      return true;
    } catch {
      return false;
    }
  }

  /** What has come to its end since the last call. */
  found(): readonly JsonElement[] {
    const found = this.#elements;
    this.#elements = [];
    return found;
  }

  get isTooLarge(): boolean {
    return this.#bytes > elementBytesMax + pieceBytesMax;
  }

  get isBetweenDocuments(): boolean {
    return this.#depth === 0;
  }
}

/** Gives numbers as their text. */
class LiteralTokenizer extends Tokenizer {
  protected override parseNumber(text: string): number {
    // The parser hands values on without a look at them; the declared type is its usual one.
    return text as unknown as number;
  }
}

function opens(token: TokenType): boolean {
  return token === TokenType.LEFT_BRACE || token === TokenType.LEFT_BRACKET;
}

function closes(token: TokenType): boolean {
  return token === TokenType.RIGHT_BRACE || token === TokenType.RIGHT_BRACKET;
}

/** `STATION [2,…]`: a word, then blanks, a comma or a semicolon, then an array. */
function withoutPrefix(text: string): { readonly prefix: string; readonly json: string } {
  const match = /^\s*([^\s,;[{"]{1,255})\s*[\s,;]\s*(?=\[)/.exec(text);
  if (match === null) return { prefix: "", json: text };
  const [all, prefix = ""] = match;
  return { prefix, json: text.slice(all.length) };
}

/** Without a byte order mark. */
function textOf(parts: readonly Uint8Array[]): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(parts));
  } catch {
    return undefined;
  }
}

function problemAt(line: number, message: string): FileProblem {
  return { kind: "problem", place: { line }, message };
}

function tooLarge(where: string): FileUnreadable {
  return new FileUnreadable(
    `what begins at ${where} has more than ${elementBytesMax} bytes`,
    "write one element per line, or all of them as one JSON array",
  );
}
