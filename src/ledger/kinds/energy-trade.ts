/**
 * Energy trades: between two registered participants, once, within the market's bounds, and never
 * more than was metered.
 */
import { fromBinary } from "@bufbuild/protobuf";
import { defined } from "../../base/assert.js";
import { ok, type Result } from "../../base/result.js";
import { ed25519SignatureBytes } from "../../crypto/ed25519.js";
import { domain, taggedHash } from "../../crypto/hash.js";
import { RecordKind as StoredKind } from "../../gen/bss/store/v1/state_pb.js";
import { type EnergyTrade, TradeTermsSchema } from "../../gen/bss/v1/record_pb.js";
import type { SignatureCheck } from "../certificates/signature-check.js";
import { isId } from "../ids.js";
import type { RecordPlace } from "../state/record-state.js";
import type { StateReads, StateTables } from "../state/state-tables.js";
import type { WindowSlot } from "../state/windows.js";
import { strictDecode } from "../strict-decode.js";
import { isoTimeOfMs, isoTimeOfS, isUnixSeconds, spanSMax } from "../times.js";
import { refuse, type Violation, violation } from "../violation.js";
import { energySums, energyWhMax, putEnergySums, useOfDelivery } from "./energy.js";
import type { Kept, ParseContext, RecordKind, RecordOf, Rule, SignatureRule } from "./kind.js";
import { deliverySlotOf, isIntervalStart, startsAround } from "./market-grid.js";

export type TradePayload = {
  readonly kind: "energyTrade";
  /** The exact bytes that both parties signed. */
  readonly termsBytes: Uint8Array;
  /** 16 bytes. */
  readonly tradeId: Uint8Array;
  readonly sellerId: string;
  readonly buyerId: string;
  /** Unix s, not negative; whether it is aligned is a rule. */
  readonly deliveryStartS: number;
  /** Where the state keeps the sums of the delivery interval. */
  readonly deliveryAt: WindowSlot;
  /** At most `energyWhMax`. */
  readonly energyWh: number;
  readonly priceMicroPerKwh: bigint;
  readonly sellerSignature: Uint8Array;
  readonly buyerSignature: Uint8Array;
};

export const tradeIdBytes = 16;

/** What both parties of a trade sign: SHA-256("bss/v1/trade" ‖ consortium_id ‖ terms), 32 bytes. */
export function tradeDigest(consortiumId: Uint8Array, termsBytes: Uint8Array): Uint8Array {
  return taggedHash(domain.trade, consortiumId, termsBytes);
}

const tradeHasTwoParties: Rule<TradePayload> = {
  id: "trade-has-two-parties",
  demands: "Seller and buyer are two registered participants.",
  reasons: ["TRADE_PARTIES_EQUAL", "TRADE_PARTY_UNKNOWN"],
  check({ record: { payload }, state }) {
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

const tradeIsWithinBounds: Rule<TradePayload> = {
  id: "trade-is-within-bounds",
  demands:
    "A trade's energy is positive, its delivery interval one of the market's, and its price within the market's bounds.",
  reasons: ["ENERGY_INVALID", "INTERVAL_INVALID", "PRICE_OUT_OF_BOUNDS"],
  check({ record: { payload }, policy }) {
    const { energyWh, deliveryStartS, priceMicroPerKwh: price } = payload;
    if (energyWh === 0) {
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

const tradeIsNew: Rule<TradePayload> = {
  id: "trade-is-new",
  demands: "Terms that both parties signed once are recorded once: the trade id is new.",
  reasons: ["TRADE_REPEATED"],
  check({ record: { payload }, state }) {
    if (state.trades.get(payload.tradeId) === undefined) return undefined;
    const message = "A trade with this id is on the ledger already.";
    return violation("TRADE_REPEATED", message, "energy_trade.terms.trade_id");
  },
};

const tradeUpdateKeepsParties: Rule<TradePayload> = {
  id: "trade-update-keeps-parties",
  demands: "An update of a trade keeps seller, buyer and delivery interval.",
  reasons: ["PARENT_KIND_MISMATCH"],
  check({ record: { payload, parent }, state }) {
    if (parent === undefined) return undefined;
    const before = state.records.get(parent)?.trade;
    if (
      before !== undefined &&
      before.buyerNumber === state.participants.get(payload.buyerId)?.number &&
      before.deliveryStartS === payload.deliveryStartS
    ) {
      return undefined;
    }
    const message = "An update keeps the buyer and the delivery interval of what it updates.";
    return violation("PARENT_KIND_MISMATCH", message, "parent");
  },
};

const tradeIsCovered: Rule<TradePayload> = {
  id: "trade-is-covered",
  demands:
    "In a delivery interval, a participant sells at most what its meters exported and buys at most what they imported.",
  reasons: ["DOUBLE_SPEND", "OVER_PURCHASE"],
  check({ record, state }) {
    const { payload } = record;
    const { sellerId, buyerId, deliveryStartS, deliveryAt, energyWh } = payload;
    const field = "energy_trade.terms.energy_wh";
    const seller = energySums(state, sellerId, deliveryAt);
    if (soldWithTrade(state, record) > seller.exportedWh) {
      const start = isoTimeOfS(deliveryStartS);
      const message =
        `${sellerId} exported ${seller.exportedWh} Wh in the interval from ${start} ` +
        `and has sold ${seller.soldWh} Wh; it would sell ${energyWh} Wh.`;
      return violation("DOUBLE_SPEND", message, field);
    }
    const buyer = energySums(state, buyerId, deliveryAt);
    if (boughtWithTrade(state, record) <= buyer.importedWh) return undefined;
    // The seller reads this message, so it tells neither what the buyer's meters show nor what the
    // buyer bought of others.
    const start = isoTimeOfS(deliveryStartS);
    const message =
      `${buyerId} would buy ${energyWh} Wh in the interval from ${start}, more than its meters ` +
      "imported and it has not bought yet.";
    return violation("OVER_PURCHASE", message, field);
  },
};

const tradeIsSigned: SignatureRule<TradePayload> = {
  id: "trade-is-signed",
  demands:
    "The seller's and the buyer's signatures over the terms verify under their registered keys.",
  reasons: ["TRADE_SIGNATURE_INVALID"],
  checks({ payload, hashHex }, consortiumId, state) {
    const digest = tradeDigest(consortiumId, payload.termsBytes);
    const checks: SignatureCheck[] = [];
    for (const [role, id, signature] of [
      ["seller", payload.sellerId, payload.sellerSignature],
      ["buyer", payload.buyerId, payload.buyerSignature],
    ] as const) {
      const publicKey = state.participants.get(id)?.signingKey;
      if (publicKey === undefined) {
        const message = `No participant ${id} is registered.`;
        return refuse("TRADE_PARTY_UNKNOWN", message, `energy_trade.terms.${role}_id`);
      }
      const broken = violation(
        "TRADE_SIGNATURE_INVALID",
        `The ${role}'s signature is not ${id}'s.`,
        `energy_trade.${role}_signature`,
      );
      if (signature.length !== ed25519SignatureBytes) return { ok: false, error: broken };
      const what = `trade terms of record ${hashHex} by its ${role} ${id}`;
      checks.push({ publicKey, digest, signature, what, violation: broken });
    }
    return ok(checks);
  },
};

export const energyTrade: RecordKind<EnergyTrade, TradePayload> = {
  label: "energy-trade",
  stored: StoredKind.ENERGY_TRADE,
  parse,
  rules: [
    tradeHasTwoParties,
    tradeIsWithinBounds,
    tradeIsNew,
    tradeUpdateKeepsParties,
    tradeIsCovered,
  ],
  signatureRules: [tradeIsSigned],
  whyTooEarly({ deliveryStartS }, timeMs) {
    if (timeMs >= (deliveryStartS - spanSMax) * 1000) return undefined;
    return (
      `The time ${isoTimeOfMs(timeMs)} is more than 366 days before the delivery, ` +
      `${isoTimeOfS(deliveryStartS)}.`
    );
  },
  addStateKeys({ payload: { buyerId, tradeId } }, list) {
    list.participant(buyerId);
    list.trade(tradeId);
  },
  energy: ({ payload }) => [
    useOfDelivery(payload.sellerId, payload, "sold"),
    useOfDelivery(payload.buyerId, payload, "bought"),
  ],
  apply,
  intervals: () => 0,
  decodedBytes: () => 0,
  parties: ({ terms }) => [fromBinary(TradeTermsSchema, terms).buyerId],
  meterIds: () => [],
};

/** Refuses with RECORD_MALFORMED, INTERVAL_INVALID or ENERGY_INVALID. */
function parse(
  trade: EnergyTrade,
  { ownerId, grid }: ParseContext,
): Result<TradePayload, Violation> {
  const decoded = strictDecode(TradeTermsSchema, trade.terms);
  if (!decoded.ok) {
    return refuse(
      "RECORD_MALFORMED",
      `The terms do not decode: ${decoded.error}.`,
      "energy_trade.terms",
    );
  }
  const terms = decoded.value;
  const malformed = (name: string, message: string) =>
    refuse("RECORD_MALFORMED", message, `energy_trade.terms.${name}`);
  if (terms.tradeId.length !== tradeIdBytes) {
    return malformed("trade_id", "A trade id has 16 bytes.");
  }
  if (!isId(terms.buyerId)) return malformed("buyer_id", "The buyer id is not an id.");
  if (terms.sellerId !== ownerId) {
    return malformed(
      "seller_id",
      `The record's owner is ${ownerId}, the seller ${terms.sellerId}.`,
    );
  }
  if (!isUnixSeconds(terms.deliveryStartUnixS)) {
    return refuse(
      "INTERVAL_INVALID",
      "The delivery interval's start is out of range.",
      "energy_trade.terms.delivery_start_unix_s",
    );
  }
  if (terms.energyWh > energyWhMax) {
    return refuse("ENERGY_INVALID", "The energy is out of range.", "energy_trade.terms.energy_wh");
  }
  const deliveryStartS = Number(terms.deliveryStartUnixS);
  return ok({
    kind: "energyTrade",
    termsBytes: trade.terms,
    tradeId: terms.tradeId,
    sellerId: terms.sellerId,
    buyerId: terms.buyerId,
    deliveryStartS,
    deliveryAt: deliverySlotOf(deliveryStartS, grid),
    energyWh: Number(terms.energyWh),
    priceMicroPerKwh: terms.priceMicroPerKwh,
    sellerSignature: trade.sellerSignature,
    buyerSignature: trade.buyerSignature,
  });
}

/** What the seller has sold when the trade replaces the one that it updates, Wh. */
function soldWithTrade(state: StateReads, record: RecordOf<TradePayload>): number {
  const trade = record.payload;
  const { soldWh } = energySums(state, trade.sellerId, trade.deliveryAt);
  return soldWh - replacedWh(state, record) + trade.energyWh;
}

/** What the buyer has bought when the trade replaces the one that it updates, Wh. */
function boughtWithTrade(state: StateReads, record: RecordOf<TradePayload>): number {
  const trade = record.payload;
  const { boughtWh } = energySums(state, trade.buyerId, trade.deliveryAt);
  return boughtWh - replacedWh(state, record) + trade.energyWh;
}

function replacedWh(state: StateReads, { parent }: RecordOf<TradePayload>): number {
  if (parent === undefined) return 0;
  return state.records.get(parent)?.trade?.energyWh ?? 0;
}

function apply(
  tables: StateTables,
  record: RecordOf<TradePayload>,
  { position }: RecordPlace,
): Kept {
  const { sellerId, buyerId, deliveryStartS, deliveryAt, energyWh, tradeId } = record.payload;
  const seller = energySums(tables, sellerId, deliveryAt);
  const soldWh = soldWithTrade(tables, record);
  putEnergySums(tables, sellerId, deliveryAt, { ...seller, soldWh });
  const buyer = energySums(tables, buyerId, deliveryAt);
  const boughtWh = boughtWithTrade(tables, record);
  putEnergySums(tables, buyerId, deliveryAt, { ...buyer, boughtWh });
  tables.trades.put([tradeId], position);
  const party = defined(tables.participants.get(buyerId), "an accurate trade has a buyer");
  return {
    trade: { buyerNumber: party.number, deliveryStartS, energyWh },
  };
}
