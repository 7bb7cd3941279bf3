/** A stream of documents, several to a submission, with many submissions in flight. */
import { setTimeout as sleep } from "node:timers/promises";
import { RpcError, type Submission } from "../../../src/client/index.js";
import type { Random } from "../../simulation/random.js";
import type { Desk } from "./desk.js";

const recordsMax = 8;
const inFlightMax = 6;
const stallTimeoutMs = 15 * 60_000;

export async function streamDocuments(desk: Desk, random: Random): Promise<void> {
  const { book, journal, ending, over, paceMs } = desk.context;
  const source = async function* (): AsyncGenerator<Submission> {
    for (let number = 1; !ending.aborted; number++) {
      const count = 1 + random.below(recordsMax);
      yield desk.sign(Array.from({ length: count }, (_, i) => desk.note(`${number}.${i}`)));
      await sleep(paceMs);
    }
  };
  const options = { inFlightMax, stallTimeoutMs, signal: over };
  try {
    for await (const { response, refusal } of desk.client.submitStream(source(), options)) {
      if (response !== undefined) {
        book.answered(response);
        for (const { outcome } of response.outcomes) {
          if (outcome.case !== "objection") continue;
          book.violations.push(`a document of ${desk.id} was refused: ${outcome.value.reason}`);
        }
      } else {
        book.refused(refusal.reason);
        const what = `${refusal.reason}: ${refusal.message}`;
        book.violations.push(`documents of ${desk.id} were refused: ${what}`);
      }
    }
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    if (over.aborted) return;
    journal.log(`the stream of ${desk.id} ended: ${error.message}`);
    book.violations.push(`the stream of ${desk.id} gave up: ${error.message}`);
  }
}
