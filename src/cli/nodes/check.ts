import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { printable } from "../../base/printable.js";
import { loadNodeConfig, type NodeConfig } from "../../config/node-config.js";
import { damageOf, type Finding } from "../../store/damage/store-comparison.js";
import { describeLogDamage, findLogDamage } from "../../store/rocksdb/rocksdb-log.js";
import { openRocksDb } from "../../store/rocksdb/rocksdb-store.js";
import { isDamage, StoreError } from "../../store/store-error.js";
import { isOwnStore } from "../../store/store-identity.js";
import { CliError } from "../text/cli-error.js";
import { outputOf } from "../text/output.js";
import { createHeightBar } from "../text/progress-bar.js";

type Options = { readonly config: string; readonly scratch?: string };

/** More findings are only counted: one cause may bring millions. */
const findingsShownMax = 200;

/** `bss check`: the whole store of a node that is stopped. */
export function register(program: Command): void {
  program
    .command("check")
    .summary("check the whole store of a node that is stopped")
    .description(
      "Rebuilds the chain of a stopped node from genesis in another directory, checks every rule, " +
        "signature and certificate on the way, and compares the result with the node's store value " +
        "by value. Changes no data. Exits with 1 if something is missing or wrong.",
    )
    .requiredOption("-c, --config <file>", "the node's config.yaml")
    .option(
      "--scratch <directory>",
      "directory with room for a second copy (default: the system's temporary directory)",
    )
    .action(async (options: Options, command: Command) => {
      const output = outputOf(command);
      const config = loadNodeConfig(options.config);
      const findings: Finding[] = [];
      let count = 0;
      const height = await inScratch(options.scratch, (scratch) =>
        checkFiles(config, scratch, (finding) => {
          count += 1;
          if (findings.length < findingsShownMax) findings.push(finding);
        }),
      );
      const result = { id: config.id, height, findings: count };
      output.result({ ...result, shown: findings }, () =>
        [
          ...findings.map(({ where, what }) => printable(`${where}: ${what}`)),
          ...(count > findings.length ? [`and ${count - findings.length} more`] : []),
          count === 0
            ? `${config.id}: the store is right up to height ${height}`
            : `${config.id}: ${wrong(count)}; the chain holds up to height ${height}`,
        ].join("\n"),
      );
      if (count === 0) return;
      throw new CliError(`the store of ${config.id} is damaged`, adviceFor(config));
    });
}

function wrong(count: number): string {
  return count === 1 ? "1 value is missing or wrong" : `${count} values are missing or wrong`;
}

function adviceFor({ role }: NodeConfig): string {
  return role === "storage"
    ? "start the node: it repairs itself from the managers"
    : "keep the store for inspection, check the disk, and let the node catch up into an empty directory";
}

function runningError({ id }: NodeConfig): CliError {
  return new CliError(
    `${id} is running, and its store cannot be checked while it runs`,
    "stop the node and run this again",
  );
}

async function inScratch<T>(
  parent: string | undefined,
  job: (directory: string) => Promise<T>,
): Promise<T> {
  const directory = mkdtempSync(join(resolve(parent ?? tmpdir()), "bss-check-"));
  try {
    return await job(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A store whose files cannot be read at all is a finding like others. */
async function checkFiles(
  config: NodeConfig,
  scratchDirectory: string,
  found: (finding: Finding) => void,
): Promise<number> {
  try {
    return await check(config, scratchDirectory, found);
  } catch (error) {
    if (!isDamage(error)) throw error;
    found({ where: "the store's files", what: damageOf(error) });
    return 0;
  }
}

async function check(
  config: NodeConfig,
  scratchDirectory: string,
  found: (finding: Finding) => void,
): Promise<number> {
  // Opening replays the log, and leaves out what it does not understand.
  const damage = await findLogDamage(config.dataDirectory);
  if (damage !== undefined) {
    found({ where: "the end of the store", what: describeLogDamage(damage) });
  }
  // Nothing is written, but the lock is held: a node that runs is noticed, and no node can start.
  const stored = await openRocksDb(config.dataDirectory, { createIfMissing: false }).catch(
    (error: unknown) => {
      throw error instanceof StoreError && error.code === "LOCKED" ? runningError(config) : error;
    },
  );
  const scratch = await openRocksDb(scratchDirectory);
  const bar = createHeightBar();
  try {
    await isOwnStore(stored, config);
    const ports = { stored, scratch, found, onHeight: bar.show };
    if (config.role === "manager") {
      const { checkManagerStore } = await import("../../manager/manager-store-check.js");
      return await checkManagerStore(config, ports);
    }
    const { checkStorageStore } = await import(
      "../../storage-node/repair/storage-node-store-check.js"
    );
    return await checkStorageStore(config, ports);
  } finally {
    bar.stop();
    await Promise.all([stored.close(), scratch.close()]);
  }
}
