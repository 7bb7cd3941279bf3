/**
 * How a manager ends when something is wrong that it cannot mend: the first fatal error stops it,
 * and it signs nothing more. It exists before all parts, so that each of them can report; what has
 * to stop is connected once it is there.
 *
 * A full or damaged disk, or a bug, ends the process (store/store-error.ts has the advice that is
 * printed). A *halt* is for good, and the process goes on answering why. Four things halt a
 * manager: a proof of a fork (supervision.ts), Q managers that hold another block (head-watch.ts),
 * Q COMMITs for a block that is wrong here (consensus/ring/round-rules.ts), and such a block that
 * a peer ships (chain-writer.ts).
 */
import type { CommitCertificate } from "../gen/bss/v1/block_pb.js";

/** The core has stopped for good: more than f managers broke the rules, or this software did. */
export class RingHalted extends Error {
  override readonly name = "RingHalted";
  /** The certificate that contradicts what is computed here, if it halted because of a block. */
  readonly contradicting: CommitCertificate | undefined;

  constructor(message: string, contradicting?: CommitCertificate) {
    super(message);
    this.contradicting = contradicting;
  }
}

export class FailStop {
  readonly #report: (error: Error) => void;
  #stop = () => {};
  #failed = false;
  #halt: RingHalted | undefined;

  /** `report` hears of the error after everything has been told to stop. */
  constructor(report: (error: Error) => void) {
    this.#report = report;
  }

  get failed(): boolean {
    return this.#failed;
  }

  /** Why the manager has halted for good; undefined while it has not. */
  get halt(): RingHalted | undefined {
    return this.#halt;
  }

  /** What ends the manager's work. */
  connect(stop: () => void): void {
    this.#stop = stop;
  }

  /** Nothing is signed after the turn that is running; others may still read. */
  fail(error: Error): void {
    if (this.#failed) return;
    this.#failed = true;
    if (error instanceof RingHalted) this.#halt = error;
    this.#stop();
    this.#report(error);
  }
}
