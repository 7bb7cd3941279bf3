/**
 * Cuts the data of one call into gRPC's frames (a flag, a length in four bytes, a message), in
 * place of grpc-js's own decoder. It asks its gate, the upload of uploads.ts, about a
 * message's declared length before it keeps a byte of it. Memory grows as bytes arrive, not by what
 * is declared, and the gate is asked each time.
 */

/** Decides about the messages of a call. */
type FrameGate = {
  /** A message that declares so many bytes begins; false refuses it and all that follow. */
  readonly begin: (bytes: number, compressed: boolean) => boolean;
  /** It needs so many more bytes of memory; false refuses it and all that follow. */
  readonly grow: (bytes: number) => boolean;
  /** It has arrived whole. */
  readonly complete: () => void;
};

const headerBytes = 5;
const firstCapacity = 16 * 1024;

export class FrameReader {
  readonly #gate: FrameGate;
  readonly #header = Buffer.alloc(headerBytes);
  #headerLength = 0;
  /** The frame that is arriving, with its header; undefined between two frames. */
  #frame: Buffer | undefined;
  #frameLength = 0;
  #arrived = 0;
  #refused = false;

  constructor(gate: FrameGate) {
    this.#gate = gate;
  }

  /** Whether a message has begun that is still to end. */
  get isAmid(): boolean {
    return this.#frame !== undefined;
  }

  /** Takes data, and returns the frames that it completes. */
  write(data: Buffer): Buffer[] {
    const frames: Buffer[] = [];
    let at = 0;
    while (at < data.length && !this.#refused) {
      const whole = this.#wholeFrame(data, at);
      if (whole !== undefined) {
        frames.push(whole);
        at += whole.length;
        this.#gate.complete();
        continue;
      }
      if (this.#refused) break;
      at += this.#frame === undefined ? this.#takeHeader(data, at) : this.#takeBody(data, at);
      if (this.#frame === undefined || this.#arrived < this.#frameLength) continue;
      frames.push(this.#frame);
      this.#frame = undefined;
      this.#gate.complete();
    }
    return frames;
  }

  /** Drops what has arrived of a message, and ignores all further data. */
  close(): void {
    this.#refused = true;
    this.#frame = undefined;
  }

  /** A short frame all of which is there, as most are; asks the gate as the long way does. */
  #wholeFrame(data: Buffer, at: number): Buffer | undefined {
    const there = data.length - at;
    if (this.#frame !== undefined || this.#headerLength > 0 || there <= headerBytes) {
      return undefined;
    }
    const length = data.readUInt32BE(at + 1);
    const frameLength = headerBytes + length;
    if (length === 0 || frameLength > there || frameLength > firstCapacity) return undefined;
    if (!this.#gate.begin(length, data[at] !== 0) || !this.#gate.grow(length) || this.#refused) {
      this.close();
      return undefined;
    }
    const frame = Buffer.allocUnsafe(frameLength);
    data.copy(frame, 0, at, at + frameLength);
    return frame;
  }

  #takeHeader(data: Buffer, at: number): number {
    const taken = data.copy(this.#header, this.#headerLength, at);
    this.#headerLength += taken;
    if (this.#headerLength < headerBytes) return taken;
    this.#headerLength = 0;
    const length = this.#header.readUInt32BE(1);
    if (!this.#gate.begin(length, this.#header[0] !== 0)) {
      this.close();
      return taken;
    }
    this.#frameLength = headerBytes + length;
    this.#frame = Buffer.from(this.#header);
    this.#arrived = headerBytes;
    return taken;
  }

  #takeBody(data: Buffer, at: number): number {
    const length = Math.min(data.length - at, this.#frameLength - this.#arrived);
    const frame = this.#roomFor(this.#arrived + length);
    // Refused; the gate may have closed the reader already.
    if (frame === undefined) {
      this.close();
      return data.length - at;
    }
    data.copy(frame, this.#arrived, at, at + length);
    this.#arrived += length;
    return length;
  }

  /** Doubles the buffer, so that growing copies each byte about once. */
  #roomFor(length: number): Buffer | undefined {
    const frame = this.#frame ?? Buffer.alloc(0);
    if (frame.length >= length) return frame;
    const size = Math.min(this.#frameLength, Math.max(length, 2 * frame.length, firstCapacity));
    if (!this.#gate.grow(size - frame.length) || this.#refused) return undefined;
    const larger = Buffer.allocUnsafe(size);
    frame.copy(larger, 0, 0, this.#arrived);
    this.#frame = larger;
    return larger;
  }
}
