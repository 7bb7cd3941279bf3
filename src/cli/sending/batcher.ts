/** What may stand in one submission: records up to a number, their bytes, their intervals. */
import { submissionIntervalsMax } from "../../ledger/records/intervals.js";

/** A message of a participant has at most 4 MiB; headers and lengths need some of it. */
const batchBytesMax = 3 * 1024 * 1024;
/** What a record adds to a submission besides its own bytes: its hash and three lengths. */
const recordOverheadBytes = 48;

type Batchable = {
  /** The exact bytes of a record. */
  readonly bytes: Uint8Array;
  /** Of a load profile. */
  readonly intervals?: number;
};

/** Puts records together into batches, each of which is one submission. */
export class Batcher<Each extends Batchable> {
  readonly #countMax: number;
  #batch: Each[] = [];
  #bytes = 0;
  #intervals = 0;

  constructor(countMax: number) {
    this.#countMax = countMax;
  }

  /** Adds a record. Returns the batch before it if that has no room for the record. */
  add(record: Each): readonly Each[] | undefined {
    const bytes = record.bytes.length + recordOverheadBytes;
    const { intervals = 0 } = record;
    const isFull =
      this.#batch.length === this.#countMax ||
      this.#intervals + intervals > submissionIntervalsMax ||
      (this.#batch.length > 0 && this.#bytes + bytes > batchBytesMax);
    const full = isFull ? this.take() : undefined;
    this.#batch.push(record);
    this.#bytes += bytes;
    this.#intervals += intervals;
    return full;
  }

  /** The records that are left, perhaps none. */
  take(): readonly Each[] {
    const batch = this.#batch;
    this.#batch = [];
    this.#bytes = 0;
    this.#intervals = 0;
    return batch;
  }
}
