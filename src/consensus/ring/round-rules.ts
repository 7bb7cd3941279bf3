/**
 * What a manager's knowledge of a height means for its next words: read off, nothing is changed.
 */
import { toHex } from "../../base/bytes.js";
import type { Proposal } from "../../gen/bss/v1/vote_pb.js";
import type { BlockFacts } from "../../ledger/blocks/block-facts.js";
import type { HeightState } from "../height/height-state.js";
import { approvalOf, type LockState } from "../height/lock-rules.js";
import type { BlockKey, Decision } from "./events.js";
import type { Opinion } from "./opinion.js";

/**
 * What to APPROVE of the round's proposal; undefined while its block has not been judged, and while
 * this manager's own view of a fresh one will yet change for the better.
 */
export function choiceFor(
  proposal: Proposal,
  state: HeightState,
  lock: LockState,
  viewOf: (facts: BlockFacts) => Opinion,
): BlockKey | undefined {
  const { round, validRound, managerId } = proposal;
  const block = toHex(proposal.blockId);
  const judgement = state.judgements.of(block);
  if (judgement === undefined) return undefined;
  const fresh = validRound === -1;
  const facts = state.factsOf(block);
  const view = facts === undefined ? "refused" : viewOf(facts);
  if (fresh && view === "later") return undefined;
  // A fresh block was made for this very round by its proposer.
  const ofThisRound = facts?.createdRound === round && facts.proposerId === managerId;
  return approvalOf(
    {
      round,
      validRound,
      block,
      accurate: judgement.accurate && (!fresh || ofThisRound),
      locallyFine: view === "fine",
      certified: !fresh && state.lockable(validRound, block) !== undefined,
    },
    lock,
  );
}

type CommitsOutcome =
  | { readonly kind: "decision"; readonly decision: Decision }
  | { readonly kind: "halt"; readonly message: string }
  /** Q managers committed a block that is not judged here yet. */
  | { readonly kind: "unknown"; readonly block: BlockKey };

/**
 * What Q COMMITs of distinct managers for one block in one same round mean. COMMITs of different
 * rounds are never added up: that forks the chain.
 */
export function outcomeOfCommits(state: HeightState): CommitsOutcome | undefined {
  for (const { round, block } of state.votes.blocksCommittedBy(state.quorum)) {
    const judgement = state.judgements.of(block);
    if (judgement === undefined) return { kind: "unknown", block };
    if (!judgement.accurate) {
      const { reason, message } = judgement.violation;
      const text = `Q managers committed ${block}, which is wrong here: ${reason}: ${message}`;
      return { kind: "halt", message: text };
    }
    const { facts } = judgement;
    const certificates = state.blockCertificates(round, facts);
    if (certificates === undefined) continue;
    const { height, blockId } = facts;
    return { kind: "decision", decision: { height, round, blockId, facts, certificates } };
  }
  return undefined;
}
