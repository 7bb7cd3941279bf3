import { idBytesMax } from "../ids.js";
import { recordHashBytes } from "./record-hash.js";

/** The most records that any policy may allow in a submission. */
export const submissionRecordsBound = 1_000;

/** The longest header that names so many records: consortium id, longest id, hashes. */
export function submissionHeaderBytesMax(records: number): number {
  const field = 2;
  return field + recordHashBytes + field + idBytesMax + records * (field + recordHashBytes);
}
