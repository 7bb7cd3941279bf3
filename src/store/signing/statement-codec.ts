/**
 * What a manager has said about a height, as entries of its vote log:
 *
 *     height ‖ kind ‖ round    ──▶ PROPOSE, APPROVE, COMMIT    one per round
 *     height ‖ kind ‖ block id ──▶ ACCEPT                      one per block
 *     height ‖ kind            ──▶ the lock                    the latest only
 */
import { create, toBinary } from "@bufbuild/protobuf";
import { assert } from "../../base/assert.js";
import type { Lock } from "../../consensus/ring/events.js";
import { HeldLockSchema } from "../../gen/bss/store/v1/voting_pb.js";
import {
  type Proposal,
  ProposalSchema,
  type Vote,
  VoteKind,
  VoteSchema,
} from "../../gen/bss/v1/vote_pb.js";
import { buckets } from "../buckets.js";
import { damaged, present, storedMessage } from "../chain/stored-values.js";
import { bucketKey, KeyReader, u8Part, u64Part } from "../key-codec.js";

type LogEntry =
  | { readonly kind: "vote"; readonly vote: Vote }
  | { readonly kind: "proposal"; readonly proposal: Proposal }
  | { readonly kind: "lock"; readonly lock: Lock };

/** Numbers in keys; never reused. */
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

export function proposalKey({ height, round }: Proposal): Uint8Array {
  return keyOf(height, kindNumbers.proposal, u64Part(round));
}

export function lockKey(height: number): Uint8Array {
  return keyOf(height, kindNumbers.lock);
}

function keyOf(height: number | bigint, kind: number, ...rest: readonly Uint8Array[]): Uint8Array {
  return bucketKey(buckets.voteLog, u64Part(height), u8Part(kind), ...rest);
}

export function encodeLock({ round, blockId, certificate }: Lock): Uint8Array {
  return toBinary(HeldLockSchema, create(HeldLockSchema, { round, blockId, certificate }));
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
