/** What a home's own records on the ledger say of its energy, in all and hour by hour. */
import { fromBinary } from "@bufbuild/protobuf";
import { toHex } from "../../src/base/bytes.js";
import type { BssClient } from "../../src/client/index.js";
import {
  type LoadProfile,
  TradeTermsSchema,
  ValueQuality,
} from "../../src/gen/bss/v1/record_pb.js";
import { type EnergySums, noEnergy } from "./community/energy-sums.js";
import { expect } from "./demo-report.js";

export type HourEnergy = {
  importedWh: number;
  exportedWh: number;
  soldWh: number;
  boughtWh: number;
};

/** By the start of the hour, Unix s. */
export type EnergyByHour = Map<number, HourEnergy>;

export type HomeEnergy = { readonly sums: EnergySums; readonly byHour: EnergyByHour };

const pageSize = 1000;

/** Reads all records of a home with the home's own profile. */
export async function readHomeEnergy(home: BssClient): Promise<HomeEnergy> {
  const { id } = home.profile;
  const sums = noEnergy();
  const byHour: EnergyByHour = new Map();
  for await (const { hash, content } of home.listRecords({ participantId: id, pageSize })) {
    expect(content !== undefined, `${id} cannot read its record ${toHex(hash)}`);
    const { payload } = content.record;
    if (payload.case === "loadProfile") {
      sums.profiles += 1;
      for (const { startS, importedWh, exportedWh } of valuesOf(payload.value)) {
        sums.values += 1;
        sums.importedWh += BigInt(importedWh);
        sums.exportedWh += BigInt(exportedWh);
        addTo(byHour, startS, { importedWh, exportedWh });
      }
    } else if (payload.case === "energyTrade") {
      const terms = fromBinary(TradeTermsSchema, payload.value.terms);
      const { sellerId, energyWh, deliveryStartUnixS } = terms;
      const [startS, wh] = [Number(deliveryStartUnixS), Number(energyWh)];
      if (sellerId === id) {
        sums.sales += 1;
        sums.soldWh += energyWh;
        addTo(byHour, startS, { soldWh: wh });
      } else {
        sums.boughtWh += energyWh;
        addTo(byHour, startS, { boughtWh: wh });
      }
    }
  }
  return { sums, byHour };
}

/** Adds to an hour, which begins with nothing. */
export function addTo(byHour: EnergyByHour, startS: number, added: Partial<HourEnergy>): void {
  const hour = byHour.get(startS) ?? { importedWh: 0, exportedWh: 0, soldWh: 0, boughtWh: 0 };
  hour.importedWh += added.importedWh ?? 0;
  hour.exportedWh += added.exportedWh ?? 0;
  hour.soldWh += added.soldWh ?? 0;
  hour.boughtWh += added.boughtWh ?? 0;
  byHour.set(startS, hour);
}

/** The intervals of a profile that have a value. A direction with no list of values is 0 in all. */
function* valuesOf({ startUnixS, intervalS, runs, importedWh, exportedWh }: LoadProfile) {
  let startS = Number(startUnixS);
  let next = 0;
  for (const { count, quality } of runs) {
    for (let i = 0; i < count; i++, startS += intervalS) {
      if (quality === ValueQuality.ABSENT) continue;
      yield { startS, importedWh: importedWh[next] ?? 0, exportedWh: exportedWh[next] ?? 0 };
      next += 1;
    }
  }
}
