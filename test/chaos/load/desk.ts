/**
 * What every kind of load needs: clients of one participant, records noted before they are sent,
 * and a submission that is repeated until somebody has said what became of it.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { toHex, utf8 } from "../../../src/base/bytes.js";
import {
  type BssClient,
  document,
  RpcError,
  recordHash,
  type Submission,
} from "../../../src/client/index.js";
import { randomBytes } from "../../../src/crypto/random.js";
import type { LiveConsortium } from "../../support/live-consortium.js";
import type { Book } from "../book.js";
import type { Journal } from "../journal.js";

export type LoadContext = {
  readonly consortium: LiveConsortium;
  readonly book: Book;
  readonly journal: Journal;
  readonly managers: readonly string[];
  /** Stands in every document, so that plaintext can be looked for. */
  readonly canary: string;
  /** Submitting ends: nothing new is begun. */
  readonly ending: AbortSignal;
  /** All ends: what is unanswered stays so. */
  readonly over: AbortSignal;
  readonly paceMs: number;
};

/** What became of a record: final, or the reason for which it never will be. */
export type Fate = { readonly final: true } | { readonly final: false; readonly reason: string };

/** So far in the past that no clock that is set back takes a record for one of the future. */
const recordAgeMs = 20 * 60_000;
const attemptMs = 15_000;
const pauseMs = 250;

export class Desk {
  readonly id: string;
  readonly context: LoadContext;
  readonly client: BssClient;
  readonly #direct: readonly BssClient[];

  private constructor(context: LoadContext, id: string, clients: readonly BssClient[]) {
    const [client, ...direct] = clients as [BssClient, ...BssClient[]];
    this.context = context;
    this.id = id;
    this.client = client;
    this.#direct = direct;
  }

  /** A client of all managers, and one of each. */
  static async open(context: LoadContext, id: string): Promise<Desk> {
    const { consortium, managers } = context;
    const alone = managers.map((manager) => consortium.client(id, [manager]));
    return new Desk(context, id, await Promise.all([consortium.client(id), ...alone]));
  }

  /** A client that knows one manager only; which one goes round with `turn`. */
  at(turn: number): BssClient {
    return this.#direct[turn % this.#direct.length] ?? this.client;
  }

  hashOf(record: Uint8Array): Uint8Array {
    return recordHash(this.client.consortiumId, record);
  }

  /** Signs records and notes that they exist. */
  sign(records: readonly Uint8Array[]): Submission {
    for (const record of records) {
      this.context.book.note(this.hashOf(record), { ownerId: this.id, record });
    }
    return this.client.sign(records);
  }

  note(text: string, parent?: Uint8Array): Uint8Array {
    const content = `${this.context.canary} ${text} ${toHex(randomBytes(12))}`;
    return document({
      ownerId: this.id,
      mediaType: "text/plain",
      name: "note",
      content: utf8(content),
      timeMs: recordTimeMs(),
      ...(parent === undefined ? {} : { parent }),
    });
  }

  /** Submits one record again and again until its fate is known. Undefined when all is over. */
  async settle(client: BssClient, submission: Submission): Promise<Fate | undefined> {
    return (await this.settleEach(client, submission))?.[0];
  }

  /** The same for any number of records; their fates in their order. */
  async settleEach(
    client: BssClient,
    submission: Submission,
  ): Promise<readonly Fate[] | undefined> {
    const { book, over } = this.context;
    while (!over.aborted) {
      try {
        const answer = await client.submit(submission, { timeoutMs: attemptMs, signal: over });
        book.answered(answer);
        return answer.outcomes.map(({ outcome }) =>
          outcome.case === "objection"
            ? { final: false, reason: outcome.value.reason }
            : { final: true },
        );
      } catch (error) {
        if (!(error instanceof RpcError)) throw error;
        if (["FAILED_PRECONDITION", "INVALID_ARGUMENT"].includes(error.status)) {
          // All of them were refused, the first for this reason.
          book.refused(error.reason);
          return submission.records.map(() => ({ final: false, reason: error.reason }));
        }
        await sleep(pauseMs);
      }
    }
    return undefined;
  }

  /** Submits a record that nothing speaks against; one that is refused is a violation. */
  async mustSettle(submission: Submission, what: string): Promise<boolean> {
    const fate = await this.settle(this.client, submission);
    if (fate?.final === false) {
      this.context.book.violations.push(`${what} was refused: ${fate.reason}`);
    }
    return fate?.final === true;
  }
}

export function recordTimeMs(): number {
  return Date.now() - recordAgeMs;
}
