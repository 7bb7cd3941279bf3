/** What a server holds of answers that their callers have not taken yet, in bytes. */
export type AnswerLimits = {
  /** Of one participant, auditor, operator, and of all holders of invitations together. */
  readonly perClientBytesMax: number;
  readonly clientsBytesMax: number;
  /** Of one manager. */
  readonly perManagerBytesMax: number;
  readonly managersBytesMax: number;
  /** Of one storage node. */
  readonly perStorageNodeBytesMax: number;
  readonly storageNodesBytesMax: number;
  /** Pages of listings that are read at a time: each takes a few times its bytes meanwhile. */
  readonly pagesAtOnceMax: number;
  /** Long answers that are read and sent at a time, to managers and to storage nodes. */
  readonly longAnswersAtOnceMax: number;
  /** The least that a connection takes while it has answers to take. */
  readonly bytesPerSecondMin: number;
};

const MiB = 1024 * 1024;

export const defaultAnswerLimits: AnswerLimits = {
  perClientBytesMax: 32 * MiB,
  clientsBytesMax: 128 * MiB,
  perManagerBytesMax: 160 * MiB,
  managersBytesMax: 512 * MiB,
  perStorageNodeBytesMax: 96 * MiB,
  storageNodesBytesMax: 512 * MiB,
  pagesAtOnceMax: 4,
  // Of 6 MiB each as a rule, of 16 MiB at most.
  longAnswersAtOnceMax: 32,
  bytesPerSecondMin: 8 * 1024,
};
