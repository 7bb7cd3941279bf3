/** A signer behind a network: its answers take time, and some are lost, be it done or not. */
import { err, ok, type Result } from "../../../src/base/result.js";
import type {
  Marks,
  Signature,
  Signer,
  SignerUnavailable,
  SignRequest,
} from "../../../src/manager/signing/signer.js";
import type { Random } from "../random.js";
import type { Process } from "./process.js";

export type SignerTrouble = {
  /** Asked at each call. */
  readonly chance: () => number;
  readonly random: Random;
  readonly count: (what: string) => void;
};

const answerMaxMs = 3;
const timeoutMs = 50;

export class UnreliableSigner implements Signer {
  readonly #signer: Signer;
  readonly #process: Process;
  readonly #trouble: SignerTrouble;

  constructor(signer: Signer, process: Process, trouble: SignerTrouble) {
    this.#signer = signer;
    this.#process = process;
    this.#trouble = trouble;
  }

  marks(): Promise<Result<Marks, SignerUnavailable>> {
    return this.#ask(() => this.#signer.marks());
  }

  sign(requests: readonly SignRequest[]): Promise<Result<readonly Signature[], SignerUnavailable>> {
    return this.#ask(() => this.#signer.sign(requests));
  }

  settle(): Promise<Result<void, SignerUnavailable>> {
    return this.#ask(async () => {
      const settled = await this.#signer.settle();
      return settled.ok ? ok(undefined) : settled;
    });
  }

  async #ask<T>(
    call: () => Promise<Result<T, SignerUnavailable>>,
  ): Promise<Result<T, SignerUnavailable>> {
    const { chance, random, count } = this.#trouble;
    if (!random.chance(chance())) return call();
    if (random.chance(0.5)) {
      count("signer slow");
      await this.#wait(random.between(0, answerMaxMs));
      return call();
    }
    count("signer out of reach");
    if (random.chance(0.5)) await call();
    await this.#wait(timeoutMs);
    return err({ message: "no answer in time" });
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#process.time.after(ms, resolve);
    });
  }
}
