/**
 * How a run of `bss submit` or `bss import` can be broken off and taken up again.
 *
 * Beside the receipts (`--out`) stands a journal of every record that was going to be sent, with
 * its exact bytes: its salt, its time, a trade's id. A record is in the journal, durably, before it
 * is sent. A later run finds each row's record there and sends the same bytes, which the ledger
 * answers with the first receipt; a record built anew would be another record. Rows whose record
 * has a receipt are not sent at all.
 *
 *     row ──▶ key ──▶ journal: record ──▶ sent ──▶ receipts: place
 *
 * Of a record with a receipt the journal keeps the key of its row and its hash. Its bytes go when
 * the run ends, and in a long run now and then, as they would make most of the file.
 *
 * A record that is refused for what this machine had put into it is replaced: the journal gets
 * another line with the key of its row, and the last line of a key counts.
 *
 * Some rows say what stands in one place, such as the profile of a meter and day: they have a slot.
 * Of a slot the record with the last receipt counts. A row that says the same is done; one that
 * says something else becomes an update of that record, and names it in its key.
 *
 * One process at a time works with a pair of these files; see process-lock.ts.
 */
import { rmSync } from "node:fs";
import { fromHex, toHex, utf8 } from "../../../base/bytes.js";
import { sha256 } from "../../../crypto/hash.js";
import { recordHash } from "../../../ledger/records/record-hash.js";
import { CliError } from "../../text/cli-error.js";
import { RowProblem } from "../row-problem.js";
import { foreign, LineFile } from "./line-file.js";
import type { ReceiptLine } from "./receipt-lines.js";
import { ReceiptsFile } from "./receipts-file.js";

/** A record that is to be sent. */
export type PlannedRecord = {
  /** Names its row in the journal. */
  readonly key: string;
  /** Whether an earlier run made it. */
  readonly isOld: boolean;
  readonly hashHex: string;
  /** The exact bytes. */
  readonly bytes: Uint8Array;
  /** The record that it updates, in hex. */
  readonly parent?: string;
};

/** A row that is to be planned. */
export type PlannedRow = {
  readonly line: number;
  /** What makes the row this row, across runs. */
  readonly identity: unknown;
  /** What it says something about, if another row about it is a correction of this one. */
  readonly slot?: unknown;
  /** The exact bytes of its record; `parent` is the hash of the record that it updates. */
  readonly build: (parent?: Uint8Array) => Uint8Array;
  /**
   * What the row says in the place of the record that stands in its slot, if it takes over some of
   * that. Throws `RowProblem`.
   */
  readonly inPlaceOf?: (standing: Uint8Array) => Pick<PlannedRow, "identity" | "build">;
};

/** By what mapping rows were read: its name and the digest of what it says, in hex. */
export type MappingNote = {
  readonly mapping: string;
  readonly digest: string;
  /** Which days profiles cover, such as "day of UTC"; left out where there are none. */
  readonly periods?: string;
};

type JournalLine = {
  readonly key: string;
  readonly hash: string;
  readonly record: string;
  /** Digests of the slot and of what the row says. */
  readonly slot?: string;
  readonly content?: string;
  readonly parent?: string;
};

/** What is kept of a record with a receipt; `done` is its hash. */
type DoneLine = { readonly key: string; readonly done: string };

type Standing = {
  readonly content: string;
  readonly hashHex: string;
  readonly bytes: Uint8Array;
};

const journalFormat = 1;
/** A journal is rewritten when it has grown by so much, and to more than twice its length. */
const grownBytes = 32 * 1024 * 1024;

export class ProgressFile {
  readonly receipts: ReceiptsFile;
  readonly #consortiumId: Uint8Array;
  readonly #journal: LineFile;
  /** By key: hashes of records that had a receipt, of which the file has none any more. */
  readonly #lost = new Map<string, string>();
  /** Keys of rows whose record has a receipt. */
  readonly #doneKeys = new Set<string>();
  /** Records that an earlier run was going to send, by key. */
  readonly #planned = new Map<string, PlannedRecord>();
  /** How many rows are alike so far, and the line of the first one, by key without number. */
  readonly #seen = new Map<string, { count: number; readonly line: number }>();
  /** By slot: what has the last receipt. */
  readonly #standing = new Map<string, Standing>();
  /** By slot: records that were going to be sent since then and have no receipt, in that order. */
  readonly #unsettled = new Map<string, readonly JournalLine[]>();
  #mapping: MappingNote | undefined;
  #unwritten: (JournalLine | MappingNote)[] = [];
  /** Until this run puts a record into files that were not there before. */
  #isEmpty = false;
  /** Length of the journal when it was opened or rewritten, and whether it can be shorter. */
  #journalBytes = 0;
  #hasSpare = false;

  /**
   * Opens `out` and its journal. Throws `CliError` when they belong to another consortium or
   * profile.
   */
  constructor(
    out: string,
    owner: {
      readonly consortiumId: Uint8Array;
      readonly participantId: string;
      /** Left out by `bss submit`. */
      readonly command?: "import";
    },
  ) {
    this.#consortiumId = owner.consortiumId;
    const header = {
      journal: journalFormat,
      consortium_id: toHex(owner.consortiumId),
      participant_id: owner.participantId,
      ...(owner.command !== undefined && { command: owner.command }),
    };
    this.receipts = new ReceiptsFile(out);
    const beginnings = ['{"journal":', '{"key":', '{"mapping":'];
    this.#journal = new LineFile(`${out}.journal`, beginnings, (value) =>
      this.#readJournal(value, header, out),
    );
    this.#journalBytes = this.#journal.bytes;
    if (!this.#journal.isEmpty) return;
    if (!this.receipts.isEmpty) {
      const what = `${out} has receipts, but its journal ${out}.journal is missing`;
      const next =
        "restore the journal; another file with --out sends all rows again, and what the ledger " +
        "cannot tell from a new record, such as a charging session, is then recorded twice";
      throw new CliError(what, next);
    }
    this.#journal.append([header], { durable: true });
    this.#isEmpty = true;
  }

  /**
   * The record of a row, or undefined when it has a receipt. `build` is called for rows that no run
   * has seen. Throws `RowProblem` for a row that says what another one has said: nobody can tell
   * whether it is meant twice.
   */
  plan(row: PlannedRow): PlannedRecord | undefined {
    const { key, firstLine } = this.#keyOf(row.slot ?? row.identity, row.line);
    if (row.slot !== undefined) return this.#planSlot(row, key, firstLine);
    if (this.#doneKeys.has(key)) return undefined;
    const known = this.#planned.get(key);
    if (known !== undefined) {
      this.#planned.delete(key);
      return known;
    }
    if (firstLine !== undefined) {
      throw new RowProblem(`says the same as line ${firstLine} and would be recorded twice`);
    }
    return this.#write({ key }, row.build());
  }

  /**
   * The hashes of records of the row's slot that may be on the ledger without a receipt here, and
   * say something else than the row: what became of them has to be known before the row is planned.
   */
  unsettled({ slot, identity }: PlannedRow): readonly string[] {
    const lost = slot === undefined ? this.#lost.get(digestOf(identity)) : undefined;
    if (lost !== undefined) return [lost];
    const lines = slot === undefined ? [] : (this.#unsettled.get(digestOf(slot)) ?? []);
    const content = digestOf(identity);
    return lines.filter((line) => line.content !== content).map(({ hash }) => hash);
  }

  /** A record, which `unsettled` gave, is on the ledger. */
  settle({ slot, identity }: PlannedRow, receipt: ReceiptLine): void {
    if (slot === undefined) {
      const key = digestOf(identity);
      this.#lost.delete(key);
      this.#doneKeys.add(key);
      this.receive([receipt]);
      return;
    }
    const slotKey = digestOf(slot);
    const lines = this.#unsettled.get(slotKey) ?? [];
    const at = lines.findIndex(({ hash }) => hash === receipt.record_hash);
    const { content = "", hash = "", record = "" } = lines[at] ?? {};
    this.#unsettled.set(slotKey, lines.slice(at + 1));
    this.#standing.set(slotKey, { content, hashHex: hash, bytes: bytesOf(record) });
    this.receive([receipt]);
  }

  /** Notes by what mapping this run reads, and returns the one of the run before it. */
  noteMapping(note: MappingNote): MappingNote | undefined {
    const before = this.#mapping;
    if (before?.digest !== note.digest || before.periods !== note.periods) {
      this.#unwritten.push(note);
    }
    this.#mapping = note;
    return before;
  }

  /** Another record for the row of one that was refused. */
  replace({ key }: PlannedRecord, bytes: Uint8Array): PlannedRecord {
    return this.#write({ key }, bytes);
  }

  /** Makes durable what `plan` and `replace` gave out. To be called before any of it is sent. */
  save(): void {
    if (this.#unwritten.some((line) => "key" in line)) this.#isEmpty = false;
    this.#journal.append(this.#unwritten, { durable: true });
    this.#unwritten = [];
    const bytes = this.#journal.bytes;
    if (bytes > Math.max(2 * this.#journalBytes, this.#journalBytes + grownBytes)) this.#shorten();
  }

  /** Records have got their receipts. */
  receive(receipts: readonly ReceiptLine[]): void {
    this.receipts.append(receipts);
    if (receipts.length > 0) this.#hasSpare = true;
  }

  /** Files that hold nothing go: a run that failed at once leaves no trace. */
  close(): void {
    if (this.#hasSpare && !this.#isEmpty) this.#shorten();
    for (const file of [this.receipts, this.#journal]) {
      file.close();
      if (this.#isEmpty) rmSync(file.path);
    }
  }

  /** Rows with a slot keep their bytes: what a later row says may rest on them. */
  #shorten(): void {
    try {
      // What is taken from the journal has to be in the receipts, whatever happens next.
      this.receipts.sync();
      this.#journal.rewrite((value) => {
        const { key, hash, slot, record } = value as Partial<JournalLine>;
        const isSpare = slot === undefined && hash !== undefined && this.receipts.has(hash);
        if (!isSpare || key === undefined || record === undefined) return value as object;
        const done: DoneLine = { key, done: Buffer.from(hash, "hex").toString("base64") };
        return done;
      });
      this.#hasSpare = false;
    } catch {
      // The journal is as it was, and right: that it is long is no reason to fail.
    }
    this.#journalBytes = this.#journal.bytes;
  }

  #planSlot(row: PlannedRow, slot: string, firstLine: number | undefined) {
    if (firstLine !== undefined) {
      throw new RowProblem(`is about the same as line ${firstLine} and would replace it`);
    }
    const standing = this.#standing.get(slot);
    const said = (standing && row.inPlaceOf?.(standing.bytes)) ?? row;
    const content = digestOf(said.identity);
    if (standing?.content === content) return undefined;
    const parent = standing?.hashHex;
    const key = digestOf([slot, content, parent ?? ""]);
    const known = this.#planned.get(key);
    if (known !== undefined) return known;
    const line = { key, slot, content, ...(parent !== undefined && { parent }) };
    return this.#write(line, said.build(fromHex(parent ?? "none")));
  }

  #write(line: Omit<JournalLine, "hash" | "record">, bytes: Uint8Array): PlannedRecord {
    const { key, parent } = line;
    const hashHex = toHex(recordHash(this.#consortiumId, bytes));
    const record = Buffer.from(bytes).toString("base64");
    this.#unwritten.push({ ...line, hash: hashHex, record });
    return { key, isOld: false, hashHex, bytes, ...(parent !== undefined && { parent }) };
  }

  /** The key of a row and, when another row is like it, the line of the first such row. */
  #keyOf(identity: unknown, line: number): { readonly key: string; readonly firstLine?: number } {
    const base = digestOf(identity);
    const seen = this.#seen.get(base);
    if (seen === undefined) {
      this.#seen.set(base, { count: 1, line });
      return { key: base };
    }
    seen.count += 1;
    return { key: `${base}#${seen.count}`, firstLine: seen.line };
  }

  #readJournal(value: unknown, header: object, out: string): void {
    const line = value as Partial<JournalLine & DoneLine & MappingNote> & {
      readonly journal?: number;
    };
    if (line?.mapping !== undefined && line.digest !== undefined) {
      const { mapping, digest, periods = this.#mapping?.periods } = line;
      this.#mapping = { mapping, digest, ...(periods !== undefined && { periods }) };
      return;
    }
    if (line?.journal !== undefined) {
      if (JSON.stringify(line) === JSON.stringify(header)) return;
      throw new CliError(
        `${out} was made for another consortium or profile, or by another command`,
        "give another file with --out",
      );
    }
    const { key, done, hash, record, slot, content, parent } = line ?? {};
    if (key !== undefined && done !== undefined) {
      const doneHash = Buffer.from(done, "base64").toString("hex");
      if (this.receipts.has(doneHash)) this.#doneKeys.add(key);
      else this.#lost.set(key, doneHash);
      return;
    }
    if (key === undefined || hash === undefined || record === undefined)
      throw foreign(`${out}.journal`);
    const bytes = bytesOf(record);
    if (this.receipts.has(hash)) {
      this.#doneKeys.add(key);
      this.#hasSpare ||= slot === undefined;
      if (slot === undefined || content === undefined) return;
      this.#standing.set(slot, { content, hashHex: hash, bytes });
      this.#unsettled.delete(slot);
    } else {
      const known = { key, isOld: true, hashHex: hash, bytes };
      this.#planned.set(key, parent === undefined ? known : { ...known, parent });
      if (slot === undefined) return;
      const before = this.#unsettled.get(slot) ?? [];
      this.#unsettled.set(slot, [...before, { ...line, key, hash, record }]);
    }
  }
}

/** Enough of a hash to name what `value` is in JSON. */
function digestOf(value: unknown): string {
  return Buffer.from(sha256(utf8(JSON.stringify(value))).subarray(0, 16)).toString("base64");
}

function bytesOf(record: string): Uint8Array {
  return new Uint8Array(Buffer.from(record, "base64"));
}
