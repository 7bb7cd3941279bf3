/** What a test says to one node's start wrapper: a small file beside the node's config. */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

export type NodeSettings = {
  /** The directory of the build to run: the one that holds src/. */
  readonly build: string;
  /** Added to the time of day, ms. */
  readonly clockOffsetMs: number;
};

export function nodeSettingsFile(configFile: string): string {
  return join(dirname(configFile), "chaos.json");
}

export function readNodeSettings(file: string): NodeSettings {
  const { build, clockOffsetMs } = JSON.parse(readFileSync(file, "utf8"));
  return { build: String(build), clockOffsetMs: Number(clockOffsetMs) };
}

/** All at once, so that the node never reads half of it. */
export function writeNodeSettings(file: string, settings: NodeSettings): void {
  const draft = `${file}.new`;
  writeFileSync(draft, JSON.stringify(settings));
  renameSync(draft, file);
}
