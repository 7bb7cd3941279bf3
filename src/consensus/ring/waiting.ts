/**
 * What a height waits for, with names: for an operator who has to find out why the ring stands
 * still, and whom to call. It is computed from what the manager knows at that moment.
 */
import { toHex } from "../../base/bytes.js";
import type { BlockFacts } from "../../ledger/blocks/block-facts.js";
import type { HeightState } from "../height/height-state.js";
import type { BlockKey, RingStep } from "./events.js";

/** Storage nodes that are named at most. */
export const attestationsNamedMax = 100;
/** Names of one kind that the text holds at most. */
const namesInTextMax = 5;

export type RingWaiting = {
  readonly height: number;
  readonly round: number;
  readonly step: RingStep;
  /** Time in the step. */
  readonly stepMs: number;
  /** Time since the height was started. */
  readonly heightMs: number;
  /** The block, in hex, that ACCEPTs or attestations are missing for. */
  readonly block?: BlockKey;
  /** The round's proposer, while no proposal has come. */
  readonly missingProposer?: string;
  /** Managers whose ACCEPT is missing for the latest block that Q managers approve. */
  readonly missingAccepts: readonly string[];
  /** Managers whose APPROVE in this round is missing, while fewer than Q have come. */
  readonly missingApprovals: readonly string[];
  /** Managers whose COMMIT in this round is missing, while fewer than Q have come. */
  readonly missingCommits: readonly string[];
  /** Members of this round's committee whose attestation is missing, at most 100. */
  readonly missingAttestations: readonly string[];
};

type PlaceInTime = {
  readonly round: number;
  readonly step: RingStep;
  readonly stepMs: number;
  readonly heightMs: number;
};

/** What the height waits for at a place in time that is not idle. */
export function waitingFor(state: HeightState, place: PlaceInTime): RingWaiting {
  const { round, step } = place;
  const { votes, quorum, context } = state;
  const { height, members } = context;
  const managerIds = members.managers.map(({ managerId }) => managerId);
  const missingOf = (voted: ReadonlySet<string>) =>
    voted.size >= quorum ? [] : managerIds.filter((id) => !voted.has(id));
  const isProposed = step !== "propose" || state.proposals.has(round);
  const polka = latestPolka(state);
  const accepted = polka && votes.accepts(toHex(polka.facts.blockId));
  const missingAccepts = polka?.facts.requiredAccepts.filter((id) => !accepted?.has(id)) ?? [];
  const missingAttestations = polka === undefined ? [] : attestationsMissing(state, polka, round);
  const isForBlock = missingAccepts.length > 0 || missingAttestations.length > 0;
  return {
    ...place,
    height,
    ...(isForBlock && polka !== undefined ? { block: toHex(polka.facts.blockId) } : {}),
    ...(isProposed ? {} : { missingProposer: members.proposer(height, round) }),
    missingAccepts,
    missingApprovals: step === "approve" ? missingOf(votes.approvers(round)) : [],
    missingCommits: step === "commit" ? missingOf(votes.committers(round)) : [],
    missingAttestations,
  };
}

type Polka = { readonly round: number; readonly facts: BlockFacts };

/** Of the blocks that this manager knows to be accurate. */
function latestPolka(state: HeightState): Polka | undefined {
  let latest: Polka | undefined;
  for (const { round, block } of state.votes.blocksApprovedBy(state.quorum)) {
    const facts = state.factsOf(block);
    if (facts !== undefined && round >= (latest?.round ?? 0)) latest = { round, facts };
  }
  return latest;
}

/** Of the current round's committee; none while ACCEPTs are missing, or when there are enough. */
function attestationsMissing(state: HeightState, polka: Polka, round: number): readonly string[] {
  const { facts } = polka;
  if (polka.round !== round || facts.leafCount === 0) return [];
  if (state.unanimousAccepts(facts) === undefined) return [];
  if (state.verified(facts, round) !== undefined) return [];
  const attested = state.attestations.of(round, toHex(facts.blockId));
  const nodeIds = new Set(attested.map(({ nodeId }) => nodeId));
  const missing = state.committee(facts, round).filter((id) => !nodeIds.has(id));
  return missing.slice(0, attestationsNamedMax);
}

/**
 * One line for people: "ACCEPT of manager-3 for block 7f2a61c0… since 12 s (height 812, round 3,
 * step approve)".
 */
export function waitingText(waiting: RingWaiting): string {
  const { height, round, step, heightMs, block, missingProposer } = waiting;
  const { missingAccepts, missingApprovals, missingCommits, missingAttestations } = waiting;
  const ofBlock = block === undefined ? "" : ` for block ${block.slice(0, 8)}…`;
  const parts = [
    named("ACCEPT of", missingAccepts, ofBlock),
    named("the proposal of", missingProposer === undefined ? [] : [missingProposer]),
    named("APPROVE of", missingApprovals),
    named("attestation of", missingAttestations, ofBlock),
    named("COMMIT of", missingCommits),
  ].flat();
  const what = parts.length > 0 ? parts.join(", and ") : "nobody: the step ends by itself,";
  const seconds = Math.round(heightMs / 1_000);
  return `${what} since ${seconds} s (height ${height}, round ${round}, step ${step})`;
}

function named(what: string, ids: readonly string[], suffix = ""): readonly string[] {
  if (ids.length === 0) return [];
  const more = ids.length - namesInTextMax;
  const names = ids.slice(0, namesInTextMax).join(", ");
  return [`${what} ${names}${more > 0 ? ` and ${more} more` : ""}${suffix}`];
}
