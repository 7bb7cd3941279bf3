/**
 * How a run of `bss submit` can be broken off and taken up again.
 *
 * Beside the receipts (`--out`) stands a journal of every record that was going to be sent, with
 * its exact bytes: its salt, its time, a trade's id. A record is in the journal, durably, before it
 * is sent. A later run finds each row's record there and sends the same bytes, which the ledger
 * answers with the first receipt; a record built anew would be another record. Rows whose record
 * has a receipt are not sent at all.
 *
 *     row ──▶ key ──▶ journal: record ──▶ sent ──▶ receipts: place
 *
 * A record that is refused for what this machine had put into it is replaced: the journal gets
 * another line with the key of its row, and the last line of a key counts.
 *
 * One process at a time works with a pair of these files; see process-lock.ts.
 */
import { rmSync } from "node:fs";
import { toHex, utf8 } from "../../base/bytes.js";
import { sha256 } from "../../crypto/hash.js";
import { recordHash } from "../../ledger/records/records.js";
import { CliError } from "../text/cli-error.js";
import { LineFile } from "./line-file.js";
import { RowProblem } from "./row-problem.js";

/** A record that is to be sent. */
export type PlannedRecord = {
  /** Names its row in the journal. */
  readonly key: string;
  /** Whether an earlier run made it. */
  readonly isOld: boolean;
  readonly hashHex: string;
  /** The exact bytes. */
  readonly bytes: Uint8Array;
};

/** A line of the receipts file. */
export type ReceiptLine = {
  /** Line of the input file; 0 for a document. */
  readonly line: number;
  readonly record_hash: string;
  readonly height: number;
  readonly position: number;
  readonly seal_digest: string;
  readonly block_id: string;
  readonly time_unix_ms: number;
  readonly confirmations: number;
  readonly manager_signatures: number;
  readonly storage_attestations: number;
};

type JournalLine = { readonly key: string; readonly hash: string; readonly record: string };

const journalFormat = 1;

export class ProgressFile {
  readonly #consortiumId: Uint8Array;
  readonly #receipts: LineFile;
  readonly #journal: LineFile;
  /** Hashes that have a receipt. */
  readonly #done = new Set<string>();
  /** Keys of rows whose record has a receipt. */
  readonly #doneKeys = new Set<string>();
  /** Records that an earlier run was going to send, by key. */
  readonly #planned = new Map<string, PlannedRecord>();
  /** How many rows are alike so far, and the line of the first one, by key without number. */
  readonly #seen = new Map<string, { count: number; readonly line: number }>();
  #unwritten: JournalLine[] = [];
  /** Until this run puts a record into files that were not there before. */
  #isEmpty = false;

  /**
   * Opens `out` and its journal. Throws `CliError` when they belong to another consortium or
   * profile.
   */
  constructor(
    out: string,
    owner: { readonly consortiumId: Uint8Array; readonly participantId: string },
  ) {
    this.#consortiumId = owner.consortiumId;
    const header = {
      journal: journalFormat,
      consortium_id: toHex(owner.consortiumId),
      participant_id: owner.participantId,
    };
    this.#receipts = new LineFile(out, ['{"line":'], (value) => {
      const hash = (value as Partial<ReceiptLine> | null)?.record_hash;
      if (typeof hash === "string") this.#done.add(hash);
      else throw foreign(out);
    });
    const beginnings = ['{"journal":', '{"key":'];
    this.#journal = new LineFile(`${out}.journal`, beginnings, (value) =>
      this.#readJournal(value, header, out),
    );
    if (!this.#journal.isEmpty) return;
    if (!this.#receipts.isEmpty) {
      const what = `${out} has receipts, but its journal ${out}.journal is missing`;
      const next = "restore the journal, or give another file with --out to send all rows again";
      throw new CliError(what, next);
    }
    this.#journal.append([header], { durable: true });
    this.#isEmpty = true;
  }

  /**
   * The record of a row, or undefined when it has a receipt. `identity` is what makes the row this
   * row. `build` is called for rows that no run has seen. Throws `RowProblem` for a row that says
   * what another one has said: nobody can tell whether it is meant twice.
   */
  plan(row: {
    readonly line: number;
    readonly identity: unknown;
    readonly build: () => Uint8Array;
  }): PlannedRecord | undefined {
    const { key, firstLine } = this.#keyOf(row.identity, row.line);
    if (this.#doneKeys.has(key)) return undefined;
    const known = this.#planned.get(key);
    if (known !== undefined) {
      this.#planned.delete(key);
      return known;
    }
    if (firstLine !== undefined) {
      throw new RowProblem(`says the same as line ${firstLine} and would be recorded twice`);
    }
    return this.#write(key, row.build());
  }

  /** Another record for the row of one that was refused. */
  replace({ key }: PlannedRecord, bytes: Uint8Array): PlannedRecord {
    return this.#write(key, bytes);
  }

  /** Makes durable what `plan` and `replace` gave out. To be called before any of it is sent. */
  save(): void {
    if (this.#unwritten.length > 0) this.#isEmpty = false;
    this.#journal.append(this.#unwritten, { durable: true });
    this.#unwritten = [];
  }

  /** Appends receipts. Losing them in a crash costs a repeated submission, nothing else. */
  receive(receipts: readonly ReceiptLine[]): void {
    this.#receipts.append(receipts, { durable: false });
  }

  /** Files that hold nothing go: a run that failed at once leaves no trace. */
  close(): void {
    for (const file of [this.#receipts, this.#journal]) {
      file.close();
      if (this.#isEmpty) rmSync(file.path);
    }
  }

  #write(key: string, bytes: Uint8Array): PlannedRecord {
    const hashHex = toHex(recordHash(this.#consortiumId, bytes));
    this.#unwritten.push({ key, hash: hashHex, record: Buffer.from(bytes).toString("base64") });
    return { key, isOld: false, hashHex, bytes };
  }

  /** The key of a row and, when another row is like it, the line of the first such row. */
  #keyOf(identity: unknown, line: number): { readonly key: string; readonly firstLine?: number } {
    const base = Buffer.from(sha256(utf8(JSON.stringify(identity))).subarray(0, 16)).toString(
      "base64",
    );
    const seen = this.#seen.get(base);
    if (seen === undefined) {
      this.#seen.set(base, { count: 1, line });
      return { key: base };
    }
    seen.count += 1;
    return { key: `${base}#${seen.count}`, firstLine: seen.line };
  }

  #readJournal(value: unknown, header: object, out: string): void {
    const line = value as Partial<JournalLine> & { readonly journal?: number };
    if (line?.journal !== undefined) {
      if (JSON.stringify(line) === JSON.stringify(header)) return;
      throw new CliError(
        `${out} was made for another consortium or profile`,
        "give another file with --out",
      );
    }
    const { key, hash, record } = line ?? {};
    if (key === undefined || hash === undefined || record === undefined)
      throw foreign(`${out}.journal`);
    if (this.#done.has(hash)) {
      this.#doneKeys.add(key);
    } else {
      const bytes = new Uint8Array(Buffer.from(record, "base64"));
      this.#planned.set(key, { key, isOld: true, hashHex: hash, bytes });
    }
  }
}

function foreign(path: string): CliError {
  return new CliError(`${path} was not written by 'bss submit'`, "give another file with --out");
}
