/**
 * What every reader of energy files makes of a file, whatever its format: values of intervals,
 * charging sessions, what registers showed, and problems. A reader goes through a file once, and
 * what it gives stands in the order of the file.
 */
import type { TimeZone } from "./time-zone.js";

/**
 * Where something stands in a file: line from 1 (0 for none), and what people call the column or
 * element.
 */
export type Place = { readonly line: number; readonly column?: string };

/**
 * An exact amount of energy: `amount` / `perWh` Wh, both integers, perWh > 0. May be negative in a
 * file; readers refuse negatives with a FileProblem or turn them into the other direction where the
 * format says so.
 */
export type ExactWh = { readonly amount: bigint; readonly perWh: bigint };

/** What a file says about one interval of one meter in one direction. */
export type IntervalValue = {
  readonly kind: "value";
  readonly place: Place;
  /** As the file names it: NMI and suffix, usage point, column. */
  readonly meterName: string;
  readonly direction: "imported" | "exported";
  /** Unix s. */
  readonly startS: number;
  readonly intervalS: number;
  readonly energy: ExactWh;
  readonly quality: "measured" | "estimated" | "substituted";
};

/** A charging session. */
export type SessionValue = {
  readonly kind: "session";
  readonly place: Place;
  readonly stationName: string;
  /** Identifies the session in its source (transaction id, CDR id), for reruns. */
  readonly sessionName: string;
  /** Whose it is, as an id, where the file says it. */
  readonly ownerName?: string;
  readonly startS: number;
  readonly endS: number;
  readonly energy: ExactWh;
};

/** Something of the file that cannot be recorded; the rest goes on. */
export type FileProblem = {
  readonly kind: "problem";
  readonly place: Place;
  readonly meterName?: string;
  readonly message: string;
};

/** What a register (counter) showed at a moment. */
export type RegisterValue = {
  readonly kind: "register";
  readonly place: Place;
  readonly meterName: string;
  readonly direction: "imported" | "exported";
  readonly atS: number;
  readonly energy: ExactWh;
};

/** Absent values are simply not yielded. */
export type FileItem = IntervalValue | SessionValue | RegisterValue | FileProblem;

/**
 * A reader streams: it never holds more than a small part of the file. Throws `FileUnreadable` when
 * the file as a whole is not of its format.
 */
export type FileReader = (
  chunks: AsyncIterable<Uint8Array>,
  options: ReaderOptions,
) => AsyncIterable<FileItem>;

/** `zone`: of local times that name no offset. */
export type ReaderOptions = { readonly zone?: TimeZone | undefined; readonly nowMs: number };

/** The file as a whole cannot be read: it is of another format, or broken. */
export class FileUnreadable extends Error {
  override readonly name = "FileUnreadable";
  /** What to do about it, as half a sentence. */
  readonly next: string;

  constructor(message: string, next: string) {
    super(message);
    this.next = next;
  }
}
