/**
 * From what a reader makes of a file to the records that are sent: values become profiles, sessions
 * become charging sessions, and all else becomes a problem with its place.
 */
import { defined } from "../../base/assert.js";
import { chargingSession, loadProfile } from "../../client/submit/records.js";
import { roundedWh } from "../../energy-files/exact-wh.js";
import {
  type FileItem,
  FileUnreadable,
  type Place,
  type SessionValue,
} from "../../energy-files/file-values.js";
import type { Periods } from "../../energy-files/profiles/periods.js";
import { type Profile, ProfileAssembler } from "../../energy-files/profiles/profile-assembler.js";
import type { Policy } from "../../gen/bss/v1/genesis_pb.js";
import { deviceIdForm, isDeviceId } from "../../ledger/ids.js";
import { isoTimeOfS } from "../../ledger/times.js";
import type { RegisteredMeters } from "../sending/registered-meters.js";
import { RowProblem } from "../sending/row-problem.js";
import type { InputRow, RowToSend } from "../sending/send-run.js";
import { type MeterNames, whyNotRecorded } from "./meter-names.js";
import { type OtherDirection, withOtherDirection } from "./other-direction.js";

export type ImportContext = {
  readonly names: MeterNames;
  readonly registered: Pick<RegisteredMeters, "find" | "mayImportFor">;
  readonly stationIds: ReadonlyMap<string, string>;
  /** Who submits, and owns the charging sessions of which the file names no owner. */
  readonly submitterId: string;
  readonly policy: Policy;
  readonly periods: Periods;
  readonly otherDirection?: OtherDirection | undefined;
  /** Unix s. */
  readonly nowS: number;
};

/** Names of meters that nobody knows: more of them are no names of meters. */
const unknownMax = 10_000;

/** What a look at the whole file has found. */
export type Survey = {
  /** Values of intervals in the file, known meters or not. */
  values: number;
  sessions: number;
  /** About how many profiles, sessions and problems come of it. */
  steps: number;
  /** By id: the number of the last item of a meter. */
  readonly lastOf: Map<string, number>;
  /** By name in the file: meters of which nothing can be recorded. */
  readonly unknown: Map<string, { readonly place: Place; readonly why: string; values: number }>;
};

/** Goes through the whole file: one that does not fit is refused before anything is sent. */
export async function surveyItems(
  items: AsyncIterable<FileItem>,
  { names, periods }: Pick<ImportContext, "names" | "periods">,
): Promise<Survey> {
  const survey: Survey = {
    values: 0,
    sessions: 0,
    steps: 0,
    lastOf: new Map(),
    unknown: new Map(),
  };
  const lastPeriods = new Map<string, number>();
  let number = 0;
  for await (const item of items) {
    number += 1;
    if (item.kind === "session") survey.sessions += 1;
    if (item.kind === "session" || item.kind === "problem") survey.steps += 1;
    if (item.kind === "register") {
      const meter = names.of(item.meterName);
      if (typeof meter !== "string") survey.lastOf.set(meter.meterId, number);
    }
    if (item.kind !== "value") continue;
    survey.values += 1;
    const { meterName, place, startS } = item;
    const meter = names.of(meterName);
    if (typeof meter === "string") {
      const known = survey.unknown.get(meterName);
      if (known === undefined) survey.unknown.set(meterName, { place, why: meter, values: 1 });
      else known.values += 1;
      if (survey.unknown.size > unknownMax) throw tooManyUnknown(meterName);
      continue;
    }
    survey.lastOf.set(meter.meterId, number);
    const { startS: periodS } = periods.of(startS);
    if (lastPeriods.get(meter.meterId) === periodS) continue;
    lastPeriods.set(meter.meterId, periodS);
    survey.steps += 1;
  }
  return survey;
}

function tooManyUnknown(name: string): FileUnreadable {
  return new FileUnreadable(
    `it names more than ${unknownMax} meters that are not registered, such as ${JSON.stringify(name)}`,
    "check which column names the meter, or register them first",
  );
}

/** The rows that are sent. Values of unknown meters are left out: the survey has told of them. */
export async function* importRows(
  items: AsyncIterable<FileItem>,
  context: ImportContext,
  { lastOf, unknown }: Survey,
): AsyncGenerator<InputRow> {
  const { names, periods, nowS } = context;
  const assembler = new ProfileAssembler(periods);
  let number = 0;
  for await (const item of items) {
    number += 1;
    if (item.kind === "problem") {
      if (!unknown.has(item.meterName ?? "")) yield rowOf(item, context);
    } else if (item.kind === "session") {
      yield sessionRow(item, context);
    } else {
      const meter = names.of(item.meterName);
      if (typeof meter === "string") continue;
      const { meterId } = meter;
      if (item.kind === "register") assembler.addRegister(meterId, item);
      else {
        const why = whyNotRecorded(item, meter, { policy: context.policy, nowS });
        if (why !== undefined) yield problemRow(item.place, why);
        else for (const each of assembler.add(meterId, item)) yield rowOf(each, context);
      }
      if (lastOf.get(meterId) !== number) continue;
      for (const each of assembler.endOf(meterId)) yield rowOf(each, context);
    }
  }
  for (const each of assembler.end()) yield rowOf(each, context);
}

function rowOf(
  item: Profile | Extract<FileItem, { kind: "problem" }>,
  context: ImportContext,
): InputRow {
  if (item.kind === "profile") return profileRow(item, context);
  const { place, meterName, message } = item;
  const isNamed = meterName !== undefined && place.column === undefined;
  return problemRow(place, isNamed ? `${meterName}: ${message}` : message);
}

function problemRow({ line, column }: Place, message: string): InputRow {
  return { line, problem: new RowProblem(message, column) };
}

function profileRow(profile: Profile, context: ImportContext): InputRow {
  const { registered, periods, nowS, otherDirection } = context;
  const { place, meterId, period, startS, intervalS, values } = profile;
  const name = `meter ${meterId}, ${periods.nameOf(period)}`;
  const endS = startS + values.length * intervalS;
  if (endS > nowS) {
    const next = `import the file again after ${isoTimeOfS(endS)}`;
    return problemRow({ line: place.line }, `${name}: is not over yet; ${next}`);
  }
  const { ownerId } = defined(registered.find(meterId), "profiles are of registered meters");
  return {
    line: place.line,
    name,
    slot: ["load-profile", meterId, startS, values.length],
    intervals: values.length,
    ...said(profile, ownerId),
    inPlaceOf: (standing) => {
      try {
        return said(withOtherDirection(profile, standing, otherDirection), ownerId);
      } catch (error) {
        throw error instanceof RowProblem ? new RowProblem(`${name}: ${error.message}`) : error;
      }
    },
    advice: (reason) => (reason === "INTERVAL_OVERLAP" ? overlapAdvice : undefined),
  };
}

/** What is recorded of a profile. */
function said(profile: Profile, ownerId: string): Pick<RowToSend, "identity" | "build"> {
  const { meterId, startS, intervalS, values, registerStart, registerEnd } = profile;
  const registers = {
    ...(registerStart !== undefined && { registerStart }),
    ...(registerEnd !== undefined && { registerEnd }),
  };
  return {
    identity: [
      ownerId,
      values.map((value) => value && [value.importedWh, value.exportedWh, value.quality]),
      [registerStart, registerEnd].map(
        (reading) => reading && [String(reading.importedWh), String(reading.exportedWh)],
      ),
    ],
    build: (parent) =>
      loadProfile({
        ownerId,
        meterId,
        startS,
        intervalS,
        values,
        ...registers,
        ...parentOf(parent),
      }),
  };
}

const overlapAdvice =
  "it was recorded with another --out, --zone or --per; use these again, and it is updated";

function sessionRow(session: SessionValue, context: ImportContext): InputRow {
  const { place, stationName, sessionName, startS, endS, energy } = session;
  const stationId = context.stationIds.get(stationName) ?? stationName;
  if (!isDeviceId(stationId)) {
    const next = `give it one with --station ${JSON.stringify(`${stationName}=ID`)}`;
    return problemRow(place, `${JSON.stringify(stationId)} is no id (${deviceIdForm}); ${next}`);
  }
  if (energy.amount < 0n) return problemRow(place, "the energy is negative");
  const energyWh = roundedWh(energy);
  if (energyWh === 0n) return problemRow(place, "no energy was charged");
  const { line } = place;
  if (endS <= startS) return problemRow({ line }, "the session does not end after its start");
  if (endS > context.nowS) return problemRow({ line }, "the session is not over yet");
  const { submitterId, registered } = context;
  const ownerId = session.ownerName ?? submitterId;
  if (!registered.mayImportFor(submitterId, ownerId)) {
    const shown = JSON.stringify(ownerId);
    const why = `the owner is ${shown}, and ${submitterId} is no agent of such a participant`;
    return problemRow({ line }, why);
  }
  const row: RowToSend = {
    line,
    name: `session ${sessionName} at ${stationId}`,
    slot: ["charging-session", stationId, sessionName],
    identity: [ownerId, startS, endS, String(energyWh)],
    build: (parent) =>
      chargingSession({ ownerId, stationId, startS, endS, energyWh, ...parentOf(parent) }),
  };
  return row;
}

function parentOf(parent: Uint8Array | undefined): { readonly parent?: Uint8Array } {
  return parent === undefined ? {} : { parent };
}
