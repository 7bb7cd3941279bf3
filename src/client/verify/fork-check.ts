/** Whether what a node calls a fork is one: two blocks of one height that managers made final. */
import { SignatureCache } from "../../crypto/signature-cache.js";
import type { ForkProof } from "../../gen/bss/v1/vote_pb.js";
import { checkForkProof, signersOfBoth } from "../../ledger/certificates/fork-proofs.js";
import type { GenesisState } from "../../ledger/genesis.js";

export type ProvenFork = {
  readonly height: number;
  /** 32 bytes each. */
  readonly blockIds: readonly [Uint8Array, Uint8Array];
  /** Managers that committed to both: more than f of them broke the rules. */
  readonly accusedIds: readonly string[];
};

/** The fork, if the proof holds by the keys in genesis. */
export async function provenFork(
  proof: ForkProof,
  { members, consortiumId }: GenesisState,
): Promise<ProvenFork | undefined> {
  const { first, second } = proof;
  const checks = checkForkProof(proof, members, consortiumId);
  if (first === undefined || second === undefined || !checks.ok) return undefined;
  if ((await new SignatureCache().firstInvalid(checks.value)) !== undefined) return undefined;
  return {
    height: Number(first.height),
    blockIds: [first.blockId, second.blockId],
    accusedIds: signersOfBoth(first, second),
  };
}
