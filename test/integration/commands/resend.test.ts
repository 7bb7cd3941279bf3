/**
 * Sending again what is on the ledger, with real processes: a retry of the same bytes, and a second
 * import of the same rows, whose records have other salts. It costs the manager that is asked a
 * look, and the others nothing.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { toHex } from "../../../src/base/bytes.js";
import {
  type BssClient,
  meterReading,
  RpcError,
  type Submission,
  type SubmitResponse,
} from "../../../src/client/index.js";
import { LiveConsortium, suiteTimeoutMs } from "../../support/live-consortium.js";
import { readCounters } from "../../support/manager-counters.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";

const rowsCount = 1_000;
const batchRows = 250;
const hourS = 3_600;
/** Nobody is taken for absent because this machine is busy. */
const policy = `heartbeat_ms: 0
min_storage: 1
suspend_after_ms: 60000
`;

describe("a thousand readings that are sent again", { timeout: suiteTimeoutMs }, () => {
  let consortium: LiveConsortium;
  let client: BssClient;
  const parent = temporaryDirectory();
  const firstS = Math.floor(Date.now() / 1_000 / hourS) * hourS - 2 * hourS;
  let first: readonly Submission[];
  let places: ReadonlyMap<string, string>;

  after(() => consortium?.close());

  before(async () => {
    const sizes = { managers: 4, storage: 1, participants: 2 };
    consortium = await LiveConsortium.start(join(parent, "live"), sizes, { policy });
    // All go to one manager, so that it shows who else has something to do with them.
    client = await consortium.client("participant-1", ["manager-1"]);
    first = batches();
    places = placesOf(await sendAll(first));
    assert.equal(places.size, rowsCount);
  });

  /** The rows as records that are made anew. */
  const batches = () =>
    Array.from({ length: rowsCount / batchRows }, (_, batch) =>
      client.sign(
        Array.from({ length: batchRows }, (_, row) =>
          meterReading({
            ownerId: "participant-1",
            meterId: "meter-1",
            intervalS: hourS,
            intervalStartS: firstS - (batch * batchRows + row) * hourS,
            importedWh: 20,
            exportedWh: 0,
          }),
        ),
      ),
    );

  const sendAll = async (submissions: readonly Submission[]) => {
    const answers: SubmitResponse[] = [];
    for await (const { response, refusal } of client.submitStream(submissions)) {
      if (response === undefined) throw refusal;
      answers.push(response);
    }
    return answers;
  };

  const counters = () => readCounters(consortium.nodes.map(({ config }) => config));

  test("[R2.1.6] get their first places when the bytes are the same", async () => {
    assert.deepEqual(placesOf(await sendAll(first)), places);
  });

  test("[R3.2] are refused by who is asked, and concern nobody else", async () => {
    const counted = await counters();
    const { height } = await consortium.agreeOn(1);
    const answers = await sendAll(batches());
    const reasons = answers.flatMap(({ outcomes }) =>
      outcomes.map(({ outcome }) => outcome.case === "objection" && outcome.value.reason),
    );
    assert.deepEqual(reasons, Array(rowsCount).fill("INTERVAL_OVERLAP"));
    const [asked, ...others] = await counters();
    const [before, ...othersBefore] = counted;
    assert.ok(asked !== undefined && before !== undefined);
    assert.ok(asked.objections - before.objections <= rowsCount, "each is refused once");
    assert.deepEqual(others, othersBefore, "nobody else objects, nobody is suspended");
    assert.equal(asked.suspensions, 0);
    assert.equal((await consortium.agreeOn(height)).height, height, "no block was made for them");
  });

  test("[R3.2] leave a mixed submission its new rows", async () => {
    const one = (before: number) =>
      meterReading({
        ownerId: "participant-1",
        meterId: "meter-1",
        intervalS: hourS,
        intervalStartS: firstS - before * hourS,
        importedWh: 20,
        exportedWh: 0,
      });
    const { outcomes } = await client.submit(client.sign([one(0), one(rowsCount), one(1)]));
    assert.deepEqual(
      outcomes.map(({ outcome }) => outcome.case),
      ["objection", "committed", "objection"],
    );
    const whole = client.submit(client.sign([one(rowsCount)]));
    await assert.rejects(whole, (error) => {
      return error instanceof RpcError && error.reason === "INTERVAL_OVERLAP";
    });
  });
});

function placesOf(answers: readonly SubmitResponse[]): ReadonlyMap<string, string> {
  const places = new Map<string, string>();
  for (const { outcomes } of answers) {
    for (const { recordHash, outcome } of outcomes) {
      if (outcome.case !== "committed") continue;
      places.set(toHex(recordHash), `${outcome.value.height}/${outcome.value.position}`);
    }
  }
  return places;
}
