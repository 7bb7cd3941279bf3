/**
 * What a manager has on its disk: the chain with its state, its votes at the next height, its pool.
 */
import { toBinary } from "@bufbuild/protobuf";
import { defined } from "../../src/base/assert.js";
import { toHex } from "../../src/base/bytes.js";
import type { Lock, RestoredHeight } from "../../src/consensus/events.js";
import { BlockCertificatesSchema, type ManagerBlock } from "../../src/gen/bss/v1/block_pb.js";
import type { Policy } from "../../src/gen/bss/v1/genesis_pb.js";
import type { Proposal, Vote } from "../../src/gen/bss/v1/vote_pb.js";
import { BlockExecution } from "../../src/ledger/execution.js";
import type { GenesisState } from "../../src/ledger/genesis.js";
import { genesisHead, type LedgerHead } from "../../src/ledger/head.js";
import { PrefetchedState, type StateWrite } from "../../src/ledger/state.js";
import { readKeysOfSubmission } from "../../src/ledger/state-keys.js";
import type { ParsedSubmission } from "../../src/ledger/submissions.js";
import type { Violation } from "../../src/ledger/violation.js";
import type { StoredBlock } from "./events.js";

export type Statements = {
  readonly votes: readonly Vote[];
  readonly proposals: readonly Proposal[];
  readonly lock?: Lock;
  readonly bodies: readonly ManagerBlock[];
};

export class ManagerDisk {
  head: LedgerHead;
  readonly policy: Policy;
  readonly blocks: StoredBlock[] = [];
  readonly pool = new Map<string, ParsedSubmission>();
  /**
   * Records, by hash in hex, that broke a rule when this manager tried to put them into a block.
   */
  readonly refused = new Set<string>();
  readonly #state = new Map<string, Uint8Array>();
  #votes: Vote[] = [];
  #proposals: Proposal[] = [];
  #bodies: ManagerBlock[] = [];
  #lock: Lock | undefined;

  constructor(genesis: GenesisState) {
    const { head, stateWrites } = genesisHead(genesis);
    this.head = head;
    this.policy = genesis.policy;
    this.#write(stateWrites);
  }

  /** Exactly the named keys. */
  prefetched(keys: readonly Uint8Array[]): PrefetchedState {
    const values = new Map<string, Uint8Array | undefined>();
    for (const key of keys) {
      const hex = toHex(key);
      values.set(hex, this.#state.get(hex));
    }
    return new PrefetchedState(values);
  }

  /** Encoded certificates of the head; undefined for genesis. */
  headCertificates(): Uint8Array | undefined {
    const last = this.blocks.at(-1);
    return last && toBinary(BlockCertificatesSchema, last.certificates);
  }

  /** The block at a height from 1 on. */
  blockAt(height: number): StoredBlock | undefined {
    return this.blocks[height - 1];
  }

  saveStatements({ votes, proposals, lock, bodies }: Statements): void {
    this.#votes.push(...votes);
    this.#proposals.push(...proposals);
    this.#bodies.push(...bodies);
    if (lock !== undefined) this.#lock = lock;
  }

  /** What was said of the height after the head. */
  loadHeight(): { readonly restored: RestoredHeight; readonly bodies: readonly ManagerBlock[] } {
    const restored = { votes: [...this.#votes], proposals: [...this.#proposals] };
    const locked = this.#lock === undefined ? restored : { ...restored, lock: this.#lock };
    return { restored: locked, bodies: [...this.#bodies] };
  }

  append(stored: StoredBlock): void {
    this.blocks.push(stored);
    this.#write(stored.executed.stateWrites);
    this.head = stored.executed.head;
    this.#votes = [];
    this.#proposals = [];
    this.#bodies = [];
    this.#lock = undefined;
  }

  #write(writes: readonly StateWrite[]): void {
    for (const { key, value } of writes) this.#state.set(toHex(key), value);
  }
}

/** What keeps a submission's record out of a block on top of the head, if anything does. */
export function violationOf(
  submission: ParsedSubmission,
  hashHex: string,
  disk: ManagerDisk,
): Violation | undefined {
  const { head, policy } = disk;
  const record = submission.records.find((each) => each.hashHex === hashHex);
  const execution = new BlockExecution({
    state: disk.prefetched(readKeysOfSubmission(submission)),
    ...{ policy, members: head.members, height: head.height + 1 },
    timestampMs: head.timestampMs + 1,
    firstPosition: head.frontier.size,
  });
  return execution.tryRecord(defined(record, "the record is the submission's"), submission);
}
