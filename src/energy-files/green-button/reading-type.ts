/**
 * What the values of a MeterReading are, as its ReadingType says in codes. Those that the ledger
 * can record are energy in Wh that went one way, in an interval or up to a moment; of others is
 * said why they are not.
 */
import type { IntervalValue } from "../file-values.js";
import type { Fields } from "./entry.js";
import { parseQualities } from "./reading-quality.js";

export const readingTypeFields: readonly string[] = [
  "accumulationBehaviour",
  "commodity",
  "dataQualifier",
  "defaultQuality",
  "flowDirection",
  "intervalLength",
  "powerOfTenMultiplier",
  "uom",
];

export type Measured = {
  /** Whether a value is of an interval, or what a register showed at a moment. */
  readonly of: "interval" | "register";
  readonly direction: IntervalValue["direction"];
  /** Values are in units of 10^tenPower Wh. */
  readonly tenPower: number;
  /** Of readings that do not say it themselves. */
  readonly intervalS: number | undefined;
  /** Of readings that do not say it themselves. */
  readonly quality: IntervalValue["quality"];
};

/** "as it is" and not an average, a maximum and so on. */
const plainQualifiers = ["0", "12"];
/** Electricity on either side of a transformer. */
const electricity = ["0", "1", "2"];
const wattHours = "72";
const unitNames: { readonly [code: string]: string } = {
  "38": "W",
  "42": "m³",
  "61": "VA",
  "63": "var",
  "71": "VAh",
  "73": "varh",
  "119": "cubic feet",
  "132": "BTU",
  "169": "therms",
};

/** Or why values of this type are not recorded. */
export function parseReadingType(fields: Fields): Measured | string {
  const commodity = fields.get("commodity") ?? "0";
  if (!electricity.includes(commodity)) return `the commodity is ${commodity}, not electricity (1)`;
  const unit = fields.get("uom") ?? "";
  if (unit !== wattHours) return `the unit (uom) is ${unitText(unit)}, not Wh (72)`;
  const qualifier = fields.get("dataQualifier") ?? "0";
  if (!plainQualifiers.includes(qualifier)) {
    return `the dataQualifier is ${qualifier}, so they are averages or extremes`;
  }
  const of = quantityOf(fields.get("accumulationBehaviour"));
  if (of === undefined) {
    const code = codeText(fields.get("accumulationBehaviour"));
    return `the accumulationBehaviour is ${code}, neither of intervals (4) nor of a register (1)`;
  }
  const direction = directionOf(fields.get("flowDirection"));
  if (direction === undefined) {
    const code = codeText(fields.get("flowDirection"));
    return `the flowDirection is ${code}, neither forward (1) nor reverse (19)`;
  }
  const power = fields.get("powerOfTenMultiplier") || "0";
  if (!/^[+-]?(\d|1[0-2])$/.test(power)) return `the powerOfTenMultiplier is ${codeText(power)}`;
  const length = fields.get("intervalLength") || "0";
  if (!/^\d{1,8}$/.test(length)) return `the intervalLength is ${codeText(length)}`;
  const quality = parseQualities([fields.get("defaultQuality") || "0"]);
  if (quality === undefined) {
    return `the defaultQuality is ${codeText(fields.get("defaultQuality"))}`;
  }
  const intervalS = Number(length) === 0 ? undefined : Number(length);
  return { of, direction, tenPower: Number(power), intervalS, quality };
}

function quantityOf(code: string | undefined): Measured["of"] | undefined {
  if (code === "4") return "interval";
  return code === "1" ? "register" : undefined;
}

function directionOf(code: string | undefined): Measured["direction"] | undefined {
  if (code === "1") return "imported";
  return code === "19" ? "exported" : undefined;
}

function unitText(code: string): string {
  const name = unitNames[code];
  return name === undefined ? codeText(code) : `${name} (${code})`;
}

function codeText(code: string | undefined): string {
  return code === undefined || code === "" ? "missing" : code;
}
