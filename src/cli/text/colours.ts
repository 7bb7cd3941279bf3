/**
 * Colours, where a terminal shows them. They only repeat what the words say: verdicts, what is
 * wrong, and advice, which is dim.
 *
 * Text is marked with characters of a private area, which `printable` takes out of all that others
 * wrote, and the marks become colours, or nothing, when the text is printed.
 */
import { printableLines } from "../../base/printable.js";

export type Tint = "good" | "bad" | "warn" | "dim";

/** SGR codes (ECMA-48) that every terminal with colours knows. */
const tints: Readonly<Record<Tint, { readonly mark: string; readonly code: number }>> = {
  good: { mark: "\uE001", code: 32 },
  bad: { mark: "\uE002", code: 31 },
  warn: { mark: "\uE003", code: 33 },
  dim: { mark: "\uE004", code: 2 },
};
const end = { mark: "\uE000", code: 0 };
const marks = /([\uE000-\uE004])/;
const codes = new Map([end, ...Object.values(tints)].map(({ mark, code }) => [mark, code]));

export function tinted(tint: Tint | undefined, text: string): string {
  return tint === undefined ? text : `${tints[tint].mark}${text}${end.mark}`;
}

/** As `printableLines`, with colours in the place of marks. */
export function painted(text: string, stream: NodeJS.WriteStream): string {
  const colours = hasColours(stream);
  return text
    .split(marks)
    .map((part, i) => {
      if (i % 2 === 0) return printableLines(part);
      return colours ? `\u001B[${codes.get(part) ?? 0}m` : "";
    })
    .join("");
}

/** A message whose "bss:" has a colour. */
export function tintedMessage(text: string, tint: Tint): string {
  return text.replace(/^bss:/, (name) => tinted(tint, name));
}

let isForbidden = false;

/** For `--no-color` and `--json`. */
export function forbidColours(forbidden: boolean): void {
  isForbidden = forbidden;
}

/**
 * See no-color.org, force-color.org and bixense.com/clicolors. Node's own styleText asks the stream
 * by itself in some versions, and warns where both NO_COLOR and FORCE_COLOR are set.
 */
export function hasColours(
  { isTTY }: Pick<NodeJS.WriteStream, "isTTY">,
  env: NodeJS.ProcessEnv = process.env,
): boolean {
  if (isForbidden || isSet(env.NO_COLOR)) return false;
  const { FORCE_COLOR: force, CLICOLOR_FORCE: cliForce } = env;
  if (force !== undefined) return !["0", "false"].includes(force);
  if (isSet(cliForce) && cliForce !== "0") return true;
  return isTTY === true && env.CLICOLOR !== "0" && env.TERM !== "dumb";
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== "";
}
