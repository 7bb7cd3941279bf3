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

const names = [
  "bss_abstaining",
  "bss_answer_bytes",
  "bss_attestations_total",
  "bss_audits_total",
  "bss_block_interval_seconds",
  "bss_blocks_total",
  "bss_certificate_expiry_timestamp_seconds",
  "bss_certificate_renewal_due_timestamp_seconds",
  "bss_certificate_renewals_total",
  "bss_certificate_unwritten",
  "bss_commit_latency_seconds",
  "bss_connections",
  "bss_connections_ended_total",
  "bss_control_operations_total",
  "bss_evidence_total",
  "bss_false_objections_total",
  "bss_grpc_call_seconds",
  "bss_grpc_calls_total",
  "bss_grpc_streams",
  "bss_halted",
  "bss_heads_differing_total",
  "bss_height",
  "bss_height_open_seconds",
  "bss_late_attestations_total",
  "bss_managers_suspended",
  "bss_memory_bound_bytes",
  "bss_messages_dropped_total",
  "bss_node_info",
  "bss_objections_total",
  "bss_operations_waiting",
  "bss_peers_connected",
  "bss_pool_bytes",
  "bss_pool_records",
  "bss_pool_submissions",
  "bss_queue_dropped_total",
  "bss_queue_length",
  "bss_records_total",
  "bss_resumes_total",
  "bss_round",
  "bss_round_timeouts_total",
  "bss_storage_credit_median",
  "bss_storage_credit_min",
  "bss_storage_nodes",
  "bss_store_damaged_total",
  "bss_store_repairing",
  "bss_store_write_seconds",
  "bss_suspensions_total",
  "bss_sync_blamed_total",
  "bss_sync_blocks_per_second",
  "bss_sync_target_height",
  "bss_tree_size",
  "bss_unreachable_claims",
  "bss_verdicts_total",
  "bss_votes_total",
  "bss_waiting_for",
  "bss_waiting_seconds",
];

function nodeMetrics(processMetrics = false) {
  return createMetrics({
    role: "manager",
    nodeId: "manager-1",
    consortium: "valley",
    processMetrics,
  });
}

describe("the metrics of a node", () => {
  test("have exactly the published names", () => {
    const own = nodeMetrics().registry.getMetricsAsArray();
    assert.deepEqual(own.map((metric) => metric.name).sort(), names);
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
  observer.callStarted("bss.v1.QueryService", "GetStatus");
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
