/** What an operator signs about a storage node that its manager sponsors. */
import { create } from "@bufbuild/protobuf";
import { ed25519Sign } from "../crypto/ed25519.js";
import {
  type RecordPayout,
  RecordPayoutSchema,
  type RetireStorageNode,
  RetireStorageNodeSchema,
} from "../gen/bss/v1/genesis_pb.js";
import type { StorageNodeStatus } from "../gen/bss/v1/query_pb.js";
import { payoutDigest, retirementDigest } from "../ledger/certificates/vote-digests.js";
import type { ClientProfile } from "./profile.js";

type Operator = Pick<ClientProfile, "id" | "genesis" | "signingSeed">;

/**
 * Sends the node away; `admittedHeight` keeps the signature from serving after a later admission.
 */
export function signRetirement(
  { id: operatorId, genesis, signingSeed }: Operator,
  { nodeId, admittedHeight }: Pick<StorageNodeStatus, "nodeId" | "admittedHeight">,
): RetireStorageNode {
  const { consortiumId } = genesis;
  const claim = { consortiumId, nodeId, admittedHeight: Number(admittedHeight) };
  const signature = ed25519Sign(signingSeed, retirementDigest(claim));
  return create(RetireStorageNodeSchema, { nodeId, admittedHeight, operatorId, signature });
}

/** States that the node was paid `amount` reward units, on top of what it had been paid before. */
export function signPayout(
  { id: operatorId, genesis, signingSeed }: Operator,
  { nodeId, paid: paidBefore }: Pick<StorageNodeStatus, "nodeId" | "paid">,
  { amount, reference }: { readonly amount: bigint; readonly reference: string },
): RecordPayout {
  const { consortiumId } = genesis;
  const claim = { consortiumId, nodeId, amount, paidBefore, reference };
  const signature = ed25519Sign(signingSeed, payoutDigest(claim));
  const payout = { nodeId, amount, paidBefore, reference, operatorId, signature };
  return create(RecordPayoutSchema, payout);
}
