/** The rules of the tidy test: what no linter knows of this project. */

export type Violation = { readonly path: string; readonly line: number; readonly message: string };

/** Rules that are about single lines: what a line breaks, or undefined. */
type LineRule = (line: string) => string | undefined;

const columnsMax = 100;
/** The patterns are split so that this file does not match itself. */
const unfinished = /\b(T[O]DO|F[I]XME|X[X]X|H[A]CK)\b/;
const unfinishedPhrase = /\b(not (yet )?implement[e]d|place[h]older|for n[o]w)\b/i;
/** A string or template literal that starts as the tags of signed and hashed bytes do. */
const domainTag = /["'`]bss\/v1\/[^"'`]*/;

/** The formatter leaves comments and literals alone. */
export const columns: LineRule = (line) => {
  const length = [...line].length;
  return length <= columnsMax || isUnbreakable(line) ? undefined : `has ${length} columns`;
};

export const unfinishedWork: LineRule = (line) => {
  const [found] = unfinished.exec(line) ?? [];
  return found === undefined ? undefined : `says "${found}"`;
};

export const unfinishedProduct: LineRule = (line) => {
  const [found] = unfinishedPhrase.exec(line) ?? [];
  return found === undefined ? undefined : `says "${found}"`;
};

export const domainTags: LineRule = (line) => {
  if (/^\s*(\*|\/[*/])/.test(line)) return undefined;
  const [found] = domainTag.exec(line) ?? [];
  return found === undefined ? undefined : `has the domain tag ${found.slice(1)}`;
};

/** A literal that is spread into another: it defeats the formatter and reads like a merge. */
export const literalSpreads: LineRule = (line) => {
  return /\.\.\.\{/.test(line) ? "spreads a literal: write its properties" : undefined;
};

export function checkLines(path: string, text: string, rules: readonly LineRule[]): Violation[] {
  return text.split("\n").flatMap((line, index) =>
    rules.flatMap((rule): Violation[] => {
      const message = rule(line);
      return message === undefined ? [] : [{ path, line: index + 1, message }];
    }),
  );
}

/**
 * Lines that no formatter can break where it helps: a URL, a diagram or formula set off in a
 * comment, one literal that fills most of the line.
 */
function isUnbreakable(line: string): boolean {
  const unbreakable = [/https?:\/\/\S+/, /^\s*\*\s{3,}\S/, /(["'`]).{60,}\1/];
  return unbreakable.some((pattern) => pattern.test(line));
}
