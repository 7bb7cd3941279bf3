/** SVG as text: elements with their attributes, and what is inside them. */

export type Attributes = Readonly<Record<string, string | number>>;

/** `inside` is SVG, as `element` and `text` return it. */
export function element(
  name: string,
  attributes: Attributes,
  inside: readonly string[] = [],
): string {
  const head = [
    name,
    ...Object.entries(attributes).map(([key, value]) => `${key}="${cell(value)}"`),
  ];
  if (inside.length === 0) return `<${head.join(" ")}/>`;
  return `<${head.join(" ")}>${inside.join("")}</${name}>`;
}

/** An element with nothing but words in it. */
export function text(name: string, attributes: Attributes, words: string): string {
  return element(name, attributes, [escaped(words)]);
}

/** Coordinates need no more than hundredths of a pixel. */
function cell(value: string | number): string {
  return typeof value === "number" ? String(Math.round(value * 100) / 100) : escaped(value);
}

function escaped(words: string): string {
  return words
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
