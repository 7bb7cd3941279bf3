/** The consortium's participants and meters out of the data, for `bss init --community`. */
import { stringify } from "yaml";
import type { Home } from "./homes-csv.js";

/** The participant that reads all meters and submits for all homes. */
export const headEndId = "head-end";
export const meterIntervalS = 3600;

/** A house connection of this kind; larger ones are rounded up to whole kW. */
const ratedPowerMinW = 25_000;
const wPerKw = 1000;

export function meterIdOf(homeId: string): string {
  return `${homeId}-meter`;
}

/** The least rating in W under which a meter can show `whMax` in an hour. */
export function ratedPowerW(whMax: number): number {
  return Math.max(ratedPowerMinW, Math.ceil(whMax / wPerKw) * wPerKw);
}

/**
 * A community file as YAML. `whMaxOf` gives the most that a home's meter shows for an hour, in
 * either direction.
 */
export function communityYaml(homes: readonly Home[], whMaxOf: (homeId: string) => number): string {
  const participants = [
    { id: headEndId },
    ...homes.map(({ id }) => ({
      id,
      agents: [headEndId],
      meters: [
        {
          id: meterIdOf(id),
          rated_power_w: ratedPowerW(whMaxOf(id)),
          interval_s: meterIntervalS,
        },
      ],
    })),
  ];
  return stringify({ participants });
}
