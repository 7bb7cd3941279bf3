/**
 * A third of the storage nodes is silent: how many rounds until a block is final?
 *
 * Each round draws its own committee of c = ⌊2X/3⌋+1, and needs ⌊2c/3⌋+1 of it. So a round succeeds
 * with the chance p that enough of the others are drawn, and the number of rounds is geometric: 1/p
 * in expectation. Measured with the draw of the ledger, over many beacons, against p computed
 * exactly.
 */
import {
  committeeSize,
  drawCommittee,
  matchesNeeded,
} from "../../src/ledger/certificates/committee.js";
import { tailFrom } from "./hypergeometric.js";
import { seededRandom } from "./random.js";

export type Silence = { readonly nodes: number; readonly silent: number };

export type SilenceResult = Silence & {
  readonly committee: number;
  readonly needed: number;
  readonly blocks: number;
  /** Of the first rounds, how many found enough. */
  readonly firstRoundShare: number;
  /** Its exact chance. */
  readonly chance: number;
  readonly roundsMean: number;
  /** 1/p. */
  readonly roundsExpected: number;
  readonly roundsP99: number;
  readonly roundsMax: number;
};

const roundsLimit = 10_000;

export function measureSilence({ nodes, silent }: Silence, blocks: number): SilenceResult {
  const random = seededRandom(`silence/${nodes}/${silent}`);
  const eligible = nodeIds(nodes);
  const isSilent = new Set(random.shuffled(eligible).slice(0, silent));
  const committee = committeeSize(nodes);
  const needed = matchesNeeded(committee);
  const rounds: number[] = [];
  for (let block = 0; block < blocks; block++) {
    const beacon = random.bytes(64);
    let round = 0;
    while (round < roundsLimit && !attested(round)) round += 1;
    rounds.push(round + 1);

    function attested(inRound: number): boolean {
      const drawn = drawCommittee({ eligible, beacon, round: inRound });
      return drawn.filter((id) => !isSilent.has(id)).length >= needed;
    }
  }
  rounds.sort((a, b) => a - b);
  const chance = tailFrom({ population: nodes, marked: nodes - silent, drawn: committee }, needed);
  return {
    nodes,
    silent,
    committee,
    needed,
    blocks,
    chance,
    firstRoundShare: rounds.filter((each) => each === 1).length / blocks,
    roundsMean: rounds.reduce((sum, each) => sum + each, 0) / blocks,
    roundsExpected: 1 / chance,
    roundsP99: rounds[Math.floor(blocks * 0.99)] ?? 0,
    roundsMax: rounds.at(-1) ?? 0,
  };
}

export function nodeIds(count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => `storage-${i + 1}`);
}
