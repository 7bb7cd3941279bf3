/**
 * Energy trades: between two registered participants, once, within the market's bounds, and never
 * more than was metered.
 */

import { boughtWithTrade, energySums, soldWithTrade } from "../records/energy.js";
import { isIntervalStart, startsAround } from "../records/market-grid.js";
import { isoTimeOfS } from "../times.js";
import { violation } from "../violation.js";
import type { Rule } from "./rule.js";

export const tradeHasTwoParties: Rule = {
  id: "trade-has-two-parties",
  demands: "Seller and buyer are two registered participants.",
  reasons: ["TRADE_PARTIES_EQUAL", "TRADE_PARTY_UNKNOWN"],
  check({ record: { payload }, state }) {
    if (payload.kind !== "energy-trade") return undefined;
    const { sellerId, buyerId } = payload;
    if (sellerId === buyerId) {
      const message = `${sellerId} would sell to itself.`;
      return violation("TRADE_PARTIES_EQUAL", message, "energy_trade.terms.buyer_id");
    }
    for (const [name, id] of [
      ["seller_id", sellerId],
      ["buyer_id", buyerId],
    ] as const) {
      if (state.participants.get(id) !== undefined) continue;
      const message = `No participant ${id} is registered.`;
      return violation("TRADE_PARTY_UNKNOWN", message, `energy_trade.terms.${name}`);
    }
    return undefined;
  },
};

export const tradeIsWithinBounds: Rule = {
  id: "trade-is-within-bounds",
  demands:
    "A trade's energy is positive, its delivery interval one of the market's, and its price within the market's bounds.",
  reasons: ["ENERGY_INVALID", "INTERVAL_INVALID", "PRICE_OUT_OF_BOUNDS"],
  check({ record: { payload }, policy }) {
    if (payload.kind !== "energy-trade") return undefined;
    const { energyWh, deliveryStartS, priceMicroPerKwh: price } = payload;
    if (energyWh === 0n) {
      return violation("ENERGY_INVALID", "No energy is sold.", "energy_trade.terms.energy_wh");
    }
    if (!isIntervalStart(deliveryStartS, policy.deliveryIntervalS, policy)) {
      const message = startsAround(deliveryStartS, policy.deliveryIntervalS, policy);
      const field = "energy_trade.terms.delivery_start_unix_s";
      return violation("INTERVAL_INVALID", message, field);
    }
    const { priceMinMicroPerKwh: min, priceMaxMicroPerKwh: max } = policy;
    if (price >= min && price <= max) return undefined;
    const message = `The price ${price} is not from ${min} to ${max}.`;
    return violation("PRICE_OUT_OF_BOUNDS", message, "energy_trade.terms.price_micro_per_kwh");
  },
};

export const tradeIsNew: Rule = {
  id: "trade-is-new",
  demands: "Terms that both parties signed once are recorded once: the trade id is new.",
  reasons: ["TRADE_REPEATED"],
  check({ record: { payload }, state }) {
    if (payload.kind !== "energy-trade") return undefined;
    if (state.trades.get(payload.tradeId) === undefined) return undefined;
    const message = "A trade with this id is on the ledger already.";
    return violation("TRADE_REPEATED", message, "energy_trade.terms.trade_id");
  },
};

export const tradeUpdateKeepsParties: Rule = {
  id: "trade-update-keeps-parties",
  demands: "An update of a trade keeps seller, buyer and delivery interval.",
  reasons: ["PARENT_KIND_MISMATCH"],
  check({ record: { payload, parent }, state }) {
    if (payload.kind !== "energy-trade" || parent === undefined) return undefined;
    const before = state.records.get(parent)?.trade;
    if (
      before?.buyerId === payload.buyerId &&
      before.deliveryStartUnixS === BigInt(payload.deliveryStartS)
    ) {
      return undefined;
    }
    const message = "An update keeps the buyer and the delivery interval of what it updates.";
    return violation("PARENT_KIND_MISMATCH", message, "parent");
  },
};

export const tradeIsCovered: Rule = {
  id: "trade-is-covered",
  demands:
    "In a delivery interval, a participant sells at most what its meters exported and buys at most what they imported.",
  reasons: ["DOUBLE_SPEND", "OVER_PURCHASE"],
  check({ record, state }) {
    const { payload } = record;
    if (payload.kind !== "energy-trade") return undefined;
    const { sellerId, buyerId, deliveryStartS, energyWh } = payload;
    const field = "energy_trade.terms.energy_wh";
    const start = isoTimeOfS(deliveryStartS);
    const seller = energySums(state, sellerId, deliveryStartS);
    if (soldWithTrade(state, record, payload) > seller.exportedWh) {
      const message =
        `${sellerId} exported ${seller.exportedWh} Wh in the interval from ${start} ` +
        `and has sold ${seller.soldWh} Wh; it would sell ${energyWh} Wh.`;
      return violation("DOUBLE_SPEND", message, field);
    }
    const buyer = energySums(state, buyerId, deliveryStartS);
    if (boughtWithTrade(state, record, payload) <= buyer.importedWh) return undefined;
    // The seller reads this; what the buyer's meters show and what it bought of others is private.
    const message =
      `${buyerId} would buy ${energyWh} Wh in the interval from ${start}, more than its meters ` +
      "imported and is not yet bought.";
    return violation("OVER_PURCHASE", message, field);
  },
};
