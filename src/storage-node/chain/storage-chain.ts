/**
 * The chain of a storage node. What managers say about it comes here:
 *
 *     VerifyCandidate ─▶ Attesting ─▶ attestation to all managers
 *     CommitBlock ─────▶ append, then the new head to all managers
 *     StorageBlocks ───▶ BlockSync, which had asked for them ─▶ append
 *
 * A message that does not hold is dropped and counted; it neither ends a link nor reaches the
 * store. Whatever touches the head holds the mutex, so there is one writer.
 *
 * Two things stop a node for good: certificates that hold for two blocks at one height, and
 * certificates that hold for a block that contradicts what this node computes. Either means that
 * more than f managers broke the rules, or that this node's own log is wrong; what proves it is
 * kept.
 */

import { create } from "@bufbuild/protobuf";
import { equalBytes } from "../../base/bytes.js";
import type { Result } from "../../base/result.js";
import { timed } from "../../base/time.js";
import {
  type CertifiedBlock,
  checkFinal,
  checkFork,
  type FinalCheck,
  type ParsedCandidate,
  type StorageAppend,
} from "../../consensus/attestation/attestor.js";
import type { CertifiedStorageBlock } from "../../gen/bss/v1/block_pb.js";
import {
  StorageBlocksSchema,
  type VerifyIntegrityResponse,
} from "../../gen/bss/v1/verify_integrity_pb.js";
import { parseBlock } from "../../ledger/blocks/block-parsing.js";
import { rootOf } from "../../ledger/merkle/frontier.js";
import type { Violation } from "../../ledger/violation.js";
import type { DropReason } from "../../metrics/label-values.js";
import { BlockSync } from "../../node/block-sync.js";
import { appendedOf } from "../../store/storage-node-store.js";
import { isDamage } from "../../store/store-error.js";
import type { HaltEvidence } from "../halting.js";
import type { MessageToManager } from "../manager-links.js";
import { Attesting } from "./attesting.js";
import { Candidates } from "./candidates.js";
import type { ChainPorts } from "./chain-ports.js";
import {
  type ParsedCommit,
  parseAnswer,
  parseCandidate,
  parseCommit,
  type ShippedFinalBlock,
} from "./inbound-messages.js";

/**
 * From one head that the managers are told to the next, at least. They have to hear of a block
 * before the first of them stands in for the node's home manager (links.ts), not at once.
 */
export const headsApartMs = 250;
/**
 * From one head that the managers are told to the next, at most. A message can be lost on a link
 * that stays up, as where a queue is full. If it was of the last block and the ring is idle,
 * nothing else tells anybody that this node lacks it.
 */
export const headRepeatedMs = 30_000;
/** How long blocks that somebody has spoken of may be on their way. */
export const patienceMs = 200;

export class StorageChain {
  readonly #ports: ChainPorts;
  readonly #mutex = new Mutex();
  readonly #candidates = new Candidates();
  readonly #attesting: Attesting;
  readonly #sync: BlockSync<ShippedFinalBlock>;
  /** The chain says that this node's last audit failed, and the repair knows it. */
  #auditFailed = false;
  #halted = false;
  #closed = false;
  /** When all managers were told the head; blocks have been appended since. */
  #toldAtMs: number;
  #hasNews = false;

  private constructor(ports: ChainPorts) {
    this.#ports = ports;
    // The greetings are news of now, but the first block may be told at once.
    this.#toldAtMs = ports.monotonicMs() - headsApartMs;
    this.#attesting = new Attesting(ports, this.#candidates);
    const { store, links, observe } = ports;
    this.#sync = new BlockSync({
      headHeight: () => store.head.height,
      isLinked: (managerId) => links.isConnected(managerId),
      faultsMax: () => store.head.members.faultsMax,
      monotonicMs: ports.monotonicMs,
      patience: { blocks: 10, ms: patienceMs },
      request: (managerId, fromHeight, limit) => {
        const value = { fromHeight: BigInt(fromHeight), limit };
        return links.send({ message: { case: "fetchBlocks", value } }, managerId);
      },
      append: (blocks) => this.#appendShipped(blocks),
      onFailed: ports.onFailed,
      observe,
    });
  }

  /** Takes up what the node had signed before it stopped. */
  static async open(ports: ChainPorts): Promise<StorageChain> {
    const chain = new StorageChain(ports);
    // If files are damaged, the store itself tells the repair.
    const attested = await ports.store.loadCandidates().catch((error: unknown) => {
      if (isDamage(error)) return [];
      throw error;
    });
    for (const { block, sealedRecords, round, attestation } of attested) {
      await ports.mark.raise({ height: ports.store.head.height + 1, round });
      const parsed = parseBlock(block);
      if (parsed.ok) chain.#candidates.add(parsed.value, sealedRecords, attestation);
      else {
        ports.repair.report(`a candidate that was attested is damaged: ${parsed.error.message}`);
      }
    }
    chain.#reportFailedAudit();
    return chain;
  }

  /** How far this node is behind the managers. */
  get sync(): Pick<BlockSync<never>, "behind" | "progress" | "heightOf" | "settled"> {
    return this.#sync;
  }

  /** It takes no part any more: closed, or halted for good. */
  get stopped(): boolean {
    return this.#closed || this.#halted;
  }

  get halted(): boolean {
    return this.#halted;
  }

  /** Runs a job while nothing moves the head. */
  runExclusive(job: () => Promise<void>): Promise<void> {
    return this.#mutex.runExclusive(job);
  }

  /**
   * What a manager is told first on a new link: the head, and what was signed for the height after
   * it.
   */
  greeting(): readonly MessageToManager[] {
    const attestations = this.#candidates.attestations.map(
      (value): MessageToManager => ({ message: { case: "attestation", value } }),
    );
    return [this.#headMessage(), ...attestations];
  }

  /** Tells all managers where this node stands. */
  tellHead(): void {
    if (this.stopped) return;
    this.#toldAtMs = this.#ports.monotonicMs();
    this.#hasNews = false;
    this.#ports.links.send(this.#headMessage());
  }

  /** Rejects only when this node itself is at fault, for instance when its disk fails. */
  async take(from: string, { message }: VerifyIntegrityResponse): Promise<void> {
    if (this.stopped) return;
    switch (message.case) {
      case "verify": {
        const candidate = this.#parsedOrDropped(from, parseCandidate(message.value));
        if (candidate === undefined) return;
        return this.#runUnlessStopped(() => this.#takeCandidate(from, candidate));
      }
      case "commit": {
        const commit = this.#parsedOrDropped(from, parseCommit(message.value));
        if (commit === undefined) return;
        return this.#runUnlessStopped(() => this.#takeCommit(from, commit));
      }
      case "blocks":
        return this.#sync.take(parseAnswer(from, message.value));
      default:
        return this.#ports.observe.dropped(from, "MESSAGE_MALFORMED");
    }
  }

  /** Appends a final block found elsewhere than with a manager; false if it does not hold. */
  async adopt(block: CertifiedStorageBlock): Promise<boolean> {
    const message = create(StorageBlocksSchema, { blocks: [block], headHeight: 0n });
    const { blocks, malformed } = parseAnswer("disk", message);
    if (malformed !== undefined || this.#closed) return false;
    return (await this.#appendShipped(blocks)) === undefined;
  }

  onDisconnected(managerId: string): void {
    this.#sync.onDisconnected(managerId);
  }

  /** To be called at intervals. */
  tick(): void {
    if (this.stopped) return;
    this.#sync.tick();
    this.#tellIfDue();
  }

  /** Takes no message any more; resolves when the one that is being handled is through. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#sync.close();
    await this.#mutex.idle();
  }

  #runUnlessStopped(job: () => Promise<void>): Promise<void> {
    return this.#mutex.runExclusive(async () => {
      if (!this.stopped) await job();
    });
  }

  #parsedOrDropped<T>(from: string, parsed: Result<T, DropReason>): T | undefined {
    if (parsed.ok) return parsed.value;
    this.#ports.observe.dropped(from, parsed.error);
    return undefined;
  }

  async #takeCandidate(from: string, candidate: ParsedCandidate): Promise<void> {
    const taken = await this.#attesting.take(from, candidate);
    if (taken === "behind") this.#sync.onHeight(from, candidate.block.height - 1);
  }

  async #takeCommit(from: string, commit: ParsedCommit): Promise<void> {
    const { height, blockId, certificates } = commit;
    const next = this.#ports.store.head.height + 1;
    if (height < next) return this.#checkDecided(from, commit);
    if (height > next) return this.#sync.onHeight(from, height);
    const held = this.#candidates.block(blockId) ?? commit.shipped;
    if (held === undefined) return this.#sync.onHeight(from, height, { urgent: true });
    if (!equalBytes(held.block.blockId, blockId)) {
      return this.#ports.observe.dropped(from, "CERTIFICATE_INVALID");
    }
    const failure = await this.#append({ ...held, certificates });
    if (failure !== undefined) this.#ports.observe.dropped(from, failure);
  }

  /**
   * Appends final blocks in their order; the reason when one does not hold, after which the rest is
   * not looked at. The mutex is free between two blocks, so that candidates do not wait for a long
   * answer. The blocks reach the device together: a crash of the machine may lose the last of them,
   * never one from their middle, and an attestation that is stored later is flushed after them.
   */
  async #appendShipped(blocks: readonly CertifiedBlock[]): Promise<DropReason | undefined> {
    for (const [i, block] of blocks.entries()) {
      const more = i < blocks.length - 1;
      const failure = await this.#mutex.runExclusive(() => this.#appendIfNew(block, more));
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
    const { genesis, store, signatures, checkpoint } = this.#ports;
    const { consortiumId, policy } = genesis;
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
  async #write(append: StorageAppend, more: boolean): Promise<void> {
    const { store, observe, onAppended } = this.#ports;
    const { head, sealedRecords } = append;
    await timed(this.#ports, observe, () =>
      store.append(appendedOf(append), more ? "buffered" : "sync"),
    );
    observe.appended(head.height, head.frontier.size, sealedRecords.length);
    const due = this.#candidates.onAppended(head.height);
    this.#reportFailedAudit();
    onAppended();
    if (!more) {
      this.#hasNews = true;
      this.#tellIfDue();
    }
    this.#sync.onAppended();
    for (const { from, candidate } of due) await this.#attesting.take(from, candidate);
  }

  /**
   * A commit certificate about a height that is decided here: usually late, and a fork if it names
   * another block.
   */
  async #checkDecided(
    from: string,
    { height, blockId, certificates }: ParsedCommit,
  ): Promise<void> {
    const { store, signatures, observe, genesis } = this.#ports;
    const own = await store.certificatesAt(height);
    if (own?.commit === undefined || equalBytes(own.commit.blockId, blockId)) return;
    const { consortiumId } = genesis;
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

  /**
   * A failed audit says that what this node read and signed is not what managers hold: its disk
   * gives other records than it was given, and nothing here had noticed. Each is reported once. A
   * node that is far behind waits: a later block may say that an audit was passed since.
   */
  #reportFailedAudit(): void {
    const { nodeId, store, repair } = this.#ports;
    if (this.#sync.behind) return;
    const wasKnown = this.#auditFailed;
    this.#auditFailed = store.head.members.storageNode(nodeId)?.auditFailed ?? false;
    if (this.#auditFailed && !wasKnown) {
      repair.report("an audit of this node failed, as the chain says");
    }
  }

  /** Of blocks that follow each other fast only some are told. */
  #tellIfDue(): void {
    const apartMs = this.#hasNews ? headsApartMs : headRepeatedMs;
    if (this.#ports.monotonicMs() - this.#toldAtMs >= apartMs) this.tellHead();
  }

  #headMessage(): MessageToManager {
    const { height, storageBlockId, managerBlockId, frontier } = this.#ports.store.head;
    const value = {
      height: BigInt(height),
      storageBlockId,
      managerBlockId,
      hash2: rootOf(frontier),
      treeSize: BigInt(frontier.size),
      behind: this.#sync.farBehind || this.#ports.repair.repairing,
    };
    return { message: { case: "head", value } };
  }
}

/** Jobs that must not overlap: each starts when the one before it has ended, in order of calls. */
class Mutex {
  #last: Promise<unknown> = Promise.resolve();

  /** Resolves or rejects as `job` does. A job that fails does not hold up the next one. */
  runExclusive<T>(job: () => Promise<T>): Promise<T> {
    const run = this.#last.then(job);
    this.#last = run.catch(() => {});
    return run;
  }

  /** Resolves when everything that has been handed in so far is over. */
  async idle(): Promise<void> {
    await this.#last;
  }
}
