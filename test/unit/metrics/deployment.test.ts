/**
 * Holds the dashboards and alerts to the metrics that exist: a panel on a wrong name is just empty.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parse } from "yaml";
import { createMetrics } from "../../../src/metrics/metrics.js";
import { listFiles, repositoryRoot } from "../../support/tree.js";

const root = repositoryRoot();
const dashboards = listFiles(root, "deploy/grafana/dashboards");
const alertsPath = "deploy/prometheus/alerts.yml";
const prometheusPath = "deploy/prometheus/prometheus.yml";

/** Labels that Prometheus adds itself, and metrics that it makes itself. */
const scrapeLabels = ["instance", "job", "le"];
const scrapeMetrics = new Set(["up"]);

interface Metric {
  readonly name: string;
  readonly type: string;
  readonly labelNames: readonly string[];
}

const node = createMetrics({ role: "manager", nodeId: "manager-1", consortium: "valley" });
const exposition = await node.exposition();
// The declared type lacks the label names and has numbers for the types.
const metrics = node.registry.getMetricsAsArray() as unknown as readonly Metric[];
const ownMetrics = metrics.filter(({ name }) => name.startsWith("bss_"));

describe("the check of names", () => {
  for (const [why, expression] of [
    ["an unknown metric", "rate(bss_heights[5m])"],
    ["an unknown metric of Node.js", "nodejs_eventloop_lag_p95_seconds"],
    ["a suffix of histograms on a gauge", "rate(bss_height_bucket[5m])"],
    ["a histogram without its suffix", "rate(bss_commit_latency_seconds[5m])"],
    ["an unknown label in a selector", 'bss_votes_total{type="commit"}'],
    ["an unknown label among known ones", 'bss_votes_total{kind="commit",way="sent"}'],
    ["an unknown label in an aggregation", "sum by (kind, peer) (bss_votes_total)"],
    ["a label of a metric without any", "max by (step) (bss_height)"],
    ["a label value that is never counted", 'bss_attestations_total{verdict="matched"}'],
  ] as const) {
    test(`finds ${why}`, () => assert.notDeepEqual(problems(expression), []));
  }

  test("lets right expressions pass", () => {
    assert.deepEqual(problems('sum by (kind) (rate(bss_votes_total{direction="sent"}[5m]))'), []);
    assert.deepEqual(problems("sum by (le) (rate(bss_grpc_call_seconds_bucket[5m]))"), []);
  });
});

describe("the deployment files", () => {
  for (const path of dashboards) {
    const dashboard = JSON.parse(readFileSync(join(root, path), "utf8"));
    const expressions = strings(dashboard, ["expr", "query"]).filter((text) => /_/.test(text));
    const legends = strings(dashboard, ["legendFormat"]).join(" ");

    test(`${path} uses only metrics and labels that exist`, () => {
      assert.ok(expressions.length >= 30, `only ${expressions.length} expressions were found`);
      assert.deepEqual(expressions.flatMap(problems), []);
    });

    test(`${path} names labels in its legends that its metrics have`, () => {
      const labels = [...legends.matchAll(/\{\{(\w+)\}\}/g)].map((found) => found[1] ?? "");
      const known = ownMetrics.flatMap(({ labelNames }) => labelNames);
      assert.deepEqual(
        labels.filter((label) => ![...known, ...scrapeLabels].includes(label)),
        [],
      );
    });

    test(`${path} shows every metric of ours`, () => {
      const shown = expressions.join(" ");
      const missing = ownMetrics.filter(({ name }) => !shown.includes(name));
      assert.deepEqual(
        missing.map(({ name }) => name),
        [],
      );
    });

    test(`${path} has panels that do not share an id or overlap`, () => {
      const panels: Panel[] = dashboard.panels;
      assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
      for (const [index, a] of panels.entries()) {
        for (const b of panels.slice(index + 1)) assert.ok(!overlap(a.gridPos, b.gridPos), a.title);
      }
    });
  }

  test("there is a dashboard", () => assert.equal(dashboards.length, 1));

  test("the alerts use only metrics and labels that exist", () => {
    const alerts = parse(readFileSync(join(root, alertsPath), "utf8"));
    const expressions = strings(alerts, ["expr"]);
    assert.ok(expressions.length >= 5);
    assert.deepEqual(expressions.flatMap(problems), []);
  });

  test("Prometheus loads the alerts and scrapes the job names that they speak of", () => {
    const prometheus = parse(readFileSync(join(root, prometheusPath), "utf8"));
    assert.deepEqual(prometheus.rule_files, ["alerts.yml"]);
    for (const job of prometheus.scrape_configs) assert.match(job.job_name, /^bss-/);
  });
});

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly gridPos: Place;
}

interface Place {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

function overlap(a: Place, b: Place): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

/** The values of the named keys, anywhere in a parsed document. */
function strings(value: unknown, keys: readonly string[]): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    keys.includes(key) && typeof inner === "string" ? [inner] : strings(inner, keys),
  );
}

/** What is wrong with the names in a PromQL expression; enough of a reader for the files here. */
function problems(expression: string): string[] {
  const names = [...expression.matchAll(/\b(?:bss|process|nodejs)_\w+|\bup\b/g)];
  const used = names.map(({ 0: name }) => ({ name, metric: metricOf(name) }));
  const wrong = used.filter(({ name, metric }) => !metric && !scrapeMetrics.has(name));
  const labels = used.flatMap(({ metric }) => metric?.labelNames ?? []);
  const known = new Set([...labels, ...scrapeLabels]);
  const grouped = [...expression.matchAll(/\bby \(([^)]*)\)/g)].flatMap((found) =>
    (found[1] ?? "").split(",").map((label) => label.trim()),
  );
  const selected = [...expression.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"/g)];
  return [
    ...wrong.map(({ name }) => `no metric ${name}: ${expression}`),
    ...[...grouped, ...selected.map((found) => found[1] ?? "")]
      .filter((label) => !known.has(label))
      .map((label) => `no label ${label}: ${expression}`),
    ...selected.flatMap((found) => valueProblem(found[1] ?? "", found[2] ?? "", labels)),
  ];
}

/** A closed label takes few values, and all of them are in the exposition from the start. */
function valueProblem(label: string, value: string, labels: readonly string[]): string[] {
  if (!labels.includes(label)) return [];
  const found = exposition.matchAll(new RegExp(`[{,]${label}="([^"]*)"`, "g"));
  const values = [...found].map((one) => one[1]);
  return values.length < 2 || values.includes(value) ? [] : [`${label} is never "${value}"`];
}

function metricOf(name: string): Metric | undefined {
  const suffix = /_(bucket|sum|count)$/;
  return metrics.find((metric) =>
    metric.type === "histogram"
      ? suffix.test(name) && metric.name === name.replace(suffix, "")
      : metric.name === name,
  );
}
