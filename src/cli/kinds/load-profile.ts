/** Load profiles on the command line. `bss import` makes them; `bss submit` reads none. */
import { type LoadProfile, ValueQuality } from "../../gen/bss/v1/record_pb.js";
import type { CliKind } from "./kind.js";

export const loadProfile: CliKind<LoadProfile> = {
  inputName: "load-profiles",
  noun: "load profile",
  isSubmitted: false,
  rows: undefined,
  isTimedByClock: false,
  summary(profile) {
    const { meterId, importedWh, exportedWh } = profile;
    const values = intervalsOf(profile) - intervalsOf(profile, ValueQuality.ABSENT);
    const imported = sum(importedWh);
    return `${meterId}: ${values} values, ${imported} Wh imported, ${sum(exportedWh)} Wh exported`;
  },
  fields: (profile) => [
    ["meter_id", profile.meterId],
    ["start_unix_s", Number(profile.startUnixS)],
    ["interval_s", profile.intervalS],
    ["intervals", intervalsOf(profile)],
    ["absent", intervalsOf(profile, ValueQuality.ABSENT)],
    ["estimated", intervalsOf(profile, ValueQuality.ESTIMATED)],
    ["substituted", intervalsOf(profile, ValueQuality.SUBSTITUTED)],
    ["imported_wh", sum(profile.importedWh)],
    ["exported_wh", sum(profile.exportedWh)],
  ],
};

function intervalsOf({ runs }: LoadProfile, only?: ValueQuality): number {
  const wanted = runs.filter(({ quality }) => only === undefined || quality === only);
  return sum(wanted.map(({ count }) => count));
}

function sum(list: readonly number[]): number {
  return list.reduce((total, value) => total + value, 0);
}
