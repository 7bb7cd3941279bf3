/**
 * Every metric of a node, in one object with one registry of its own, so that several nodes can
 * live in one process (tests, simulations) and a reader finds all names, units and labels in this
 * file.
 *
 * Names follow Prometheus' conventions: prefix `bss_`, base units (seconds, bytes), `_total` for
 * counters. Counters count since the process started; what the ledger holds in all is in the
 * gauges. The dashboards and alerts in deploy/ use these names, and a test holds them to it.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { version } from "../base/version.js";
import { ruleReasons } from "../ledger/violation.js";
import { KnownLabels } from "./known-labels.js";
import * as values from "./label-values.js";
import {
  type ClosedLabels,
  LabelledCounter,
  LabelledGauge,
  LabelledHistogram,
  type LabelSpec,
} from "./labelled.js";

const blockIntervalBuckets = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600];
const commitLatencyBuckets = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 30, 60, 300];
const callBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const writeBuckets = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5,
];

export interface MetricsOptions {
  readonly role: (typeof values.peerRoles)[number];
  readonly nodeId: string;
  /** The consortium's name. */
  readonly consortium: string;
  /**
   * Node.js's own metrics (CPU, memory, event loop, garbage collection); true by default. They
   * observe the whole process and cannot be stopped: pass false where many nodes share a process.
   */
  readonly processMetrics?: boolean;
}

export type Metrics = ReturnType<typeof createMetrics>;

/** A new registry with every metric in it. Label values out of bounds are counted under "other". */
export function createMetrics(options: MetricsOptions) {
  const registry = new Registry();
  // On every series, so that one Prometheus can tell several consortiums apart.
  registry.setDefaultLabels({ consortium: options.consortium });
  const registers = [registry];
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers });
  const counter = (name: string, help: string) => new Counter({ name, help, registers });
  const seconds = (name: string, help: string, buckets: number[]) =>
    new Histogram({ name, help, buckets, registers });
  const gaugeBy = <const S extends LabelSpec>(name: string, help: string, labels: S) =>
    new LabelledGauge(registry, { name, help }, labels);
  const counterBy = <const S extends ClosedLabels, N extends string = never>(
    name: string,
    help: string,
    closed: S,
    known?: KnownLabels<N>,
  ) => new LabelledCounter(registry, { name, help }, closed, known);
  const managers = new KnownLabels("manager");
  const peers = new KnownLabels("peer");
  const methods = new KnownLabels("service", "method");

  if (options.processMetrics ?? true) collectDefaultMetrics({ register: registry });
  gaugeBy("bss_node_info", "1; its labels say which node and software this is.", {
    role: values.peerRoles,
    id: "open",
    version: "open",
    consortium: "open",
  }).set({ role: options.role, id: options.nodeId, version, consortium: options.consortium }, 1);

  const samplers = new Set<() => void>();
  return {
    registry,
    contentType: registry.contentType,

    height: gauge("bss_height", "Height of the last final block."),
    round: gauge("bss_round", "Round that the node is in, of the height after the last final one."),
    treeSize: gauge("bss_tree_size", "Records in the Merkle log after the last final block."),
    records: counter("bss_records_total", "Records made final since the node started."),
    blocks: counter("bss_blocks_total", "Blocks made final since the node started."),
    blockIntervalSeconds: seconds(
      "bss_block_interval_seconds",
      "Seconds between two final blocks as this node saw them.",
      blockIntervalBuckets,
    ),
    commitLatencySeconds: seconds(
      "bss_commit_latency_seconds",
      "Seconds from a submission's arrival at this manager to its receipt.",
      commitLatencyBuckets,
    ),

    votes: counterBy("bss_votes_total", "Proposals and votes, by kind, sent and received.", {
      kind: values.voteKinds,
      direction: values.directions,
    }),
    attestations: counterBy(
      "bss_attestations_total",
      "Attestations of storage nodes: signed here on a storage node, received on a manager.",
      { verdict: values.attestationVerdicts },
    ),
    verdicts: counterBy("bss_verdicts_total", "Own verdicts on the accuracy of submissions.", {
      result: values.verdictResults,
    }),
    objections: counterBy("bss_objections_total", "Objections raised here, by the rule broken.", {
      rule: ruleReasons,
    }),
    falseObjections: counterBy(
      "bss_false_objections_total",
      "Objections of other managers to records that keep every rule at the place named, by author.",
      {},
      managers,
    ),
    syncTargetHeight: gauge(
      "bss_sync_target_height",
      "The highest height that other nodes have credibly shown; bss_height when nothing is missing.",
    ),
    syncBlocksPerSecond: gauge(
      "bss_sync_blocks_per_second",
      "Blocks appended per second while the node catches up; 0 when nothing is missing.",
    ),
    syncBlamed: counterBy(
      "bss_sync_blamed_total",
      "Managers that did not give the blocks that they have, by why.",
      { reason: values.blameReasons },
      peers,
    ),
    headsDiffering: counterBy(
      "bss_heads_differing_total",
      "Signed heads of other managers that are not what this one held there, by manager.",
      {},
      managers,
    ),
    abstaining: gaugeBy(
      "bss_abstaining",
      "1 while this manager does not vote, by why; no series while it does.",
      { why: "open" },
    ),
    managersSuspended: gauge(
      "bss_managers_suspended",
      "Managers that are suspended after the last final block.",
    ),
    suspensions: counterBy(
      "bss_suspensions_total",
      "Managers that blocks suspended since the node started, by reason.",
      { reason: values.suspensionCauses },
    ),
    resumes: counter(
      "bss_resumes_total",
      "Managers that blocks made active again since the node started.",
    ),
    storageNodes: gaugeBy("bss_storage_nodes", "Storage nodes by how they stand on the ledger.", {
      state: values.storageStates,
    }),
    storageCreditMin: gauge(
      "bss_storage_credit_min",
      "Lowest credit of the active storage nodes, 0 to 1000.",
    ),
    storageCreditMedian: gauge(
      "bss_storage_credit_median",
      "Median credit of the active storage nodes, 0 to 1000.",
    ),
    audits: counterBy(
      "bss_audits_total",
      "Audit digests of storage nodes that this manager has recomputed, by result.",
      { result: values.auditResults },
    ),
    lateAttestations: counter(
      "bss_late_attestations_total",
      "Attestations that blocks carried after the certificate of their block was made.",
    ),
    controlOperations: counterBy(
      "bss_control_operations_total",
      "Control operations in blocks made final since the node started, by kind.",
      { kind: values.operationKinds },
    ),
    unreachableClaims: gauge(
      "bss_unreachable_claims",
      "Storage nodes of which this or another manager says that it hears nothing of them.",
    ),
    operationsWaiting: gauge(
      "bss_operations_waiting",
      "Admissions, returns, retirements and payouts that wait for a block.",
    ),
    evidence: counterBy(
      "bss_evidence_total",
      "Managers against which this one has come to hold evidence since it started, by kind.",
      { kind: values.offences },
    ),
    halted: gauge(
      "bss_halted",
      "1 when the node has stopped for good because the managers do not hold the same chain.",
    ),
    storeDamaged: counter(
      "bss_store_damaged_total",
      "Parts of blocks on a storage node's disk that were found missing or damaged.",
    ),
    storeRepairing: gauge(
      "bss_store_repairing",
      "1 while a storage node checks and repairs its whole store, and attests nothing.",
    ),
    roundTimeouts: counterBy("bss_round_timeouts_total", "Timeouts of rounds, by step.", {
      step: values.roundSteps,
    }),
    waitingSeconds: gaugeBy(
      "bss_waiting_seconds",
      "Seconds that the current step has waited for others; no series while nothing is awaited.",
      { step: "open" },
    ),

    heightOpenSeconds: gauge(
      "bss_height_open_seconds",
      "Seconds since the height that is being voted on was started; 0 while the ring is idle.",
    ),
    waitingFor: gaugeBy(
      "bss_waiting_for",
      "1 for each signature that is awaited now, by what it is and who owes it.",
      { what: values.awaitedSignatures, id: "open" },
    ),

    poolSubmissions: gauge("bss_pool_submissions", "Submissions that wait for a block."),
    poolRecords: gauge("bss_pool_records", "Records that wait for a block."),
    poolBytes: gauge("bss_pool_bytes", "Bytes of the submissions that wait for a block."),
    queueLength: gaugeBy("bss_queue_length", "Messages in a bounded queue, by queue.", {
      queue: values.queues,
    }),
    queueDropped: counterBy(
      "bss_queue_dropped_total",
      "Messages dropped because a bounded queue was full, by queue.",
      { queue: values.queues },
    ),

    messagesDropped: counterBy(
      "bss_messages_dropped_total",
      "Messages of peers that were dropped because they do not hold or are not wanted, by reason.",
      { reason: values.dropReasons },
    ),

    peersConnected: gaugeBy("bss_peers_connected", "Peers connected now, by role.", {
      role: values.peerRoles,
    }),
    grpcCalls: counterBy(
      "bss_grpc_calls_total",
      "Calls served over gRPC and ended, by status code.",
      { code: values.grpcCodes },
      methods,
    ),
    grpcCallSeconds: new LabelledHistogram(
      registry,
      {
        name: "bss_grpc_call_seconds",
        help: "Seconds from a call's start to its end; a stream counts as one call.",
      },
      methods,
      callBuckets,
    ),
    grpcStreams: gaugeBy("bss_grpc_streams", "Streams open now over gRPC, by method.", {
      method: "open",
    }),

    connections: gaugeBy(
      "bss_connections",
      "Connections that others have made, by who they are; strangers have not called yet.",
      { group: values.connectionGroups },
    ),
    connectionsEnded: counterBy(
      "bss_connections_ended_total",
      "Connections that the node refused or cut, by cause.",
      { cause: values.connectionEnds },
    ),
    answerBytes: gaugeBy(
      "bss_answer_bytes",
      "Bytes of answers that callers have not taken yet, by who they are.",
      { group: values.answerGroups },
    ),

    certificateExpiry: gauge(
      "bss_certificate_expiry_timestamp_seconds",
      "When the TLS certificate in use expires, Unix seconds.",
    ),
    certificateRenewalDue: gauge(
      "bss_certificate_renewal_due_timestamp_seconds",
      "When the TLS certificate in use is to be renewed, Unix seconds.",
    ),
    certificateRenewals: counterBy(
      "bss_certificate_renewals_total",
      "Attempts of the node to renew its TLS certificate, by result.",
      { result: values.renewalResults },
    ),
    certificateUnwritten: gauge(
      "bss_certificate_unwritten",
      "1 while a renewed TLS certificate is in use that could not be written to disk.",
    ),

    memoryBound: gauge(
      "bss_memory_bound_bytes",
      "The most bytes of memory that a manager may hold by its limits; 0 on storage nodes.",
    ),

    storeWriteSeconds: seconds(
      "bss_store_write_seconds",
      "Seconds that one durable write batch took.",
      writeBuckets,
    ),

    /**
     * Names all managers, at the start and whenever they may have changed: what is counted for each
     * of them starts at 0.
     */
    knowManagers(ids: readonly string[]): void {
      for (const id of ids.filter((each) => each !== options.nodeId)) {
        managers.add({ manager: id });
        peers.add({ peer: id });
      }
    },

    /** Names a method that the node serves: its calls start at 0. */
    knowMethod(service: string, method: string): void {
      methods.add({ service, method });
    },

    /** Runs `sample` before every scrape, for gauges that are cheaper to ask than to keep. */
    onScrape(sample: () => void): () => void {
      samplers.add(sample);
      return () => samplers.delete(sample);
    },

    /** All metrics in Prometheus' text format 0.0.4. */
    async exposition(): Promise<string> {
      for (const sample of samplers) sample();
      return registry.metrics();
    },
  };
}
