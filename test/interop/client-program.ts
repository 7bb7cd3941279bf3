/** The program of one language, which answers requests one after the other. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { defined } from "../../src/base/assert.js";
import type { Answer, Request } from "./requests.js";

/** Nothing that is asked takes longer, also on a busy machine. */
const answerTimeoutMs = 180_000;

export class ClientProgram {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  #stderr = "";

  constructor(command: readonly string[], cwd: string) {
    const [program, ...args] = command;
    this.#child = spawn(defined(program, "a command names a program"), args, { cwd });
    this.#child.on("error", () => {});
    this.#child.stderr?.on("data", (chunk) => {
      this.#stderr += String(chunk);
    });
    const input = defined(this.#child.stdout, "the program's output is piped");
    this.#lines = createInterface({ input })[Symbol.asyncIterator]();
  }

  /** Throws what the program failed with. */
  async ask(request: Request): Promise<Answer> {
    this.send(request);
    return this.next();
  }

  send(request: Request): void {
    this.#child.stdin?.write(`${JSON.stringify(request)}\n`);
  }

  /** The next answer. */
  async next(): Promise<Answer> {
    const timer = setTimeout(() => this.#child.kill(), answerTimeoutMs);
    const line = await this.#lines.next();
    clearTimeout(timer);
    if (line.done === true) throw new Error(`the program ended: ${this.#stderr.slice(-2_000)}`);
    const answer = JSON.parse(line.value) as Answer;
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer;
  }

  async close(): Promise<void> {
    this.#child.stdin?.end();
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      await once(this.#child, "exit");
    }
  }
}
