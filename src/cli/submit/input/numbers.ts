/** Numbers as exports write them. What could mean two amounts is not taken. */

/**
 * A decimal number times 10^places, exactly; undefined when it has more places or is no plain
 * number.
 */
export function decimal(text: string, places: number): bigint | undefined {
  const match = /^([+-]?)(\d{1,18})(?:\.(\d{1,18}))?$/.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = "", fraction = ""] = match;
  const digits = fraction.replace(/0+$/, "");
  if (digits.length > places) return undefined;
  const value = BigInt(whole + digits.padEnd(places, "0"));
  return sign === "-" ? -value : value;
}

/** A whole number, also written as 412.0; not as 1.000, which may mean a thousand. */
export function wholeNumber(text: string): bigint | undefined {
  return /\.\d{3}$/.test(text) ? undefined : decimal(text, 0);
}

/** What to do about a text that is no number, or "". */
export function decimalHint(text: string): string {
  if (/^[+-]?\d{1,3}(?:([.,' ])\d{3})(?:\1\d{3})*(?:[.,]\d+)?$/.test(text)) {
    return "write it without separators between thousands, and with a decimal point";
  }
  if (/^[+-]?\d+,\d+$/.test(text)) return "use a decimal point";
  if (/^[+-]?[\d.,]+\s*(?:[kMG]?Wh|[kMG]?W|€|\$|[A-Z]{3})\b/i.test(text))
    return "leave the unit out";
  return "";
}
