/**
 * The XML of a file, read as it comes, in UTF-8. Nothing is fetched and nothing expands: document
 * types are refused, so the five entities that XML itself has are the only ones. What the parser
 * has to hold until it can tell of it is bounded.
 */
import { SaxesParser, type SaxesTagNS } from "saxes";
import { FileUnreadable } from "../file-values.js";

export type XmlElement = {
  /** The namespace, whatever prefix stands for it. */
  readonly uri: string;
  readonly local: string;
  readonly attribute: (name: string) => string | undefined;
};

export type XmlHandler = {
  readonly opened: (element: XmlElement, line: number) => void;
  /** Called with the text of the element after its last child. */
  readonly closed: (text: string) => void;
};

const depthMax = 64;
/** The parser may be in the middle of one tag, text or comment for so long. */
const pieceCharsMax = 1024 * 1024;
const writeBytesMax = 64 * 1024;

const askForXml = "ask for the file again as XML in UTF-8";

export class XmlText {
  readonly #parser = new SaxesParser({ xmlns: true });
  readonly #decoder = new TextDecoder("utf-8", { fatal: true });
  #depth = 0;
  #text = "";
  #charsWritten = 0;
  #charsAtEvent = 0;

  constructor(handler: XmlHandler) {
    const parser = this.#parser;
    parser.on("error", ({ message }) => {
      // The parser begins its messages with line and column.
      throw new FileUnreadable(`the XML is broken at ${message}`, askForXml);
    });
    parser.on("xmldecl", ({ encoding }) => {
      if (encoding === undefined || /^(utf-?8|us-ascii)$/i.test(encoding)) return;
      throw new FileUnreadable(`the XML says that it is in ${encoding.slice(0, 40)}`, askForXml);
    });
    parser.on("doctype", () => {
      throw new FileUnreadable(
        `the XML has a document type at line ${parser.line}, which Green Button files have not`,
        "remove it, or ask for the file again",
      );
    });
    parser.on("opentag", (tag) => {
      this.#moved();
      this.#depth += 1;
      if (this.#depth > depthMax) {
        const message = `elements are nested deeper than ${depthMax} at line ${parser.line}`;
        throw new FileUnreadable(message, "give a Green Button file");
      }
      this.#text = "";
      handler.opened(elementOf(tag), parser.line);
    });
    parser.on("closetag", () => {
      this.#moved();
      this.#depth -= 1;
      handler.closed(this.#text);
      this.#text = "";
    });
    const addText = (text: string) => {
      this.#moved();
      this.#text += text;
      if (this.#text.length > pieceCharsMax) throw tooLong(parser.line);
    };
    parser.on("text", addText);
    parser.on("cdata", addText);
    parser.on("comment", () => this.#moved());
    parser.on("processinginstruction", () => this.#moved());
  }

  /** Throws `FileUnreadable`, as what follows does. */
  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += writeBytesMax) {
      this.#parse(this.#decode(bytes.subarray(at, at + writeBytesMax)));
    }
  }

  end(): void {
    this.#parse(this.#decode());
    this.#parser.close();
  }

  #parse(text: string): void {
    this.#charsWritten += text.length;
    this.#parser.write(text);
    if (this.#charsWritten - this.#charsAtEvent > pieceCharsMax) throw tooLong(this.#parser.line);
  }

  #decode(bytes?: Uint8Array): string {
    try {
      return bytes === undefined
        ? this.#decoder.decode()
        : this.#decoder.decode(bytes, { stream: true });
    } catch {
      const message = `the file is not in UTF-8, below line ${this.#parser.line}`;
      throw new FileUnreadable(message, askForXml);
    }
  }

  #moved(): void {
    this.#charsAtEvent = this.#charsWritten;
  }
}

function elementOf({ uri, local, attributes }: SaxesTagNS): XmlElement {
  return { uri, local, attribute: (name) => attributes[name]?.value };
}

function tooLong(line: number): FileUnreadable {
  const message = `one tag, text or comment near line ${line} is longer than ${pieceCharsMax} characters`;
  return new FileUnreadable(message, "give a Green Button file");
}
