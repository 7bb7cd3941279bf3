/** What other members say about a block, signed. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  AttestationSchema,
  AttestationVerdict,
  ProposalSchema,
  VoteKind,
  VoteSchema,
} from "../../../../src/gen/bss/v1/vote_pb.js";
import type { BlockFacts } from "../../../../src/ledger/blocks/block-facts.js";
import { drawCommittee } from "../../../../src/ledger/certificates/committee.js";
import {
  acceptDigest,
  approveDigest,
  attestationDigest,
  commitDigest,
  proposalDigest,
} from "../../../../src/ledger/certificates/vote-digests.js";
import { consortiumId } from "../../ledger/support/consortium.js";
import { seedOf, sign } from "../../ledger/support/records.js";

type Block = Pick<BlockFacts, "height" | "blockId">;

function voteOf(managerId: string, digest: Uint8Array, parts: MessageInitShape<typeof VoteSchema>) {
  return create(VoteSchema, {
    validRound: -1,
    ...parts,
    managerId,
    signature: sign(managerId, digest),
  });
}

export function accept(managerId: string, { height, blockId }: Block) {
  const digest = acceptDigest({ consortiumId, height, blockId });
  return voteOf(managerId, digest, { kind: VoteKind.ACCEPT, height: BigInt(height), blockId });
}

export function approve(managerId: string, { height, blockId }: Block, round = 0) {
  const validRound = -1;
  const digest = approveDigest({ consortiumId, height, round, validRound, blockId });
  const kind = VoteKind.APPROVE;
  return voteOf(managerId, digest, { kind, height: BigInt(height), round, blockId });
}

export function commit(managerId: string, { height, blockId }: Block, round = 0) {
  const digest = commitDigest({ consortiumId, height, round, blockId });
  const kind = VoteKind.COMMIT;
  return voteOf(managerId, digest, { kind, height: BigInt(height), round, blockId });
}

export function proposal(
  managerId: string,
  { height, blockId }: Block,
  round = 0,
  validRound = -1,
) {
  const digest = proposalDigest({ consortiumId, height, round, validRound, blockId });
  return create(ProposalSchema, {
    height: BigInt(height),
    round,
    validRound,
    blockId,
    managerId,
    signature: sign(managerId, digest),
  });
}

export function attestation(nodeId: string, facts: BlockFacts, round = 0) {
  const { height, blockId, hash1: hash2, treeSize } = facts;
  const verdict = AttestationVerdict.MATCH;
  const audit = seedOf(`audit of ${nodeId}`);
  const claim = { consortiumId, height, round, blockId, hash2, treeSize, verdict, audit };
  return create(AttestationSchema, {
    height: BigInt(height),
    round,
    blockId,
    hash2,
    treeSize: BigInt(treeSize),
    verdict,
    audit,
    nodeId,
    signature: sign(nodeId, attestationDigest(claim)),
  });
}

/** A MATCH of every member of the block's committee. */
export function attestations(facts: BlockFacts, round = 0) {
  const { eligible, beacon } = facts;
  return drawCommittee({ eligible, beacon, round }).map((id) => attestation(id, facts, round));
}
