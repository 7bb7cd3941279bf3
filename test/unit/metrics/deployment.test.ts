/**
 * Holds the dashboards and alerts to the metrics that exist: a panel on a wrong name is just empty.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parse } from "yaml";
import { joinHostPort } from "../../../src/base/host-port.js";
import { defaultBasePort } from "../../../src/cli/init/defaults.js";
import { planConsortium } from "../../../src/cli/init/plan.js";
import { createMetrics } from "../../../src/metrics/metrics.js";
import { listFiles, repositoryRoot } from "../../support/tree.js";

const root = repositoryRoot();
const dashboards = listFiles(root, "deploy/grafana/dashboards");
const alertsPath = "deploy/prometheus/alerts.yml";
const alertTestsPath = "deploy/prometheus/alerts.test.yml";
const prometheusPath = "deploy/prometheus/prometheus.yml";

/** Labels that Prometheus adds itself, and metrics that it makes itself. */
const scrapeLabels = ["instance", "job", "le", "consortium"];
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
    const names = prometheus.scrape_configs.map((job: { job_name: string }) => job.job_name);
    assert.deepEqual(names, ["bss-managers", "bss-storage"]);
  });

  test("Prometheus scrapes where the nodes of 'bss init' serve their metrics", () => {
    const { scrape_configs: jobs } = parse(readFileSync(join(root, prometheusPath), "utf8"));
    const sizes = { managers: 4, storage: 7, participants: 0 };
    const plan = planConsortium({ name: "demo", basePort: defaultBasePort, ...sizes });
    for (const [index, nodes] of [plan.managers, plan.storage].entries()) {
      const { targets } = jobs[index].static_configs[0];
      assert.deepEqual(
        targets,
        nodes.map(({ metrics: at }) => joinHostPort(at)),
      );
    }
  });
});

describe("the alerts", () => {
  const alerts = rulesOf(parse(readFileSync(join(root, alertsPath), "utf8")));
  const cases = parse(readFileSync(join(root, alertTestsPath), "utf8"))
    .tests as readonly RuleTest[];
  const shown = cases.flatMap((one) => one.alert_rule_test);

  for (const { alert, expr, annotations } of alerts) {
    test(`${alert} is shown to fire and not to fire`, () => {
      const expected = shown.filter(({ alertname }) => alertname === alert);
      const fires = expected.filter(({ exp_alerts: fired }) => fired.length > 0);
      assert.ok(fires.length > 0, `no test in ${alertTestsPath} in which it fires`);
      assert.ok(
        fires.length < expected.length,
        `no test in ${alertTestsPath} in which it does not`,
      );
    });

    test(`${alert} tells consortiums apart, and keeps the labels of which it speaks`, () => {
      const spoken = [...JSON.stringify(annotations).matchAll(/\$labels\.(\w+)/g)];
      const groups = [...expr.matchAll(/\b(?:sum|max|min|count)( by \(([^)]*)\))?/g)];
      for (const { 1: by, 2: labels = "" } of groups) {
        assert.ok(by !== undefined, `an aggregation without by: ${expr}`);
        const kept = labels.split(",").map((label) => label.trim());
        assert.ok(kept.includes("consortium"), `an aggregation without consortium: ${expr}`);
      }
      if (groups.length === 0) return;
      const all = new Set(groups.flatMap((found) => (found[2] ?? "").split(/,\s*/)));
      for (const { 1: label = "" } of spoken) assert.ok(all.has(label), `${label} is dropped`);
    });
  }

  test("on single events see one that happened before the first scrape", () => {
    const onEvents = alerts.filter(({ expr }) => expr.includes("increase("));
    assert.ok(onEvents.length >= 7);
    for (const { alert, expr } of onEvents) {
      const [, seen = "", range = "", unit = ""] = /increase\((.+)\[(\d+)(m)\]/.exec(expr) ?? [];
      const windowS = Number(range) * (unit === "m" ? 60 : 1);
      const early = `${seen} and on (instance, job) (time() - process_start_time_seconds < ${windowS})`;
      assert.ok(expr.replaceAll(/\s+/g, " ").includes(early), `${alert} lacks: ${early}`);
    }
  });

  test("on quantiles have an edge of a bucket as their threshold", () => {
    const onQuantiles = alerts.filter(({ expr }) => expr.includes("histogram_quantile"));
    assert.equal(onQuantiles.length, 2);
    for (const { alert, expr } of onQuantiles) {
      const name = /\b(bss_\w+_bucket)\[/.exec(expr)?.[1] ?? "";
      const threshold = Number(/> ([\d.]+)\s*$/.exec(expr)?.[1]);
      const edges = [...exposition.matchAll(new RegExp(`^${name}{le="([\\d.]+)"`, "gm"))];
      assert.ok(edges.length > 5, name);
      assert.ok(
        edges.some((edge) => Number(edge[1]) === threshold),
        `${alert}: ${threshold} is between the edges of ${name}`,
      );
    }
  });

  test("are tested on series that nodes have", () => {
    const series = cases.flatMap((one) => one.input_series).map((one) => one.series);
    assert.ok(series.length > 50);
    const ownSeries = series.filter((text) => !text.startsWith("up{"));
    assert.deepEqual(ownSeries.flatMap(problems), []);
  });

  test("that are tested exist", () => {
    const names = alerts.map(({ alert }) => alert);
    assert.deepEqual(
      shown.filter(({ alertname }) => !names.includes(alertname)),
      [],
    );
  });
});

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: Readonly<Record<string, string>>;
}

interface RuleTest {
  readonly input_series: readonly { readonly series: string }[];
  readonly alert_rule_test: readonly {
    readonly alertname: string;
    readonly exp_alerts: readonly unknown[];
  }[];
}

function rulesOf({ groups }: { groups: readonly { rules: readonly Alert[] }[] }): readonly Alert[] {
  return groups.flatMap(({ rules }) => rules);
}

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
  const isVariable = value.startsWith("$");
  return isVariable || new Set(values).size < 2 || values.includes(value)
    ? []
    : [`${label} is never "${value}"`];
}

function metricOf(name: string): Metric | undefined {
  const suffix = /_(bucket|sum|count)$/;
  return metrics.find((metric) =>
    metric.type === "histogram"
      ? suffix.test(name) && metric.name === name.replace(suffix, "")
      : metric.name === name,
  );
}
