/**
 * Takes final blocks from managers, as they become final or as they were asked for, and appends
 * those whose certificates hold. Two things stop a node for good: certificates that hold for two
 * blocks at one height, and certificates that hold for a block that contradicts what this node
 * computes. Either means that more than f managers broke the rules, or that this node's own log is
 * wrong; what proves it is kept.
 */

import { equalBytes } from "../../base/bytes.js";
import {
  checkFinal,
  checkFork,
  type FinalCheck,
  type StorageAppend,
} from "../../consensus/public/attestor.js";
import type { Violation } from "../../ledger/violation.js";
import type { DropReason } from "../../metrics/label-values.js";
import type { BlockSync } from "../../node/block-sync.js";
import type { HaltEvidence } from "../halting.js";
import type { ParsedCommit } from "../inbound-messages.js";
import type { Attesting } from "./attesting.js";
import type { Candidates } from "./candidates.js";
import { type ChainPorts, timed } from "./chain-ports.js";
import type { Turns } from "./turns.js";

export type CertifiedBlock = Pick<StorageAppend, "block" | "sealedRecords" | "certificates">;

export type FollowingParts = {
  readonly candidates: Candidates;
  readonly sync: Pick<BlockSync<never>, "onHeight" | "onAppended">;
  readonly attesting: Attesting;
  readonly turns: Turns;
  /** Tells all managers where this node stands. */
  readonly tellHead: () => void;
};

export class Following {
  readonly #ports: ChainPorts;
  readonly #parts: FollowingParts;
  #halted = false;

  constructor(ports: ChainPorts, parts: FollowingParts) {
    this.#ports = ports;
    this.#parts = parts;
  }

  get halted(): boolean {
    return this.#halted;
  }

  /** Runs in a turn. */
  async takeCommit(from: string, commit: ParsedCommit): Promise<void> {
    const { height, blockId, certificates } = commit;
    const { candidates, sync } = this.#parts;
    const next = this.#ports.store.head.height + 1;
    if (height < next) return this.#checkDecided(from, commit);
    if (height > next) return sync.onHeight(from, height);
    const held = candidates.block(blockId) ?? commit.shipped;
    if (held === undefined) return sync.onHeight(from, height, { urgent: true });
    if (!equalBytes(held.block.blockId, blockId)) {
      return this.#ports.observe.dropped(from, "CERTIFICATE_INVALID");
    }
    const failure = await this.#append({ ...held, certificates });
    if (failure !== undefined) this.#ports.observe.dropped(from, failure);
  }

  /**
   * Final blocks that were asked for, in their order; the reason when one does not hold, after
   * which the rest is not looked at. Each takes a turn, so that candidates do not wait for a long
   * answer. They reach the device together: a crash of the machine may lose the last of them, never
   * one from their middle, and an attestation that is stored later is flushed after them.
   */
  async appendShipped(blocks: readonly CertifiedBlock[]): Promise<DropReason | undefined> {
    for (const [i, block] of blocks.entries()) {
      const more = i < blocks.length - 1;
      const failure = await this.#parts.turns.run(() => this.#appendIfNew(block, more));
      if (failure === undefined && !this.#halted) continue;
      if (i > 0) await this.#ports.store.flush();
      return failure;
    }
    return undefined;
  }

  async #appendIfNew(block: CertifiedBlock, more: boolean): Promise<DropReason | undefined> {
    const isDecided = block.block.height <= this.#ports.store.head.height;
    return isDecided ? undefined : this.#append(block, more);
  }

  /** Appends the next block; the reason when it does not hold. */
  async #append(certified: CertifiedBlock, more = false): Promise<DropReason | undefined> {
    if (this.#halted) return undefined;
    const { consortiumId, policy, store, signatures, checkpoint } = this.#ports;
    const { height, blockId } = certified.block;
    if (checkpoint?.height === height && !equalBytes(checkpoint.blockId, blockId)) {
      return "CHECKPOINT_MISMATCH";
    }
    const checked = checkFinal(certified, { consortiumId, policy, head: store.head });
    if (!checked.ok) return checked.error.reason;
    const invalid = await signatures.firstInvalid(checked.value.signatures);
    if (invalid !== undefined) return invalid.violation.reason;
    const contradiction = await this.#contradiction(checked.value);
    if (contradiction !== undefined) {
      const { reason, message } = contradiction;
      const text = `a final block contradicts this node's chain: ${reason}: ${message}`;
      await this.#halt({ message: text, height, other: certified.certificates });
      return undefined;
    }
    if ("append" in checked.value) await this.#write(checked.value.append, more);
    return undefined;
  }

  /** Why a final block cannot be appended. */
  async #contradiction(checked: FinalCheck): Promise<Violation | undefined> {
    if ("contradiction" in checked) return checked.contradiction;
    return (await this.#ports.signatures.firstInvalid(checked.operations))?.violation;
  }

  /** `more`: others follow at once, so that no manager needs to hear of this one. */
  async #write({ head, log, storageHeader, ...rest }: StorageAppend, more: boolean): Promise<void> {
    const { store, observe, onAppended } = this.#ports;
    const { candidates, sync, attesting, tellHead } = this.#parts;
    const { block, sealedRecords, certificates } = rest;
    await timed(
      this.#ports,
      store.append(
        {
          block: block.block,
          sealedRecords,
          certificates,
          storageHeader,
          head,
          newNodes: log.newNodes,
        },
        more ? "buffered" : "sync",
      ),
    );
    observe.appended(head.height, head.frontier.size, sealedRecords.length);
    const due = candidates.onAppended(head.height);
    onAppended();
    if (!more) tellHead();
    sync.onAppended();
    for (const { from, candidate } of due) await attesting.take(from, candidate);
  }

  /**
   * A commit certificate about a height that is decided here: usually late, and a fork if it names
   * another block.
   */
  async #checkDecided(
    from: string,
    { height, blockId, certificates }: ParsedCommit,
  ): Promise<void> {
    const { store, signatures, observe, consortiumId } = this.#ports;
    const own = await store.certificatesAt(height);
    if (own?.commit === undefined || equalBytes(own.commit.blockId, blockId)) return;
    const fork = checkFork(certificates, { head: store.head, consortiumId });
    if (!fork.ok) return observe.dropped(from, fork.error.reason);
    const invalid = await signatures.firstInvalid(fork.value);
    if (invalid !== undefined) return observe.dropped(from, invalid.violation.reason);
    const message = `two blocks are final at height ${height}: the managers' chain forks`;
    await this.#halt({ message, height, own, other: certificates });
  }

  async #halt(evidence: HaltEvidence): Promise<void> {
    this.#halted = true;
    await this.#ports.onHalt(evidence);
  }
}
