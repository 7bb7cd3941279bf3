/** Whether the energy on the ledger is the energy of the data. */
import { fromBinary } from "@bufbuild/protobuf";
import { toHex } from "../../src/base/bytes.js";
import { type Cell, table } from "../../src/cli/text/output.js";
import type { BssClient } from "../../src/client/index.js";
import { TradeTermsSchema } from "../../src/gen/bss/v1/record_pb.js";
import { type EnergySums, noEnergy, totalOf } from "./community/energy-sums.js";
import { expect, indented } from "./demo-report.js";
import type { DemoSession } from "./demo-session.js";

/** Homes that are shown one by one; of the others those that differ. */
const homesShown = 20;

/** Reads every home's records back and compares their sums with those of the data. */
export async function checkEnergy({ plan, clients, report }: DemoSession): Promise<void> {
  report.step("energy, as each home reads it from the ledger");
  const rows: (readonly Cell[])[] = [];
  await report.check("no energy appeared or vanished", async () => {
    const ledger = new Map<string, EnergySums>();
    for (const id of plan.sums.byHome.keys()) {
      ledger.set(id, await clients.with(id, sumsOnLedger));
    }
    rows.push(...rowsOf(ledger, plan.sums.byHome));
    const different = [...ledger].filter(([id, sums]) => !isSame(sums, plan.sums.byHome.get(id)));
    const ids = different.map(([id]) => id).slice(0, homesShown);
    expect(ids.length === 0, `${ids.join(", ")} have other sums than in the data`);
    const { importedWh, exportedWh, soldWh, boughtWh } = totalOf(ledger.values());
    expect(soldWh === boughtWh, `${soldWh} Wh were sold and ${boughtWh} Wh bought`);
    const traded = `${soldWh} Wh of it sold to neighbours`;
    return `${importedWh} Wh imported, ${exportedWh} Wh exported, ${traded}, as in the data`;
  });
  const number = (title: string) => ({ title, align: "right" }) as const;
  const columns = [
    ...[{ title: "HOME" }, number("READINGS"), number("IMPORTED Wh"), number("EXPORTED Wh")],
    ...[number("SALES"), number("SOLD Wh"), number("BOUGHT Wh"), { title: "DATA" }],
  ];
  report.line(indented(table(columns, rows)));
}

/** The first homes, those whose sums differ from the data, and all together. */
function rowsOf(
  ledger: ReadonlyMap<string, EnergySums>,
  data: ReadonlyMap<string, EnergySums>,
): readonly (readonly Cell[])[] {
  const rows = [...ledger].flatMap(([id, sums], index) => {
    const expected = data.get(id);
    const same = isSame(sums, expected);
    if (same && index >= homesShown) return [];
    const verdict = same ? "equal" : `DIFFERENT: ${cellsOf(expected ?? noEnergy()).join(", ")}`;
    return [[id, ...cellsOf(sums), verdict]];
  });
  return [...rows, [`all ${ledger.size}`, ...cellsOf(totalOf(ledger.values())), ""]];
}

/** What a home's own records on the ledger add up to, read with the home's profile. */
async function sumsOnLedger(home: BssClient): Promise<EnergySums> {
  const { id } = home.profile;
  const sums = noEnergy();
  for await (const { hash, content } of home.listRecords({ participantId: id, pageSize: 1000 })) {
    expect(content !== undefined, `${id} cannot read its record ${toHex(hash)}`);
    const { payload } = content.record;
    if (payload.case === "meterReading") {
      sums.readings += 1;
      sums.importedWh += payload.value.importedWh;
      sums.exportedWh += payload.value.exportedWh;
    } else if (payload.case === "energyTrade") {
      const { sellerId, energyWh } = fromBinary(TradeTermsSchema, payload.value.terms);
      if (sellerId === id) {
        sums.sales += 1;
        sums.soldWh += energyWh;
      } else {
        sums.boughtWh += energyWh;
      }
    }
  }
  return sums;
}

function isSame(sums: EnergySums, expected: EnergySums | undefined): boolean {
  return expected !== undefined && cellsOf(sums).join() === cellsOf(expected).join();
}

function cellsOf(sums: EnergySums): readonly (number | bigint)[] {
  const { readings, importedWh, exportedWh, sales, soldWh, boughtWh } = sums;
  return [readings, importedWh, exportedWh, sales, soldWh, boughtWh];
}
