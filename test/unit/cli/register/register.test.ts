import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import {
  nodeConfigText,
  readListening,
  sameListening,
  writeListening,
} from "../../../../src/cli/register/node-config-file.js";
import {
  chooseListening,
  demandFree,
  firstPort,
  refuseNoRoom,
  refuseOutOfTime,
} from "../../../../src/cli/register/readiness.js";
import type { InvitationFile } from "../../../../src/config/invitation-file.js";
import {
  createCertificateAuthority,
  issueCertificate,
} from "../../../../src/pki/certificate-authority.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const host = "127.0.0.1";

describe("where a node that joins listens", () => {
  test("is what is said, or the first free port from that of storage-1 on", async () => {
    const said = { listen: { host: "0.0.0.0", port: 9 }, metrics: { host, port: 10 } };
    assert.deepEqual(await chooseListening(said), said);
    const { listen } = await chooseListening({});
    assert.ok(listen.host === host && listen.port >= firstPort);
    const server = createServer().listen(listen.port, host);
    await once(server, "listening");
    const next = await chooseListening({});
    server.close();
    assert.ok(next.listen.port > listen.port);
    const besides = await chooseListening({ metrics: next.listen });
    assert.notEqual(besides.listen.port, next.listen.port);
  });

  test("has to be free, and the refusal names the option", async () => {
    const server = createServer().listen(0, host);
    await once(server, "listening");
    const taken = { host, port: (server.address() as AddressInfo).port };
    await assert.rejects(demandFree({ listen: taken }), {
      name: "CliError",
      what: `another process listens on 127.0.0.1:${taken.port}`,
      next: "stop that process (this node, if it runs already), or give another --listen",
    });
    const { listen } = await chooseListening({});
    await assert.rejects(demandFree({ listen, metrics: taken }), {
      next: /give another --metrics$/,
    });
    server.close();
    const elsewhere = { host: "192.0.2.1", port: taken.port };
    await assert.rejects(demandFree({ listen: elsewhere }), {
      what: `cannot listen on 192.0.2.1:${taken.port}`,
      next: /^give another --listen \(.*EADDRNOTAVAIL/,
    });
  });

  test("is changed in its config.yaml, where all else stays", () => {
    const file = join(temporaryDirectory(), "config.yaml");
    const before = { listen: { host, port: 7501 }, metrics: undefined };
    const tls = { certificate: "tls.crt", key: "tls.key", ca: "ca-bundle.pem" };
    const files = { genesis: "genesis.json", signingKey: "signing.key", tls };
    const text = nodeConfigText({ id: "pc-8", listening: before, files, checkpoint: undefined });
    writeFileSync(file, `${text}# in the cellar\n`);
    assert.deepEqual(readListening(file), before);
    const after = { listen: { host: "::1", port: 7508 }, metrics: { host, port: 9508 } };
    assert.ok(sameListening(before, readListening(file)) && !sameListening(before, after));
    writeListening(file, after);
    assert.deepEqual(readListening(file), after);
    const changed = readFileSync(file, "utf8");
    assert.match(changed, /# Storage node pc-8\..*# in the cellar\n$/s);
    assert.match(changed, /^log:\n {2}level: info$/m);
  });
});

describe("before an invitation is spent", () => {
  const invitedFrom = async (nowMs: number) => {
    const named = { consortiumName: "demo", nowMs };
    const authority = await createCertificateAuthority({ ...named, managerId: "manager-1" });
    const { certificatePem: certPem, keyPem } = await issueCertificate(authority, {
      role: "invited",
      id: "abc",
      hosts: [],
      nowMs,
      lifetimeMs: 3_600_000,
    });
    const invitation = { expiresAtUnixMs: BigInt(nowMs + 3_600_000) };
    return { invitation, tls: { certPem, keyPem, caPem: "" } } as InvitationFile;
  };

  test("its time has to be now, by a clock that can be right", async () => {
    const nowMs = Date.UTC(2026, 10, 1);
    const file = await invitedFrom(nowMs);
    refuseOutOfTime("invitation.json", file, nowMs);
    refuseOutOfTime("invitation.json", file, nowMs + 3_599_999);
    assert.throws(() => refuseOutOfTime("invitation.json", file, nowMs + 3_600_000), {
      what:
        "invitation.json expired at 2026-11-01 01:00:00 UTC [INVITATION_EXPIRED]; " +
        "this machine's clock says 2026-11-01 01:00:00 UTC",
      next: "ask the operator for another invitation",
    });
    assert.throws(() => refuseOutOfTime("invitation.json", file, nowMs - 86_400_000), {
      what: /^this machine's clock says 2026-10-31 00:00:00 UTC, but invitation.json was made a/,
      next: "set the clock and run this again",
    });
  });

  test("there has to be room, where the directory is or will be", () => {
    const parent = temporaryDirectory();
    refuseNoRoom(join(parent, "pc-8", "deep"));
    mkdirSync(join(parent, "pc-9", "data"), { recursive: true });
    refuseNoRoom(join(parent, "pc-9"));
    assert.throws(() => refuseNoRoom(join(parent, "pc-8"), 2 ** 60), {
      name: "CliError",
      what: new RegExp(
        `^the disk of ${parent} has \\d+ MiB left, and a node needs \\d+ MiB to begin$`,
      ),
    });
    writeFileSync(join(parent, "a-file"), "");
    assert.throws(() => refuseNoRoom(join(parent, "a-file")), { code: "EACCES" });
  });
});
