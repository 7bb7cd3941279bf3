import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { version } from "../../../src/base/version.js";
import { ControlOperationSchema } from "../../../src/gen/bss/v1/genesis_pb.js";
import { grpcObserver } from "../../../src/metrics/grpc-observer.js";
import { labelCharsMax, otherLabel, seriesMax } from "../../../src/metrics/known-labels.js";
import { grpcCodes, operationKinds } from "../../../src/metrics/label-values.js";
import { createMetrics } from "../../../src/metrics/metrics.js";
import { statusCodes } from "../../../src/rpc/status-codes.js";
import { repositoryRoot } from "../../support/tree.js";

/** Dashboards and alerts elsewhere use these: a change here breaks them. */
const published = [
  "gauge bss_abstaining{why}",
  "gauge bss_answer_bytes{group}",
  "counter bss_attestations_total{verdict}",
  "counter bss_audits_total{result}",
  "histogram bss_block_interval_seconds",
  "counter bss_blocks_total",
  "gauge bss_certificate_expiry_timestamp_seconds",
  "gauge bss_certificate_renewal_due_timestamp_seconds",
  "counter bss_certificate_renewals_total{result}",
  "gauge bss_certificate_unwritten",
  "histogram bss_commit_latency_seconds",
  "gauge bss_connections{group}",
  "counter bss_connections_ended_total{cause}",
  "counter bss_control_operations_total{kind}",
  "counter bss_evidence_total{kind}",
  "counter bss_false_objections_total{manager}",
  "histogram bss_grpc_call_seconds{service, method}",
  "counter bss_grpc_calls_total{service, method, code}",
  "gauge bss_grpc_streams{method}",
  "gauge bss_halted",
  "counter bss_heads_differing_total{manager}",
  "gauge bss_height",
  "gauge bss_height_open_seconds",
  "counter bss_late_attestations_total",
  "counter bss_links_taken_over_total",
  "gauge bss_managers_suspended",
  "gauge bss_memory_bound_bytes",
  "counter bss_messages_dropped_total{reason}",
  "gauge bss_node_info{role, id, version, consortium}",
  "counter bss_objections_total{rule}",
  "gauge bss_operations_waiting",
  "gauge bss_peers_connected{role}",
  "gauge bss_pool_bytes",
  "gauge bss_pool_records",
  "gauge bss_pool_submissions",
  "counter bss_queue_dropped_total{queue}",
  "gauge bss_queue_length{queue}",
  "counter bss_records_total",
  "counter bss_resumes_total",
  "gauge bss_round",
  "counter bss_round_timeouts_total{step}",
  "gauge bss_storage_credit_median",
  "gauge bss_storage_credit_min",
  "gauge bss_storage_nodes{state}",
  "counter bss_store_damaged_total",
  "gauge bss_store_repairing",
  "histogram bss_store_write_seconds",
  "counter bss_suspensions_total{reason}",
  "counter bss_sync_blamed_total{peer, reason}",
  "gauge bss_sync_blocks_per_second",
  "gauge bss_sync_target_height",
  "gauge bss_tree_size",
  "gauge bss_unreachable_claims",
  "counter bss_verdicts_total{result}",
  "counter bss_votes_total{kind, direction}",
  "gauge bss_waiting_for{what, id}",
  "gauge bss_waiting_seconds{step}",
];

/** The declared type lacks the label names, and has numbers for the types. */
interface Declared {
  readonly type: string;
  readonly name: string;
  readonly labelNames: readonly string[];
}

function nodeMetrics(processMetrics = false) {
  return createMetrics({
    role: "manager",
    nodeId: "manager-1",
    consortium: "valley",
    processMetrics,
  });
}

describe("the metrics of a node", () => {
  test("have exactly the published kinds, names and labels", () => {
    const own = nodeMetrics().registry.getMetricsAsArray() as unknown as readonly Declared[];
    const texts = own
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ type, name, labelNames }) => {
        return `${type} ${name}${labelNames.length === 0 ? "" : `{${labelNames.join(", ")}}`}`;
      });
    assert.deepEqual(texts, published);
  });

  test("take no other names and labels: the code would not compile", () => {
    const metrics = nodeMetrics();
    const neverCalled = [
      // @ts-expect-error there is no such metric
      () => metrics.heights,
      // @ts-expect-error a metric without labels takes none
      () => metrics.height.set({ step: "verify" }, 1),
      // @ts-expect-error a label that the counter does not have
      () => metrics.votes.inc({ kind: "commit", direction: "sent", peer: "manager-2" }),
      // @ts-expect-error a label is missing
      () => metrics.votes.inc({ kind: "commit" }),
      // @ts-expect-error a value that is not on the list
      () => metrics.votes.inc({ kind: "reject", direction: "sent" }),
      // @ts-expect-error a label of another counter
      () => metrics.headsDiffering.inc({ peer: "manager-2" }),
      // @ts-expect-error a label that the histogram does not have
      () => metrics.grpcCallSeconds.observe({ service: "S", code: "OK" }, 1),
    ];
    assert.equal(neverCalled.length, 7);
  });

  test("follow the naming rules and explain themselves", () => {
    for (const metric of nodeMetrics().registry.getMetricsAsArray()) {
      const isCounter = String(metric.type) === "counter";
      assert.match(metric.name, /^bss_[a-z]+(_[a-z]+)*$/);
      assert.equal(metric.name.endsWith("_total"), isCounter, metric.name);
      assert.match(metric.help, /^[A-Z1].{15,}\.$/, metric.name);
      if (metric.name.endsWith("_seconds")) assert.match(metric.help, /seconds/i);
      if (metric.name.endsWith("_bytes")) assert.match(metric.help, /bytes/i);
    }
  });

  test("of two nodes in one process do not mix", async () => {
    const [first, second] = [nodeMetrics(), nodeMetrics()];
    first.height.set(7);
    assert.match(await first.exposition(), /^bss_height{consortium="valley"} 7$/m);
    assert.match(await second.exposition(), /^bss_height{consortium="valley"} 0$/m);
  });

  test("say which node and version they come from", async () => {
    const labels = `role="manager",id="manager-1",version="${version}",consortium="valley"`;
    assert.ok((await nodeMetrics().exposition()).includes(`\nbss_node_info{${labels}} 1\n`));
  });

  test("all carry the consortium's name, so that one Prometheus can tell two apart", async () => {
    const series = (await nodeMetrics(true).exposition()).match(/^[a-z].*$/gm) ?? [];
    assert.ok(series.length > 100);
    assert.deepEqual(
      series.filter((line) => !line.includes('consortium="valley"')),
      [],
    );
  });

  test("start every counter at 0, with each value that its labels can take", async () => {
    const metrics = nodeMetrics();
    const counters = metrics.registry
      .getMetricsAsArray()
      .filter(({ type }) => String(type) === "counter");
    assert.ok(counters.length > 15);
    for (const { name } of counters) {
      const text = await metrics.registry.getSingleMetricAsString(name);
      const series = text.split("\n").filter((line) => line.startsWith(name));
      assert.notEqual(series.length, 0, `${name} has no series before its first event`);
      for (const line of series) assert.match(line, / 0$/);
    }
  });

  test("carry Node's own metrics unless these are turned off", async () => {
    assert.match(await nodeMetrics(true).exposition(), /^nodejs_eventloop_lag_seconds{/m);
    assert.doesNotMatch(await nodeMetrics(false).exposition(), /^nodejs_/m);
  });

  test("start closed labels at zero, so that rates exist from the start", async () => {
    const text = (await nodeMetrics().exposition()).replaceAll(',consortium="valley"', "");
    for (const kind of ["propose", "accept", "approve", "commit"]) {
      for (const direction of ["sent", "received"]) {
        assert.match(
          text,
          new RegExp(`^bss_votes_total{kind="${kind}",direction="${direction}"} 0$`, "m"),
        );
      }
    }
  });

  test("count into histograms in seconds", async () => {
    const metrics = nodeMetrics();
    metrics.commitLatencySeconds.observe(0.2);
    metrics.storeWriteSeconds.observe(0.0002);
    const text = await metrics.exposition();
    assert.match(text, /^bss_commit_latency_seconds_bucket{le="0.1",.*} 0$/m);
    assert.match(text, /^bss_commit_latency_seconds_bucket{le="0.25",.*} 1$/m);
    assert.match(text, /^bss_store_write_seconds_sum{.*} 0.0002$/m);
  });

  test("ask samplers before each scrape, until these are taken away", async () => {
    const metrics = nodeMetrics();
    let waitedSeconds = 3;
    const remove = metrics.onScrape(() =>
      metrics.waitingSeconds.set({ step: "verify" }, waitedSeconds),
    );
    assert.match(await metrics.exposition(), /^bss_waiting_seconds{step="verify",.*} 3$/m);
    waitedSeconds = 4;
    assert.match(await metrics.exposition(), /^bss_waiting_seconds{step="verify",.*} 4$/m);
    remove();
    metrics.waitingSeconds.reset();
    assert.doesNotMatch(await metrics.exposition(), /^bss_waiting_seconds{/m);
  });
});

describe("label values", () => {
  test("of what is awaited are bounded for each scrape, and nothing of the last one stays", async () => {
    const metrics = nodeMetrics();
    for (let scrape = 0; scrape < 3; scrape++) {
      metrics.waitingFor.reset();
      for (let i = 0; i < seriesMax; i++) {
        metrics.waitingFor.set({ what: "attestation", id: `storage-${scrape}-${i}` }, 1);
      }
      const series = (await metrics.exposition()).match(/^bss_waiting_for{.*$/gm) ?? [];
      assert.equal(series.length, seriesMax);
      assert.ok(series.every((line) => line.includes(`storage-${scrape}-`)));
    }
  });

  test("that nobody has made known are counted as other, which begins at 0", async () => {
    const metrics = nodeMetrics();
    metrics.knowManagers(["manager-2"]);
    const before = await seriesOf(metrics, "bss_heads_differing_total");
    assert.deepEqual(before.map(withoutConsortium), [
      `bss_heads_differing_total{manager="${otherLabel}"} 0`,
      'bss_heads_differing_total{manager="manager-2"} 0',
    ]);
    for (let i = 0; i < 10; i++) metrics.headsDiffering.inc({ manager: `stranger-${i}` });
    const after = await seriesOf(metrics, "bss_heads_differing_total");
    assert.deepEqual(after.map(withoutConsortium), [
      `bss_heads_differing_total{manager="${otherLabel}"} 10`,
      'bss_heads_differing_total{manager="manager-2"} 0',
    ]);
  });

  test("that become known are bounded, and the rest is other", async () => {
    const metrics = nodeMetrics();
    const ids = Array.from({ length: 2 * seriesMax }, (_, i) => `peer-${i}`);
    metrics.knowManagers(ids);
    for (const manager of ids) metrics.falseObjections.inc({ manager });
    const series = await seriesOf(metrics, "bss_false_objections_total");
    assert.equal(series.length, seriesMax + 1);
    const other = series.find((line) => line.includes(`"${otherLabel}"`));
    assert.ok(other?.endsWith(` ${seriesMax}`), other);
  });

  test("that become known late start every counter that has them at 0, once", async () => {
    const metrics = nodeMetrics();
    metrics.knowManagers(["manager-2"]);
    metrics.syncBlamed.inc({ peer: "manager-2", reason: "slow" });
    metrics.knowManagers(["manager-2", "manager-3"]);
    const text = (await metrics.exposition()).replaceAll(',consortium="valley"', "");
    assert.match(text, /^bss_sync_blamed_total{peer="manager-2",reason="slow"} 1$/m);
    for (const reason of ["silent", "slow", "empty", "malformed", "invalid"]) {
      assert.ok(text.includes(`\nbss_sync_blamed_total{peer="manager-3",reason="${reason}"} 0\n`));
    }
    assert.match(text, /^bss_heads_differing_total{manager="manager-3"} 0$/m);
    assert.match(text, /^bss_false_objections_total{manager="manager-3"} 0$/m);
    assert.doesNotMatch(text, /"manager-1"} 0$/m, "nobody counts itself");
  });

  test("that were let in keep their series after the limit is reached", async () => {
    const metrics = nodeMetrics();
    metrics.grpcStreams.inc({ method: "Vote" });
    for (let i = 0; i < 2 * seriesMax; i++) metrics.grpcStreams.inc({ method: `m${i}` });
    metrics.grpcStreams.dec({ method: "Vote" });
    assert.match(await metrics.exposition(), /^bss_grpc_streams{method="Vote",.*} 0$/m);
  });

  test("that are too long are not kept", async () => {
    const metrics = nodeMetrics();
    metrics.waitingSeconds.set({ step: "q".repeat(labelCharsMax) }, 1);
    metrics.waitingSeconds.set({ step: "q".repeat(labelCharsMax + 1) }, 2);
    const series = await seriesOf(metrics, "bss_waiting_seconds");
    assert.equal(series.length, 2);
    assert.match(series.at(-1) ?? "", new RegExp(`{step="${otherLabel}",.*} 2$`));
    metrics.knowManagers(["m".repeat(labelCharsMax + 1)]);
    assert.equal((await seriesOf(metrics, "bss_heads_differing_total")).length, 1);
  });

  test("outside a closed list are counted as other", async () => {
    const metrics = nodeMetrics();
    const stray: string = "maybe";
    metrics.attestations.inc({ verdict: stray as "match" });
    const text = await metrics.exposition();
    assert.match(text, new RegExp(`^bss_attestations_total{verdict="${otherLabel}",.*} 1$`, "m"));
    assert.doesNotMatch(text, /maybe/);
  });

  test("with quotes and newlines cannot forge lines", async () => {
    const metrics = nodeMetrics();
    metrics.abstaining.set({ why: 'x"} 1\nbss_height 99' }, 1);
    metrics.knowManagers(['x"} 1\nbss_height 99']);
    assert.doesNotMatch(await metrics.exposition(), /^bss_height 99$/m);
  });
});

test("the gRPC observer counts calls by status and streams while they are open", async () => {
  const metrics = nodeMetrics();
  const observer = grpcObserver(metrics);
  observer.methodServed("bss.v1.QueryService", "GetStatus");
  observer.methodServed("bss.v1.VoteService", "Vote");
  const fresh = await seriesOf(metrics, "bss_grpc_calls_total");
  assert.equal(fresh.length, 3 * grpcCodes.length);
  assert.ok(fresh.every((line) => line.endsWith(" 0")));
  observer.callEnded("bss.v1.QueryService", "GetStatus", "OK", 0.003);
  observer.streamOpened("bss.v1.VoteService", "Vote");
  observer.streamOpened("bss.v1.VoteService", "Vote");
  observer.streamClosed("bss.v1.VoteService", "Vote");
  const text = (await metrics.exposition()).replaceAll(
    /(?<=[{,])consortium="valley",|,consortium="valley"/g,
    "",
  );
  const labels = 'service="bss.v1.QueryService",method="GetStatus"';
  assert.ok(text.includes(`bss_grpc_calls_total{${labels},code="OK"} 1\n`));
  assert.ok(text.includes(`bss_grpc_call_seconds_count{${labels}} 1\n`));
  assert.ok(text.includes('bss_grpc_streams{method="Vote"} 1\n'));
});

test("the lists of label values are those of what they name", () => {
  assert.deepEqual([...grpcCodes], Object.keys(statusCodes));
  const operations = ControlOperationSchema.oneofs[0]?.fields.map(({ localName }) => localName);
  assert.deepEqual([...operationKinds], operations);
});

test("the version is that of package.json", () => {
  const text = readFileSync(join(repositoryRoot(), "package.json"), "utf8");
  assert.equal(version, JSON.parse(text).version);
});

function withoutConsortium(line: string): string {
  return line.replace(',consortium="valley"', "");
}

async function seriesOf(
  metrics: { exposition(): Promise<string> },
  name: string,
): Promise<string[]> {
  return (await metrics.exposition()).split("\n").filter((line) => line.startsWith(`${name}{`));
}
