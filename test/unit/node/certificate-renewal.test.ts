import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { pino } from "pino";
import type { Time } from "../../../src/base/time.js";
import { Issuer } from "../../../src/manager/issuing.js";
import { askManagersInTurn, CertificateRenewal } from "../../../src/node/certificate-renewal.js";
import {
  type CertificateAuthority,
  createCertificateAuthority,
  issueCertificate,
} from "../../../src/pki/certificate-authority.js";
import { readCertificateRequest } from "../../../src/pki/certificate-request.js";
import { readTerms } from "../../../src/rpc/certificate.js";
import { RenewableTls } from "../../../src/rpc/tls.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";

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
    issuers: readonly [CertificateAuthority, string, { fromMs: number; lifetimeMs: number }?][],
  ) => {
    let nowMs = startMs;
    let timer: { atMs: number; work: () => void } | undefined;
    const time: Time = {
      wallMs: () => nowMs,
      monotonicMs: () => nowMs,
      breathe: async () => {},
      after: (delayMs, work) => {
        timer = { atMs: nowMs + delayMs, work };
        return { cancel: () => (timer = undefined) };
      },
    };
    const lifetimeMs = 30 * hourMs;
    const party = { role: "storage", id: "pc-7", hosts: ["pc.example.org"] } as const;
    const first = await issueCertificate(authority, { ...party, nowMs, lifetimeMs });
    const tls = new RenewableTls({
      certPem: first.certificatePem,
      keyPem: first.keyPem,
      caPem: authority.certificatePem,
    });
    const asked: number[] = [];
    const certificateFile = join(directory, name);
    const renewal = new CertificateRenewal({
      ...{ id: "pc-7", tls, certificateFile, time, log: pino({ level: "silent" }) },
      ask: async (der, take) => {
        const request = await readCertificateRequest(der);
        assert.ok(typeof request !== "string");
        const [by, id, terms] = issuers[asked.length] ?? [authority, "pc-7"];
        asked.push(nowMs);
        const { fromMs, lifetimeMs: livesMs } = terms ?? { fromMs: nowMs, lifetimeMs };
        return take(
          await new Issuer(by, livesMs, () => fromMs).issue({ role: "storage", id }, request),
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
    return { tls, asked, run, first: first.certificatePem, certificateFile, renewal };
  };

  test("comes when two thirds of its life are over, with the same names, into file and TLS", async () => {
    const node = await nodeWith("fine.crt", []);
    let told = 0;
    node.tls.watch(() => {
      told += 1;
    });
    await node.run(1);
    const terms = readTerms(node.first);
    assert.ok(terms);
    const dueMs = terms.fromMs + ((terms.toMs - terms.fromMs) * 2) / 3;
    assert.ok(Math.abs((node.asked[0] ?? 0) - dueMs) < 2_000);
    assert.notEqual(node.tls.certPem, node.first);
    assert.equal(readFileSync(node.certificateFile, "utf8"), node.tls.certPem);
    assert.deepEqual(readTerms(node.tls.certPem)?.hosts, ["pc.example.org"]);
    assert.equal(told, 1);
    await node.run(2);
    node.renewal.close();
  });

  test("refuses a certificate of a strange authority or for another id, and asks again", async () => {
    const node = await nodeWith("wrong.crt", [
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
    const node = await nodeWith("terms.crt", [
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

  test("begins with another manager each time it asks", async () => {
    const { tls, renewal } = await nodeWith("turns.crt", []);
    renewal.close();
    const managers = ["manager-1", "manager-2", "manager-3"].map((managerId, i) => ({
      ...{ managerId, address: `127.0.0.1:${i + 1}`, tlsSpkiSha256: new Uint8Array(32) },
      ...{ signingKey: new Uint8Array(32), vrfKey: new Uint8Array(32) },
      hpkeKey: new Uint8Array(32),
    }));
    const asked: string[] = [];
    const addresses = { get: (managerId: string) => void asked.push(managerId) };
    const ask = askManagersInTurn({
      ...{ consortiumName: "demo", tls, managers: () => managers as never },
      addresses: addresses as never,
    });
    await assert.rejects(ask(new Uint8Array(1), () => ""));
    await assert.rejects(ask(new Uint8Array(1), () => ""));
    const ids = asked.map((id) => id.at(-1)).join("");
    assert.ok(["123231", "231312", "312123"].includes(ids), ids);
  });
});
