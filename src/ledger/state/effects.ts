/**
 * What a record that keeps all rules does to the state: it becomes known by its hash, its parent
 * gets it as successor, a reading stands for its interval, and the sums of the participants change.
 */
import { create } from "@bufbuild/protobuf";
import { assert, defined } from "../../base/assert.js";
import { emptyBytes } from "../../base/bytes.js";
import {
  EnergyStateSchema,
  ReadingStateSchema,
  RecordStateSchema,
  type TradeEffect,
  TradeEffectSchema,
  TradeStateSchema,
} from "../../gen/bss/store/v1/state_pb.js";
import {
  boughtWithTrade,
  type EnergySums,
  energySums,
  soldWithTrade,
  sumsWithReading,
} from "../records/energy.js";
import type { ReadingPayload, TradePayload } from "../records/payloads.js";
import { recordKindOf } from "../records/record-kind.js";
import type { ParsedRecord } from "../records/records.js";
import type { StateTables } from "./state-tables.js";

/** Where a record stands: its block, and its index in the Merkle log. */
export type RecordPlace = { readonly height: number; readonly position: number };

/** Writes the record's effects. It must have passed every rule against the same state. */
export function applyRecord(tables: StateTables, record: ParsedRecord, place: RecordPlace): void {
  const { payload } = record;
  let trade: TradeEffect | undefined;
  // The sums are taken before the parent is marked: an update replaces what the parent added.
  if (payload.kind === "meter-reading") applyReading(tables, record, payload);
  if (payload.kind === "energy-trade") trade = applyTrade(tables, record, payload);
  tables.records.put(
    [record.hash],
    create(RecordStateSchema, {
      ownerId: record.ownerId,
      kind: recordKindOf(record.kind),
      height: BigInt(place.height),
      position: BigInt(place.position),
      successor: emptyBytes,
      ...(trade === undefined ? {} : { trade }),
    }),
  );
  if (record.parent !== undefined) {
    const parent = defined(tables.records.get(record.parent), "an accurate update has a parent");
    tables.records.put([record.parent], { ...parent, successor: record.hash });
  }
}

function applyReading(tables: StateTables, record: ParsedRecord, reading: ReadingPayload): void {
  const { meterId, intervalStartS, deliveryStartS, importedWh, exportedWh } = reading;
  const sums = sumsWithReading(tables, record.ownerId, reading);
  putSums(tables, record.ownerId, deliveryStartS, sums);
  tables.readings.put(
    [meterId, intervalStartS],
    create(ReadingStateSchema, { recordHash: record.hash, importedWh, exportedWh }),
  );
}

function applyTrade(tables: StateTables, record: ParsedRecord, trade: TradePayload): TradeEffect {
  const { sellerId, buyerId, deliveryStartS, energyWh, tradeId } = trade;
  const seller = energySums(tables, sellerId, deliveryStartS);
  const soldWh = soldWithTrade(tables, record, trade);
  putSums(tables, sellerId, deliveryStartS, { ...seller, soldWh });
  const buyer = energySums(tables, buyerId, deliveryStartS);
  const boughtWh = boughtWithTrade(tables, record, trade);
  putSums(tables, buyerId, deliveryStartS, { ...buyer, boughtWh });
  const recordHash = record.hash;
  tables.trades.put([tradeId], create(TradeStateSchema, { recordHash }));
  const deliveryStartUnixS = BigInt(deliveryStartS);
  return create(TradeEffectSchema, { buyerId, deliveryStartUnixS, energyWh });
}

function putSums(
  tables: StateTables,
  participantId: string,
  deliveryStartS: number,
  { importedWh, exportedWh, soldWh, boughtWh }: EnergySums,
): void {
  assert(soldWh >= 0n && soldWh <= exportedWh, "nobody sells what was not exported");
  assert(boughtWh >= 0n && boughtWh <= importedWh, "nobody buys what was not imported");
  const sums = create(EnergyStateSchema, { importedWh, exportedWh, soldWh, boughtWh });
  tables.energy.put([participantId, deliveryStartS], sums);
}
