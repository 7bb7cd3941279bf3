/**
 * Committees of a fixed size c, drawn from however many nodes there are: the chance that a share β
 * of all nodes alone makes a certificate (⌊2c/3⌋+1 of c), and the chance that a round fails because
 * a share σ is silent. Both are tails of one hypergeometric distribution, and for every X at most
 * (Hoeffding 1963, theorems 1 and 4)
 *
 *     exp(−c · D(a‖β)),  D(a‖β) = a · ln(a/β) + (1−a) · ln((1−a)/(1−β)),  a = needed / c
 */
import { matchesNeeded } from "../../src/ledger/certificates/committee.js";
import { tailFrom } from "./hypergeometric.js";

export type SampleResult = {
  readonly nodes: number;
  readonly committee: number;
  readonly needed: number;
  /** log₂ of the chance that a third, or a half, of all nodes makes a certificate alone. */
  readonly forgedByThirdLog2: number;
  readonly forgedByHalfLog2: number;
  /** log₂ of the bound for a third. */
  readonly boundLog2: number;
  /** The chance that a round fails when a fifth, or a quarter, is silent. */
  readonly failsWithFifth: number;
  readonly failsWithQuarter: number;
};

export function measureSample(nodes: number, committee: number): SampleResult {
  const needed = matchesNeeded(committee);
  const forged = (share: number) => {
    const draw = { population: nodes, marked: Math.floor(nodes * share), drawn: committee };
    return Math.log2(tailFrom(draw, needed));
  };
  const fails = (share: number) => {
    const marked = Math.floor(nodes * share);
    return tailFrom({ population: nodes, marked, drawn: committee }, committee - needed + 1);
  };
  return {
    nodes,
    committee,
    needed,
    forgedByThirdLog2: forged(1 / 3),
    forgedByHalfLog2: forged(1 / 2),
    boundLog2: -(committee * divergence(needed / committee, 1 / 3)) / Math.LN2,
    failsWithFifth: fails(1 / 5),
    failsWithQuarter: fails(1 / 4),
  };
}

/** D(a‖β), in nats. */
export function divergence(a: number, b: number): number {
  return a * Math.log(a / b) + (1 - a) * Math.log((1 - a) / (1 - b));
}
