/**
 * Records per second and the time to finality, as one participant sees them: meter readings go in
 * through the client library, and a submission counts once its receipt is back.
 *
 * Client and nodes share this machine, so the figures are those of the whole on it.
 */
import { join } from "node:path";
import {
  type BssClient,
  connect,
  meterReading,
  readProfile,
  type Submission,
} from "../src/client/index.js";

export type Load = {
  /** Records of one submission. */
  readonly batchRecords: number;
  /** Submissions without a receipt at any time. */
  readonly inFlight: number;
};

export type Measured = Load & {
  readonly submissions: number;
  readonly recordsPerS: number;
  readonly blocks: number;
  /** From handing a submission over to its receipt. */
  readonly p50Ms: number;
  readonly p99Ms: number;
};

/** Fewest submissions before the clock starts: connections, compiled code, full pipelines. */
const warmUpSubmissionsMin = 4;
const hourS = 3_600;

let nextHourS = Math.floor(Date.now() / 1_000 / hourS) * hourS - hourS;

/** Keeps a consortium under a load for a time. Throws when a record is refused. */
export async function measure(
  directory: string,
  load: Load & { readonly durationMs: number },
): Promise<Measured> {
  const profile = readProfile(join(directory, "participants", "participant-1", "profile.yaml"));
  const client = await connect(profile);
  try {
    return await run(client, load);
  } finally {
    client.close();
  }
}

async function run(
  client: BssClient,
  { batchRecords, inFlight, durationMs }: Load & { readonly durationMs: number },
): Promise<Measured> {
  const warmUpSubmissions = Math.max(warmUpSubmissionsMin, inFlight);
  const handedOverMs: number[] = [];
  const latenciesMs: number[] = [];
  const heights = new Set<bigint>();
  let startMs = Number.POSITIVE_INFINITY;
  const submissions = function* (): Generator<Submission> {
    while (performance.now() < startMs + durationMs) {
      const submission = client.sign(hourlyReadings(client.profile.id, batchRecords));
      handedOverMs.push(performance.now());
      yield submission;
    }
  };
  let answered = 0;
  let endMs = 0;
  const outcomes = client.submitStream(submissions(), { inFlightMax: inFlight });
  for await (const { index, response, refusal } of outcomes) {
    if (response === undefined) throw refusal;
    for (const { outcome } of response.outcomes) {
      if (outcome.case !== "committed") throw new Error(`a record is ${outcome.case}`);
    }
    const nowMs = performance.now();
    answered += 1;
    if (answered === warmUpSubmissions) startMs = nowMs;
    if (answered <= warmUpSubmissions) continue;
    latenciesMs.push(nowMs - (handedOverMs[index] ?? nowMs));
    for (const { height } of response.blocks) heights.add(height);
    endMs = nowMs;
  }
  latenciesMs.sort((a, b) => a - b);
  const perS = (latenciesMs.length * batchRecords * 1_000) / (endMs - startMs);
  return {
    batchRecords,
    inFlight,
    submissions: latenciesMs.length,
    blocks: heights.size,
    recordsPerS: Math.round(perS),
    p50Ms: quantile(latenciesMs, 0.5),
    p99Ms: quantile(latenciesMs, 0.99),
  };
}

/** Leaves out hours that an earlier run may have used: there is one reading of each. */
export function skipHours(count: number): void {
  nextHourS -= count * hourS;
}

/** Readings of the participant's meter, each of an hour before those made earlier. */
export function hourlyReadings(participantId: string, count: number): readonly Uint8Array[] {
  const meterId = participantId.replace("participant", "meter");
  return Array.from({ length: count }, () => {
    const intervalStartS = nextHourS;
    nextHourS -= hourS;
    return meterReading({
      ownerId: participantId,
      meterId,
      intervalStartS,
      intervalS: hourS,
      importedWh: 400,
      exportedWh: 1_200,
    });
  });
}

function quantile(sorted: readonly number[], share: number): number {
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
}
