/** Energy trades on the command line. */
import { fromBinary } from "@bufbuild/protobuf";
import { equalBytes, toHex } from "../../base/bytes.js";
import {
  energyTrade as energyTradeBytes,
  signTrade,
  tradeTerms,
} from "../../client/submit/records.js";
import {
  type EnergyTrade,
  RecordSchema,
  type TradeTerms,
  TradeTermsSchema,
} from "../../gen/bss/v1/record_pb.js";
import { tradeIdBytes } from "../../ledger/kinds/energy-trade.js";
import { strictDecode } from "../../ledger/strict-decode.js";
import { RowProblem } from "../sending/row-problem.js";
import type { Cells } from "../submit/input/cell-values.js";
import { CliError } from "../text/cli-error.js";
import {
  type CliKind,
  energyColumns,
  energyFields,
  partsOf,
  type RowContext,
  type RowKind,
  sharedColumns,
  unclearTimes,
} from "./kind.js";

const priceFields = ["price_micro_per_kwh", "price_per_kwh"];

const rows: RowKind = {
  help: [
    "buyer, start, energy_wh | energy_kwh, price_micro_per_kwh | price_per_kwh;",
    "seller (the profile's id), recorded_at (now), trade_id (random), parent",
  ],
  columns: {
    seller: ["seller", "seller_id"],
    buyer: ["buyer", "buyer_id"],
    start: ["start", "delivery_start", "delivery_start_unix_s"],
    ...energyColumns,
    price_micro_per_kwh: ["price_micro_per_kwh"],
    price_per_kwh: ["price_per_kwh"],
    trade_id: ["trade_id"],
    terms: ["terms"],
    seller_signature: ["seller_signature"],
    buyer_signature: ["buyer_signature"],
    ...sharedColumns,
  },
  times: ["start", "recorded_at"],
  alternatives: [energyFields, priceFields],
  summable: energyFields,
  ambiguous: { names: unclearTimes, fields: ["start"] },
  required: [
    ["terms", "buyer"],
    ["terms", "start"],
    ["terms", ...energyFields],
    ["terms", ...priceFields],
  ],
  build: (cells, context) => tradeOf(termsOf(cells, context), cells, context),
  rebuild: (record, cells, context) => {
    const { payload } = fromBinary(RecordSchema, record);
    if (payload.case !== "energyTrade") return undefined;
    // With the same terms: their trade id keeps the trade from counting twice.
    return tradeOf(payload.value.terms, cells, context);
  },
};

export const energyTrade: CliKind<EnergyTrade> = {
  inputName: "trades",
  noun: "trade",
  isSubmitted: true,
  rows,
  isTimedByClock: true,
  summary(trade) {
    const { sellerId, buyerId, energyWh } = termsIn(trade);
    return `trade: ${sellerId} sold ${energyWh} Wh to ${buyerId}`;
  },
  fields(trade) {
    const terms = termsIn(trade);
    return [
      ["trade_id", toHex(terms.tradeId)],
      ["seller_id", terms.sellerId],
      ["buyer_id", terms.buyerId],
      ["delivery_start_unix_s", Number(terms.deliveryStartUnixS)],
      ["energy_wh", Number(terms.energyWh)],
      ["price_micro_per_kwh", Number(terms.priceMicroPerKwh)],
    ];
  },
};

/** The terms come from a server, so their lengths are checked before they are decoded. */
function termsIn({ terms }: EnergyTrade): TradeTerms {
  const decoded = strictDecode(TradeTermsSchema, terms);
  if (decoded.ok) return decoded.value;
  const what = `the terms of a trade do not decode: ${decoded.error}`;
  throw new CliError(what, "ask another manager");
}

function tradeOf(terms: Uint8Array, cells: Cells, context: RowContext): Uint8Array {
  const { sellerId, buyerId } = decodedTerms(terms);
  const { ownerId: _, timeMs = context.nowMs, ...parts } = partsOf(cells, context);
  return energyTradeBytes({
    ...parts,
    ownerId: sellerId,
    timeMs,
    terms,
    sellerSignature: signatureOf("seller", sellerId, terms, cells, context),
    buyerSignature: signatureOf("buyer", buyerId, terms, cells, context),
  });
}

/** The signed terms that the row gives, or terms made of its other values. */
function termsOf(cells: Cells, context: RowContext): Uint8Array {
  if (cells.has("terms")) {
    const terms = cells.bytes("terms");
    refuseContradiction(decodedTerms(terms), cells);
    return terms;
  }
  return tradeTerms({
    sellerId: cells.idOr("seller", context.submitterId),
    buyerId: cells.id("buyer"),
    deliveryStartS: cells.timeS("start"),
    energyWh: cells.energyWh("energy"),
    priceMicroPerKwh: cells.priceMicroPerKwh(),
    ...(cells.has("trade_id") ? { tradeId: cells.bytes("trade_id", tradeIdBytes) } : {}),
  });
}

/** Values that a row gives beside signed terms must agree with them. */
function refuseContradiction(terms: TradeTerms, cells: Cells): void {
  const claims: readonly (readonly [fields: readonly string[], isTrue: () => boolean])[] = [
    [["seller"], () => cells.id("seller") === terms.sellerId],
    [["buyer"], () => cells.id("buyer") === terms.buyerId],
    [["start"], () => BigInt(cells.timeS("start")) === terms.deliveryStartUnixS],
    [energyFields, () => cells.energyWh("energy") === terms.energyWh],
    [priceFields, () => cells.priceMicroPerKwh() === terms.priceMicroPerKwh],
    [["trade_id"], () => equalBytes(cells.bytes("trade_id", tradeIdBytes), terms.tradeId)],
  ];
  for (const [fields, isTrue] of claims) {
    const field = fields.find((each) => cells.has(each));
    if (field === undefined || isTrue()) continue;
    throw new RowProblem("says something else than the signed terms", cells.columnOf(field));
  }
}

function decodedTerms(terms: Uint8Array): TradeTerms {
  try {
    return fromBinary(TradeTermsSchema, terms);
  } catch {
    throw new RowProblem("is not the bytes of a bss.v1.TradeTerms in hex", "terms");
  }
}

/** A party's signature: from the row, or made here when the party's profile is at hand. */
function signatureOf(
  party: "seller" | "buyer",
  id: string,
  terms: Uint8Array,
  cells: Cells,
  { signingSeeds, consortiumId }: RowContext,
): Uint8Array {
  const field = `${party}_signature`;
  if (cells.has(field)) {
    // Terms that are made here have a new trade id, which nobody can have signed before.
    if (cells.has("terms")) return cells.bytes(field, 64);
    throw new RowProblem("a signature needs the terms that were signed, in a column terms", field);
  }
  const seed = signingSeeds.get(id);
  if (seed !== undefined) return signTrade(consortiumId, terms, seed);
  const message =
    `the ${party} ${id} has not signed: give its profile with --counterparty-profile, ` +
    `or columns terms and ${field}`;
  throw new RowProblem(message, party);
}
