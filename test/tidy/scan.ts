/**
 * Reads TypeScript as far as the tidy test needs it: which characters are code, which are text.
 *
 * In the result every comment, string, template text and regular expression is blanked with spaces
 * of the same length (their delimiters stay), so that a rule about code cannot trip over prose, and
 * a position in `code` is the same position in the source. A `/` starts a regular expression where
 * an operand may stand; after a closing bracket it divides. A string that does not end is reported:
 * a scan that has lost its place must not pass for a clean file.
 */

export interface Text {
  readonly value: string;
  /** Offset of the opening quote. */
  readonly start: number;
  readonly quote: '"' | "'" | "`";
}

export interface Scan {
  readonly code: string;
  /** String literals, and the text parts of template literals. */
  readonly texts: readonly Text[];
  /** Offset of the first literal or comment that does not end. */
  readonly unterminatedAt: number | undefined;
}

const operandKeywords =
  /(?:^|[^\w$.])(?:return|typeof|case|in|of|void|delete|do|else|yield|await|instanceof|new|throw)$/;

export function scan(source: string): Scan {
  const scanner = new Scanner(source);
  scanner.run();
  return { code: scanner.code(), texts: scanner.texts, unterminatedAt: scanner.unterminatedAt };
}

class Scanner {
  readonly texts: Text[] = [];
  unterminatedAt: number | undefined;
  readonly #source: string;
  readonly #code: string[];
  #at = 0;
  /** For each open template expression, how many braces are open in it. */
  readonly #templateBraces: number[] = [];

  constructor(source: string) {
    this.#source = source;
    this.#code = source.split("");
  }

  code(): string {
    return this.#code.join("");
  }

  run(): void {
    while (this.#at < this.#source.length && this.unterminatedAt === undefined) this.#step();
  }

  #step(): void {
    const character = this.#source.charAt(this.#at);
    if (this.#source.startsWith("//", this.#at)) this.#comment("\n", 0);
    else if (this.#source.startsWith("/*", this.#at)) this.#comment("*/", 2);
    else if (character === '"' || character === "'") this.#string(character);
    else if (character === "`") this.#template(this.#at);
    else if (character === "/" && this.#operandMayStandHere()) this.#regularExpression();
    else this.#codeCharacter(character);
  }

  #codeCharacter(character: string): void {
    const open = this.#templateBraces.length - 1;
    const braces = this.#templateBraces[open];
    if (braces !== undefined && character === "{") this.#templateBraces[open] = braces + 1;
    if (braces !== undefined && character === "}") {
      this.#templateBraces[open] = braces - 1;
      if (braces === 1) {
        this.#templateBraces.pop();
        this.#template(this.#at);
        return;
      }
    }
    this.#at += 1;
  }

  #comment(end: string, endLength: number): void {
    const found = this.#source.indexOf(end, this.#at + 2);
    if (found === -1 && endLength > 0) this.unterminatedAt = this.#at;
    const stop = found === -1 ? this.#source.length : found + endLength;
    this.#blank(this.#at, stop);
    this.#at = stop;
  }

  #string(quote: '"' | "'"): void {
    const start = this.#at;
    let at = start + 1;
    while (at < this.#source.length && this.#source.charAt(at) !== quote) {
      if (this.#source.charAt(at) === "\n") break;
      at += this.#source.charAt(at) === "\\" ? 2 : 1;
    }
    if (this.#source.charAt(at) !== quote) this.unterminatedAt = start;
    this.#text(start, at, quote);
    this.#at = at + 1;
  }

  /**
   * From a backtick, or from the brace that ends an expression, to the next expression or the end.
   */
  #template(start: number): void {
    let at = start + 1;
    while (at < this.#source.length) {
      const expression = this.#source.startsWith("${", at);
      if (expression || this.#source.charAt(at) === "`") {
        this.#text(start, at, "`");
        if (expression) this.#templateBraces.push(1);
        this.#at = at + (expression ? 2 : 1);
        return;
      }
      at += this.#source.charAt(at) === "\\" ? 2 : 1;
    }
    this.unterminatedAt = start;
  }

  #regularExpression(): void {
    let at = this.#at + 1;
    let inClass = false;
    while (at < this.#source.length && this.#source.charAt(at) !== "\n") {
      const character = this.#source.charAt(at);
      if (character === "/" && !inClass) break;
      if (character === "[") inClass = true;
      if (character === "]") inClass = false;
      at += character === "\\" ? 2 : 1;
    }
    if (this.#source.charAt(at) !== "/") this.unterminatedAt = this.#at;
    this.#blank(this.#at + 1, at);
    this.#at = at + 1;
  }

  #operandMayStandHere(): boolean {
    const before = this.#code
      .slice(Math.max(0, this.#at - 200), this.#at)
      .join("")
      .trimEnd();
    return before === "" || /[(,=:[!&|?{;+\-*%~^<>]$/.test(before) || operandKeywords.test(before);
  }

  #text(start: number, end: number, quote: Text["quote"]): void {
    this.texts.push({ value: this.#source.slice(start + 1, end), start, quote });
    this.#blank(start + 1, end);
  }

  #blank(from: number, to: number): void {
    for (let at = from; at < to && at < this.#code.length; at++) {
      if (this.#code[at] !== "\n") this.#code[at] = " ";
    }
  }
}
