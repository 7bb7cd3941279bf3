/**
 * A storage node whose disk lies finds out, says what was damaged, repairs it from the managers,
 * and attests again, while submissions go on: real processes, and files that are changed under
 * them. `bss check` names the damage before, and finds nothing after.
 */
import assert from "node:assert/strict";
import { appendFileSync, cpSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { defined } from "../../../src/base/assert.js";
import { utf8 } from "../../../src/base/bytes.js";
import { type BssClient, document } from "../../../src/client/index.js";
import { QueryService, type ScrubStatus } from "../../../src/gen/bss/v1/query_pb.js";
import type { RpcChannel } from "../../../src/rpc/channels/channel.js";
import { createClient } from "../../../src/rpc/channels/typed-client.js";
import { segmentKeys } from "../../../src/store/chain/segments.js";
import { BssProcess } from "../../support/bss.js";
import {
  LiveConsortium,
  poll,
  quickPolicy,
  suiteTimeoutMs,
} from "../../support/live-consortium.js";
import {
  atEnd,
  deleteKeys,
  exchangeRecords,
  flipFiles,
  inMiddle,
  settleFiles,
  withinRecord,
} from "../../support/lying-disk.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";

/** Of five a committee has four, and needs three: the chain goes on without one. */
const sizes = { managers: 4, storage: 5, participants: 1 };
/** Every signature is audited, and nobody is sent away, so that credit shows each event. */
const policy = `${quickPolicy}suspension: floor
suspend_after_ms: 2000
resume_wait_ms: 1000
resume_wait_max_ms: 60000
unreachable_after_ms: 0
boycott_line: 0
audits_per_block: 5
`;
/** Reads all that it has about every 4 s. */
const scrubbed = "storage-1";
const scrubHours = 0.001;
/** Reads again after a week. */
const unscrubbed = "storage-2";
const badManager = "manager-4";
/** Of one to a block: so many that the one in the middle lies apart from all that is no record. */
const settledRecords = 20;

describe("a disk that lies", { timeout: suiteTimeoutMs }, () => {
  const parent = temporaryDirectory();
  let consortium: LiveConsortium;
  let client: BssClient;
  let load: ReturnType<typeof startLoad>;

  before(async () => {
    consortium = await LiveConsortium.start(join(parent, "live"), sizes, {
      policy,
      prepare: async (configs) => {
        const { file } = defined(
          configs.find(({ id }) => id === scrubbed),
          "the node has a config",
        );
        appendFileSync(file, `scrub: { period_hours: ${scrubHours} }\n`);
      },
    });
    client = await consortium.client("participant-1", ["manager-1"]);
    load = startLoad();
    for (const id of [scrubbed, badManager]) await holds(id, settledRecords);
  });
  after(async () => {
    await load?.stop();
    await consortium?.close();
  });

  /** One record after the other, until it is stopped. */
  function startLoad() {
    let going = true;
    const failures: unknown[] = [];
    const run = async () => {
      for (let i = 1; going; i++) {
        const name = `note ${i}`;
        const kind = { ownerId: "participant-1", mediaType: "text/plain", name };
        const note = document({
          ...kind,
          content: utf8(name.padEnd(800, name)),
          timeMs: Date.now(),
        });
        await client
          .submit(client.sign([note]), { timeoutMs: 180_000 })
          .catch((error: unknown) => failures.push(error));
        await sleep(200);
      }
    };
    const running = run();
    return {
      failures,
      stop: () => {
        going = false;
        return running;
      },
    };
  }

  const channels = new Map<string, RpcChannel>();
  const queries = (id: string) => {
    const channel =
      channels.get(id) ?? consortium.channel(consortium.tlsOf("auditors/auditor-1"), id);
    channels.set(id, channel);
    return createClient(QueryService, channel);
  };
  const logOf = (id: string) => readFileSync(consortium.node(id).logFile, "utf8");
  const directoryOf = (id: string) => consortium.node(id).config.dataDirectory;
  const height = () =>
    poll(async () => (await consortium.statusOf("manager-1"))?.height, "manager-1 says its height");

  /** The consortium makes blocks, whoever is away. */
  const goesOnTo = (least: number) =>
    poll(async () => ((await height()) >= least ? true : undefined), `height ${least}`);
  const goesOn = async () => goesOnTo((await height()) + 3);
  /** Fewer than there are blocks on a busy machine, where some say who was absent. */
  const holds = (id: string, records: number) =>
    poll(
      async () => ((await consortium.statusOf(id))?.treeSize ?? 0) >= records || undefined,
      `${id} holds ${records} records`,
    );

  async function standing(id: string) {
    const { nodes } = await queries("manager-1").listStorageNodes({});
    return defined(
      nodes.find(({ nodeId }) => nodeId === id),
      "it is a member",
    );
  }

  /** The chain takes at least `drop` of the credit that a node had, or all that is left. */
  async function losesCredit(id: string, drop: number, credit: number): Promise<void> {
    let highest = credit;
    const lost = async () => {
      const { credit } = await standing(id);
      highest = Math.max(highest, credit);
      return credit <= Math.max(0, highest - drop) ? true : undefined;
    };
    await poll(lost, () => `${id} loses ${drop} of ${highest}: ${logOf(id)}`);
  }

  async function stop(id: string): Promise<void> {
    const node = consortium.node(id);
    node.kill("SIGTERM");
    await node.exited;
  }

  const commands = new BssProcess();
  after(() => commands.close());
  const check = async (id: string) => {
    const { code, out, err } = await commands.run(
      "check",
      "--config",
      consortium.node(id).config.file,
    );
    return { code, text: `${out}${err}` };
  };

  async function checksOut(id: string): Promise<void> {
    const whole = await check(id);
    assert.equal(whole.code, 0, whole.text);
    assert.match(whole.text, /the store is right up to height \d+/);
  }

  async function isNamed(id: string, what: RegExp): Promise<void> {
    const damaged = await check(id);
    assert.equal(damaged.code, 1, damaged.text);
    assert.match(damaged.text, what);
  }

  async function repairs(id: string, logged: number, named: RegExp): Promise<void> {
    const isOver = ({ damaged, repaired, repairing }: ScrubStatus) =>
      damaged > 0n && !repairing && repaired >= damaged;
    const { damaged, lastDamage } = await poll(
      async () => {
        const answer = await queries(id)
          .getStatus({}, { timeoutMs: 2_000 })
          .catch(() => undefined);
        return answer?.scrub && isOver(answer.scrub) ? answer.scrub : undefined;
      },
      () => `damage found and repaired: ${logOf(id).slice(logged)}`,
    );
    assert.match(lastDamage, named);
    assert.match(logOf(id).slice(logged), /missing or damaged|the store was damaged/);
    assert.ok((await metric(id, "bss_store_damaged_total")) > 0, `${damaged} are counted`);
    const least = await height();
    const attests = async () => Number((await standing(id)).lastAttestedHeight) > least;
    await poll(
      async () => ((await attests()) ? true : undefined),
      () => `${id} attests after height ${least}: ${logOf(id).slice(logged)}`,
    );
    assert.deepEqual(load.failures, []);
  }

  async function metric(id: string, name: string): Promise<number> {
    const { host, port } = defined(consortium.node(id).config.metrics, "metrics are served");
    const text = await (await fetch(`http://${host}:${port}/metrics`)).text();
    return Number(new RegExp(`^${name}(?:\\{.*\\})? (\\d+)$`, "m").exec(text)?.[1] ?? Number.NaN);
  }

  /** Stops a node, does harm, and waits for what the node owes then. */
  async function survives(
    harm: (directory: string) => Promise<void> | void,
    { checked, named = /^height \d+: / }: { checked: RegExp; named?: RegExp },
    id = scrubbed,
  ): Promise<void> {
    await stop(id);
    await harm(directoryOf(id));
    await isNamed(id, checked);
    await goesOn();
    const logged = logOf(id).length;
    await consortium.restart([id]);
    await repairs(id, logged, named);
  }

  const recordDamage =
    /^height \d+: Corruption: .*\.sst .* (before|at or after) the sealed records at position \d+$/m;
  let copied: { readonly copy: string; readonly height: number };

  test("is no reason to stop: who is away loses credit, and others make blocks", async () => {
    await stop(scrubbed);
    const copy = `${directoryOf(scrubbed)}-copy`;
    cpSync(directoryOf(scrubbed), copy, { recursive: true });
    copied = { copy, height: await height() };
    const { credit } = await standing(scrubbed);
    await losesCredit(scrubbed, 1, credit);
    await consortium.restart([scrubbed]);
  });

  test("has a byte of a record changed, while the node is stopped", () =>
    survives(
      async (directory) => {
        const records = await settleFiles(directory, settledRecords);
        flipFiles(directory, /\.sst$/, withinRecord, records);
      },
      {
        checked: recordDamage,
      },
    ));

  for (const [where, at] of [
    ["of a record", withinRecord],
    ["at the end of each file", atEnd],
  ] as const) {
    test(`has a byte ${where} changed, while the node runs`, async () => {
      await stop(scrubbed);
      const records = await settleFiles(directoryOf(scrubbed), settledRecords);
      await consortium.restart([scrubbed]);
      const logged = logOf(scrubbed).length;
      flipFiles(directoryOf(scrubbed), /\.sst$/, at, records);
      await repairs(scrubbed, logged, /./);
    });
  }

  for (const [what, names, at] of [
    ["the end of its tables", /\.sst$/, atEnd],
    ["CURRENT", /^CURRENT$/, inMiddle],
    ["its MANIFEST", /^MANIFEST/, inMiddle],
  ] as const) {
    test(`has a byte of ${what} changed, so that the store cannot be opened`, () =>
      survives(
        async (directory) => {
          await settleFiles(directory, settledRecords);
          flipFiles(directory, names, at);
        },
        { checked: /^the store's files: Corruption: /, named: /Corruption/ },
      ));
  }

  test("lacks a record", () =>
    survives((directory) => deleteKeys(directory, [segmentKeys.segment(0)]), {
      checked: /height \d+: the sealed record at position 0 is missing$/m,
      named: /^height \d+: sealed records$/,
    }));

  test("gives other records than it was given: an audit fails, and the chain says so", async () => {
    await holds(unscrubbed, 50);
    await stop(unscrubbed);
    await exchangeRecords(directoryOf(unscrubbed), 40);
    await isNamed(unscrubbed, /^height \d+: /);
    const logged = logOf(unscrubbed).length;
    // Read now: the first audit may have failed before anybody asks again.
    const { credit } = await standing(unscrubbed);
    await consortium.restart([unscrubbed]);
    await losesCredit(unscrubbed, 50, credit);
    await repairs(unscrubbed, logged, /^height \d+: sealed records$/);
    assert.match(logOf(unscrubbed).slice(logged), /an audit of this node failed/);
  });

  test("is put back by a hundred blocks", async () => {
    const { copy } = copied;
    const goal = copied.height + 100;
    await goesOnTo(goal);
    // What it lacks is counted from the last block that it has attested.
    const attested = async () => (await standing(scrubbed)).lastAttestedHeight > goal || undefined;
    const failure = () =>
      `${scrubbed} attests after height ${goal}: ${logOf(scrubbed).slice(-4_000)}`;
    await poll(attested, failure);
    await stop(scrubbed);
    await checksOut(scrubbed);
    rmSync(directoryOf(scrubbed), { recursive: true });
    cpSync(copy, directoryOf(scrubbed), { recursive: true });
    const logged = logOf(scrubbed).length;
    await consortium.restart([scrubbed]);
    await repairs(scrubbed, logged, /^height \d+: \d{3,} blocks up to height \d+/);
  });

  test("is shown to an operator by bss status", async () => {
    const profile = join(consortium.directory, "auditors/auditor-1/profile.yaml");
    const storage = [scrubbed, unscrubbed, "storage-3"].map((id) => consortium.addressOf(id));
    const shown = await commands.run("status", "--profile", profile, "--storage", ...storage);
    assert.equal(shown.code, 0, shown.err);
    for (const id of [scrubbed, unscrubbed]) {
      assert.match(
        `${shown.out}${shown.err}`,
        new RegExp(`look at the disk of ${id}: (\\d+) .*, \\1 repaired; `),
      );
    }
    assert.doesNotMatch(`${shown.out}${shown.err}`, /disk of storage-3/);
  });

  test("is a manager's: bss check names it, and an empty directory is filled again", async () => {
    const directory = directoryOf(badManager);
    await stop(badManager);
    await checksOut(badManager);
    const records = await settleFiles(directory, settledRecords);
    flipFiles(directory, /\.sst$/, withinRecord, records);
    await isNamed(badManager, recordDamage);
    await goesOn();
    for (const name of readdirSync(directory)) rmSync(join(directory, name), { recursive: true });
    await consortium.restart([badManager]);
    const target = await height();
    await poll(
      async () => ((await consortium.statusOf(badManager))?.height ?? 0) > target || undefined,
      () => `${badManager} holds height ${target}: ${logOf(badManager)}`,
    );
    assert.deepEqual(load.failures, []);
  });

  test("leaves nothing behind", async () => {
    await load.stop();
    await consortium.agreeOn(1);
    const damaged = [scrubbed, unscrubbed, badManager];
    await Promise.all(damaged.map((id) => stop(id)));
    await Promise.all(damaged.map((id) => checksOut(id)));
  });
});
