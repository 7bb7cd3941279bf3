/** A participant's message has at most 4 MiB; headers and lengths need some of it. */
const batchBytesMax = 3 * 1024 * 1024;
/** Bytes that a record adds besides its own: its hash and three lengths. */
const recordOverheadBytes = 48;

/** Puts records together into batches that a submission holds. */
export class Batcher<T extends { readonly bytes: Uint8Array }> {
  readonly #countMax: number;
  #batch: T[] = [];
  #bytes = 0;

  constructor(countMax: number) {
    this.#countMax = countMax;
  }

  /** The batch that is full without the record, if one is. */
  add(record: T): readonly T[] | undefined {
    const bytes = record.bytes.length + recordOverheadBytes;
    const isFull =
      this.#batch.length === this.#countMax ||
      (this.#batch.length > 0 && this.#bytes + bytes > batchBytesMax);
    const full = isFull ? this.take() : undefined;
    this.#batch.push(record);
    this.#bytes += bytes;
    return full;
  }

  /** What is in it, which may be nothing. */
  take(): readonly T[] {
    const batch = this.#batch;
    this.#batch = [];
    this.#bytes = 0;
    return batch;
  }
}
