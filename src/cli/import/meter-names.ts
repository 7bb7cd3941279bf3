/** Which of the registered meters the names of a file mean, and what can be recorded of them. */
import { isAboveWh, whText } from "../../energy-files/exact-wh.js";
import type { IntervalValue } from "../../energy-files/file-values.js";
import type { Policy } from "../../gen/bss/v1/genesis_pb.js";
import { isIntervalStart, startsAround } from "../../ledger/kinds/market-grid.js";
import { isoTimeOfS } from "../../ledger/times.js";
import type { RegisteredMeter, RegisteredMeters } from "../sending/registered-meters.js";

const rememberedMax = 100_000;

/** Which registered meter a name of the file means. */
export class MeterNames {
  readonly #registered: RegisteredMeters;
  readonly #ids: ReadonlyMap<string, string>;
  readonly #submitterId: string;
  readonly #found = new Map<string, RegisteredMeter | string>();

  /** `ids`: from names of the file, for those that are not the id itself. */
  constructor(registered: RegisteredMeters, ids: ReadonlyMap<string, string>, submitterId: string) {
    this.#registered = registered;
    this.#ids = ids;
    this.#submitterId = submitterId;
  }

  /** The meter, or why nothing can be recorded of it. */
  of(name: string): RegisteredMeter | string {
    const known = this.#found.get(name);
    if (known !== undefined) return known;
    const found = this.#find(name);
    // Of a wrong column, every row is another name that nobody knows.
    if (typeof found !== "string" || this.#found.size < rememberedMax) this.#found.set(name, found);
    return found;
  }

  #find(name: string): RegisteredMeter | string {
    const id = this.#ids.get(name) ?? name;
    const meter = this.#registered.find(id);
    const shown =
      id === name ? JSON.stringify(name) : `${id}, as ${JSON.stringify(name)} is mapped`;
    if (meter === undefined) {
      if (/^\d(?:[.,]\d+)?E\+\d{2,3}$/i.test(name)) {
        return `${shown} is a number that a spreadsheet has rounded; format the column as text and export it again`;
      }
      return `genesis registers no meter ${shown}; name the meter with --meter NAME=ID, or under meters in the mapping; list one that joined later in the --community file`;
    }
    if (this.#registered.mayImportFor(this.#submitterId, meter.ownerId)) return meter;
    return `meter ${meter.meterId} belongs to ${meter.ownerId}, and ${this.#submitterId} is no agent of it`;
  }
}

/** Why a value cannot stand on the ledger, whatever else is in the file. */
export function whyNotRecorded(
  { startS, intervalS, energy }: IntervalValue,
  meter: RegisteredMeter,
  { policy, nowS }: { readonly policy: Policy; readonly nowS: number },
): string | undefined {
  if (intervalS !== meter.intervalS) {
    return `the interval has ${intervalS} s, and meter ${meter.meterId} is registered with ${meter.intervalS} s`;
  }
  if (startS < 0 || !isIntervalStart(startS, intervalS, policy)) {
    return startsAround(startS, intervalS, policy).replace(/\.$/, "");
  }
  if (startS + intervalS > nowS) return `the interval from ${isoTimeOfS(startS)} is not over yet`;
  if (!isAboveWh(energy, meter.valueWhMax)) return undefined;
  return (
    `${whText(energy)} is more than meter ${meter.meterId} can carry in ${intervalS} s, ` +
    `${meter.valueWhMax} Wh`
  );
}
