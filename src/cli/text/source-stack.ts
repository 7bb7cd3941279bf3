/**
 * `bss` is bundled (scripts/bundle.mjs), so stacks name lines of the bundle. Here they are turned
 * into lines of the sources, for whoever reports or mends a bug. It happens only when a stack is
 * printed: Node's own way reads the source maps of all files at each start.
 */
import { readFileSync } from "node:fs";
import { SourceMap, type SourceMapPayload } from "node:module";
import { fileURLToPath } from "node:url";

/** The stack with lines of the sources where there is a source map; otherwise as it is. */
export function sourceStack(stack: string): string {
  const maps = new Map<string, SourceMap | undefined>();
  // Modules are named by their URL, scripts by their path.
  return stack.replaceAll(
    /(?<=[\s(])((?:file:\/\/)?\/[^\s()]+?\.js):(\d+):(\d+)/g,
    (place, script, line, column) => {
      if (!maps.has(script)) maps.set(script, readMap(script));
      const found = maps.get(script)?.findEntry(Number(line) - 1, Number(column) - 1);
      if (found === undefined || !("originalSource" in found)) return place;
      const { originalSource, originalLine, originalColumn } = found;
      const file = originalSource.replace(/^(\.\.?\/)+/, "");
      return `${file}:${originalLine + 1}:${originalColumn + 1}`;
    },
  );
}

function readMap(script: string): SourceMap | undefined {
  try {
    const file = script.startsWith("/") ? script : fileURLToPath(script);
    const map: SourceMapPayload = JSON.parse(readFileSync(`${file}.map`, "utf8"));
    return new SourceMap(map);
  } catch {
    return undefined;
  }
}
