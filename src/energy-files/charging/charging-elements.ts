/** The loop over the elements of a file, for readers of charging sessions. */
import { type FileItem, type FileProblem, FileUnreadable } from "../file-values.js";
import { type JsonElement, jsonElements } from "./json-elements.js";

/** So many problems at the beginning, and nothing else, make a file one of another format. */
const firstProblemsMax = 100;

type Format = {
  /** "OCPI charge detail record": what the elements are. */
  readonly element: string;
  /** What an element says; undefined if it is no element of the format. */
  readonly take: (element: JsonElement) => Iterable<FileItem> | undefined;
};

/** Throws `FileUnreadable`. */
export async function* chargingItems(
  chunks: AsyncIterable<Uint8Array>,
  { element: name, take }: Format,
): AsyncGenerator<FileItem> {
  /** Held back until something is of the format. */
  let first: FileProblem[] | undefined = [];
  for await (const element of jsonElements(chunks)) {
    const items = element.kind === "element" ? take(element) : undefined;
    if (items !== undefined) {
      if (first !== undefined) yield* first;
      first = undefined;
      yield* items;
      continue;
    }
    const problem = element.kind === "problem" ? element : noElement(element, name);
    if (first === undefined) {
      yield problem;
    } else {
      first.push(problem);
      if (first.length === firstProblemsMax) throw unreadable(first, name);
    }
  }
  if (first !== undefined && first.length > 0) throw unreadable(first, name);
}

function noElement({ line, path }: JsonElement, name: string): FileProblem {
  const place = path === "" ? { line } : { line, column: path };
  return { kind: "problem", place, message: `is no ${name}` };
}

function unreadable([first]: readonly FileProblem[], name: string): FileUnreadable {
  const { place, message } = first ?? { place: { line: 1 }, message: "" };
  const what = `no ${name} found; line ${place.line}: ${message}`;
  return new FileUnreadable(what, "check which format the file has");
}
