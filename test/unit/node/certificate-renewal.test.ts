import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { pino } from "pino";
import type { Time } from "../../../src/base/time.js";
import { Issuer } from "../../../src/manager/operations/issuing.js";
import { createMetrics } from "../../../src/metrics/metrics.js";
import { askManagersInTurn, CertificateRenewal } from "../../../src/node/certificate-renewal.js";
import { NodeCertificate } from "../../../src/node/node-certificate.js";
import {
  type CertificateAuthority,
  createCertificateAuthority,
  issueCertificate,
  reissueCertificate,
} from "../../../src/pki/certificate-authority.js";
import { readCertificateRequest } from "../../../src/pki/certificate-request.js";
import { readTerms } from "../../../src/rpc/tls/certificate.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";

type Terms = { readonly fromMs: number; readonly lifetimeMs: number };

const hourMs = 3_600_000;
const startMs = Date.UTC(2026, 0, 1);

describe("the renewal of a node's certificate", () => {
  const directory = temporaryDirectory();
  let authority: CertificateAuthority;
  let stranger: CertificateAuthority;

  before(async () => {
    const named = { consortiumName: "demo", nowMs: startMs };
    authority = await createCertificateAuthority({ ...named, managerId: "manager-1" });
    stranger = await createCertificateAuthority({ ...named, managerId: "manager-9" });
  });

  /** A node whose certificate lives 30 h; `steps` are the times at which a timer runs. */
  const nodeWith = async (
    name: string,
    issuers: readonly ("away" | readonly [CertificateAuthority, string, Terms?])[],
  ) => {
    let nowMs = startMs;
    let timer: { atMs: number; work: () => void } | undefined;
    const time: Time = {
      wallMs: () => nowMs,
      monotonicMs: () => nowMs,
      attentiveMs: () => nowMs,
      breathe: async () => {},
      after: (delayMs, work) => {
        timer = { atMs: nowMs + delayMs, work };
        return { cancel: () => (timer = undefined) };
      },
    };
    const lifetimeMs = 30 * hourMs;
    const party = { role: "storage", id: "pc-7", hosts: [] } as const;
    const first = await issueCertificate(authority, { ...party, nowMs, lifetimeMs });
    const at = (file: string) => join(directory, name, file);
    mkdirSync(join(directory, name));
    const files = { certificate: at("tls.crt"), key: at("tls.key"), ca: at("ca.pem") };
    writeFileSync(files.certificate, first.certificatePem);
    writeFileSync(files.key, first.keyPem, { mode: 0o600 });
    writeFileSync(files.ca, authority.certificatePem);
    const said: string[] = [];
    const log = pino({ base: null, timestamp: false }, { write: (line) => said.push(line) });
    const renewedCertificateFile = at("state/renewed-tls.crt");
    const owner = { role: "storage", id: "pc-7", tls: files, renewedCertificateFile } as const;
    const ports = { consortiumName: "demo", renewsItself: false, wallMs: () => nowMs, log };
    const certificate = NodeCertificate.open(owner, ports);
    const { tls } = certificate;
    const asked: number[] = [];
    const metrics = createMetrics({
      role: "storage",
      nodeId: "pc-7",
      consortium: "demo",
      processMetrics: false,
    });
    const renewal = new CertificateRenewal({
      id: "pc-7",
      certificate,
      metrics,
      time,
      log,
      ask: async (der, take) => {
        const request = await readCertificateRequest(der);
        assert.ok(typeof request !== "string");
        const issuer = issuers[asked.length] ?? ([authority, "pc-7"] as const);
        asked.push(nowMs);
        if (issuer === "away") throw new Error("nobody is there");
        const [by, id, terms] = issuer;
        const { fromMs, lifetimeMs: livesMs } = terms ?? { fromMs: nowMs, lifetimeMs };
        const members = { manager: () => undefined };
        const options = { lifetimeMs: livesMs, members, nowMs: () => fromMs };
        return take(
          await new Issuer(async () => by, options).issue({ role: "storage", id }, request),
        );
      },
    });
    /** Runs timers until somebody was asked `count` times. */
    const run = async (count: number) => {
      while (asked.length < count) {
        assert.ok(timer);
        const { atMs, work } = timer;
        timer = undefined;
        nowMs = atMs;
        work();
        while (timer === undefined) await turn();
      }
    };
    /** Lets time pass and runs timers, without anybody being asked. */
    const pass = async (untilMs: number) => {
      while (timer !== undefined && timer.atMs < untilMs) {
        const { atMs, work } = timer;
        timer = undefined;
        nowMs = atMs;
        work();
        while (timer === undefined) await turn();
      }
      nowMs = untilMs;
    };
    const metric = async (metricName: string) => {
      const exposition = await metrics.exposition();
      const line = new RegExp(`^${metricName},?consortium="[^"]*"\\} (.*)$`, "m").exec(exposition);
      return Number(line?.[1]);
    };
    return {
      tls,
      asked,
      run,
      pass,
      metric,
      said,
      files,
      certificate,
      renewal,
      first: first.certificatePem,
      keyPem: first.keyPem,
      renewedCertificateFile,
      stateDirectory: at("state"),
      /** Timers run on another clock. */
      setClock: (ms: number) => {
        if (timer !== undefined) timer = { ...timer, atMs: timer.atMs + ms - nowMs };
        nowMs = ms;
      },
    };
  };

  test("comes when two thirds of its life are nearly over, with the same names, into TLS and state", async () => {
    const node = await nodeWith("fine", []);
    let told = 0;
    node.tls.watch(() => {
      told += 1;
    });
    await node.run(1);
    const terms = readTerms(node.first);
    assert.ok(terms);
    const lifeMs = terms.toMs - terms.fromMs;
    const share = ((node.asked[0] ?? 0) - terms.fromMs) / lifeMs;
    assert.ok(share >= 2 / 3 - 1 / 20 && share < 2 / 3 + 0.001, String(share));
    assert.notEqual(node.tls.certPem, node.first);
    assert.equal(readFileSync(node.renewedCertificateFile, "utf8"), node.tls.certPem);
    assert.equal(readFileSync(node.files.certificate, "utf8"), node.first, "it is the operator's");
    assert.equal(told, 1);
    await node.run(2);
    node.renewal.close();
  });

  test("refuses a certificate of a strange authority or for another id, and asks again", async () => {
    const node = await nodeWith("wrong", [
      [stranger, "pc-7"],
      [authority, "pc-8"],
    ]);
    await node.run(2);
    assert.equal(node.tls.certPem, node.first);
    await node.run(3);
    assert.notEqual(node.tls.certPem, node.first);
    const [first = 0, second = 0] = node.asked;
    assert.ok(second - first >= 1_000 && second - first <= 600_000);
    node.renewal.close();
  });

  test("refuses a certificate that has expired, begins later or ends at once", async () => {
    const node = await nodeWith("terms", [
      [authority, "pc-7", { fromMs: startMs - 20 * hourMs, lifetimeMs: 10 * hourMs }],
      [authority, "pc-7", { fromMs: startMs + 60 * hourMs, lifetimeMs: 30 * hourMs }],
      [authority, "pc-7", { fromMs: startMs + 20 * hourMs, lifetimeMs: hourMs }],
    ]);
    await node.run(3);
    assert.equal(node.tls.certPem, node.first);
    await node.run(4);
    assert.notEqual(node.tls.certPem, node.first);
    node.renewal.close();
  });

  test("is used at once where it cannot be written, and is written when that is possible", async () => {
    const node = await nodeWith("unwritten", []);
    // A file is where the directory of the state has to be.
    writeFileSync(node.stateDirectory, "");
    await node.run(1);
    assert.notEqual(node.tls.certPem, node.first);
    assert.equal(await node.metric("bss_certificate_unwritten\\{"), 1);
    assert.match(node.said.join(""), /in use but not on disk: a restart would lose it/);
    assert.match(
      node.said.join(""),
      /"next":"let the node write .*renewed-tls\.crt; it tries again"/,
    );
    const kept = node.tls.certPem;
    node.renewal.reload();
    assert.equal(node.tls.certPem, kept, "it counts as if it were on disk");
    rmSync(node.stateDirectory);
    await node.pass((node.asked[0] ?? 0) + hourMs);
    assert.equal(readFileSync(node.renewedCertificateFile, "utf8"), kept);
    assert.equal(await node.metric("bss_certificate_unwritten\\{"), 0);
    assert.equal(node.asked.length, 1);
    node.renewal.close();
  });

  test("tells the metrics when the certificate expires, is due, and how attempts end", async () => {
    const node = await nodeWith("metrics", [[stranger, "pc-7"]]);
    const until = "bss_certificate_expiry_timestamp_seconds\\{";
    const due = "bss_certificate_renewal_due_timestamp_seconds\\{";
    const results = (result: string) =>
      node.metric(`bss_certificate_renewals_total\\{result="${result}"`);
    assert.equal(await node.metric(until), (readTerms(node.first)?.toMs ?? 0) / 1_000);
    const firstDue = await node.metric(due);
    assert.deepEqual([await results("failed"), await results("renewed")], [0, 0]);
    await node.run(1);
    assert.equal(node.asked[0], Math.round(firstDue * 1_000));
    assert.equal(await node.metric(due), firstDue, "it is due still");
    await node.run(2);
    assert.deepEqual([await results("failed"), await results("renewed")], [1, 1]);
    assert.equal(await node.metric(until), (readTerms(node.tls.certPem)?.toMs ?? 0) / 1_000);
    assert.ok((await node.metric(due)) > firstDue);
    node.renewal.close();
  });

  test("is not needed while the operator's new certificate lasts longer, which counts after a reload", async () => {
    const node = await nodeWith("placed", []);
    await node.run(1);
    const renewed = node.tls.certPem;
    const placed = await reissueCertificate(authority, node.first, {
      role: "storage",
      id: "pc-7",
      lifetimeMs: 700 * 24 * hourMs,
      nowMs: (node.asked[0] ?? 0) + 2 * hourMs,
    });
    writeFileSync(node.files.certificate, placed);
    node.setClock((node.asked[0] ?? 0) + 2 * hourMs);
    assert.equal(node.tls.certPem, renewed);
    node.renewal.reload();
    assert.equal(node.tls.certPem, placed);
    await node.pass(startMs + 48 * hourMs);
    assert.equal(node.asked.length, 1);
    node.renewal.close();
  });

  test("takes nothing from disk that nobody would accept, and says so", async () => {
    const node = await nodeWith("useless", []);
    const party = { role: "storage", id: "pc-7", hosts: [], nowMs: startMs, lifetimeMs: hourMs };
    const other = await issueCertificate(authority, { ...party, role: "storage" });
    const foreign = await reissueCertificate(stranger, node.first, { ...party, role: "storage" });
    const neighbour = await reissueCertificate(authority, node.first, {
      ...party,
      role: "storage",
      id: "pc-8",
    });
    for (const [pem, why] of [
      [other.certificatePem, /for another key/],
      [foreign, /no authority in the CA bundle/],
      [neighbour, /is that of storage pc-8/],
      ["nothing", /holds no certificate/],
    ] as const) {
      writeFileSync(node.files.certificate, pem);
      node.said.length = 0;
      node.renewal.reload();
      assert.equal(node.tls.certPem, node.first);
      assert.match(node.said.join(""), why);
      assert.match(node.said.join(""), /the node goes on with the certificate in use/);
    }
    node.renewal.close();
  });

  test("falls back to the operator's certificate when renewals fail for as long as the last lives", async () => {
    const node = await nodeWith("fallback", [
      [authority, "pc-7", { fromMs: startMs + 18 * hourMs, lifetimeMs: 12.5 * hourMs }],
      ...Array.from({ length: 500 }, () => "away" as const),
    ]);
    const lasting = await reissueCertificate(authority, node.first, {
      role: "storage",
      id: "pc-7",
      nowMs: startMs,
      lifetimeMs: 900 * hourMs,
    });
    await node.run(1);
    assert.notEqual(node.tls.certPem, node.first);
    writeFileSync(node.files.certificate, lasting);
    await node.pass(startMs + 33 * hourMs);
    assert.equal(node.tls.certPem, lasting);
    node.renewal.close();
  });

  test("is tried ever more often until the certificate ends, and seldom after that", async () => {
    const endMs = startMs + 30 * hourMs;
    const { asked, pass, setClock } = await nodeWith("ended", new Array(1_000).fill("away"));
    setClock(endMs - hourMs / 6);
    await pass(endMs);
    const [last = 0, secondLast = 0] = asked.toReversed();
    assert.ok(last - secondLast <= 1_000, "at the end it hurries");
    const before = asked.length;
    await pass(endMs + hourMs / 2);
    const after = asked.length - before;
    assert.ok(after >= 2 && after <= 5, `asked ${after} times in the half hour after its end`);
  });

  test("comes in time after a clock that was far ahead for a while", async () => {
    const { asked, run, setClock } = await nodeWith("ahead", ["away"]);
    setClock(startMs + 1_000 * hourMs);
    await run(1);
    assert.ok((asked[0] ?? 0) >= startMs + 1_000 * hourMs);
    setClock(startMs + hourMs);
    await run(2);
    const atHours = ((asked[1] ?? 0) - startMs) / hourMs;
    assert.ok(atHours > 18 && atHours < 20, `asked after ${atHours} h of 30`);
  });

  test("begins with another manager each time it asks", async () => {
    const { tls, renewal } = await nodeWith("turns", []);
    renewal.close();
    const managers = ["manager-1", "manager-2", "manager-3"].map((managerId, i) => ({
      managerId,
      address: `127.0.0.1:${i + 1}`,
      tlsSpkiSha256: new Uint8Array(32),
      signingKey: new Uint8Array(32),
      vrfKey: new Uint8Array(32),
      hpkeKey: new Uint8Array(32),
    }));
    const asked: string[] = [];
    const addresses = { get: (managerId: string) => void asked.push(managerId) };
    const ask = askManagersInTurn({
      consortiumName: "demo",
      tls,
      managers: () => managers as never,
      addresses: addresses as never,
    });
    await assert.rejects(ask(new Uint8Array(1), () => ""));
    await assert.rejects(ask(new Uint8Array(1), () => ""));
    const ids = asked.map((id) => id.at(-1)).join("");
    assert.ok(["123231", "231312", "312123"].includes(ids), ids);
  });
});
