/** Carries out what the ring asks its driver for; the answers come back to it as events. */
import type { Task } from "../../consensus/ring/events.js";
import type { BackgroundWork } from "../background-work.js";
import type { StorageLinks } from "../storage-nodes/storage-links.js";
import type { Submissions } from "../submissions/submissions.js";
import type { BlockJudge } from "./block-judge.js";
import type { BlockProducer } from "./block-producer.js";
import type { CandidateBlocks } from "./candidate-blocks.js";
import type { RingInbox } from "./ring-inbox.js";

type Parts = {
  readonly producer: BlockProducer;
  readonly judge: BlockJudge;
  readonly candidates: CandidateBlocks;
  readonly storageLinks: Pick<StorageLinks, "verify">;
  readonly submissions: Pick<Submissions, "reportObjections">;
  readonly background: Pick<BackgroundWork, "follow">;
  readonly inbox: Pick<RingInbox, "post">;
};

export class RingTasks {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  start(task: Task): void {
    this.#parts.background.follow(this.#run(task));
  }

  async #run(task: Task): Promise<void> {
    switch (task.kind) {
      case "build":
        return this.#build(task);
      case "validate":
        return this.#parts.judge.judge(task);
      case "verify-integrity":
        return this.#parts.storageLinks.verify(task);
    }
  }

  async #build(task: Task & { kind: "build" }): Promise<void> {
    const { producer, candidates, submissions, inbox } = this.#parts;
    const { height, round } = task;
    const { block, executed, objections } = await producer.build(task);
    if (executed.facts.height !== height) return;
    candidates.add(height, block, executed);
    inbox.post({ kind: "built", height, round, facts: executed.facts });
    await submissions.reportObjections(objections, executed);
  }
}
