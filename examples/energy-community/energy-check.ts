/** Whether the energy on the ledger is the energy of the data. */
import { type Cell, formatTime, table } from "../../src/cli/text/output.js";
import { type EnergySums, noEnergy, totalOf } from "./community/energy-sums.js";
import { expect, indented } from "./demo-report.js";
import type { DemoSession } from "./demo-session.js";
import { addTo, type EnergyByHour, readHomeEnergy } from "./home-energy.js";

/** Homes that are shown one by one; of the others those that differ. */
const homesShown = 20;

/**
 * Reads every home's records back and compares their sums with those of the data. Returns what all
 * homes together did in each hour, as the ledger has it.
 */
export async function checkEnergy({ plan, clients, report }: DemoSession): Promise<EnergyByHour> {
  report.step("energy, as each home reads it from the ledger");
  const community: EnergyByHour = new Map();
  const ledger = new Map<string, EnergySums>();
  await report.check("nobody sold or bought more than the own meter showed", async () => {
    let hours = 0;
    for (const id of plan.sums.byHome.keys()) {
      const { sums, byHour } = await clients.with(id, readHomeEnergy);
      ledger.set(id, sums);
      for (const [startS, hour] of byHour) {
        const { importedWh, exportedWh, soldWh, boughtWh } = hour;
        const covered = soldWh <= exportedWh && boughtWh <= importedWh;
        expect(covered, `${id} did in the hour from ${formatTime(startS * 1000)}`);
        addTo(community, startS, hour);
        hours += 1;
      }
    }
    return `true in each of ${hours} hours of a home`;
  });
  await report.check("no energy appeared or vanished", () => {
    const different = [...ledger].filter(([id, sums]) => !isSame(sums, plan.sums.byHome.get(id)));
    const ids = different.map(([id]) => id).slice(0, homesShown);
    expect(ids.length === 0, `${ids.join(", ")} have other sums than in the data`);
    for (const [startS, { soldWh, boughtWh }] of community) {
      const when = `in the hour from ${formatTime(startS * 1000)}`;
      expect(soldWh === boughtWh, `${soldWh} Wh were sold and ${boughtWh} Wh bought ${when}`);
    }
    const { importedWh, exportedWh, soldWh } = totalOf(ledger.values());
    const traded = `${soldWh} Wh of it sold to neighbours`;
    return `${importedWh} Wh imported, ${exportedWh} Wh exported, ${traded}, as in the data`;
  });
  const number = (title: string) => ({ title, align: "right" }) as const;
  const columns = [
    ...[{ title: "HOME" }, number("PROFILES"), number("VALUES"), number("IMPORTED Wh")],
    ...[number("EXPORTED Wh"), number("SALES"), number("SOLD Wh"), number("BOUGHT Wh")],
    { title: "DATA" },
  ];
  report.line(indented(table(columns, rowsOf(ledger, plan.sums.byHome))));
  return community;
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

function isSame(sums: EnergySums, expected: EnergySums | undefined): boolean {
  return expected !== undefined && cellsOf(sums).join() === cellsOf(expected).join();
}

function cellsOf(sums: EnergySums): readonly (number | bigint)[] {
  const { profiles, values, importedWh, exportedWh, sales, soldWh, boughtWh } = sums;
  return [profiles, values, importedWh, exportedWh, sales, soldWh, boughtWh];
}
