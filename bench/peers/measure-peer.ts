/** One load on one system, measured in the way of our own loads (observe.ts). */
import { observe } from "../loads/observe.js";
import { type Estimate, quantileEstimate, ratioEstimate, sum } from "../report/statistics.js";
import type { PeerLoad, RunningPeer } from "./peer.js";

export type PeerResult = PeerLoad & {
  readonly system: string;
  readonly round: number;
  readonly submissions: number;
  readonly perS: Estimate;
  readonly p50Ms: Estimate;
  readonly p95Ms?: Estimate | undefined;
  /** Of all processes of the group together, for one record; idle work included. */
  readonly cpuMs: Readonly<Record<"validators" | "replicas" | "client", number | undefined>>;
  readonly refused: Readonly<Record<string, number>>;
  readonly unanswered: number;
  readonly warmedUp: boolean;
  readonly failure?: string | undefined;
};

const warmUpMs = 2_000;
const drainMsMax = 15_000;
const samplesForP95 = 20;

export async function measurePeer(
  running: RunningPeer,
  load: PeerLoad,
  { system, round, windowMs }: Pick<PeerResult, "system" | "round"> & { readonly windowMs: number },
): Promise<PeerResult> {
  const loop = running.startLoop(load, warmUpMs);
  const snapshot = () => Promise.resolve();
  const observed = await observe(loop, { pids: running.pids, windowMs, drainMsMax, snapshot });
  const times = observed.latenciesMs;
  const { cpuMs, records } = observed;
  const perRecord = (ms: readonly number[] | undefined) => ms && sum(ms) / sum(records);
  await running.settle();
  return Object.assign({}, load, {
    system,
    round,
    submissions: times.length,
    perS: ratioEstimate(records, observed.seconds),
    p50Ms: quantileEstimate(times, 0.5),
    p95Ms: times.length < samplesForP95 ? undefined : quantileEstimate(times, 0.95),
    cpuMs: {
      validators: perRecord(cpuMs.validators),
      replicas: perRecord(cpuMs.replicas),
      client: perRecord(cpuMs.client),
    },
    refused: observed.refused,
    unanswered: observed.unanswered,
    warmedUp: observed.warmedUp,
    failure: loop.failure,
  });
}
