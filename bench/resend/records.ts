/**
 * What is sent once and then again: each kind of record that the ledger takes once only. A second
 * making has another salt, so it is another record that says the same.
 */
import {
  type BssClient,
  document,
  energyTrade,
  meterReading,
  recordHash,
  signTrade,
  tradeTerms,
} from "../../src/client/index.js";

export const hourS = 3_600;
/** Measured in each hour, Wh: sold once, it is gone. */
const energyWh = 400;

/** The last hour that has ended before the program began. */
const lastHourS = Math.floor(Date.now() / 1_000 / hourS) * hourS - 2 * hourS;

/** `count` hourly readings of the client's own meter, back from the hour `before` hours ago. */
export function readings(
  { profile: { id } }: BssClient,
  { before, count }: { readonly before: number; readonly count: number },
): readonly Uint8Array[] {
  return Array.from({ length: count }, (_, i) =>
    meterReading({
      ownerId: id,
      meterId: id.replace("participant", "meter"),
      intervalS: hourS,
      intervalStartS: lastHourS - (before + i) * hourS,
      importedWh: energyWh,
      exportedWh: energyWh,
    }),
  );
}

export type Parties = { readonly seller: BssClient; readonly buyer: BssClient };

/** Terms for all the energy that was measured in the hour `before` hours ago. */
export function termsOf({ seller, buyer }: Parties, before: number): Uint8Array {
  return tradeTerms({
    sellerId: seller.profile.id,
    buyerId: buyer.profile.id,
    energyWh,
    deliveryStartS: lastHourS - before * hourS,
    priceMicroPerKwh: 150_000,
  });
}

export function tradeOf({ seller, buyer }: Parties, terms: Uint8Array): Uint8Array {
  const { consortiumId } = seller;
  return energyTrade({
    ownerId: seller.profile.id,
    terms,
    timeMs: Date.now() - 60_000,
    sellerSignature: signTrade(consortiumId, terms, seller.profile.signingSeed),
    buyerSignature: signTrade(consortiumId, terms, buyer.profile.signingSeed),
  });
}

/** A version of a note, and with `parent` its successor. */
export function note(client: BssClient, parent?: Uint8Array): Uint8Array {
  return document({
    ownerId: client.profile.id,
    mediaType: "text/plain",
    name: "note",
    content: new Uint8Array(100),
    timeMs: Date.now() - 60_000,
    ...(parent === undefined ? {} : { parent: recordHash(client.consortiumId, parent) }),
  });
}
