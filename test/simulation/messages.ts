/** What the nodes of a simulation send to each other. */
import type { Outgoing } from "../../src/consensus/events.js";
import type {
  ApprovalCertificate,
  Block,
  BlockCertificates,
  ManagerBlock,
} from "../../src/gen/bss/v1/block_pb.js";
import { type Attestation, VoteKind } from "../../src/gen/bss/v1/vote_pb.js";
import type { ParsedSubmission } from "../../src/ledger/submissions.js";

export type ShippedStorageBlock = {
  readonly block: Block;
  readonly sealedRecords: readonly Uint8Array[];
  readonly certificates: BlockCertificates;
};

export type Message =
  /** Between managers. */
  | { readonly kind: "ring"; readonly message: Outgoing; readonly body?: ManagerBlock }
  | { readonly kind: "fetch-body"; readonly blockId: Uint8Array }
  | { readonly kind: "body"; readonly block: ManagerBlock }
  | { readonly kind: "head"; readonly height: number }
  | { readonly kind: "fetch-blocks"; readonly fromHeight: number }
  | { readonly kind: "blocks"; readonly blocks: readonly ShippedManagerBlock[] }
  | { readonly kind: "submission"; readonly submission: ParsedSubmission }
  /** The sender found records, by hash in hex, to break a rule at their turn. */
  | { readonly kind: "objection"; readonly hashes: readonly string[] }
  /** From a manager to a storage node. */
  | {
      readonly kind: "verify";
      readonly round: number;
      readonly block: Block;
      readonly sealedRecords: readonly Uint8Array[];
      readonly approval: ApprovalCertificate;
    }
  | {
      readonly kind: "commit";
      readonly height: number;
      readonly blockId: Uint8Array;
      readonly certificates: BlockCertificates;
      /** Left out for a node that has the candidate. */
      readonly shipped?: Pick<ShippedStorageBlock, "block" | "sealedRecords">;
    }
  | { readonly kind: "storage-blocks"; readonly blocks: readonly ShippedStorageBlock[] }
  /** From a storage node to a manager. */
  | { readonly kind: "attestation"; readonly attestation: Attestation }
  | { readonly kind: "storage-head"; readonly height: number }
  | { readonly kind: "fetch-storage-blocks"; readonly fromHeight: number };

/** What a message is, for those who hold back some kinds of messages only. */
export const laggedKinds = [
  ...(["proposal", "accept", "approve", "commit", "lock-certificate"] as const),
  ...(["attestation", "verify", "body", "head"] as const),
] as const;
export type LaggedKind = (typeof laggedKinds)[number];

export function laggedKindOf(message: Message): LaggedKind | undefined {
  switch (message.kind) {
    case "ring":
      return message.message.kind === "vote"
        ? voteKinds[message.message.vote.kind]
        : message.message.kind;
    case "attestation":
    case "verify":
    case "body":
    case "head":
      return message.kind;
    default:
      return undefined;
  }
}

const voteKinds: Readonly<Record<VoteKind, LaggedKind | undefined>> = {
  [VoteKind.UNSPECIFIED]: undefined,
  [VoteKind.ACCEPT]: "accept",
  [VoteKind.APPROVE]: "approve",
  [VoteKind.COMMIT]: "commit",
};

export type ShippedManagerBlock = {
  readonly block: ManagerBlock;
  readonly certificates: BlockCertificates;
};
