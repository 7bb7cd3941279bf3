/**
 * The managers' votes of one height, counted by distinct managers.
 *
 * Votes are kept per round and block. A manager that signs two blocks in one round is counted for
 * both: the certificates of others may hold either, and a double vote is evidence, which is kept.
 * Everything is bounded: rounds within a window around the current one, and a few blocks per
 * manager, kind and round.
 */
import { toHex } from "../../base/bytes.js";
import { type Vote, VoteKind } from "../../gen/bss/v1/vote_pb.js";
import { type BlockKey, nilBlock } from "../ring/events.js";

/**
 * Rounds ahead of the current one for which votes are kept; later ones count only for round skips.
 */
export const roundsAheadMax = 16;
/** Rounds behind the current one for which votes are kept. */
export const roundsBehindMax = 64;
/** Different blocks that one manager may vote for in one round before further ones are dropped. */
export const choicesPerRoundMax = 4;
/** Different blocks that one manager may accept at one height before its oldest one is dropped. */
export const acceptsPerManagerMax = 128;

type VoteAdded = "added" | "known" | "conflict" | "out-of-range";

type Choices = Map<BlockKey, Map<string, Vote>>;

export class VoteTally {
  readonly #approves = new Map<number, Choices>();
  readonly #commits = new Map<number, Choices>();
  readonly #accepts: Choices = new Map();
  readonly #acceptedBy = new Map<string, BlockKey[]>();
  readonly #highestRound = new Map<string, number>();

  /**
   * Counts a vote whose signature and shape are right. `fromCertificate` lifts the limit of
   * choices: a certificate that Q managers signed is bounded by itself.
   */
  add(vote: Vote, currentRound: number, fromCertificate = false): VoteAdded {
    if (vote.kind === VoteKind.ACCEPT) return this.#addAccept(vote);
    const highest = this.#highestRound.get(vote.managerId) ?? -1;
    if (vote.round > highest) this.#highestRound.set(vote.managerId, vote.round);
    const outside =
      vote.round > currentRound + roundsAheadMax || vote.round < currentRound - roundsBehindMax;
    if (outside && !fromCertificate) return "out-of-range";
    const rounds = vote.kind === VoteKind.APPROVE ? this.#approves : this.#commits;
    const choices = getOrCreate(rounds, vote.round, () => new Map());
    const block = toHex(vote.blockId);
    if (choices.get(block)?.has(vote.managerId)) return "known";
    let others = 0;
    for (const [key, votes] of choices) if (key !== block && votes.has(vote.managerId)) others++;
    if (others >= choicesPerRoundMax && !fromCertificate) return "out-of-range";
    getOrCreate(choices, block, () => new Map()).set(vote.managerId, vote);
    return others > 0 ? "conflict" : "added";
  }

  /** Later rounds in which `manager` has signed something count for round skips. */
  sawRound(managerId: string, round: number): void {
    const highest = this.#highestRound.get(managerId) ?? -1;
    if (round > highest) this.#highestRound.set(managerId, round);
  }

  /** The highest round in which at least `count` distinct managers, or later, have signed. */
  roundReachedBy(count: number): number {
    const rounds = [...this.#highestRound.values()].sort((a, b) => b - a);
    return rounds[count - 1] ?? -1;
  }

  approves(round: number, block: BlockKey): ReadonlyMap<string, Vote> {
    return this.#approves.get(round)?.get(block) ?? noVotes;
  }

  commits(round: number, block: BlockKey): ReadonlyMap<string, Vote> {
    return this.#commits.get(round)?.get(block) ?? noVotes;
  }

  accepts(block: BlockKey): ReadonlyMap<string, Vote> {
    return this.#accepts.get(block) ?? noVotes;
  }

  /** Managers that approved anything, nil included, in a round. */
  approvers(round: number): ReadonlySet<string> {
    return distinctVoters(this.#approves.get(round));
  }

  /** Managers that committed anything, nil included, in a round. */
  committers(round: number): ReadonlySet<string> {
    return distinctVoters(this.#commits.get(round));
  }

  /** Blocks, nil excluded, that at least `count` distinct managers approved, with the round. */
  blocksApprovedBy(count: number): readonly { round: number; block: BlockKey }[] {
    return blocksWith(this.#approves, count);
  }

  /** Blocks, nil excluded, that at least `count` distinct managers committed in one same round. */
  blocksCommittedBy(count: number): readonly { round: number; block: BlockKey }[] {
    return blocksWith(this.#commits, count);
  }

  /** Every vote kept for a round, and every ACCEPT. */
  votesOfRound(round: number): readonly Vote[] {
    const all: Vote[] = [];
    for (const choices of [this.#approves.get(round), this.#commits.get(round), this.#accepts]) {
      for (const votes of choices?.values() ?? []) all.push(...votes.values());
    }
    return all;
  }

  /** Forgets rounds that have fallen out of the window; `keepRound` stays. */
  prune(currentRound: number, keepRound: number): void {
    for (const rounds of [this.#approves, this.#commits]) {
      for (const round of rounds.keys()) {
        if (round < currentRound - roundsBehindMax && round !== keepRound) rounds.delete(round);
      }
    }
  }

  #addAccept(vote: Vote): VoteAdded {
    const block = toHex(vote.blockId);
    const votes = getOrCreate(this.#accepts, block, () => new Map<string, Vote>());
    if (votes.has(vote.managerId)) return "known";
    votes.set(vote.managerId, vote);
    const accepted = getOrCreate(this.#acceptedBy, vote.managerId, () => []);
    accepted.push(block);
    if (accepted.length > acceptsPerManagerMax) {
      const oldest = accepted.shift() ?? nilBlock;
      const rest = this.#accepts.get(oldest);
      rest?.delete(vote.managerId);
      if (rest?.size === 0) this.#accepts.delete(oldest);
    }
    return "added";
  }
}

const noVotes: ReadonlyMap<string, Vote> = new Map();

function getOrCreate<K, V>(map: Map<K, V>, key: K, create: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = create();
    map.set(key, value);
  }
  return value;
}

function distinctVoters(choices: Choices | undefined): ReadonlySet<string> {
  const voters = new Set<string>();
  for (const votes of choices?.values() ?? []) for (const id of votes.keys()) voters.add(id);
  return voters;
}

function blocksWith(rounds: ReadonlyMap<number, Choices>, count: number) {
  const found: { round: number; block: BlockKey }[] = [];
  for (const [round, choices] of rounds) {
    for (const [block, votes] of choices) {
      if (block !== nilBlock && votes.size >= count) found.push({ round, block });
    }
  }
  return found;
}
