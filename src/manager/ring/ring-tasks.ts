/** Carries out what the ring asks its driver for; the answers come back to it as events. */
import type { RingEvent, Task } from "../../consensus/ring/events.js";
import type { StorageExchange } from "../storage/storage-exchange.js";
import type { Submissions } from "../submissions/submissions.js";
import type { BlockJudge } from "./block-judge.js";
import type { BlockProducer } from "./block-producer.js";
import type { CandidateBlocks } from "./candidate-blocks.js";

export type RingTasksPorts = {
  readonly producer: BlockProducer;
  readonly judge: BlockJudge;
  readonly candidates: CandidateBlocks;
  readonly storage: Pick<StorageExchange, "verify">;
  readonly submissions: Pick<Submissions, "reportObjections">;
  readonly post: (event: RingEvent) => void;
  readonly onFatal: (error: Error) => void;
};

export class RingTasks {
  readonly #ports: RingTasksPorts;
  readonly #running = new Set<Promise<void>>();
  #closing = false;

  constructor(ports: RingTasksPorts) {
    this.#ports = ports;
  }

  start(task: Task): void {
    this.follow(this.#run(task));
  }

  /** Work besides the tasks that nobody waits for: it fails and ends as they do. */
  follow(work: Promise<void>): void {
    const running = work
      .catch((error) => {
        // Nobody waits for the answer any more, and a store that is closing refuses to read.
        if (!this.#closing) this.#ports.onFatal(asError(error));
      })
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** From now on no task fails; `settled` tells when none is running. */
  close(): void {
    this.#closing = true;
  }

  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }

  async #run(task: Task): Promise<void> {
    switch (task.kind) {
      case "build":
        return this.#build(task);
      case "validate":
        return this.#ports.judge.judge(task);
      case "verify-integrity":
        return this.#ports.storage.verify(task);
    }
  }

  async #build({ height, round, absent }: Task & { kind: "build" }): Promise<void> {
    const { producer, candidates, submissions, post } = this.#ports;
    const { block, executed, objections } = await producer.build(round, absent);
    if (executed.facts.height !== height) return;
    candidates.add(height, block, executed);
    post({ kind: "built", height, round, facts: executed.facts });
    await submissions.reportObjections(objections, executed);
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
