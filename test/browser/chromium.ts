/** A headless Chromium that opens one page; what comes of it the page says to `PageServer`. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** With the sandbox off, because root, as in containers, has none; the pages are our own. */
const flags = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-dev-shm-usage",
];
const names = ["chromium", "chromium-browser", "google-chrome"];
const outputCharsMax = 10_000;

/** The program that CHROMIUM names, or else one that is installed. */
export function findChromium(): string | undefined {
  const { CHROMIUM } = process.env;
  if (CHROMIUM !== undefined && CHROMIUM !== "") return CHROMIUM;
  return names.find((name) => spawnSync(name, ["--version"]).status === 0);
}

export class Chromium {
  readonly #process: ChildProcess;
  readonly #directory = mkdtempSync(join(tmpdir(), "bss-chromium-"));
  readonly #ended: Promise<void>;
  #output = "";

  constructor(program: string, url: string) {
    this.#process = spawn(program, [...flags, `--user-data-dir=${this.#directory}`, url], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#ended = new Promise((resolve) => {
      this.#process.once("error", (error) => {
        this.#output += error.message;
        resolve();
      });
      this.#process.once("close", () => resolve());
    });
    this.#process.stderr?.on("data", (chunk: Buffer) => {
      this.#output = `${this.#output}${chunk}`.slice(-outputCharsMax);
    });
  }

  /** Resolves, with what it has printed, when it has ended by itself. */
  async ended(): Promise<string> {
    await this.#ended;
    return this.#output;
  }

  async close(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#ended;
    // Processes of its own may still write there for a moment.
    rmSync(this.#directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}
