/** The load on the consortium: several participants at once, through the public API only. */
import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { defined } from "../../../src/base/assert.js";
import { toHex } from "../../../src/base/bytes.js";
import { randomBytes } from "../../../src/crypto/random.js";
import { Random } from "../../simulation/random.js";
import { Book } from "../book.js";
import type { World } from "../world.js";
import { Desk, type LoadContext } from "./desk.js";
import { streamDocuments } from "./documents.js";
import { sellTwice } from "./energy.js";
import { importTwice } from "./imports.js";
import { overlapProfiles } from "./profiles.js";
import { updateTwice } from "./versions.js";

/**
 * Two stream documents, two trade, one updates, one imports everything twice, one has load profiles
 * and one buys of it.
 */
export const participants = 8;

export class Load {
  readonly book = new Book();
  /** High entropy, so that no compression hides it. */
  readonly canary = `canary:${toHex(randomBytes(16))}`;
  readonly #ending = new AbortController();
  readonly #over = new AbortController();
  readonly #context: LoadContext;
  #running: Promise<unknown> = Promise.resolve();

  constructor(world: World, paceMs: number) {
    // Every call and every wait of every participant listens to them.
    setMaxListeners(0, this.#ending.signal, this.#over.signal);
    this.#context = {
      consortium: world.consortium,
      managers: world.managers,
      journal: world.journal,
      book: this.book,
      canary: this.canary,
      paceMs,
      ending: this.#ending.signal,
      over: this.#over.signal,
    };
  }

  async start(seed: number): Promise<void> {
    const random = new Random(seed);
    const ids = Array.from({ length: participants }, (_, i) => `participant-${i + 1}`);
    const desks = await Promise.all(ids.map((id) => Desk.open(this.#context, id)));
    const desk = (index: number) => defined(desks[index], "there is a desk for each participant");
    this.#running = Promise.all([
      streamDocuments(desk(0), random.fork()),
      streamDocuments(desk(1), random.fork()),
      sellTwice({ desk: desk(2), meterId: "meter-3" }, { desk: desk(3), meterId: "meter-4" }),
      updateTwice(desk(4)),
      importTwice({ desk: desk(5), meterId: "meter-6" }, random.fork()),
      overlapProfiles(
        { desk: desk(6), meterId: "meter-7" },
        { desk: desk(7), meterId: "meter-8" },
        random.fork(),
      ),
    ]);
    // Looked at by `finish`; until then it is no unhandled rejection.
    this.#running.catch(() => {});
  }

  /** Begins nothing new, waits for what is unanswered; what is so after `patienceMs` stays so. */
  async finish(patienceMs: number): Promise<void> {
    this.#ending.abort();
    const inTime = await Promise.race([
      this.#running.then(() => true),
      sleep(patienceMs, false, { ref: false }),
    ]);
    if (!inTime) {
      this.book.violations.push(`submissions are unanswered ${patienceMs / 1000} s after the end`);
    }
    this.#over.abort();
    await this.#running;
  }
}
