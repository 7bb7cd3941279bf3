/**
 * Certificates of nodes that can write nothing but their state, from their renewal to an operator's
 * replacement; and what commands and nodes say of a certificate of their own that does not serve.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { initConsortium } from "../../../src/cli/init/init-consortium.js";
import { connect } from "../../../src/client/bss-client.js";
import { readProfile } from "../../../src/client/client-profile.js";
import { meterReading } from "../../../src/client/index.js";
import {
  type CertificateAuthority,
  reissueCertificate,
} from "../../../src/pki/certificate-authority.js";
import { readTerms } from "../../../src/rpc/tls/certificate.js";
import { BssProcess, mainFile } from "../../support/bss.js";
import { freeBasePort } from "../../support/free-ports.js";
import { readInitAuthority } from "../../support/init-authority.js";
import { poll, quickPolicy, suiteTimeoutMs } from "../../support/live-consortium.js";
import { nodeUser, type Sandboxed, sandbox } from "../../support/sandbox.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";

const hourMs = 3_600_000;
const intervalS = 3_600;

type Running = { readonly child: ChildProcess; log: string };

describe("certificates where nodes can write nothing but their state", {
  timeout: suiteTimeoutMs,
}, () => {
  const parent = temporaryDirectory();
  const directory = join(parent, "all");
  const profileFile = join(directory, "participants", "participant-1", "profile.yaml");
  const certificateOf = (party: string) => join(directory, party, "tls.crt");
  const user = nodeUser(mainFile);
  const running = new Map<string, Running>();
  let authority: CertificateAuthority;
  let nodes: readonly Sandboxed[] = [];
  let readings = 0;

  const commands = new BssProcess();
  after(() => commands.close());
  const bss = (...args: readonly string[]) => commands.run(...args);
  const nodeOf = (id: string) => {
    const found = nodes.find((node) => node.id === id);
    assert.ok(found);
    return found;
  };
  const start = ({ id, configFile }: Sandboxed): Running => {
    const child = spawn(process.execPath, [mainFile, "start", "--config", configFile], {
      stdio: ["ignore", "pipe", "pipe"],
      cwd: "/",
      ...(user !== undefined && { uid: user, gid: user }),
    });
    const started: Running = { child, log: "" };
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk) => {
        started.log += chunk;
      });
    }
    running.set(id, started);
    return started;
  };
  const logHas = (id: string, text: RegExp) =>
    poll(
      async () => (text.test(running.get(id)?.log ?? "") ? true : undefined),
      () => `${text} in the log of ${id}: ${running.get(id)?.log}`,
    );
  const stop = async (id: string) => {
    const { child } = running.get(id) ?? {};
    if (child === undefined || child.exitCode !== null) return;
    child.kill("SIGTERM");
    const [code] = await once(child, "exit");
    assert.equal(code, 0, running.get(id)?.log);
  };
  const untilMsOf = (file: string) => readTerms(readFileSync(file, "latin1"))?.toMs ?? 0;
  /** When the certificate in use ends, as the node's metrics say. */
  const untilMsInUse = async ({ metricsPort }: Sandboxed) => {
    const response = await fetch(`http://127.0.0.1:${metricsPort}/metrics`);
    const name = "bss_certificate_expiry_timestamp_seconds";
    const line = new RegExp(`^${name}\\{[^}]*\\} (.*)$`, "m").exec(await response.text());
    return 1_000 * Number(line?.[1]);
  };
  /** Replaces what an operator has put in place for a node. */
  const place = (file: string, text: string) => {
    chmodSync(file, 0o644);
    writeFileSync(file, text);
    chmodSync(file, 0o444);
  };
  const submit = async () => {
    const client = await connect(readProfile(profileFile));
    try {
      const reading = meterReading({
        ownerId: "participant-1",
        meterId: "meter-1",
        intervalS,
        importedWh: 1,
        exportedWh: 0,
        intervalStartS: 1_700_002_800 + readings++ * intervalS,
      });
      const { outcomes } = await client.submit(client.sign([reading]), { timeoutMs: 180_000 });
      assert.equal(outcomes[0]?.outcome.case, "committed");
    } finally {
      client.close();
    }
  };

  before(async () => {
    chmodSync(parent, 0o755);
    const basePort = await freeBasePort(2);
    const policyFile = join(parent, "policy.yaml");
    writeFileSync(policyFile, quickPolicy);
    const counts = { managers: 1, storage: 2, participants: 1 };
    await initConsortium(directory, { name: "sealed", basePort, policyFile, ...counts });
    authority = await readInitAuthority(directory, "manager-1");
    // They have lived for longer than two thirds, and have an hour and a half left.
    const certificates = { issuedMs: Date.now() - 4.5 * hourMs, lifetimeMs: 6 * hourMs };
    nodes = await sandbox(parent, directory, certificates, user);
    // The manager first: the others ask it for certificates as soon as they run.
    for (const node of nodes) {
      start(node);
      await logHas(node.id, /serves/);
    }
  });
  after(async () => {
    for (const { child } of running.values()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill("SIGTERM");
      await once(child, "exit");
    }
    // Only root removes what lies in directories that cannot be written.
    for (const { configFile } of nodes) chmodSync(join(configFile, ".."), 0o755);
  });

  test("nodes renew them into their state and use them, and records become final", async () => {
    await submit();
    for (const node of nodes) {
      const untilMs = await poll(
        async () => {
          const file = node.renewedCertificateFile;
          return existsSync(file) ? untilMsOf(file) : undefined;
        },
        () => `the renewed certificate of ${node.id}: ${running.get(node.id)?.log}`,
      );
      assert.ok(untilMs > Date.now() + 80 * 24 * hourMs, "issued for 90 days");
      assert.ok(untilMsOf(node.certificateFile) < Date.now() + 2 * hourMs, "the operator's stays");
      await poll(
        async () => ((await untilMsInUse(node)) === untilMs ? true : undefined),
        `the renewed certificate of ${node.id} in use`,
      );
      assert.doesNotMatch(running.get(node.id)?.log ?? "", /EACCES|EROFS/);
    }
    await submit();
  });

  test("a node that starts again uses the renewed one, also after its data is gone", async () => {
    const node = nodeOf("storage-1");
    await stop(node.id);
    for (const name of readdirSync(node.dataDirectory)) {
      rmSync(join(node.dataDirectory, name), { recursive: true });
    }
    start(node);
    await logHas(node.id, /serves/);
    assert.equal(await untilMsInUse(node), untilMsOf(node.renewedCertificateFile));
    await submit();
  });

  test("an operator's new one is taken at SIGHUP, one that is another's is not", async () => {
    const node = nodeOf("storage-2");
    const former = readFileSync(node.certificateFile, "latin1");
    const subject = { role: "storage", id: node.id, lifetimeMs: 700 * 24 * hourMs } as const;
    // What the node has renewed began a while before it was issued.
    const nowMs = Date.now() + hourMs / 2;
    const fresh = await reissueCertificate(authority, former, { ...subject, nowMs });
    const { child } = running.get(node.id) ?? {};
    place(node.certificateFile, readFileSync(nodeOf("storage-1").certificateFile, "latin1"));
    child?.kill("SIGHUP");
    await logHas(node.id, /is that of storage storage-1.*goes on with the certificate in use/);
    place(node.certificateFile, fresh);
    child?.kill("SIGHUP");
    await logHas(node.id, /"isNew":true,"msg":"the certificates were read again"/);
    assert.equal(await untilMsInUse(node), untilMsOf(node.certificateFile));
    assert.equal(child?.exitCode, null);
    await submit();
  });

  test("a node whose certificates have expired says so and what to do, and ends", async () => {
    const node = nodeOf("storage-1");
    await stop(node.id);
    const former = readFileSync(node.certificateFile, "latin1");
    const old = { nowMs: Date.now() - 48 * hourMs, lifetimeMs: 24 * hourMs };
    place(
      node.certificateFile,
      await reissueCertificate(authority, former, { ...old, role: "storage", id: node.id }),
    );
    rmSync(node.renewedCertificateFile);
    const { child } = start(node);
    const [code] = await once(child, "close");
    assert.equal(code, 1);
    const log = running.get(node.id)?.log ?? "";
    assert.match(
      log,
      /^bss: \S+tls\.crt: the certificate has expired at .*clock says .*; set the/m,
    );
    assert.match(log, /ask a manager's operator to run 'bss reissue' on this file/);
    const manager = join(directory, "managers", "manager-1", "config.yaml");
    const out = join(parent, "reissued.crt");
    const args = ["--config", manager, "--certificate", node.certificateFile, "--out", out];
    const reissued = await bss("reissue", ...args);
    assert.equal(reissued.code, 0, reissued.err);
    assert.match(
      reissued.out,
      /^storage-1: the new certificate is valid until .* \(for \d+ days\)/,
    );
    place(node.certificateFile, readFileSync(out, "latin1"));
    start(node);
    await logHas(node.id, /serves/);
    await submit();
  });

  test("a manager whose certificate has expired issues itself another one", async () => {
    const node = nodeOf("manager-1");
    await stop(node.id);
    const former = readFileSync(node.certificateFile, "latin1");
    const old = { nowMs: Date.now() - 48 * hourMs, lifetimeMs: 24 * hourMs };
    place(
      node.certificateFile,
      await reissueCertificate(authority, former, { ...old, role: "manager", id: node.id }),
    );
    rmSync(node.renewedCertificateFile);
    start(node);
    await logHas(node.id, /has expired at .*"the node issues itself a new certificate"/);
    await logHas(node.id, /serves/);
    await submit();
    assert.ok(untilMsOf(node.renewedCertificateFile) > Date.now());
  });

  test("bss renew takes none that ends sooner, unless it is told to, and says both ends", async () => {
    const file = certificateOf("participants/participant-1");
    const before = readFileSync(file, "latin1");
    const refused = await bss("renew", "--profile", profileFile);
    assert.equal(refused.code, 1);
    assert.match(
      refused.err,
      /^bss: nothing was changed: .*would end at .*, before the old one, which ends at /,
    );
    assert.match(refused.err, /--shorter/);
    assert.equal(readFileSync(file, "latin1"), before);
    const taken = await bss("renew", "--shorter", "--json", "--profile", profileFile);
    assert.equal(taken.code, 0, taken.err);
    const { until_unix_ms: untilMs, former_until_unix_ms: formerMs } = JSON.parse(taken.out);
    assert.ok(formerMs > untilMs && untilMs === untilMsOf(file));
    const again = await bss("renew", "--profile", profileFile);
    assert.equal(again.code, 0, again.err);
    assert.match(
      again.out,
      /^participant-1: the new certificate is valid until .* \(for 90 days\),/,
    );
  });

  test("every command says that its own certificate has expired, and is helped by a reissue", async () => {
    const file = certificateOf("participants/participant-1");
    const old = { nowMs: Date.now() - 400 * 24 * hourMs, lifetimeMs: 24 * hourMs };
    const subject = { ...old, role: "participant", id: "participant-1" } as const;
    const expired = await reissueCertificate(authority, readFileSync(file, "latin1"), subject);
    writeFileSync(file, expired);
    for (const command of ["status", "list", "renew", "blocks", "managers", "consortium"]) {
      const { code, err } = await bss(command, "--profile", profileFile);
      assert.equal(code, 1);
      assert.match(
        err,
        /^bss: \S+tls\.crt: the certificate has expired at .*clock says .*; set the/,
      );
      assert.match(err, /'bss reissue'/);
    }
    const manager = join(directory, "managers", "manager-1", "config.yaml");
    const reissued = await bss("reissue", "--config", manager, "--certificate", file, "--json");
    assert.equal(reissued.code, 0, reissued.err);
    await submit();
  });

  test("bss reissue signs nothing for a stranger, an invitation or a storage node's config", async () => {
    const manager = join(directory, "managers", "manager-1", "config.yaml");
    const file = certificateOf("participants/participant-1");
    const pem = readFileSync(file, "latin1");
    const party = { nowMs: Date.now(), lifetimeMs: hourMs };
    const write = async (name: string, role: "invited" | "storage", id: string) => {
      const other = join(parent, name);
      writeFileSync(other, await reissueCertificate(authority, pem, { ...party, role, id }));
      return other;
    };
    for (const [certificate, why] of [
      [await write("invited.crt", "invited", "a1"), /is the certificate of an invitation/],
      [
        await write("other.crt", "storage", "storage-1"),
        /its key is not the one that genesis names/,
      ],
      [
        join(directory, "managers", "manager-1", "ca.crt"),
        /no certificate of a member of a consortium/,
      ],
    ] as const) {
      const { code, err } = await bss("reissue", "--config", manager, "--certificate", certificate);
      assert.equal(code, 1);
      assert.match(err, why);
    }
    const sooner = ["--certificate", file, "--days", "1"];
    const { code, err } = await bss("reissue", "--config", manager, ...sooner);
    assert.equal(code, 1);
    assert.match(
      err,
      /^bss: nothing was changed: .*; give more --days, or accept the new one with --shorter$/m,
    );
    assert.equal(readFileSync(file, "latin1"), pem);
    const storage = join(directory, "storage", "storage-1", "config.yaml");
    const wrong = await bss("reissue", "--config", storage, "--certificate", file);
    assert.match(wrong.err, /has no `issuer`/);
  });
});
