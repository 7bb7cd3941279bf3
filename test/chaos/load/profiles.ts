/**
 * Load profiles of one meter. Two that overlap are submitted at two managers, one after the other
 * or at the same moment, and one is final. Two updates of some of its values meet likewise. Then
 * the sum of an hour has to be exactly what the profile has in the end: 1 Wh more cannot be sold,
 * and all of it can. Nor can 1 Wh of an hour that had some and that the update has as absent.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { defined } from "../../../src/base/assert.js";
import { type LoadProfileParts, loadProfile } from "../../../src/client/index.js";
import type { Random } from "../../simulation/random.js";
import type { Fate } from "./desk.js";
import { exportedWh, measure, type Party, trade } from "./energy.js";

const hourS = 3_600;
const hoursMax = 60;

type Values = LoadProfileParts["values"];
type Profile = { readonly startS: number; readonly values: Values };

export async function overlapProfiles(owner: Party, buyer: Party, random: Random): Promise<void> {
  const { desk, meterId } = owner;
  const { ending, book, paceMs } = desk.context;
  let endS = Math.floor(Date.now() / 1000 / hourS) * hourS - 2 * hourS;
  for (let turn = 0; !ending.aborted; turn++) {
    const first = { startS: endS - hoursMax * hourS, values: someValues(random) };
    const shiftS = random.below(hoursMax) * hourS;
    const second = { startS: first.startS - shiftS, values: someValues(random) };
    endS = second.startS;
    const place = `${meterId}, profiles ${turn}`;
    const pair = [first, second].map((profile) => recordOf(owner, profile));
    const fates = await settleBoth(owner, pair, turn, random.chance(0.5));
    if (fates === undefined) return;
    const both = fates.every(({ final }) => final);
    const refusal = outcomeProblem(fates, overlaps(first, second) ? "INTERVAL_OVERLAP" : undefined);
    if (refusal !== undefined) return void book.violations.push(`${place}: ${refusal}`);

    // If both are final, the other one may have values where this one has none.
    const at = both || fates[0]?.final === true ? 0 : 1;
    const parent = desk.hashOf(defined(pair[at], "there are two"));
    const before = at === 0 ? first : second;
    const values = () => updated(before.values, both, random);
    const updates = [values(), values()].map((each) => ({ ...before, values: each }));
    const next = updates.map((profile) => recordOf(owner, profile, parent));
    const updateFates = await settleBoth(owner, next, turn + 1, random.chance(0.5));
    if (updateFates === undefined) return;
    const lost = outcomeProblem(updateFates, "PARENT_NOT_LATEST");
    if (lost !== undefined) return void book.violations.push(`${place}, updates: ${lost}`);

    const latest = defined(updates[updateFates[0]?.final === true ? 0 : 1], "there are two");
    const wrong =
      (await saleProblem(owner, buyer, latest, turn)) ??
      (await absenceProblem(owner, buyer, before, latest, turn));
    if (wrong !== undefined) return void book.violations.push(`${place}, sums: ${wrong}`);
    await sleep(paceMs);
  }
}

/** At two managers; undefined when all is over. */
async function settleBoth(
  { desk }: Party,
  records: readonly Uint8Array[],
  turn: number,
  isRace: boolean,
): Promise<readonly Fate[] | undefined> {
  const fates: (Fate | undefined)[] = [];
  const send = async (record: Uint8Array, i: number) => {
    fates[i] = await desk.settle(desk.at(turn + i), desk.sign([record]));
  };
  if (isRace) await Promise.all(records.map(send));
  else for (const [i, record] of records.entries()) await send(record, i);
  const known = fates.filter((fate) => fate !== undefined);
  return known.length === records.length ? known : undefined;
}

/** What is wrong if both should be final, or all but one be refused for this reason. */
function outcomeProblem(fates: readonly Fate[], reason: string | undefined): string | undefined {
  const refused = fates.flatMap((fate) => (fate.final ? [] : [fate.reason]));
  const isRight = refused.length === (reason === undefined ? 0 : 1);
  if (isRight && refused.every((each) => each === reason)) return undefined;
  return `refused: ${refused.join(", ")}, not ${reason ?? "none"}`;
}

/** Tries to sell 1 Wh more than what an hour has, and then all that it has. */
async function saleProblem(
  owner: Party,
  buyer: Party,
  { startS, values }: Profile,
  turn: number,
): Promise<string | undefined> {
  const index = values.findIndex((value) => value !== undefined && Number(value.exportedWh) > 0);
  if (index < 0) return undefined;
  const hour = startS + index * hourS;
  const energyWh = Number(values[index]?.exportedWh);
  if (!(await measure(buyer, hour, { importedWh: exportedWh, exportedWh: 0 }))) return undefined;
  const sell = (soldWh: number, at: number) => trade(owner.desk, buyer.desk, hour, at, soldWh);
  const tooMuch = await sell(energyWh + 1, turn);
  const all = tooMuch && (await sell(energyWh, turn + 1));
  if (tooMuch === undefined || all === undefined) return undefined;
  const wrong = oversaleProblem(tooMuch, energyWh + 1, energyWh);
  if (wrong !== undefined || all.final) return wrong;
  return `all ${energyWh} Wh cannot be sold: ${all.reason}`;
}

/** Tries to sell 1 Wh of an hour of which the update took away all. */
async function absenceProblem(
  owner: Party,
  buyer: Party,
  before: Profile,
  { startS, values }: Profile,
  turn: number,
): Promise<string | undefined> {
  const index = before.values.findIndex(
    (value, i) => value !== undefined && Number(value.exportedWh) > 0 && values[i] === undefined,
  );
  if (index < 0) return undefined;
  const hour = startS + index * hourS;
  if (!(await measure(buyer, hour, { importedWh: exportedWh, exportedWh: 0 }))) return undefined;
  const fate = await trade(owner.desk, buyer.desk, hour, turn, 1);
  return fate && oversaleProblem(fate, 1, 0);
}

/** What is wrong if a sale should be refused because so much is not there. */
function oversaleProblem(fate: Fate, soldWh: number, hadWh: number): string | undefined {
  if (fate.final) return `${soldWh} of ${hadWh} Wh were sold`;
  return fate.reason === "DOUBLE_SPEND" ? undefined : `refused for ${fate.reason}`;
}

function overlaps(a: Profile, b: Profile): boolean {
  const taken = new Set(startsOf(a));
  return startsOf(b).some((startS) => taken.has(startS));
}

/** Of the hours that have a value. */
function startsOf({ startS, values }: Profile): readonly number[] {
  return values.flatMap((value, i) => (value === undefined ? [] : [startS + i * hourS]));
}

function recordOf({ desk, meterId }: Party, profile: Profile, parent?: Uint8Array): Uint8Array {
  const ownerId = desk.id;
  return loadProfile({ ownerId, meterId, intervalS: hourS, ...profile, ...(parent && { parent }) });
}

function someValues(random: Random): Values {
  return Array.from({ length: 1 + random.below(hoursMax) }, () => someValue(random));
}

/** Some of the values anew. */
function updated(values: Values, keepsAbsent: boolean, random: Random): Values {
  const from = random.below(values.length);
  return values.map((value, i) =>
    i < from || (keepsAbsent && value === undefined) ? value : someValue(random),
  );
}

/** Nobody can buy more of an hour than `exportedWh`. */
function someValue(random: Random): Values[number] {
  if (random.chance(0.2)) return undefined;
  return {
    importedWh: random.below(1_000),
    exportedWh: random.below(exportedWh),
    quality: "measured",
  };
}
