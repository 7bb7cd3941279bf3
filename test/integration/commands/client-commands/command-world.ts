/**
 * One toy consortium, and one process of `bss`, for all that is tested of the commands that talk to
 * a consortium: starting them takes longer than most of the tests.
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defined } from "../../../../src/base/assert.js";
import { BssProcess, type Ran } from "../../../support/bss.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";
import { ToyConsortium } from "../../../support/toy-consortium.js";

export class CommandWorld {
  /** Where the commands run. */
  readonly directory = temporaryDirectory();
  readonly #commands = new BssProcess(this.directory);
  #toy: ToyConsortium | undefined;

  async open(): Promise<void> {
    this.#toy = await ToyConsortium.create(this.path("toy"));
  }

  get toy(): ToyConsortium {
    return defined(this.#toy, "the world is open");
  }

  /** Of participant-1. */
  get profile(): string {
    return this.toy.profileFile("participant-1");
  }

  readonly path = (name: string): string => join(this.directory, name);

  readonly bss = (...args: readonly string[]): Promise<Ran> => this.#commands.run(...args);

  /** What a command prints that succeeds. */
  readonly ok = async (...args: readonly string[]): Promise<string> => {
    const { code, out, err } = await this.bss(...args);
    assert.equal(code, 0, err);
    return out;
  };

  /** The lines of records in a receipts file. */
  readonly receiptsOf = (name: string) =>
    readFileSync(this.path(name), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { line: number; record_hash: string; height: number })
      .filter(({ line }) => line !== undefined);

  /** Writes a file of readings of meter-1: i Wh in the hour `from` + i. */
  readonly readings = (name: string, hours: number, from = 0): void => {
    const rows = Array.from({ length: hours }, (_, i) => `meter-1,${hourS(from + i)},${i},0`);
    writeFileSync(this.path(name), `meter,start,imported_wh,exported_wh\n${rows.join("\n")}\n`);
  };

  /** Ends what a test has made the managers do. */
  calm(): void {
    for (const { misbehaviour } of this.toy.managers) {
      for (const key of Object.keys(misbehaviour)) delete misbehaviour[key as "tamper"];
    }
    this.toy.objectTo = () => undefined;
  }

  async close(): Promise<void> {
    this.#commands.close();
    await this.#toy?.close();
  }
}

/** Unix seconds; hours are counted from the beginning of July 2024. */
export function hourS(hour: number): number {
  return Date.UTC(2024, 6, 1) / 1000 + hour * 3600;
}
