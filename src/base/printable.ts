/**
 * Text that others wrote, made fit to be shown: names, reasons, messages of peers. It must not move
 * the cursor, change colours, begin a line of its own, hide, or turn the direction of what stands
 * beside it.
 */

/** Control and format characters (bidi overrides, zero width), lone surrogates, and separators. */
const unfit = /[\p{C}\u2028\u2029]/gu;
const unfitButLines = /(?!\n)[\p{C}\u2028\u2029]/gu;
const spaces = /[\t\n\v\f\r\u0085\u2028\u2029]+/g;
const replacement = "\uFFFD";

/** One line, of at most `charsMax` characters. */
export function printable(text: string, charsMax = 2_000): string {
  // Cut first, as what is long costs the most to look at.
  const kept = text.length > charsMax ? `${text.slice(0, charsMax)}…` : text;
  return kept.replaceAll(spaces, " ").replaceAll(unfit, replacement);
}

/** Lines that this program put together itself, of parts that others may have written. */
export function printableLines(text: string): string {
  return text.replaceAll(unfitButLines, replacement);
}

/** JSON with the same meaning, in which whatever does not print is escaped. */
export function printableJson(json: string): string {
  // In JSON these stand in strings only, besides the line's end; there an escape means the same.
  return json.replaceAll(unfitButLines, (char) =>
    Array.from({ length: char.length }, (_, i) => char.charCodeAt(i))
      .map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`)
      .join(""),
  );
}
