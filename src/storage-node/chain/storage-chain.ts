/**
 * The chain of a storage node: everything that managers say goes through here.
 *
 *     VerifyCandidate ─▶ Attesting ──▶ attestation to all managers
 *     CommitBlock ─────▶ Following ──▶ append, then the new head to all managers
 *     StorageBlocks ───▶ Following     (asked for by BlockSync)
 *
 * A message that does not hold is dropped and counted; it neither ends a link nor reaches the
 * store. Whatever touches the head runs in turns, so there is one writer.
 */

import { create } from "@bufbuild/protobuf";
import type { Result } from "../../base/result.js";
import type { CertifiedStorageBlock } from "../../gen/bss/v1/block_pb.js";
import {
  StorageBlocksSchema,
  type VerifyIntegrityResponse,
} from "../../gen/bss/v1/verify_integrity_pb.js";
import { parseBlock } from "../../ledger/blocks/block-parsing.js";
import { rootOf } from "../../ledger/merkle/frontier.js";
import type { DropReason } from "../../metrics/label-values.js";
import { BlockSync } from "../../node/block-sync.js";
import { isDamage } from "../../store/store-error.js";
import type { Progress } from "../../sync/sync-progress.js";
import {
  parseAnswer,
  parseCandidate,
  parseCommit,
  type ShippedFinalBlock,
} from "../inbound-messages.js";
import type { UpMessage } from "../up-message.js";
import { Attesting } from "./attesting.js";
import { Candidates } from "./candidates.js";
import type { ChainPorts } from "./chain-ports.js";
import { Following } from "./following.js";
import { Turns } from "./turns.js";

/** How long blocks that somebody has spoken of may be on their way. */
export const patienceMs = 200;

export class StorageChain {
  readonly #ports: ChainPorts;
  readonly #candidates = new Candidates();
  readonly #turns = new Turns();
  readonly #sync: BlockSync<ShippedFinalBlock>;
  readonly #attesting: Attesting;
  readonly #following: Following;
  #closed = false;

  private constructor(ports: ChainPorts) {
    this.#ports = ports;
    const { store, observe } = ports;
    this.#sync = new BlockSync({
      headHeight: () => store.head.height,
      isLinked: ports.isLinked,
      faultsMax: () => store.head.members.faultsMax,
      monotonicMs: ports.monotonicMs,
      patience: { blocks: 10, ms: patienceMs },
      request: (managerId, fromHeight, limit) =>
        ports.tell(
          { message: { case: "fetchBlocks", value: { fromHeight: BigInt(fromHeight), limit } } },
          managerId,
        ),
      append: (blocks) => this.#following.appendShipped(blocks),
      onFailed: ports.onFailed,
      observe,
    });
    const [candidates, sync, turns] = [this.#candidates, this.#sync, this.#turns];
    const onHeight = sync.onHeight.bind(sync);
    const attesting = new Attesting(ports, candidates, onHeight);
    this.#attesting = attesting;
    const tellHead = () => ports.tell(this.#headMessage());
    this.#following = new Following(ports, { candidates, sync, attesting, turns, tellHead });
  }

  /** Takes up what the node had signed before it stopped. */
  static async open(ports: ChainPorts): Promise<StorageChain> {
    const chain = new StorageChain(ports);
    // Damage in the files is told by the store itself.
    const attested = await ports.store.loadCandidates().catch((error: unknown) => {
      if (isDamage(error)) return [];
      throw error;
    });
    for (const { block, sealedRecords, attestation } of attested) {
      const parsed = parseBlock(block);
      if (parsed.ok) chain.#candidates.add(parsed.value, sealedRecords, attestation);
      else ports.onDoubt(`a candidate that was attested is damaged: ${parsed.error.message}`);
    }
    return chain;
  }

  /** Runs a job while nothing moves the head. */
  inTurn(job: () => Promise<void>): Promise<void> {
    return this.#turns.run(job);
  }

  /** Appends a final block found elsewhere than with a manager; false if it does not hold. */
  async adopt(block: CertifiedStorageBlock): Promise<boolean> {
    const message = create(StorageBlocksSchema, { blocks: [block], headHeight: 0n });
    const { blocks, malformed } = parseAnswer("disk", message);
    if (malformed !== undefined || this.#closed) return false;
    return (await this.#following.appendShipped(blocks)) === undefined;
  }

  /** Tells managers where this node stands. */
  tellHead(): void {
    if (!this.#closed && !this.halted) this.#ports.tell(this.#headMessage());
  }

  /** Whether managers hold blocks that are missing here. */
  get syncing(): boolean {
    return this.#sync.behind;
  }

  /** How far catching up is; undefined when nothing is missing. */
  progress(): Progress | undefined {
    return this.#sync.progress();
  }

  get closed(): boolean {
    return this.#closed;
  }

  get halted(): boolean {
    return this.#following.halted;
  }

  /** Height of the last final block that a manager has spoken of; 0 when unknown. */
  heightOf(managerId: string): number {
    return this.#sync.heightOf(managerId);
  }

  /**
   * What a manager is told first on a new link: the head, and what was signed for the height after
   * it.
   */
  greeting(): readonly UpMessage[] {
    const attestations = this.#candidates.attestations.map(
      (value): UpMessage => ({ message: { case: "attestation", value } }),
    );
    return [this.#headMessage(), ...attestations];
  }

  /** Rejects only when this node itself is at fault, for instance when its disk fails. */
  async take(from: string, { message }: VerifyIntegrityResponse): Promise<void> {
    if (this.#closed || this.halted) return;
    switch (message.case) {
      case "verify": {
        const candidate = this.#heldOrDropped(from, parseCandidate(message.value));
        if (candidate !== undefined) await this.#turn(() => this.#attesting.take(from, candidate));
        return;
      }
      case "commit": {
        const commit = this.#heldOrDropped(from, parseCommit(message.value));
        if (commit !== undefined) await this.#turn(() => this.#following.takeCommit(from, commit));
        return;
      }
      case "blocks":
        return this.#sync.take(parseAnswer(from, message.value));
      default:
        return this.#ports.observe.dropped(from, "MESSAGE_MALFORMED");
    }
  }

  onDisconnected(managerId: string): void {
    this.#sync.onDisconnected(managerId);
  }

  /** To be called at intervals. */
  tick(): void {
    if (!this.#closed && !this.halted) this.#sync.tick();
  }

  /** Takes no message any more; resolves when the one that is being handled is through. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#sync.close();
    await this.#turns.idle();
  }

  /** Resolves when the blocks that were asked for and have come are appended or refused. */
  settled(): Promise<void> {
    return this.#sync.settled();
  }

  #turn(job: () => Promise<void>): Promise<void> {
    return this.#turns.run(async () => {
      if (!this.#closed && !this.halted) await job();
    });
  }

  #heldOrDropped<T>(from: string, parsed: Result<T, DropReason>): T | undefined {
    if (parsed.ok) return parsed.value;
    this.#ports.observe.dropped(from, parsed.error);
    return undefined;
  }

  #headMessage(): UpMessage {
    const { height, storageBlockId, managerBlockId, frontier } = this.#ports.store.head;
    const value = {
      height: BigInt(height),
      storageBlockId,
      managerBlockId,
      hash2: rootOf(frontier),
      treeSize: BigInt(frontier.size),
      behind: this.#sync.farBehind || this.#ports.repairing(),
    };
    return { message: { case: "head", value } };
  }
}
