/**
 * Every metric of a node, as one table: its kind, name, labels and, for a histogram, its buckets.
 * `createMetrics` makes them in a registry of their own, so that several nodes can live in one
 * process (tests, simulations). The types follow from the table: code that names a metric or a
 * label that is not in it does not compile.
 *
 * Names follow Prometheus' conventions: prefix `bss_`, base units (seconds, bytes), `_total` for
 * counters. Counters count since the process started; the totals of the ledger are in the gauges.
 * The dashboards and alerts in deploy/ use these names, and a test holds them to the table.
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

/** Labels whose values become known while the node runs. */
const knownLabels = {
  managers: ["manager"],
  peers: ["peer"],
  methods: ["service", "method"],
} as const;

type Known = typeof knownLabels;

type MetricSpec = {
  readonly name: string;
  /** Says the unit. */
  readonly help: string;
} & (
  | { readonly kind: "gauge"; readonly labels?: LabelSpec }
  | { readonly kind: "counter"; readonly known?: keyof Known; readonly labels?: ClosedLabels }
  | {
      readonly kind: "histogram";
      readonly known?: keyof Known;
      readonly buckets: readonly number[];
    }
);

const blockIntervalBuckets = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600];
const commitLatencyBuckets = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 30, 60, 300];
const callBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const writeBuckets = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5,
];

/** The labels, in the order in which a series shows them: known ones before those of `labels`. */
const metricTable = {
  nodeInfo: {
    kind: "gauge",
    name: "bss_node_info",
    help: "1; its labels say which node and software this is.",
    labels: { role: values.peerRoles, id: "open", version: "open", consortium: "open" },
  },

  height: { kind: "gauge", name: "bss_height", help: "Height of the last final block." },
  round: {
    kind: "gauge",
    name: "bss_round",
    help: "Round that the node is in, of the height after the last final one.",
  },
  treeSize: {
    kind: "gauge",
    name: "bss_tree_size",
    help: "Records in the Merkle log after the last final block.",
  },
  records: {
    kind: "counter",
    name: "bss_records_total",
    help: "Records made final since the node started.",
  },
  blocks: {
    kind: "counter",
    name: "bss_blocks_total",
    help: "Blocks made final since the node started.",
  },
  blockIntervalSeconds: {
    kind: "histogram",
    name: "bss_block_interval_seconds",
    help: "Seconds between two final blocks as this node saw them.",
    buckets: blockIntervalBuckets,
  },
  commitLatencySeconds: {
    kind: "histogram",
    name: "bss_commit_latency_seconds",
    help: "Seconds from a submission's arrival at this manager to its receipt.",
    buckets: commitLatencyBuckets,
  },

  votes: {
    kind: "counter",
    name: "bss_votes_total",
    help: "Proposals and votes, by kind, sent and received.",
    labels: { kind: values.voteKinds, direction: values.directions },
  },
  attestations: {
    kind: "counter",
    name: "bss_attestations_total",
    help: "Attestations of storage nodes: signed here on a storage node, received on a manager.",
    labels: { verdict: values.attestationVerdicts },
  },
  verdicts: {
    kind: "counter",
    name: "bss_verdicts_total",
    help: "Own verdicts on the accuracy of submissions.",
    labels: { result: values.verdictResults },
  },
  objections: {
    kind: "counter",
    name: "bss_objections_total",
    help: "Objections raised here, by the rule broken.",
    labels: { rule: ruleReasons },
  },
  falseObjections: {
    kind: "counter",
    name: "bss_false_objections_total",
    help: "Objections of other managers to records that keep every rule at the place named, by author.",
    known: "managers",
  },
  syncTargetHeight: {
    kind: "gauge",
    name: "bss_sync_target_height",
    help: "The highest height that other nodes have credibly shown; bss_height when nothing is missing.",
  },
  syncBlocksPerSecond: {
    kind: "gauge",
    name: "bss_sync_blocks_per_second",
    help: "Blocks appended per second while the node catches up; 0 when nothing is missing.",
  },
  syncBlamed: {
    kind: "counter",
    name: "bss_sync_blamed_total",
    help: "Managers that did not give the blocks that they have, by why.",
    known: "peers",
    labels: { reason: values.blameReasons },
  },
  headsDiffering: {
    kind: "counter",
    name: "bss_heads_differing_total",
    help: "Signed heads of other managers that are not what this one held there, by manager.",
    known: "managers",
  },
  abstaining: {
    kind: "gauge",
    name: "bss_abstaining",
    help: "1 while this manager does not vote, by why; no series while it does.",
    labels: { why: "open" },
  },
  managersSuspended: {
    kind: "gauge",
    name: "bss_managers_suspended",
    help: "Managers that are suspended after the last final block.",
  },
  suspensions: {
    kind: "counter",
    name: "bss_suspensions_total",
    help: "Managers that blocks suspended since the node started, by reason.",
    labels: { reason: values.suspensionCauses },
  },
  resumes: {
    kind: "counter",
    name: "bss_resumes_total",
    help: "Managers that blocks made active again since the node started.",
  },
  storageNodes: {
    kind: "gauge",
    name: "bss_storage_nodes",
    help: "Storage nodes by how they stand on the ledger.",
    labels: { state: values.storageStates },
  },
  linksTakenOver: {
    kind: "counter",
    name: "bss_links_taken_over_total",
    help:
      "Links of storage nodes that another process with the same key took over: on a manager by turns, " +
      "on a storage node its own.",
  },
  storageCreditMin: {
    kind: "gauge",
    name: "bss_storage_credit_min",
    help: "Lowest credit of the active storage nodes, 0 to 1000.",
  },
  storageCreditMedian: {
    kind: "gauge",
    name: "bss_storage_credit_median",
    help: "Median credit of the active storage nodes, 0 to 1000.",
  },
  audits: {
    kind: "counter",
    name: "bss_audits_total",
    help: "Audit digests of storage nodes that this manager has recomputed, by result.",
    labels: { result: values.auditResults },
  },
  lateAttestations: {
    kind: "counter",
    name: "bss_late_attestations_total",
    help: "Attestations that blocks carried after the certificate of their block was made.",
  },
  controlOperations: {
    kind: "counter",
    name: "bss_control_operations_total",
    help: "Control operations in blocks made final since the node started, by kind.",
    labels: { kind: values.operationKinds },
  },
  unreachableClaims: {
    kind: "gauge",
    name: "bss_unreachable_claims",
    help: "Storage nodes of which this or another manager says that it hears nothing of them.",
  },
  operationsWaiting: {
    kind: "gauge",
    name: "bss_operations_waiting",
    help: "Admissions, returns, retirements and payouts that wait for a block.",
  },
  evidence: {
    kind: "counter",
    name: "bss_evidence_total",
    help: "Managers against which this one has come to hold evidence since it started, by kind.",
    labels: { kind: values.offences },
  },
  halted: {
    kind: "gauge",
    name: "bss_halted",
    help: "1 when the node has stopped for good because the managers do not hold the same chain.",
  },
  storeDamaged: {
    kind: "counter",
    name: "bss_store_damaged_total",
    help: "Parts of blocks on a storage node's disk that were found missing or damaged.",
  },
  storeRepairing: {
    kind: "gauge",
    name: "bss_store_repairing",
    help: "1 while a storage node checks and repairs its whole store, and attests nothing.",
  },
  roundTimeouts: {
    kind: "counter",
    name: "bss_round_timeouts_total",
    help: "Timeouts of rounds, by step.",
    labels: { step: values.roundSteps },
  },
  waitingSeconds: {
    kind: "gauge",
    name: "bss_waiting_seconds",
    help: "Seconds that the current step has waited for others; no series while nothing is awaited.",
    labels: { step: "open" },
  },

  heightOpenSeconds: {
    kind: "gauge",
    name: "bss_height_open_seconds",
    help: "Seconds since the height that is being voted on was started; 0 while the ring is idle.",
  },
  waitingFor: {
    kind: "gauge",
    name: "bss_waiting_for",
    help: "1 for each signature that is awaited now, by what it is and who owes it.",
    labels: { what: values.awaitedSignatures, id: "open" },
  },

  poolSubmissions: {
    kind: "gauge",
    name: "bss_pool_submissions",
    help: "Submissions that wait for a block.",
  },
  poolRecords: { kind: "gauge", name: "bss_pool_records", help: "Records that wait for a block." },
  poolBytes: {
    kind: "gauge",
    name: "bss_pool_bytes",
    help: "Bytes of the submissions that wait for a block.",
  },
  queueLength: {
    kind: "gauge",
    name: "bss_queue_length",
    help: "Messages in a bounded queue, by queue.",
    labels: { queue: values.queues },
  },
  queueDropped: {
    kind: "counter",
    name: "bss_queue_dropped_total",
    help: "Messages dropped because a bounded queue was full, by queue.",
    labels: { queue: values.queues },
  },

  messagesDropped: {
    kind: "counter",
    name: "bss_messages_dropped_total",
    help: "Messages of peers that were dropped because they do not hold or are not wanted, by reason.",
    labels: { reason: values.dropReasons },
  },

  peersConnected: {
    kind: "gauge",
    name: "bss_peers_connected",
    help: "Peers connected now, by role.",
    labels: { role: values.peerRoles },
  },
  grpcCalls: {
    kind: "counter",
    name: "bss_grpc_calls_total",
    help: "Calls served over gRPC and ended, by status code.",
    known: "methods",
    labels: { code: values.grpcCodes },
  },
  grpcCallSeconds: {
    kind: "histogram",
    name: "bss_grpc_call_seconds",
    help: "Seconds from a call's start to its end; a stream counts as one call.",
    known: "methods",
    buckets: callBuckets,
  },
  grpcStreams: {
    kind: "gauge",
    name: "bss_grpc_streams",
    help: "Streams open now over gRPC, by method.",
    labels: { method: "open" },
  },

  connections: {
    kind: "gauge",
    name: "bss_connections",
    help: "Connections that others have made, by who they are; strangers have not called yet.",
    labels: { group: values.connectionGroups },
  },
  connectionsEnded: {
    kind: "counter",
    name: "bss_connections_ended_total",
    help: "Connections that the node refused or cut, by cause.",
    labels: { cause: values.connectionEnds },
  },
  answerBytes: {
    kind: "gauge",
    name: "bss_answer_bytes",
    help: "Bytes of answers that callers have not taken yet, by who they are.",
    labels: { group: values.answerGroups },
  },

  certificateExpiry: {
    kind: "gauge",
    name: "bss_certificate_expiry_timestamp_seconds",
    help: "When the TLS certificate in use expires, Unix seconds.",
  },
  certificateRenewalDue: {
    kind: "gauge",
    name: "bss_certificate_renewal_due_timestamp_seconds",
    help: "When the TLS certificate in use is to be renewed, Unix seconds.",
  },
  certificateRenewals: {
    kind: "counter",
    name: "bss_certificate_renewals_total",
    help: "Attempts of the node to renew its TLS certificate, by result.",
    labels: { result: values.renewalResults },
  },
  certificateUnwritten: {
    kind: "gauge",
    name: "bss_certificate_unwritten",
    help: "1 while a renewed TLS certificate is in use that could not be written to disk.",
  },

  memoryBound: {
    kind: "gauge",
    name: "bss_memory_bound_bytes",
    help: "The most bytes of memory that a manager may hold by its limits; 0 on storage nodes.",
  },

  storeWriteSeconds: {
    kind: "histogram",
    name: "bss_store_write_seconds",
    help: "Seconds that one durable write batch took.",
    buckets: writeBuckets,
  },
} as const satisfies Readonly<Record<string, MetricSpec>>;

type Table = typeof metricTable;

/** What a metric without labels offers: prom-client's own types would take any label. */
type PlainGauge = { set(value: number): void };
type PlainCounter = { inc(by?: number): void };
type PlainHistogram = { observe(value: number): void };

type KnownNames<S> = S extends { readonly known: infer K extends keyof Known }
  ? Known[K][number]
  : never;

type MetricOf<S> = S extends { readonly kind: "gauge" }
  ? S extends { readonly labels: infer L extends LabelSpec }
    ? LabelledGauge<L>
    : PlainGauge
  : S extends { readonly kind: "histogram" }
    ? S extends { readonly known: keyof Known }
      ? LabelledHistogram<KnownNames<S>>
      : PlainHistogram
    : S extends { readonly labels: infer L extends ClosedLabels }
      ? LabelledCounter<L, KnownNames<S>>
      : S extends { readonly known: keyof Known }
        ? LabelledCounter<Readonly<Record<never, never>>, KnownNames<S>>
        : PlainCounter;

type TableMetrics = { readonly [K in keyof Table]: MetricOf<Table[K]> };

interface MetricsOptions {
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

/**
 * How often Node.js looks how late its event loop is. Each look wakes the process: at the 10 ms
 * that are the default, that is most of what an idle node costs.
 */
const eventLoopProbeMs = 100;

/** A new registry with every metric in it. Label values out of bounds are counted under "other". */
export function createMetrics({ role, nodeId, consortium, processMetrics }: MetricsOptions) {
  const registry = new Registry();
  // On every series, so that one Prometheus can tell several consortiums apart.
  registry.setDefaultLabels({ consortium });
  if (processMetrics ?? true) {
    collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: eventLoopProbeMs });
  }
  const known = {
    managers: new KnownLabels(...knownLabels.managers),
    peers: new KnownLabels(...knownLabels.peers),
    methods: new KnownLabels(...knownLabels.methods),
  };
  const made = Object.entries(metricTable).map(([key, spec]) => [key, make(registry, spec, known)]);
  const metrics: TableMetrics = Object.fromEntries(made);
  metrics.nodeInfo.set({ role, id: nodeId, version, consortium }, 1);
  const samplers = new Set<() => void>();
  return {
    ...metrics,
    registry,
    contentType: registry.contentType,

    /**
     * Names all managers, at the start and whenever they may have changed, so that what is counted
     * for each of them starts at 0.
     */
    knowManagers(ids: readonly string[]): void {
      for (const id of ids.filter((each) => each !== nodeId)) {
        known.managers.add({ manager: id });
        known.peers.add({ peer: id });
      }
    },

    /** Names a method that the node serves, so that its calls start at 0. */
    knowMethod(service: string, method: string): void {
      known.methods.add({ service, method });
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

function make(
  registry: Registry,
  spec: MetricSpec,
  knownValues: Readonly<Record<keyof Known, KnownLabels<string>>>,
) {
  const { name, help } = spec;
  const plain = { name, help, registers: [registry] };
  if (spec.kind === "gauge") {
    return spec.labels ? new LabelledGauge(registry, plain, spec.labels) : new Gauge(plain);
  }
  const known = spec.known && knownValues[spec.known];
  if (spec.kind === "histogram") {
    const { buckets } = spec;
    if (known) return new LabelledHistogram(registry, plain, known, buckets);
    return new Histogram({ ...plain, buckets: [...buckets] });
  }
  if (spec.labels === undefined && known === undefined) return new Counter(plain);
  return new LabelledCounter(registry, plain, spec.labels ?? {}, known);
}
