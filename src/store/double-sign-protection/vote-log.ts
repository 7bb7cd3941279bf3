/**
 * What a manager has said about the height that is being voted on: its votes, proposals and lock,
 * and the bodies of the blocks that they are about. All is on disk before anybody hears it, so that
 * a crash cannot make the manager contradict itself. Once the height is decided all of it goes, in
 * the batch that appends the block.
 *
 *     height ‖ kind ‖ round    ──▶ PROPOSE, APPROVE, COMMIT    one per round
 *     height ‖ kind ‖ block id ──▶ ACCEPT                      one per block
 *     height ‖ kind            ──▶ the lock                    the latest only
 */
import { assert } from "../../base/assert.js";
import { emptyBytes, equalBytes, readU64be, toHex, u64be, utf8 } from "../../base/bytes.js";
import type { Lock, RestoredHeight } from "../../consensus/ring/events.js";
import { HeldLockSchema } from "../../gen/bss/store/v1/voting_pb.js";
import type { ManagerBlock } from "../../gen/bss/v1/block_pb.js";
import {
  type Proposal,
  ProposalSchema,
  type Vote,
  VoteKind,
  VoteSchema,
} from "../../gen/bss/v1/vote_pb.js";
import { encode } from "../../ledger/wire.js";
import { buckets } from "../buckets.js";
import { damaged, present, storedMessage } from "../chain/stored-values.js";
import { bucketKey, bucketRange, KeyReader, u8Part, u64Part } from "../key-codec.js";
import type { KeyValueStore, WriteOperation } from "../key-value-store.js";
import { CandidateBodies, type PendingChange } from "./candidate-bodies.js";

/** What the manager says in one turn of the ring, signed. */
export type Statements = {
  readonly votes: readonly Vote[];
  /** Without the block. */
  readonly proposals: readonly Proposal[];
  readonly lock?: Lock;
  /** Of the blocks that are proposed or committed. */
  readonly bodies: readonly ManagerBlock[];
};

export type VotedHeight = {
  readonly restored: RestoredHeight;
  readonly bodies: readonly ManagerBlock[];
};

const abstentionKey = bucketKey(buckets.meta, utf8("abstention"));

type Said = { readonly key: Uint8Array; readonly signature: Uint8Array };

export class VoteLog {
  readonly #kv: KeyValueStore;
  readonly #bodies: CandidateBodies;
  /** What was said, by its key in hex; a lock has no signature. */
  readonly #said = new Map<string, Said>();
  #lockedBlockId: Uint8Array | undefined;
  #abstainsThrough = 0;

  private constructor(kv: KeyValueStore, bodies: CandidateBodies) {
    this.#kv = kv;
    this.#bodies = bodies;
  }

  static async open(kv: KeyValueStore): Promise<VoteLog> {
    const log = new VoteLog(kv, await CandidateBodies.open(kv));
    for await (const [key, value] of kv.scan(bucketRange(buckets.voteLog))) {
      const entry = decodeEntry(key, value);
      let signature = emptyBytes;
      if (entry.kind === "vote") signature = entry.vote.signature;
      else if (entry.kind === "proposal") signature = entry.proposal.signature;
      else log.#lockedBlockId = entry.lock.blockId;
      log.#said.set(toHex(key), { key, signature });
    }
    const abstention = await kv.get(abstentionKey);
    if (abstention !== undefined) log.#abstainsThrough = Number(readU64be(abstention));
    return log;
  }

  /**
   * One synchronous batch, asked for before this returns: the signer's mark is asked for next. All
   * is about `height`, and nothing contradicts what was said before.
   */
  async save(height: number, statements: Statements): Promise<void> {
    const { votes, proposals, lock, bodies } = statements;
    const writes: WriteOperation[] = [];
    const said = new Map<string, Said>();
    const say = (message: Vote | Proposal, key: Uint8Array, value: Uint8Array) => {
      assert(message.height === BigInt(height), `a statement about ${message.height} at ${height}`);
      const hex = toHex(key);
      const before = said.get(hex) ?? this.#said.get(hex);
      // Signatures are deterministic: the same statement has the same signature.
      const agrees = before === undefined || equalBytes(before.signature, message.signature);
      assert(agrees, "a manager says one thing per kind, height and round");
      said.set(hex, { key, signature: message.signature });
      writes.push({ type: "put", key, value });
    };
    for (const vote of votes) say(vote, voteKey(vote), encode(VoteSchema, vote));
    for (const proposal of proposals) {
      assert(proposal.block === undefined, "a body is kept apart from its proposal");
      say(proposal, proposalKey(proposal), encode(ProposalSchema, proposal));
    }
    if (lock !== undefined) {
      const key = lockKey(height);
      said.set(toHex(key), { key, signature: emptyBytes });
      writes.push({ type: "put", key, value: encodeLock(lock) });
    }
    const lockedBlockId = lock?.blockId ?? this.#lockedBlockId;
    const kept = this.#bodies.add(height, bodies, lockedBlockId);
    await this.#kv.write([...writes, ...kept.writes], "sync");
    for (const [hex, entry] of said) this.#said.set(hex, entry);
    this.#lockedBlockId = lockedBlockId;
    kept.onWritten();
  }

  /** Whether anything was said about the height that is being voted on. */
  get hasSpoken(): boolean {
    return this.#said.size > 0;
  }

  /** The height through which this manager must not vote; 0 for none. */
  get abstainsThrough(): number {
    return this.#abstainsThrough;
  }

  /** Durable when it resolves. */
  async saveAbstention(throughHeight: number): Promise<void> {
    const value = u64be(throughHeight);
    await this.#kv.write([{ type: "put", key: abstentionKey, value }], "sync");
    this.#abstainsThrough = throughHeight;
  }

  /** Whether exactly this was said about the height that is being voted on. */
  holds(statement: Vote | Proposal): boolean {
    const key = "kind" in statement ? voteKey(statement) : proposalKey(statement);
    const said = this.#said.get(toHex(key));
    return said !== undefined && equalBytes(said.signature, statement.signature);
  }

  /** What was said about a height, and the bodies that are kept of it. */
  async load(height: number): Promise<VotedHeight> {
    const votes: Vote[] = [];
    const proposals: Proposal[] = [];
    let lock: Lock | undefined;
    for await (const [key, value] of this.#kv.scan(bucketRange(buckets.voteLog, u64Part(height)))) {
      const entry = decodeEntry(key, value);
      if (entry.kind === "vote") votes.push(entry.vote);
      else if (entry.kind === "proposal") proposals.push(entry.proposal);
      else lock = entry.lock;
    }
    const restored = { votes, proposals, ...(lock === undefined ? {} : { lock }) };
    return { restored, bodies: await this.#bodies.load(height) };
  }

  /** Drops everything, as the height is decided. */
  clear(): PendingChange {
    const bodies = this.#bodies.clear();
    const writes: WriteOperation[] = [...bodies.writes];
    for (const { key } of this.#said.values()) writes.push({ type: "delete", key });
    const onWritten = () => {
      this.#said.clear();
      this.#lockedBlockId = undefined;
      bodies.onWritten();
    };
    return { writes, onWritten };
  }
}

type LogEntry =
  | { readonly kind: "vote"; readonly vote: Vote }
  | { readonly kind: "proposal"; readonly proposal: Proposal }
  | { readonly kind: "lock"; readonly lock: Lock };

/** These numbers stand in keys and are never reused. */
const kindNumbers = { proposal: 1, accept: 2, approve: 3, commit: 4, lock: 5 } as const;

export function voteKey({ height, kind, round, blockId }: Vote): Uint8Array {
  switch (kind) {
    case VoteKind.ACCEPT:
      return keyOf(height, kindNumbers.accept, blockId);
    case VoteKind.APPROVE:
      return keyOf(height, kindNumbers.approve, u64Part(round));
    case VoteKind.COMMIT:
      return keyOf(height, kindNumbers.commit, u64Part(round));
    default:
      assert(false, "a vote has a kind");
  }
}

function proposalKey({ height, round }: Proposal): Uint8Array {
  return keyOf(height, kindNumbers.proposal, u64Part(round));
}

function lockKey(height: number): Uint8Array {
  return keyOf(height, kindNumbers.lock);
}

function keyOf(height: number | bigint, kind: number, ...rest: readonly Uint8Array[]): Uint8Array {
  return bucketKey(buckets.voteLog, u64Part(height), u8Part(kind), ...rest);
}

function encodeLock({ round, blockId, certificate }: Lock): Uint8Array {
  return encode(HeldLockSchema, { round, blockId, certificate });
}

/** @throws StoreError CORRUPT */
export function decodeEntry(key: Uint8Array, value: Uint8Array): LogEntry {
  const reader = new KeyReader(key, buckets.voteLog);
  const what = `a statement about height ${reader.u64()}`;
  switch (reader.u8()) {
    case kindNumbers.proposal:
      return { kind: "proposal", proposal: storedMessage(ProposalSchema, value, what) };
    case kindNumbers.accept:
    case kindNumbers.approve:
    case kindNumbers.commit:
      return { kind: "vote", vote: storedMessage(VoteSchema, value, what) };
    case kindNumbers.lock: {
      const { round, blockId, certificate } = storedMessage(HeldLockSchema, value, what);
      const lock = { round, blockId, certificate: present(certificate, "a lock's certificate") };
      return { kind: "lock", lock };
    }
    default:
      throw damaged(what, "is of an unknown kind");
  }
}
