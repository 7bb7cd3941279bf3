/**
 * What this manager held after each block, to hold others' heads against: the last blocks from
 * memory, those before from the store.
 */

import { blockId } from "../../ledger/blocks/block-hashes.js";
import { parseHeader } from "../../ledger/blocks/block-parsing.js";
import { rootOf } from "../../ledger/merkle/frontier.js";
import type { LedgerHead } from "../../ledger/state/head.js";
import type { ManagerStore } from "../../store/manager-store.js";

/** What a manager says in a signed head. */
export type HeadClaim = {
  readonly blockId: Uint8Array;
  /** The log's root. */
  readonly hash1: Uint8Array;
  readonly stateDigest: Uint8Array;
};

const recentMax = 256;

export class HeldHeads {
  readonly #store: Pick<ManagerStore, "head" | "blockAt">;
  readonly #recent = new Map<number, HeadClaim>();

  constructor(store: Pick<ManagerStore, "head" | "blockAt">) {
    this.#store = store;
    this.note(store.head);
  }

  note(head: LedgerHead): void {
    this.#recent.set(head.height, claimOf(head));
    this.#recent.delete(head.height - recentMax);
  }

  /** Of a height that is remembered. */
  recent(height: number): HeadClaim | undefined {
    return this.#recent.get(height);
  }

  /** Undefined for what is beyond the head, and for genesis once it is forgotten. */
  async at(height: number): Promise<HeadClaim | undefined> {
    const recent = this.#recent.get(height);
    if (recent !== undefined || height > this.#store.head.height) return recent;
    const [header, next] = await Promise.all([this.#headerAt(height), this.#headerAt(height + 1)]);
    if (header === undefined || next === undefined) return undefined;
    const { hash1 } = header.fields;
    return { blockId: header.id, hash1, stateDigest: next.fields.previousStateDigest };
  }

  async #headerAt(height: number) {
    const bytes = (await this.#store.blockAt(height))?.block?.header;
    if (bytes === undefined) return undefined;
    const parsed = parseHeader(bytes);
    return parsed.ok ? { id: blockId(bytes), fields: parsed.value.header } : undefined;
  }
}

function claimOf({ blockId: id, frontier, stateDigest }: LedgerHead): HeadClaim {
  return { blockId: id, hash1: rootOf(frontier), stateDigest };
}
