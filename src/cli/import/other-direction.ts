/**
 * Some utilities give one file with what a meter imported and another with what it exported. An
 * update is the whole profile again, so the second file alone would take away what the first one
 * said. What is meant is asked, never guessed: a wrong direction in a mapping looks just the same.
 */
import { fromBinary } from "@bufbuild/protobuf";
import {
  type Profile,
  type ProfileValue,
  type RegisterReading,
  worseQuality,
} from "../../energy-files/profiles/profile-assembler.js";
import { type LoadProfile, RecordSchema, ValueQuality } from "../../gen/bss/v1/record_pb.js";
import { isoTimeOfS } from "../../ledger/times.js";
import { RowProblem } from "../sending/row-problem.js";

/** What becomes of a direction that is recorded and of which the file has nothing. */
export const otherDirections = ["keep", "drop"] as const;
export type OtherDirection = (typeof otherDirections)[number];

/**
 * The profile as it is to be recorded in the place of `standing`, a record's bytes. Throws
 * `RowProblem` where that would lose a direction.
 */
export function withOtherDirection(
  profile: Profile,
  standing: Uint8Array,
  other: OtherDirection | undefined,
): Profile {
  if (other === "drop") return profile;
  const { payload } = fromBinary(RecordSchema, standing);
  const missing = (["imported", "exported"] as const).find(
    (direction) => !profile.directions.includes(direction),
  );
  if (payload.case !== "loadProfile" || missing === undefined) return profile;
  const field = `${missing}Wh` as const;
  // Zeros alone are not recorded.
  if (payload.value[field].length === 0) return profile;
  if (other === undefined) {
    throw new RowProblem(
      `the file has no ${missing} values of it, and its record has; keep these with ` +
        "--other-direction keep, or take them away with --other-direction drop",
    );
  }
  const recorded = valuesOf(payload.value);
  const values = profile.values.map((value, slot) => {
    const before = recorded[slot];
    if ((value === undefined) === (before === undefined)) {
      return value && before && joined(value, before, field);
    }
    const from = isoTimeOfS(profile.startS + slot * profile.intervalS);
    const lacks = value === undefined ? "the file" : "its record";
    throw new RowProblem(
      `${lacks} has no value of the interval from ${from}, so the directions cannot be joined; ` +
        "import both directions from one file",
    );
  });
  const { registerStart: start, registerEnd: end, ...rest } = profile;
  const registerStart = joinedRegister(start, payload.value.registerStart, field);
  const registerEnd = joinedRegister(end, payload.value.registerEnd, field);
  return {
    ...rest,
    values,
    ...(registerStart !== undefined && { registerStart }),
    ...(registerEnd !== undefined && { registerEnd }),
  };
}

type Field = "importedWh" | "exportedWh";

function joined(value: ProfileValue, before: ProfileValue, field: Field): ProfileValue {
  const quality = worseQuality(value.quality, before.quality);
  return { ...value, [field]: before[field], quality };
}

function joinedRegister(
  reading: RegisterReading | undefined,
  before: RegisterReading | undefined,
  field: Field,
): RegisterReading | undefined {
  return reading && before && { ...reading, [field]: before[field] };
}

function valuesOf({ runs, importedWh, exportedWh }: LoadProfile): (ProfileValue | undefined)[] {
  let at = 0;
  return runs.flatMap(({ count, quality }) =>
    Array.from({ length: count }, (): ProfileValue | undefined => {
      const name = qualityNames[quality];
      if (name === undefined) return undefined;
      const value = { importedWh: importedWh[at] ?? 0, exportedWh: exportedWh[at] ?? 0 };
      at += 1;
      return { ...value, quality: name };
    }),
  );
}

const qualityNames: Readonly<Record<ValueQuality, ProfileValue["quality"] | undefined>> = {
  [ValueQuality.UNSPECIFIED]: undefined,
  [ValueQuality.ABSENT]: undefined,
  [ValueQuality.MEASURED]: "measured",
  [ValueQuality.ESTIMATED]: "estimated",
  [ValueQuality.SUBSTITUTED]: "substituted",
};
