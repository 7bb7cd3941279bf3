/**
 * Energy that is sold twice at the same moment, at two managers: whatever happens to them, at most
 * one of the two trades may become final, because the seller exported enough for one only.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { energyTrade, meterReading, signTrade, tradeTerms } from "../../../src/client/index.js";
import type { Desk } from "./desk.js";
import { recordTimeMs } from "./desk.js";

const hourS = 3_600;
/** Measured in each hour, Wh. */
export const exportedWh = 1_000;
/** Sold by each of two trades, Wh: both together are more than there is. */
const soldWh = 700;

export type Party = { readonly desk: Desk; readonly meterId: string };

export async function sellTwice(seller: Party, buyer: Party): Promise<void> {
  const { ending, book, paceMs } = seller.desk.context;
  const firstS = Math.floor(Date.now() / 1000 / hourS) * hourS - 2 * hourS;
  for (let turn = 0; !ending.aborted; turn++) {
    const hour = firstS - turn * hourS;
    const measured = await Promise.all([
      measure(seller, hour, { importedWh: 0, exportedWh }),
      measure(buyer, hour, { importedWh: exportedWh, exportedWh: 0 }),
    ]);
    if (!measured.every(Boolean)) return;
    const fates = await Promise.all([
      trade(seller.desk, buyer.desk, hour, turn),
      trade(seller.desk, buyer.desk, hour, turn + 1),
    ]);
    const final = fates.filter((fate) => fate?.final === true).length;
    if (final > 1) book.violations.push(`both trades of hour ${hour} were acknowledged`);
    await sleep(paceMs);
  }
}

export function measure(
  { desk, meterId }: Party,
  intervalStartS: number,
  energy: { readonly importedWh: number; readonly exportedWh: number },
): Promise<boolean> {
  const interval = { intervalStartS, intervalS: hourS };
  const reading = meterReading({ ownerId: desk.id, meterId, ...interval, ...energy });
  return desk.mustSettle(desk.sign([reading]), `the reading of ${meterId} at ${intervalStartS}`);
}

export function trade(
  seller: Desk,
  buyer: Desk,
  deliveryStartS: number,
  turn: number,
  energyWh = soldWh,
) {
  const { consortiumId } = seller.client;
  const terms = tradeTerms({
    sellerId: seller.id,
    buyerId: buyer.id,
    energyWh,
    deliveryStartS,
    priceMicroPerKwh: 150_000,
  });
  const record = energyTrade({
    ownerId: seller.id,
    terms,
    timeMs: recordTimeMs(),
    sellerSignature: signTrade(consortiumId, terms, seller.client.profile.signingSeed),
    buyerSignature: signTrade(consortiumId, terms, buyer.client.profile.signingSeed),
  });
  return seller.settle(seller.at(turn), seller.sign([record]));
}
