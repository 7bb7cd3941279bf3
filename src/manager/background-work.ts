/**
 * Work that runs beside the ring's turns and that nobody waits for. If it fails, so does the
 * manager; the manager closes after it has ended.
 */
import type { FailStop } from "./fail-stop.js";

export class BackgroundWork {
  readonly #failStop: Pick<FailStop, "fail">;
  readonly #running = new Set<Promise<void>>();
  #closing = false;

  constructor(failStop: Pick<FailStop, "fail">) {
    this.#failStop = failStop;
  }

  follow(work: Promise<void>): void {
    const running = work
      .catch((error) => {
        // Nobody waits for the answer any more, and a store that is closing refuses to read.
        if (!this.#closing) this.#failStop.fail(asError(error));
      })
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** From now on nothing fails; `settled` tells when nothing is running. */
  close(): void {
    this.#closing = true;
  }

  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
