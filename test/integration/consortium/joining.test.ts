/**
 * A consortium that begins without storage nodes and participants, and to which real processes join
 * with one command each.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join as pathOf } from "node:path";
import { after, before, describe, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { MemberDirectory } from "../../../src/cli/register/member-directory.js";
import { connect } from "../../../src/client/bss-client.js";
import { type ClientProfile, readProfile } from "../../../src/client/client-profile.js";
import { meterReading } from "../../../src/client/index.js";
import { join, signInvitation } from "../../../src/client/joining.js";
import { type InvitationFile, readInvitationFile } from "../../../src/config/invitation-file.js";
import { loadNodeConfig } from "../../../src/config/node-config.js";
import { InvitedRole } from "../../../src/gen/bss/v1/genesis_pb.js";
import { MemberState, QueryService } from "../../../src/gen/bss/v1/query_pb.js";
import { createClient } from "../../../src/rpc/channels/typed-client.js";
import { readTerms } from "../../../src/rpc/tls/certificate.js";
import { BssProcess, mainFile } from "../../support/bss.js";
import { freeBasePort } from "../../support/free-ports.js";
import { LiveConsortium, poll } from "../../support/live-consortium.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";

const nodes = 7;
/**
 * What manager-2 issues lives about 104 s; a test says which managers issue. A node that has not
 * renewed it by then is out, so it leaves a slow machine half a minute after two thirds.
 */
const shortDays = 0.0012;

describe("joining a consortium that runs", () => {
  const parent = temporaryDirectory();
  const at = (...names: readonly string[]) => pathOf(parent, ...names);
  const started: ChildProcess[] = [];
  let live: LiveConsortium;
  let basePort = 0;

  const commands = new BssProcess();
  after(() => commands.close());
  const bss = (...args: readonly string[]) => commands.run(...args);
  const operator = (number: number) =>
    pathOf(live.directory, "operators", `operator-${number}`, "profile.yaml");
  const longLived = ["manager-1", "manager-3", "manager-4"];
  /** Leaves in an invitation or a profile the addresses of these managers alone. */
  const askOnly = (file: string, managers: readonly string[]) => {
    const listed = managers.map((id) => JSON.stringify(live.addressOf(id))).join(", ");
    const text = readFileSync(file, "utf8");
    const left = text.replace(
      /("addresses":|^addresses:)(?:\s*\[[^\]]*\]|(?:\n {2}- .*)+)/m,
      `$1 [${listed}]`,
    );
    assert.notEqual(left, text);
    writeFileSync(file, left);
    return file;
  };
  const invite = async (number: number, role: string, out: string, ...more: readonly string[]) => {
    const issuer = pathOf(live.directory, "managers", `manager-${number}`);
    const args = ["--profile", operator(number), "--issuer", issuer, "--out", at(out), ...more];
    const { code, err } = await bss("invite", role, ...args);
    assert.equal(code, 0, err);
    return at(out);
  };
  const startNode = (number: number, file: string) => {
    const id = `node-${number}`;
    const listen = `127.0.0.1:${basePort + number}`;
    const args = ["--invite", file, "--dir", at(id), "--id", id, "--listen", listen];
    const child = spawn(process.execPath, [mainFile, "register", "storage", ...args], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    started.push(child);
  };
  const auditor = async () => {
    const profile = readProfile(pathOf(live.directory, "auditors", "auditor-1", "profile.yaml"));
    return connect(profile);
  };
  const storageNodes = async () => {
    const client = await auditor();
    try {
      const found = [];
      for await (const node of client.listStorageNodes()) found.push(node);
      return found;
    } finally {
      client.close();
    }
  };

  before(async () => {
    basePort = await freeBasePort(nodes + 1);
    const sizes = { managers: 4, storage: 0, participants: 0 };
    live = await LiveConsortium.start(at("consortium"), sizes, {
      prepare: async (configs) => {
        const file = configs.find(({ id }) => id === "manager-2")?.file ?? "";
        const text = readFileSync(file, "utf8");
        const issuer = `issuer:\n  validity_days: ${shortDays}\n`;
        writeFileSync(file, text.replace("issuer:\n", issuer));
      },
    });
  });
  after(async () => {
    const running = started.filter(
      ({ exitCode, signalCode }) => exitCode === null && signalCode === null,
    );
    for (const child of running) child.kill("SIGTERM");
    await Promise.all(running.map((child) => once(child, "exit")));
    await live?.close();
  });

  test("seven storage nodes join, each with one command", async () => {
    const file = askOnly(await invite(1, "storage", "six.json", "--uses", "6"), longLived);
    for (let number = 1; number < nodes; number++) startNode(number, file);
    const one = await invite(2, "storage", "one.json", "--id", `node-${nodes}`);
    startNode(nodes, askOnly(one, ["manager-2"]));
    await poll(
      async () => {
        const found = await storageNodes();
        const ready = found.filter((node) => node.connected && node.state === MemberState.ACTIVE);
        return ready.length === nodes ? found : undefined;
      },
      "seven storage nodes that are linked",
      600_000,
    );
    const sponsors = (await storageNodes()).map(({ sponsorId }) => sponsorId);
    assert.deepEqual(sponsors, [...Array(6).fill("manager-1"), "manager-2"]);
  });

  test("a participant joins with its meter, and its first reading becomes final", async () => {
    const meter = ["--id", "home-1", "--meter", "DE*ABC:M1:11000:900"];
    const file = askOnly(await invite(3, "participant", "home.json", ...meter), longLived);
    const joined = await bss("register", "participant", "--invite", file, "--dir", at("home"));
    assert.equal(joined.code, 0, joined.err);
    assert.match(joined.out, /^home-1 has joined with block \d+; use --profile /);
    const client = await connect(readProfile(at("home", "profile.yaml")));
    const reading = meterReading({
      ownerId: "home-1",
      meterId: "DE*ABC:M1",
      intervalStartS: 1_700_000_100,
      intervalS: 900,
      importedWh: 5,
      exportedWh: 7,
    });
    const { outcomes } = await client.submit(client.sign([reading]), { timeoutMs: 180_000 });
    assert.equal(outcomes[0]?.outcome.case, "committed");
    client.close();
    const again = await bss("register", "participant", "--invite", file, "--dir", at("home"));
    assert.equal(again.code, 0, again.err);
    const own = ["--profile", at("home", "profile.yaml")];
    const listed = await bss("list", "--meter", "DE*ABC:M1", ...own);
    assert.equal(listed.code, 0, listed.err);
    assert.match(listed.out, /DE\*ABC:M1: 5 Wh imported, 7 Wh exported/);

    writeFileSync(at("day.csv"), "time;meter;used\n2023-11-15T00:00Z;DE*ABC:M1;9\n");
    const imported = await bss(
      ...["import", at("day.csv"), "--delimiter", ";", "--time", "time", "--time-format", "iso"],
      ...["--stamp", "start", "--meter-column", "meter", "--imported", "used", "--unit", "Wh"],
      ...["--out", at("day.receipts.jsonl"), ...own],
    );
    assert.equal(imported.code, 0, imported.err);
    assert.match(imported.out, /1 value in 1 record/);
  });

  test("a certificate that ends sooner than the old one is not taken while another is to be had", async () => {
    const profile = at("home", "profile.yaml");
    const certificate = () => readFileSync(at("home", "tls.crt"), "utf8");
    const before = certificate();
    askOnly(profile, ["manager-2"]);
    const refused = await bss("renew", "--profile", profile);
    assert.equal(refused.code, 1);
    assert.match(
      refused.err,
      /nothing was changed: the new certificate would end at .* before the old one/,
    );
    assert.equal(certificate(), before);
    askOnly(profile, ["manager-2", "manager-3"]);
    // Whom it asks first is drawn: more than once, so that both have been the first.
    for (let i = 0; i < 4; i++) {
      const last = certificate();
      const renewed = await bss("renew", "--profile", profile);
      assert.equal(renewed.code, 0, renewed.err);
      assert.notEqual(certificate(), last);
    }
  });

  /** Joins over the client library, with new keys. */
  const tryJoin = async (file: InvitationFile, id: string, name: string) => {
    const directory = new MemberDirectory(at(name), { role: "storage", id }, file);
    await directory.prepare({ listen: { host: "127.0.0.1", port: 1 } });
    return join(file, await directory.joining());
  };
  const asOperator = (parts: { uses?: number; expiresMs?: number; seed?: Uint8Array }) => {
    const profile: ClientProfile = readProfile(operator(1));
    const before = readInvitationFile(at("six.json"));
    const { uses = 1, expiresMs = Date.now() + 3_600_000, seed = profile.signingSeed } = parts;
    const signed = signInvitation(
      { ...profile, signingSeed: seed },
      {
        role: InvitedRole.STORAGE,
        usesMax: uses,
        expiresAtUnixMs: BigInt(expiresMs),
        ...(before.invitation.checkpoint && { checkpoint: before.invitation.checkpoint }),
      },
    );
    assert.ok(signed);
    return { ...before, ...signed };
  };

  test("an invitation that has served, is too old or forged admits nobody", async () => {
    const usedUp = tryJoin(readInvitationFile(at("six.json")), "node-8", "used-up");
    await assert.rejects(usedUp, { reason: "INVITATION_USED_UP" });
    const old = tryJoin(asOperator({ expiresMs: 1_000 }), "node-8", "old");
    await assert.rejects(old, { reason: "INVITATION_EXPIRED" });
    const forged = tryJoin(asOperator({ seed: new Uint8Array(32).fill(7) }), "node-8", "forged");
    await assert.rejects(forged, { reason: "INVITATION_INVALID" });
  });

  test("nobody takes the id of another, nor does an invitation open any other door", async () => {
    const file = asOperator({});
    await assert.rejects(tryJoin(file, "node-1", "thief"), { reason: "MEMBER_ID_TAKEN" });
    await assert.rejects(tryJoin(file, "manager-1", "thief-2"), { reason: "MEMBER_ID_TAKEN" });
    const queries = createClient(QueryService, live.channel(file.tls));
    await assert.rejects(queries.getStatus({}), { reason: "ROLE_NOT_ALLOWED" });
  });

  test("an invitation for somebody else, or that has expired, is refused at once", async () => {
    const other = await bss("register", "storage", "--invite", at("home.json"), "--dir", at("x"));
    assert.equal(other.code, 1);
    assert.match(other.err, /home\.json invites a participant; run 'bss register participant'/);
    const file = await invite(1, "storage", "brief.json", "--expires", "1s", "--id", "node-9");
    const { expiresAtUnixMs } = readInvitationFile(file).invitation;
    const isOver = async () => (Date.now() > Number(expiresAtUnixMs) ? true : undefined);
    await poll(isOver, "the invitation to expire");
    const args = ["--invite", file, "--dir", at("late"), "--no-start"];
    const { code, err } = await bss("register", "storage", ...args);
    assert.equal(code, 1);
    assert.match(err, /INVITATION_EXPIRED/);
  });

  test("a certificate is renewed while the node runs, and then links are made with it", async () => {
    const file = at(`node-${nodes}`, "signing.key.state", "renewed-tls.crt");
    const terms = await poll(async () => {
      const found = existsSync(file) ? readTerms(readFileSync(file)) : undefined;
      return found && found.toMs > Date.now() + 86_400_000 ? found : undefined;
    }, "the new certificate on disk");
    const shown = async () => {
      const tls = readProfile(operator(1)).tls;
      const port = basePort + nodes;
      const socket = connectTls({
        host: "127.0.0.1",
        port,
        ca: [tls.caPem.toString()],
        ALPNProtocols: ["h2"],
        cert: tls.certPem.toString(),
        key: tls.keyPem.toString(),
        checkServerIdentity: () => undefined,
      });
      await once(socket, "secureConnect");
      const { valid_to: until } = socket.getPeerCertificate();
      socket.destroy();
      return Date.parse(until);
    };
    await poll(
      async () => ((await shown()) === terms.toMs ? true : undefined),
      "the new certificate in use",
    );
    await live.kill(["manager-1"]);
    await live.restart(["manager-1"]);
    await poll(async () => {
      const found = await storageNodes();
      const renewed = found.find(({ nodeId }) => nodeId === `node-${nodes}`);
      return renewed?.connected ? true : undefined;
    }, "the link with the new certificate");
  });

  test("a port that is taken costs no invitation, and another may be given at any time", async () => {
    const file = await invite(1, "storage", "port.json");
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const register = (...more: readonly string[]) =>
      bss("register", "storage", "--invite", file, "--dir", at("pc"), "--id", "pc", ...more);
    const taken = new RegExp(
      `^bss: another process listens on 127\\.0\\.0\\.1:${port}; stop that process .+ another --listen$`,
      "m",
    );
    const refused = await register("--listen", `127.0.0.1:${port}`);
    assert.equal(refused.code, 1);
    assert.match(refused.err, taken);
    assert.equal(refused.out, "");
    assert.ok(!existsSync(at("pc")), "nothing was made");

    const joined = await register("--listen", `127.0.0.1:${port}`, "--no-start");
    assert.equal(joined.code, 0, joined.err);
    assert.match(joined.out, /^pc has joined with block \d+\n$/);
    const again = await register();
    assert.equal(again.code, 1);
    assert.match(again.err, taken);
    server.close();

    const other = basePort + nodes + 1;
    const moved = await register("--listen", `127.0.0.1:${other}`, "--no-start");
    assert.equal(moved.code, 0, moved.err);
    assert.match(moved.err, /^pc has joined before and has its certificate$/m);
    assert.equal(loadNodeConfig(at("pc", "config.yaml")).listen.port, other);
  });
});
