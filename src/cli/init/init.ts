import { type Command, InvalidArgumentError } from "commander";
import { fields, type Output, outputOf } from "../text/output.js";
import { countsMax, defaultBasePort } from "./defaults.js";
import type { NewConsortium } from "./init-consortium.js";

/** How many meters are named; the file of a community has thousands. */
const metersNamedMax = 3;

type Options = {
  readonly dir: string;
  readonly managers: number;
  readonly storage: number;
  readonly participants: number;
  readonly name: string;
  readonly basePort: number;
  readonly community?: string;
  readonly hosts?: string;
  readonly policy?: string;
};

/** `bss init`: a consortium on disk. */
export function register(program: Command): void {
  program
    .command("init")
    .summary("make a new consortium: keys, certificates, genesis, a config file for each node")
    .description(
      "Makes a consortium on disk: an authority for each manager, certificates, keys, the genesis " +
        "file and a config file for each node. It overwrites nothing. If it fails, it leaves " +
        "nothing behind.",
    )
    .requiredOption(
      "-d, --dir <directory>",
      "the directory to make; it must not exist, or be empty",
    )
    .option("--managers <n>", `number of managers, 1 to ${countsMax.managers}`, count, 4)
    .option("--storage <n>", `number of storage nodes, up to ${countsMax.storage}`, count, 7)
    .option("--participants <n>", "number of participants with one meter each", count, 3)
    .option("--community <file>", "YAML list of participants and meters, instead of --participants")
    .option("--hosts <file>", "YAML with the host of each node (default: all on this machine)")
    .option("--policy <file>", "YAML with the fields of the policy that differ from the defaults")
    .option("--name <name>", "name of the consortium, which is part of every certificate", "demo")
    .option(
      "--base-port <port>",
      "the ports of the nodes are counted from here",
      count,
      defaultBasePort,
    )
    .action((options: Options, command: Command) => init(options, outputOf(command)));
}

async function init(options: Options, output: Output): Promise<void> {
  const { dir, community, hosts, policy, ...numbers } = options;
  // Loaded here, because the other commands need no certificates.
  const { initConsortium } = await import("./init-consortium.js");
  const consortium = await initConsortium(dir, {
    ...numbers,
    ...(community === undefined ? {} : { communityFile: community }),
    ...(hosts === undefined ? {} : { hostsFile: hosts }),
    ...(policy === undefined ? {} : { policyFile: policy }),
  });
  output.result(summaryOf(consortium), () => textOf(consortium, hosts === undefined));
  const { minStorage } = consortium.plan.policy;
  const missing = minStorage - consortium.plan.storage.length;
  if (missing > 0) {
    output.note(
      `no record becomes final until ${missing} more storage nodes have joined; ` +
        "let operators of all managers invite some, as each manager's share is bounded",
    );
  }
}

function summaryOf({ directory, genesisFile, consortiumId, plan }: NewConsortium) {
  return {
    directory,
    genesis: genesisFile,
    consortium_id: consortiumId,
    name: plan.name,
    managers: plan.managers.map(({ id, address }) => ({ id, address })),
    storage: plan.storage.map(({ id, address }) => ({ id, address })),
    participants: plan.participants.length,
    meters: meterCount({ plan }),
  };
}

function textOf(consortium: NewConsortium, onLoopback: boolean): string {
  const { directory, consortiumId, plan } = consortium;
  const next = onLoopback
    ? `bss devnet --dir ${directory}`
    : "copy genesis.json, ca-bundle.pem and the directory of each node to its host, and run 'bss start' there";
  return fields([
    ["consortium", plan.name],
    ["id", consortiumId],
    ["directory", directory],
    ["managers", plan.managers.length],
    ["storage nodes", plan.storage.length],
    ["participants", `${plan.participants.length} with ${meterCount(consortium)} meters`],
    ...firstMeters(consortium),
    ["next", next],
  ]);
}

/** What a submitter needs to know of meters; all of them are in the operations of genesis. */
function firstMeters({ plan }: Pick<NewConsortium, "plan">): readonly [string, string][] {
  const named = plan.participants
    .flatMap(({ id, meters }) => meters.map((meter) => ({ ...meter, ownerId: id })))
    .slice(0, metersNamedMax)
    .map(({ id, ownerId, intervalS }) => `${id} of ${ownerId}, ${intervalS} s`);
  const more = meterCount({ plan }) - named.length;
  if (more > 0) named.push(`${more} more in genesis.json`);
  return named.length === 0 ? [] : [["meters", named.join("; ")]];
}

function meterCount({ plan }: Pick<NewConsortium, "plan">): number {
  return plan.participants.reduce((sum, { meters }) => sum + meters.length, 0);
}

function count(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("Use a whole number.");
  return Number(text);
}
