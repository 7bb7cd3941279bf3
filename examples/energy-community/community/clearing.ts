/**
 * The community's market: in each hour, the homes with a surplus sell to those with a need.
 *
 * Where there is more on one side than on the other, that side shares: each home gets its part in
 * proportion to what it has or needs, in whole Wh, the last ones by the largest remainder. Then
 * sellers and buyers are walked through side by side, each pair trading what the smaller one has
 * left, which needs fewer trades than there are homes. Who stands first goes round with the hours,
 * so that nobody always gets the odd Wh.
 */

/** What a home's meter shows for the hour; one of the two is 0. */
export type Position = {
  readonly homeId: string;
  readonly importedWh: number;
  readonly exportedWh: number;
};

export type Trade = {
  readonly sellerId: string;
  readonly buyerId: string;
  /** At least 1. */
  readonly energyWh: number;
};

type Share = { readonly homeId: string; readonly energyWh: number };

/**
 * The trades of one hour: each pair of homes at most once. `turn` says which home stands first;
 * the same positions and turn always give the same trades.
 */
export function clearHour(positions: readonly Position[], turn: number): readonly Trade[] {
  const first = positions.length === 0 ? 0 : turn % positions.length;
  const order = [...positions.slice(first), ...positions.slice(0, first)];
  const surpluses = order
    .map(({ homeId, exportedWh }) => ({ homeId, energyWh: exportedWh }))
    .filter(({ energyWh }) => energyWh > 0);
  const needs = order
    .map(({ homeId, importedWh }) => ({ homeId, energyWh: importedWh }))
    .filter(({ energyWh }) => energyWh > 0);
  const tradedWh = Math.min(sumOf(surpluses), sumOf(needs));
  return matched(inProportion(surpluses, tradedWh), inProportion(needs, tradedWh));
}

/** Shares `totalWh` out in proportion; nobody gets more than it has or needs. */
function inProportion(wanted: readonly Share[], totalWh: number): readonly Share[] {
  const sumWh = BigInt(sumOf(wanted));
  if (sumWh === 0n) return [];
  const parts = wanted.map((share) => {
    // The product of two sums may be larger than a double holds.
    const product = BigInt(share.energyWh) * BigInt(totalWh);
    return { ...share, energyWh: Number(product / sumWh), remainder: product % sumWh };
  });
  const left = totalWh - sumOf(parts);
  // The sort is stable: of equal remainders the first in the order of the hour gets it.
  const byRemainder = parts.toSorted((a, b) => compare(b.remainder, a.remainder));
  const rounded = new Set(byRemainder.slice(0, left));
  return parts.map((part) => ({
    homeId: part.homeId,
    energyWh: part.energyWh + (rounded.has(part) ? 1 : 0),
  }));
}

/** Both sides have the same sum. */
function matched(sellers: readonly Share[], buyers: readonly Share[]): readonly Trade[] {
  const trades: Trade[] = [];
  const left = buyers.map((buyer) => ({ ...buyer }));
  let next = 0;
  for (const seller of sellers) {
    let toSellWh = seller.energyWh;
    while (toSellWh > 0) {
      const buyer = left[next];
      if (buyer === undefined) break;
      const energyWh = Math.min(toSellWh, buyer.energyWh);
      if (energyWh > 0) trades.push({ sellerId: seller.homeId, buyerId: buyer.homeId, energyWh });
      toSellWh -= energyWh;
      buyer.energyWh -= energyWh;
      if (buyer.energyWh === 0) next += 1;
    }
  }
  return trades;
}

function sumOf(shares: readonly Share[]): number {
  return shares.reduce((sum, { energyWh }) => sum + energyWh, 0);
}

function compare(a: bigint, b: bigint): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
