/** The consortium under attack: 4 managers and 5 storage nodes, as `bss init` makes them. */
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { toHex } from "../../src/base/bytes.js";
import { describeExit } from "../../src/cli/nodes/node-processes.js";
import { type BssClient, document, recordHash } from "../../src/client/index.js";
import { planDescriptors } from "../../src/config/descriptors.js";
import { randomBytes } from "../../src/crypto/random.js";
import { LiveConsortium } from "../support/live-consortium.js";
import { isOwnBuild, loadInit, mainFile } from "./build.js";
import { archiveFileName, compromised, honestParticipant, invitationFileName } from "./target.js";

const sizes = { managers: 4, storage: 5, participants: 3 };
/** What `bss init` has, but for a heartbeat that does not add to the blocks that are counted. */
const policy = "heartbeat_ms: 600000\n";
const archiveRecordBytes = 60_000;
const archiveRecordsPerSubmission = 60;
/** Of an ordinary service; the system of a developer may allow far more. */
const descriptorsMax = 1_024;
const readTimeoutMs = 10_000;
/** Submissions: the honest participant has one as a rule. */
const drainedMax = 2;
const drainIntervalMs = 250;

export type WorldOptions = {
  /** Does not exist yet. */
  readonly directory: string;
  readonly basePort?: number;
  /** Records that are on the ledger before it begins, MiB. */
  readonly archiveMiB: number;
};

export type Exit = { readonly id: string; readonly how: string };

/** Where the ledger stands, and what it says of managers. */
export type Standing = { readonly height: number; readonly suspensions: readonly string[] };

export class HostileWorld {
  readonly consortium: LiveConsortium;
  readonly #exits: Exit[] = [];
  readonly #expected: Set<string>;
  #auditor: BssClient | undefined;

  private constructor(consortium: LiveConsortium, expected: Set<string>, exits: Exit[]) {
    this.consortium = consortium;
    this.#expected = expected;
    this.#exits = exits;
  }

  static async start(options: WorldOptions): Promise<HostileWorld> {
    const { directory, basePort, archiveMiB } = options;
    const expected = new Set<string>([compromised.storage]);
    const exits: Exit[] = [];
    // The limit is set when the process runs already (#prepare), so it cannot plan by it.
    const plan = { file: "", configured: undefined, storeFiles: 0 };
    const { connectionsMax } = planDescriptors(descriptorsMax, plan);
    const connections = isOwnBuild() ? `limits:\n  connections_max: ${connectionsMax}\n` : "";
    const consortium = await LiveConsortium.start(directory, sizes, {
      policy,
      mainFile: mainFile(),
      init: await loadInit(),
      ...(basePort !== undefined && { basePort }),
      prepare: async (configs) => {
        for (const { file } of configs) {
          const text = readFileSync(file, "utf8");
          // What is written to logs is to be what a consortium in operation writes.
          writeFileSync(file, `${text.replace("level: warn", "level: info")}${connections}`);
        }
      },
      onExit: ({ id }, exit) => {
        if (!expected.has(id)) exits.push({ id, how: describeExit(exit) });
      },
    });
    const world = new HostileWorld(consortium, expected, exits);
    await world.#prepare(archiveMiB);
    return world;
  }

  /** One client of each of two honest managers. */
  async honestClients(): Promise<readonly BssClient[]> {
    const managers = ["manager-1", "manager-2"];
    return Promise.all(managers.map((id) => this.consortium.client(honestParticipant, [id])));
  }

  /** What has ended since it was asked last, without anybody's asking. */
  takeExits(): readonly Exit[] {
    return this.#exits.splice(0);
  }

  /** Nodes that are to be down while an attack goes on. */
  async stop(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      this.#expected.add(id);
      const node = this.consortium.node(id);
      node.kill("SIGTERM");
      await node.exited;
    }
  }

  /** Starts what is down and honest. */
  async revive(): Promise<void> {
    const down = this.consortium.nodes.filter(
      ({ id, running }) => !running && id !== compromised.storage,
    );
    await this.consortium.restart(down.map(({ id }) => id));
    for (const { id } of down) this.#expected.delete(id);
  }

  /** Undefined when no manager says. */
  async standing(): Promise<Standing | undefined> {
    const options = { timeoutMs: readTimeoutMs };
    this.#auditor ??= await this.consortium.client("auditor-1", honestManagers);
    try {
      const { height } = await this.#auditor.status(options);
      const { history } = await this.#auditor.getConsortium(options);
      const suspensions = history.flatMap(({ operation }) => {
        const kind = operation?.operation;
        return kind?.case === "suspendManager" ? [kind.value.managerId] : [];
      });
      return { height: Number(height), suspensions };
    } catch {
      return undefined;
    }
  }

  /** Waits until hardly anything waits to be ordered. */
  async drained(patienceMs: number): Promise<void> {
    this.#auditor ??= await this.consortium.client("auditor-1", honestManagers);
    const untilMs = performance.now() + patienceMs;
    while (performance.now() < untilMs) {
      const status = await this.#auditor
        .status({ timeoutMs: readTimeoutMs })
        .catch(() => undefined);
      if (status !== undefined && status.poolSubmissions <= drainedMax) return;
      await sleep(drainIntervalMs);
    }
  }

  /** Blocks without a record among those above `height`. */
  async emptyBlocksAfter(height: number): Promise<number> {
    this.#auditor ??= await this.consortium.client("auditor-1", honestManagers);
    let empty = 0;
    let treeSize: bigint | undefined;
    const query = { fromHeight: Math.max(1, height), headersOnly: true };
    try {
      for await (const { header } of this.#auditor.listBlocks(query)) {
        if (treeSize !== undefined && header?.treeSize === treeSize) empty += 1;
        treeSize = header?.treeSize ?? 0n;
      }
    } catch {
      return empty;
    }
    return empty;
  }

  /** Ends everything, cleanly or not; says what was not clean. */
  async close(): Promise<readonly string[]> {
    return this.consortium.close().then(
      () => [],
      (error: unknown) => [String(error).slice(0, 300)],
    );
  }

  async #prepare(archiveMiB: number): Promise<void> {
    const { consortium } = this;
    const run = promisify(execFile);
    for (const { role, pid } of consortium.nodes) {
      if (role !== "manager") continue;
      const limit = `--nofile=${descriptorsMax}:${descriptorsMax}`;
      await run("prlimit", ["--pid", String(pid), limit]);
    }
    await this.stop([compromised.storage]);
    const { directory } = consortium;
    await run(process.execPath, [
      ...[mainFile(), "invite", "participant", "--uses", "100"],
      ...["--profile", join(directory, "operators", "operator-4", "profile.yaml")],
      ...["--issuer", join(directory, "managers", compromised.manager)],
      ...["--out", join(directory, invitationFileName)],
    ]);
    await this.#fillArchive(archiveMiB);
  }

  /** Versions of one document. */
  async #fillArchive(archiveMiB: number): Promise<void> {
    const { consortium } = this;
    const [ownerId] = compromised.participants;
    const client = await consortium.client(ownerId, honestManagers);
    const total = Math.ceil((archiveMiB * 1024 * 1024) / archiveRecordBytes);
    const hashes: Uint8Array[] = [];
    while (hashes.length < total) {
      const records: Uint8Array[] = [];
      while (records.length < archiveRecordsPerSubmission && hashes.length < total) {
        const parent = hashes.at(-1);
        const record = document({
          ownerId,
          mediaType: "application/octet-stream",
          name: "archive",
          content: randomBytes(archiveRecordBytes),
          timeMs: Date.now() - 60_000,
          ...(parent !== undefined && { parent }),
        });
        records.push(record);
        hashes.push(recordHash(client.consortiumId, record));
      }
      await client.submit(client.sign(records), { timeoutMs: 60_000 });
    }
    const file = join(consortium.directory, archiveFileName);
    writeFileSync(file, `${hashes.map(toHex).join("\n")}\n`);
  }
}

const honestManagers = ["manager-1", "manager-2", "manager-3"];
