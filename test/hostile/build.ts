/** Which build of the nodes is under attack: this one, or the one that NODE_DIST names. */
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { initConsortium } from "../../src/cli/init/init-consortium.js";

/** The directory that holds src/ of the build. */
export function buildDirectory(): string {
  const { NODE_DIST = "" } = process.env;
  return NODE_DIST === "" ? dirname(dirname(import.meta.dirname)) : resolve(NODE_DIST);
}

/** Whether it is this one: another build may know other settings. */
export function isOwnBuild(): boolean {
  return (process.env.NODE_DIST ?? "") === "";
}

/** Its `bss`. */
export function mainFile(): string {
  return join(buildDirectory(), "src", "cli", "main.js");
}

/** Where `bss init` is in a build: here, and in those from before the command had a folder. */
const initFiles = ["src/cli/init/init-consortium.js", "src/cli/consortium/init-consortium.js"];

/** Its `bss init`: what another build makes, this one's nodes may not understand. */
export async function loadInit(): Promise<typeof initConsortium> {
  const candidates = initFiles.map((file) => join(buildDirectory(), file));
  const file = candidates.find((candidate) => existsSync(candidate)) ?? candidates[0] ?? "";
  const loaded: { readonly initConsortium: typeof initConsortium } = await import(
    pathToFileURL(file).href
  );
  return loaded.initConsortium;
}
