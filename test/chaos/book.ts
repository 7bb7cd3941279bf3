/**
 * What participants know: which records they have made, and what they were told about each. The
 * checker holds the ledger against it.
 */
import { toHex } from "../../src/base/bytes.js";
import type { SubmitResponse } from "../../src/client/index.js";

/** Where an answer said that a record stands. */
export type Place = {
  readonly height: number;
  readonly position: number;
  /** Hex. */
  readonly blockId: string;
};

export type Made = {
  readonly ownerId: string;
  /** The exact bytes. */
  readonly record: Uint8Array;
};

export class Book {
  /** By record hash, hex; each is here before it is first sent. */
  readonly made = new Map<string, Made>();
  readonly acknowledged = new Map<string, Place>();
  /** By reason: how often a record was refused for good. */
  readonly refusals = new Map<string, number>();
  /** What may not happen, found while it ran. */
  readonly violations: string[] = [];

  note(hash: Uint8Array, made: Made): void {
    this.made.set(toHex(hash), made);
  }

  refused(reason: string): void {
    this.refusals.set(reason, (this.refusals.get(reason) ?? 0) + 1);
  }

  /** Takes an answer down; returns the hashes of the records that it says are final, hex. */
  answered({ outcomes, blocks }: SubmitResponse): readonly string[] {
    const ids = new Map(blocks.map(({ height, blockId }) => [height, toHex(blockId)]));
    const final: string[] = [];
    for (const { recordHash, outcome } of outcomes) {
      const hash = toHex(recordHash);
      if (outcome.case === "objection") this.refused(outcome.value.reason);
      if (outcome.case !== "committed") continue;
      const { height, position } = outcome.value;
      const blockId = ids.get(height) ?? "";
      this.acknowledge(hash, { height: Number(height), position: Number(position), blockId });
      final.push(hash);
    }
    return final;
  }

  acknowledge(hash: string, place: Place): void {
    const before = this.acknowledged.get(hash);
    this.acknowledged.set(hash, place);
    if (before === undefined || samePlace(before, place)) return;
    const places = `${describePlace(before)} and ${describePlace(place)}`;
    this.violations.push(`record ${hash} was said to be at ${places}`);
  }
}

export function samePlace(a: Place, b: Place): boolean {
  return a.height === b.height && a.position === b.position && a.blockId === b.blockId;
}

export function describePlace({ height, position, blockId }: Place): string {
  return `height ${height}, position ${position}, block ${blockId.slice(0, 16)}`;
}
