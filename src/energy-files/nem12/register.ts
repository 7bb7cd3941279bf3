/**
 * A 200 row begins the values of one register: one quantity that one meter of a connection point
 * counts. The connection point has a National Metering Identifier (NMI). The register has a suffix
 * of two characters, a letter for the quantity and the number of the meter: B1 is what meter 1 of
 * this point counts towards the grid, E2 what its meter 2 counts from it.
 *
 * So registers are not added up here. E1 and E2 are two meters, which the format keeps apart (the
 * second one is often a controlled load with a tariff of its own); each becomes a meter of the
 * ledger, named by NMI and number, and a participant who owns both has the sum. E1 and B1 are the
 * two directions of one meter.
 */
import type { IntervalValue } from "../file-values.js";
import type { Nem12Row } from "./nem12-rows.js";

export type Register = {
  /** The NMI and the number of the meter, "NEM1201009-1". */
  readonly meterName: string;
  readonly suffix: string;
  readonly direction: IntervalValue["direction"];
  /** Values are in units of 10^tenPower Wh. */
  readonly tenPower: number;
  readonly intervalMinutes: number;
};

/** Why a 200 row is left out with all rows below it. */
export type RegisterLeftOut = { readonly column: string; readonly message: string };

const tenPowerOf = new Map([
  ["WH", 0],
  ["KWH", 3],
  ["MWH", 6],
]);

export function parseRegister({ fields }: Nem12Row): Register | RegisterLeftOut {
  const [, nmi = "", , , suffix = "", , , unit = "", minutes = ""] = fields;
  if (!/^[0-9A-Z]{10,11}$/i.test(nmi)) {
    const message = `${shown(nmi)} is no NMI, which has 10 letters and digits`;
    return { column: "NMI", message };
  }
  const [, quantity, number] = /^([A-Z])([0-9A-Z])$/i.exec(suffix) ?? [];
  if (quantity === undefined || number === undefined) {
    const message = `${shown(suffix)} is no suffix, which is a letter and a number such as E1`;
    return { column: "NMISuffix", message };
  }
  const tenPower = tenPowerOf.get(unit.toUpperCase());
  if (tenPower === undefined) {
    const message = `register ${suffix} is in ${shown(unit)}, no energy in Wh, kWh or MWh`;
    return { column: "UOM", message };
  }
  const direction = directionOf(quantity);
  if (direction === undefined) {
    const message =
      `register ${suffix} counts neither energy from the grid (E) nor to the grid (B): ` +
      "check meters, averages and net amounts are not recorded";
    return { column: "NMISuffix", message };
  }
  if (!["5", "15", "30"].includes(minutes)) {
    const message = `${shown(minutes)} is no interval of the format: 5, 15 or 30 minutes`;
    return { column: "IntervalLength", message };
  }
  const meterName = `${nmi}-${number}`;
  return { meterName, suffix, direction, tenPower, intervalMinutes: Number(minutes) };
}

function directionOf(quantity: string): Register["direction"] | undefined {
  if (quantity === "E") return "imported";
  return quantity === "B" ? "exported" : undefined;
}

/** What a field holds, as problems show it. */
export function shown(text: string): string {
  if (text === "") return "an empty field";
  return text.length > 40 ? `"${text.slice(0, 40)}…"` : `"${text}"`;
}
