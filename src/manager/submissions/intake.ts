/** The parts that take submissions in, keep them and pass them on. */

import type { ManagerOptions, SharedPorts } from "../manager-options.js";
import { Pool, type RelayAgain, type WaitingSubmission } from "../pool/pool.js";
import type { CandidateBlocks } from "../ring/candidate-blocks.js";
import { pausesOf } from "../screening/screening.js";
import type { StatementLog } from "../signing/statement-log.js";
import { Availability } from "./availability.js";
import { BroadcastExchange, leftOutOf, type OwnSubmission } from "./broadcast-exchange.js";
import { submitResponse } from "./record-outcomes.js";
import { Submissions } from "./submissions.js";

export type Intake = {
  readonly availability: Availability;
  readonly pool: Pool;
  readonly submissions: Submissions;
  readonly broadcast: BroadcastExchange;
  readonly relayAgain: (own: RelayAgain) => void;
};

export type IntakePorts = {
  readonly connectedStorage: () => readonly string[];
  readonly sign: StatementLog["sign"];
  readonly atTip: () => boolean;
  readonly knowsAllFinal: () => boolean;
  readonly candidates: Pick<CandidateBlocks, "mightCure">;
  /** Whether a height is being voted on. */
  readonly isVoting: () => boolean;
  /** Work that nobody waits for; if it fails, so does the manager. */
  readonly follow: (work: Promise<void>) => void;
  /** Something may be ready to be ordered. */
  readonly wake: () => void;
};

export function createIntake(
  options: ManagerOptions,
  shared: SharedPorts,
  ports: IntakePorts,
): Intake {
  const { store, observer, poolLimits: limits } = options;
  const { connectedStorage, sign, candidates, wake } = ports;
  const availability = new Availability({
    ...shared,
    connectedManagers: () => options.links().connectedIds,
    connectedStorage,
  });
  const pool = new Pool({ limits, verdictWaitMs: shared.policy.verdictWaitMs });
  const submissions = new Submissions({
    ...shared,
    ...ports,
    pool,
    after: options.time.after,
    pauses: () => pausesOf(options.time, ports.isVoting),
    mightCure: (record, reason) =>
      pool.mightCure(record, reason) || candidates.mightCure(record, reason),
    sign: (digest) => sign("objection", store.head.height, digest),
    keepFalseObjection: (objection) => store.falseObjections.add(objection),
    onDropped: observer.dropped,
    savePooled: (submission) => store.savePooled(submission),
    deletePooled: (ids) => store.deletePooled(ids),
    relay: (submission, leftOut) => broadcast.relay({ submission, leftOut }),
    sendVerdict: (id) => broadcast.sendVerdict(id),
    sendObjections: (objections) => broadcast.sendObjections(objections),
    onPoolChanged: () => {
      observer.poolChanged(pool);
      wake();
    },
    locate: (hashes) => store.locations(hashes),
    respond: (outcomes, signature) => submitResponse(store, outcomes, signature),
    whatIsMissing: () => availability.whatIsMissing(),
    observe: observer,
  });
  const broadcast = new BroadcastExchange({
    links: options.links,
    takeRelayed: (from, submission, leftOut) => submissions.takeRelayed(from, submission, leftOut),
    takeVerdict: (from, id) => {
      pool.verdict(from, id);
      wake();
    },
    takeObjections: (from, objections) => submissions.takeObjections(from, objections),
    own: () => pool.own().map(relayOf),
    onDropped: observer.dropped,
  });
  const relayAgain = ({ waiting, to }: RelayAgain) => broadcast.relay(relayOf(waiting), to);
  return { availability, pool, submissions, broadcast, relayAgain };
}

/** What is open of it. */
function relayOf({ submission, unsettled }: WaitingSubmission): OwnSubmission {
  return { submission: submission.message, leftOut: leftOutOf(submission, unsettled) };
}
