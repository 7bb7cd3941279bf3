/**
 * Runs the rules on blocks for the managers of a simulation. What a block does follows from the
 * block before it and from its own bytes, so the result of the first manager that asks may be used
 * by all, unless a plan wants each to compute it alone. The replay at the end computes everything
 * anew in any case.
 */
import { equalBytes, toHex } from "../../src/base/bytes.js";
import { err, ok, type Result } from "../../src/base/result.js";
import type { ManagerBlock } from "../../src/gen/bss/v1/block_pb.js";
import { parseContent } from "../../src/ledger/block-content.js";
import { validateBlock } from "../../src/ledger/block-validation.js";
import { parseManagerBlock } from "../../src/ledger/blocks.js";
import type { ExecutedBlock } from "../../src/ledger/executed-block.js";
import type { LedgerHead } from "../../src/ledger/head.js";
import type { PrefetchedState } from "../../src/ledger/state.js";
import type { Violation } from "../../src/ledger/violation.js";
import type { Consortium } from "./consortium.js";

/** What a block is judged on top of. */
export type Ledger = {
  readonly head: LedgerHead;
  prefetched(keys: readonly Uint8Array[]): PrefetchedState;
};

type Judged = Result<ExecutedBlock, Violation> | undefined;

export class Judge {
  readonly #consortium: Consortium;
  readonly #alone: boolean;
  readonly #known = new Map<string, Judged>();

  constructor(consortium: Consortium, alone: boolean) {
    this.#consortium = consortium;
    this.#alone = alone;
  }

  /** Undefined when the body does not hang together, or is not the one that the id names. */
  judge(ledger: Ledger, blockId: Uint8Array, block: ManagerBlock): Judged {
    if (this.#alone) return this.#compute(ledger, blockId, block);
    const key = `${toHex(ledger.head.blockId)}/${toHex(blockId)}`;
    if (this.#known.has(key)) return this.#known.get(key);
    const judged = this.#compute(ledger, blockId, block);
    // A body that is not the block's says nothing about the block.
    if (judged !== undefined) this.#known.set(key, judged);
    return judged;
  }

  #compute(ledger: Ledger, blockId: Uint8Array, block: ManagerBlock): Judged {
    const { genesis, scheme, epochKey } = this.#consortium;
    const { consortiumId, policy } = genesis;
    const parsed = parseManagerBlock(block);
    if (!parsed.ok || !equalBytes(parsed.value.blockId, blockId)) return undefined;
    const content = parseContent(parsed.value, consortiumId, policy);
    if (!content.ok) return content;
    const validated = validateBlock({
      ...{ head: ledger.head, consortiumId, policy, epochKey },
      ...{ parsed: parsed.value, content: content.value },
      state: ledger.prefetched(content.value.readKeys),
      verifyBeacon: scheme.verifyBeacon,
    });
    if (!validated.ok) return validated;
    const invalid = validated.value.signatures.find((check) => !scheme.verify(check));
    return invalid === undefined ? ok(validated.value.executed) : err(invalid.violation);
  }
}
