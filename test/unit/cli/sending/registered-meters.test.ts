/** Whose meters are known: those of genesis, and those that a community file adds. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { MeterNames } from "../../../../src/cli/import/meter-names.js";
import {
  joinedParticipants,
  RegisteredMeters,
} from "../../../../src/cli/sending/registered-meters.js";
import { ControlOperationSchema } from "../../../../src/gen/bss/v1/genesis_pb.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const genesis = [
  create(ControlOperationSchema, {
    operation: {
      case: "registerMeter",
      value: { meterId: "meter-1", ownerId: "home-1", ratedPowerW: 1_000n, intervalS: 3_600 },
    },
  }),
];
const community = `participants:
  - id: home-9
    agents: [head-end]
    meters:
      - {id: Meter-9, rated_power_w: 11000, interval_s: 900}
`;

function profileBeside(files: Readonly<Record<string, string>>): string {
  const directory = temporaryDirectory();
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  return join(directory, "profile.yaml");
}

describe("the meters that are known", () => {
  test("are those of genesis, and those of the community file beside the profile", () => {
    const joined = joinedParticipants(undefined, profileBeside({ "community.yaml": community }));
    const meters = new RegisteredMeters(genesis, joined);
    assert.equal(meters.find("meter-1")?.ownerId, "home-1");
    assert.deepEqual(meters.find("METER-9"), {
      meterId: "Meter-9",
      ownerId: "home-9",
      intervalS: 900,
      valueWhMax: 2_750n,
    });
    assert.ok(meters.mayImportFor("head-end", "home-9"));
    assert.ok(!meters.mayImportFor("home-1", "home-9"));
  });

  test("are those of genesis when there is no such file", () => {
    const meters = new RegisteredMeters(genesis, joinedParticipants(undefined, profileBeside({})));
    assert.equal(meters.find("meter-9"), undefined);
    const why = new MeterNames(meters, new Map(), "home-1").of("meter-9");
    assert.match(String(why), /genesis registers no meter "meter-9".*--community file/);
  });

  test("are those of the file that was given, which has to be there", () => {
    const profile = profileBeside({
      "community.yaml": "participants: []\n",
      "other.yaml": community,
    });
    assert.deepEqual(joinedParticipants(undefined, profile), []);
    const other = join(profile, "..", "other.yaml");
    assert.equal(joinedParticipants(other, profile)[0]?.id, "home-9");
    assert.throws(() => joinedParticipants(`${other}.old`, profile), /no such file/);
  });

  test("are not read from a file that says something else", () => {
    const profile = profileBeside({ "community.yaml": "members: []\n" });
    assert.throws(() => joinedParticipants(undefined, profile), /participants/);
  });
});
