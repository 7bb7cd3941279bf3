/**
 * Records per second and the time to finality, as one participant sees them: meter readings go in
 * through the client library, and a submission counts once its receipt is back. This is the short
 * form for programs that bring their own consortium and want every record on the ledger.
 */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type ClosedLoop, startLoop } from "../src/cli/bench/loop.js";
import { connect, readProfile } from "../src/client/index.js";
import { hourlyReadings } from "./loads/readings.js";
import { sum, type Times, timesOf } from "./report/statistics.js";

export { hourlyReadings, skipHours } from "./loads/readings.js";

/** `Times` are from handing a submission over to its receipt. */
export type Measured = Omit<ClosedLoop, "kind"> &
  Times & {
    readonly submissions: number;
    readonly recordsPerS: number;
    readonly blocks: number;
  };

const drainMsMax = 5 * 60_000;

/**
 * Keeps a consortium under a load for a time, after as many submissions as it has in flight (4 at
 * least). Throws when a record is refused.
 */
export async function measure(
  directory: string,
  load: Omit<ClosedLoop, "kind"> & { readonly durationMs: number },
): Promise<Measured> {
  const { batchRecords, inFlight, durationMs } = load;
  const profile = readProfile(join(directory, "participants", "participant-1", "profile.yaml"));
  const client = await connect(profile);
  try {
    const loop = startLoop(client, {
      load: { kind: "closed", batchRecords, inFlight },
      records: (count) => hourlyReadings(client.profile.id, count),
      warmUpMs: 0,
    });
    await loop.warm;
    const startMs = performance.now();
    const warmUp = loop.entries.filter(({ answeredMs }) => answeredMs !== undefined);
    await sleep(durationMs);
    await loop.stop(drainMsMax);
    const refused = loop.entries.flatMap((entry) => Object.keys(entry.refused));
    const problem = loop.failure ?? refused[0];
    if (problem !== undefined) throw new Error(`not every record is final: ${problem}`);
    const counted = loop.entries.filter((entry) => !warmUp.includes(entry));
    const times = counted.map(({ answeredMs = Number.NaN, dueMs }) => answeredMs - dueMs);
    const endMs = Math.max(...counted.map(({ answeredMs = startMs }) => answeredMs));
    return {
      batchRecords,
      inFlight,
      submissions: counted.length,
      blocks: new Set(counted.flatMap(({ heights }) => heights)).size,
      recordsPerS: Math.round(
        (sum(counted.map(({ committed }) => committed)) * 1_000) / (endMs - startMs),
      ),
      ...timesOf(times),
    };
  } finally {
    client.close();
  }
}
