/** Checks of what became of records. */
import { type Book, describePlace, samePlace } from "../book.js";
import type { Listing, NodeLedger } from "../findings.js";

/** The first few are named; the rest is counted. */
const namedMax = 5;

/** Every acknowledged record is on the node once, where its answer said. */
export function checkAcknowledged(
  acknowledged: Book["acknowledged"],
  { id, blocks }: NodeLedger,
): readonly string[] {
  const places = new Map<string, { height: number; position: number; blockId: string }>();
  const wrong: string[] = [];
  let position = 0;
  for (const { height, blockId, leaves } of blocks) {
    for (const hash of leaves) {
      const place = { height, position, blockId };
      const before = places.get(hash);
      if (before !== undefined) {
        wrong.push(
          `${id}: record ${hash} is there twice: ${describePlace(before)}; ${describePlace(place)}`,
        );
      }
      places.set(hash, place);
      position += 1;
    }
  }
  for (const [hash, promised] of acknowledged) {
    const place = places.get(hash);
    if (place === undefined && promised.height > blocks.length) {
      wrong.push(
        `${id}, at height ${blocks.length}: ${hash} is missing, ${describePlace(promised)}`,
      );
    } else if (place === undefined) {
      wrong.push(`${id}: acknowledged record ${hash} is lost (${describePlace(promised)})`);
    } else if (!samePlace(place, promised)) {
      const said = describePlace(promised);
      wrong.push(`${id}: record ${hash} is at ${describePlace(place)}, acknowledged at ${said}`);
    }
  }
  return abridged(wrong);
}

/** How many acknowledged records no ledger has. */
export function countLost(
  acknowledged: Book["acknowledged"],
  ledgers: readonly NodeLedger[],
): number {
  const kept = new Set(ledgers.flatMap(({ blocks }) => blocks.flatMap(({ leaves }) => leaves)));
  return [...acknowledged.keys()].filter((hash) => !kept.has(hash)).length;
}

/** Everything on the ledger was made by a participant. */
export function checkOrigin(made: Book["made"], { id, blocks }: NodeLedger): readonly string[] {
  const strangers = blocks.flatMap(({ leaves }) => leaves.filter((hash) => !made.has(hash)));
  return abridged(strangers.map((hash) => `${id}: nobody made record ${hash}`));
}

/** A manager lists each record on the ledger once, at its place, with the bytes that were made. */
export function checkListing(
  { nodeId, records }: Listing,
  { blocks }: NodeLedger,
): readonly string[] {
  const onLedger = new Map<string, string>();
  let position = 0;
  for (const { height, leaves } of blocks) {
    for (const hash of leaves) onLedger.set(hash, `${height}/${position++}`);
  }
  const wrong: string[] = [];
  for (const { hash, height, position: place, asMade } of records) {
    const expected = onLedger.get(hash);
    if (expected === undefined) wrong.push(`${nodeId} lists ${hash} twice, or from nowhere`);
    else if (expected !== `${height}/${place}`) wrong.push(`${nodeId} misplaces ${hash}`);
    if (!asMade) wrong.push(`${nodeId}: the content of ${hash} is not what was made`);
    onLedger.delete(hash);
  }
  for (const hash of onLedger.keys()) wrong.push(`${nodeId} does not list ${hash}`);
  return abridged(wrong);
}

/** No seller has sold more in an hour than it exported. */
export function checkSales({ nodeId, records }: Listing, exportedWh: number): readonly string[] {
  const sold = new Map<string, number>();
  for (const { trade } of records) {
    if (trade === undefined) continue;
    const key = `${trade.sellerId} in the hour from ${trade.deliveryStartS}`;
    sold.set(key, (sold.get(key) ?? 0) + trade.energyWh);
  }
  const double = [...sold].filter(([, energyWh]) => energyWh > exportedWh);
  return double.map(([who, energyWh]) => `${nodeId}: ${who} sold ${energyWh} of ${exportedWh} Wh`);
}

/** No version has been updated twice. */
export function checkVersions({ nodeId, records }: Listing): readonly string[] {
  const parents = records.map(({ parent }) => parent).filter((parent) => parent !== "");
  const seen = new Set<string>();
  const double = parents.filter((parent) => seen.has(parent) || !seen.add(parent));
  return abridged(double.map((parent) => `${nodeId}: ${parent} has two successors`));
}

/** No interval of a meter has values from two records of which neither has been updated. */
export function checkIntervals({ nodeId, records }: Listing): readonly string[] {
  const updated = new Set(records.map(({ parent }) => parent));
  const standing = records.filter(({ hash }) => !updated.has(hash));
  const intervals = standing.flatMap(({ measured }) =>
    (measured?.startsS ?? []).map((startS) => `${measured?.meterId} at ${startS}`),
  );
  const seen = new Set<string>();
  const double = intervals.filter((interval) => seen.has(interval) || !seen.add(interval));
  return abridged(double.map((interval) => `${nodeId}: two values for ${interval}`));
}

function abridged(wrong: readonly string[]): readonly string[] {
  if (wrong.length <= namedMax) return wrong;
  return [...wrong.slice(0, namedMax), `and ${wrong.length - namedMax} more of these`];
}
