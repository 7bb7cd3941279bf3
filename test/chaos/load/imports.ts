/**
 * Readings of a meter that are imported twice, as people do who are not sure whether an import went
 * through: the same bytes again, which get their places again; the same rows made anew, with other
 * salts, after the first import or at the same moment at another manager. Of each interval there is
 * one reading in the end, never two and never none, and what is refused is refused as an overlap.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { meterReading } from "../../../src/client/index.js";
import type { Random } from "../../simulation/random.js";
import type { Fate } from "./desk.js";
import type { Party } from "./energy.js";

const hourS = 3_600;
const rowsMax = 60;

export async function importTwice({ desk, meterId }: Party, random: Random): Promise<void> {
  const { ending, book, paceMs } = desk.context;
  let endS = Math.floor(Date.now() / 1000 / hourS) * hourS - 2 * hourS;
  for (let turn = 0; !ending.aborted; turn++) {
    const starts = Array.from({ length: 1 + random.below(rowsMax) }, (_, i) => endS - i * hourS);
    // The next import overlaps with this one by some rows, or by none.
    const again = starts.slice(random.below(starts.length));
    endS -= starts.length * hourS;
    const first = desk.sign(rows(desk.id, meterId, starts));
    const second = desk.sign(rows(desk.id, meterId, again));
    const isRace = random.chance(0.3);
    const send = () => desk.settleEach(desk.at(turn), first);
    const sendAgain = () => desk.settleEach(desk.at(turn + 1), second);
    const [fates, others] = isRace
      ? await Promise.all([send(), sendAgain()])
      : [await send(), await sendAgain()];
    const repeated = await desk.settleEach(desk.at(turn + 2), first);
    if (fates === undefined || others === undefined || repeated === undefined) return;
    const problems = [
      ...doubles(starts, fates, again, others),
      ...differences(fates, repeated),
      ...(isRace ? [] : fates.filter(({ final }) => !final).map(() => "a first import is refused")),
    ];
    book.violations.push(...problems.map((what) => `${meterId}, import ${turn}: ${what}`));
    if (problems.length > 0) return;
    await sleep(paceMs);
  }
}

function rows(ownerId: string, meterId: string, starts: readonly number[]): readonly Uint8Array[] {
  return starts.map((intervalStartS) =>
    meterReading({
      ownerId,
      meterId,
      intervalStartS,
      intervalS: hourS,
      importedWh: 100,
      exportedWh: 0,
    }),
  );
}

function doubles(
  starts: readonly number[],
  fates: readonly Fate[],
  again: readonly number[],
  others: readonly Fate[],
): readonly string[] {
  const finals = new Map<number, number>(starts.map((startS) => [startS, 0]));
  const reasons = new Set<string>();
  const count = (startS: number | undefined, fate: Fate) => {
    if (!fate.final) reasons.add(fate.reason);
    else if (startS !== undefined) finals.set(startS, (finals.get(startS) ?? 0) + 1);
  };
  for (const [i, fate] of fates.entries()) count(starts[i], fate);
  for (const [i, fate] of others.entries()) count(again[i], fate);
  reasons.delete("INTERVAL_OVERLAP");
  return [
    ...[...finals]
      .filter(([, n]) => n !== 1)
      .map(([at, n]) => `${n} readings from ${at} are final`),
    ...[...reasons].map((reason) => `refused for ${reason}`),
  ];
}

function differences(fates: readonly Fate[], repeated: readonly Fate[]): readonly string[] {
  return fates.flatMap(({ final }, i) =>
    repeated[i]?.final === final ? [] : [`the same bytes were ${final ? "" : "not "}final before`],
  );
}
