/** Messages and their bytes (protobuf, without gRPC and TLS) between storage nodes and managers. */
import { create, toBinary } from "@bufbuild/protobuf";
import { VerifyIntegrityRequestSchema } from "../../src/gen/bss/v1/verify_integrity_pb.js";
import type { MessageToManager } from "../../src/storage-node/manager-links.js";

/** As the storage nodes see it. */
export type Direction = "in" | "out";
export type Count = { messages: number; bytes: number };
export type Counts = Record<string, Count>;

/** Lengths that are remembered: of a few blocks. */
const lengthsMax = 1_000;

export class Traffic {
  readonly counts: Record<Direction, Counts> = { in: {}, out: {} };
  readonly #lengths = new Map<string, number>();

  note(direction: Direction, kind: string, messages: number, bytes: number): void {
    const count = this.counts[direction][kind] ?? { messages: 0, bytes: 0 };
    this.counts[direction][kind] = count;
    count.messages += messages;
    count.bytes += bytes;
  }

  /** One message of which others are alike: its length is computed once for each key. */
  noteSame(direction: Direction, kind: string, key: string, length: () => number): void {
    const place = `${kind}/${key}`;
    let bytes = this.#lengths.get(place);
    if (bytes === undefined) {
      bytes = length();
      if (this.#lengths.size >= lengthsMax) this.#lengths.clear();
      this.#lengths.set(place, bytes);
    }
    this.note(direction, kind, 1, bytes);
  }

  noteUp(kind: string, message: MessageToManager, copies: number): void {
    const length = () =>
      toBinary(VerifyIntegrityRequestSchema, create(VerifyIntegrityRequestSchema, message)).length;
    const bytes = this.#lengths.get(kind) ?? length();
    this.#lengths.set(kind, bytes);
    this.note("out", kind, copies, bytes * copies);
  }
}

/** The counts of several processes together. */
export function addedCounts(all: readonly Counts[]): Counts {
  const sum: Counts = {};
  for (const counts of all) {
    for (const [kind, { messages, bytes }] of Object.entries(counts)) {
      const count = sum[kind] ?? { messages: 0, bytes: 0 };
      sum[kind] = { messages: count.messages + messages, bytes: count.bytes + bytes };
    }
  }
  return sum;
}
