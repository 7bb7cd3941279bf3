/** What the demo says as it goes: steps, and checks that pass or fail. */
/** Thrown by a check that found something wrong; the message says what. */
export class CheckFailed extends Error {
  override readonly name = "CheckFailed";
}

export function expect(condition: boolean, message: string): asserts condition {
  if (!condition) throw new CheckFailed(message);
}

export function indented(text: string): string {
  return text.replaceAll(/^/gm, "  ");
}

export class DemoReport {
  readonly #write: (text: string) => void;
  #failures = 0;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  get failures(): number {
    return this.#failures;
  }

  line(text = ""): void {
    this.#write(`${text}\n`);
  }

  /** A heading with what follows below it. */
  step(text: string): void {
    this.line();
    this.line(text);
  }

  fail(text: string): void {
    this.#failures += 1;
    this.line(`  FAILED  ${text}`);
  }

  /** Runs a check, which returns what it found; the demo goes on after one that fails. */
  async check(title: string, work: () => Promise<string> | string): Promise<void> {
    try {
      this.line(`  ok      ${title}: ${await work()}`);
    } catch (error) {
      // Whoever stopped the demo does not want to hear of each check that is left.
      if (error instanceof Error && error.name === "AbortError") throw error;
      this.fail(`${title}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}
