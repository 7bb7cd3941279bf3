/**
 * Participants as their software behaves: a submission goes to some manager, and if no answer comes
 * or none that settles it, to another one, until each record is final or refused. What they were
 * told is remembered, and held against the ledger in the end.
 */
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { toHex } from "../../src/base/bytes.js";
import { type SubmitResponse, WaitFor } from "../../src/gen/bss/v1/broadcast_pb.js";
import { type Submission, SubmissionSchema } from "../../src/gen/bss/v1/record_pb.js";
import type { ParsedSubmission } from "../../src/ledger/records/submissions.js";
import type { ManagerHost } from "./nodes/manager-host.js";
import type { Random } from "./random.js";
import type { World } from "./world.js";

const waitMaxMs = 4_000;
const retryMs = 150;

/** A submission that is not settled yet, for who made it. */
type Errand = {
  readonly submission: ParsedSubmission;
  readonly bytes: Uint8Array;
  readonly open: Set<string>;
};

export class Participants {
  readonly #world: World;
  readonly #random: Random;
  readonly #managers: readonly ManagerHost[];
  readonly #errands = new Set<Errand>();
  readonly refusals = new Map<string, string>();

  constructor(world: World, random: Random, managers: readonly ManagerHost[]) {
    this.#world = world;
    this.#random = random;
    this.#managers = managers;
  }

  /** Submissions that wait for a final answer. */
  get openCount(): number {
    return this.#errands.size;
  }

  get open(): readonly ParsedSubmission[] {
    return [...this.#errands].map(({ submission }) => submission);
  }

  /** Submits at one manager, or at several at once. */
  submit(submission: ParsedSubmission, copies = 1): void {
    const bytes = toBinary(SubmissionSchema, submission.message as Submission);
    const errand = {
      submission,
      bytes,
      open: new Set(submission.records.map(({ hashHex }) => hashHex)),
    };
    this.#errands.add(errand);
    for (let left = copies; left > 0; left--) this.#call(errand);
  }

  #call(errand: Errand): void {
    const { scheduler, counters } = this.#world;
    if (!this.#errands.has(errand)) return;
    const manager = this.#random.pick(this.#managers);
    let answered = false;
    const again = () => {
      if (answered) return;
      answered = true;
      scheduler.after(this.#random.between(0, 2 * retryMs), () => this.#call(errand));
    };
    scheduler.after(waitMaxMs + retryMs, again);
    scheduler.after(this.#delayMs(), () => {
      const { process, manager: node } = manager;
      if (process === undefined || node === undefined) return again();
      const abort = new AbortController();
      process.time.after(this.#random.between(50, waitMaxMs), () => abort.abort());
      const waitFor = this.#random.chance(0.2) ? WaitFor.ACCEPTED : WaitFor.COMMITTED;
      const options = {
        waitFor,
        signal: abort.signal,
        callerId: errand.submission.participantId,
      };
      const message = fromBinary(SubmissionSchema, new Uint8Array(errand.bytes));
      node.submissions.take(message, options).then(
        (response) => {
          if (!process.alive || !manager.honest) return;
          scheduler.after(this.#delayMs(), () => {
            this.#settle(errand, manager, response);
            again();
          });
        },
        (error: unknown) => {
          const { reason, name } = error as { reason?: string; name: string };
          counters.count(`submission failed ${reason ?? name}`);
          if (process.alive) scheduler.after(this.#delayMs(), again);
        },
      );
    });
  }

  #settle(errand: Errand, manager: ManagerHost, { outcomes }: SubmitResponse): void {
    for (const { recordHash, outcome } of outcomes) {
      const recordHex = toHex(recordHash);
      if (!errand.open.has(recordHex)) continue;
      if (outcome.case === "committed") {
        errand.open.delete(recordHex);
        this.#world.counters.count("receipt");
        const { participantId } = errand.submission;
        const { height, position } = outcome.value;
        const place = { height: Number(height), position: Number(position) };
        const receipt = { participantId, managerId: manager.id, recordHex, ...place };
        this.#world.notify((checker) => checker.receipt(receipt));
      }
      if (outcome.case === "objection") {
        errand.open.delete(recordHex);
        this.#world.counters.count("record refused");
        this.#world.counters.count(`record refused for ${outcome.value.reason}`);
        this.refusals.set(recordHex, outcome.value.reason);
      }
    }
    if (errand.open.size === 0) this.#errands.delete(errand);
  }

  #delayMs(): number {
    return this.#world.network.delayMs();
  }
}
