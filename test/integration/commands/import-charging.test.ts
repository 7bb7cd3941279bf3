import assert from "node:assert/strict";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { BssProcess } from "../../support/bss.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";
import { ToyConsortium } from "../../support/toy-consortium.js";

const samples = "test/vectors/charging";

describe("bss import of charging sessions", () => {
  const directory = temporaryDirectory();
  const path = (name: string) => join(directory, name);
  const commands = new BssProcess(directory);
  let toy: ToyConsortium;

  before(async () => {
    toy = await ToyConsortium.create(path("toy"));
  });
  after(async () => {
    await commands.close();
    await toy.close();
  });

  /** What the command says in JSON, and the refused rows. */
  const imported = async (file: string, ...args: string[]) => {
    const profile = toy.profileFile("participant-1");
    const { out, err } = await commands.run(
      "import",
      file,
      "--json",
      "--profile",
      profile,
      ...args,
    );
    assert.notEqual(out, "", err);
    const { format, received, malformed, done_before, refused_rows } = JSON.parse(out);
    const refused = refused_rows === null ? "" : readFileSync(path(refused_rows), "utf8");
    return { counts: { format, received, malformed, doneBefore: done_before }, refused };
  };

  test("an OCPP log gives its sessions once, also when it has grown", async () => {
    const log = readFileSync(join(samples, "ocpp-1-6.log"), "utf8");
    writeFileSync(path("day.log"), log);
    const first = await imported("day.log");
    const counts = { format: "ocpp", received: 2, malformed: 7, doneBefore: 0 };
    assert.deepEqual(first.counts, counts);
    assert.match(first.refused, /20,.*transaction 104 of .* has not ended \(2500 Wh so far\)/);
    const stop = { transactionId: 104, meterStop: 4990, timestamp: "2026-03-01T11:00:00Z" };
    const message = JSON.stringify([2, "e4", "StopTransaction", stop]);
    writeFileSync(path("day.log"), `${log}CP-8 ${message}\n`);
    const second = await imported("day.log");
    assert.deepEqual(second.counts, { ...counts, received: 1, malformed: 6, doneBefore: 2 });
    assert.doesNotMatch(second.refused, /transaction 104/);
  });

  test("charge detail records give their sessions", async () => {
    copyFileSync(join(samples, "ocpi-2-2-1.json"), path("cdrs.json"));
    const { counts, refused } = await imported("cdrs.json", "--station", "9=NL*EXA*E9");
    assert.deepEqual(counts, { format: "ocpi", received: 3, malformed: 7, doneBefore: 0 });
    assert.match(refused, /^6,data\[4\]\.credit,/m);
  });

  test("messages that name no station wait for its id", async () => {
    const log = readFileSync(join(samples, "ocpp-1-6.log"), "utf8").split("\n");
    const ofOne = log.filter((line) => line.startsWith("CP-7 ")).map((line) => line.slice(5));
    writeFileSync(path("one.log"), ofOne.join("\n"));
    const { counts, refused } = await imported("one.log");
    assert.deepEqual(counts, { format: "ocpp", received: 0, malformed: 3, doneBefore: 0 });
    assert.match(refused, /is no id \(.*--station ""?-=ID/);
    const named = await imported("one.log", "--station", "-=CP-7");
    assert.deepEqual(named.counts, { ...counts, received: 1, malformed: 2 });
  });
});
