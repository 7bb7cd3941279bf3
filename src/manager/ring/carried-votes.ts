/** The votes that a block carries in the certificates of the block before it. */
import { create, fromBinary } from "@bufbuild/protobuf";
import { type Block, BlockCertificatesSchema } from "../../gen/bss/v1/block_pb.js";
import { type Vote, VoteKind, VoteSchema } from "../../gen/bss/v1/vote_pb.js";

/**
 * The COMMITs, which may be others than this manager has seen. ACCEPTs are left out: they
 * contradict nothing. `block` keeps the rules, so its certificates decode and hold.
 */
export function carriedVotes({ previousCertificates }: Block): readonly Vote[] {
  const { commit } = fromBinary(BlockCertificatesSchema, previousCertificates);
  if (commit === undefined) return [];
  const { height, round, blockId, signatures } = commit;
  const kind = VoteKind.COMMIT;
  return signatures.map(({ managerId, signature }) =>
    create(VoteSchema, { kind, height, round, validRound: -1, blockId, managerId, signature }),
  );
}
