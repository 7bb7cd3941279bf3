/**
 * What Node.js 22 and newer have compiled is kept beside the bundle, so that the next process need
 * not compile it again. Whoever can write there decides what runs, so it is used only where nobody
 * but this user can. NODE_COMPILE_CACHE names another place; without either, all is compiled.
 */
import { statSync } from "node:fs";
import * as nodeModule from "node:module";
import { join } from "node:path";

/** `directory` is made with the bundle (scripts/bundle.mjs). */
export function keepCompiledCode(directory = join(import.meta.dirname, ".compile-cache")): void {
  // Absent from Node.js 20.
  const enable: unknown = Reflect.get(nodeModule, "enableCompileCache");
  if (typeof enable === "function" && isOwn(directory)) enable(directory);
}

function isOwn(directory: string): boolean {
  const stats = statSync(directory, { throwIfNoEntry: false });
  if (stats === undefined || !stats.isDirectory()) return false;
  return stats.uid === process.getuid?.() && (stats.mode & 0o022) === 0;
}
