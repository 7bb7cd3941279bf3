/**
 * What `bss init` is going to make: who takes part, which manager issues whose certificate, and
 * where each node listens. All of it is decided before anything is made, without keys and without a
 * clock, so the same options always give the same plan.
 */
import { isIP } from "node:net";
import { type HostPort, joinHostPort } from "../../base/host-port.js";
import type { Policy } from "../../gen/bss/v1/genesis_pb.js";
import { isId } from "../../ledger/ids.js";
import { hostsOf } from "../../pki/server-names.js";
import type { Role } from "../../rpc/tls/tls-identity.js";
import { CliError } from "../text/cli-error.js";
import { type ParticipantPlan, readCommunityFile } from "./community-file.js";
import { countsMax, defaultMeter, defaultPolicy, portOffsets } from "./defaults.js";
import { type NodeHost, readHostsFile } from "./hosts-file.js";
import { readPolicyFile } from "./policy-file.js";

export type ConsortiumOptions = {
  readonly name: string;
  readonly managers: number;
  readonly storage: number;
  readonly participants: number;
  readonly basePort: number;
  /** YAML files, see community-file.ts, hosts-file.ts and policy-file.ts. */
  readonly communityFile?: string;
  readonly hostsFile?: string;
  readonly policyFile?: string;
};

export type NodePlan = {
  readonly role: "manager" | "storage";
  readonly id: string;
  /** The manager whose authority issues its certificate; of a storage node also its sponsor. */
  readonly issuerId: string;
  readonly listen: HostPort;
  readonly metrics: HostPort;
  /** host:port where others reach it. */
  readonly address: string;
  /** Names and addresses in its certificate. */
  readonly certificateHosts: readonly string[];
};

export type ClientPlan = {
  readonly role: Exclude<Role, "manager" | "storage">;
  readonly id: string;
  readonly issuerId: string;
  /** Managers' host:port, the issuer's first. */
  readonly addresses: readonly string[];
};

export type ConsortiumPlan = {
  readonly name: string;
  readonly policy: Policy;
  readonly managers: readonly NodePlan[];
  readonly storage: readonly NodePlan[];
  readonly participants: readonly (ClientPlan & ParticipantPlan)[];
  readonly operators: readonly ClientPlan[];
  readonly auditors: readonly ClientPlan[];
};

/**
 * Turns options into a plan. Throws `CliError` or `ConfigError` for options and files that
 * contradict themselves.
 */
export function planConsortium(options: ConsortiumOptions): ConsortiumPlan {
  checkOptions(options);
  const managerIds = numbered("manager", options.managers);
  const storageIds = numbered("storage", options.storage);
  const operatorIds = numbered("operator", options.managers);
  const auditorIds = ["auditor-1"];
  const reservedIds = new Set([...managerIds, ...storageIds, ...operatorIds, ...auditorIds]);

  const defaults = defaultPolicy(options.storage);
  const policy =
    options.policyFile === undefined ? defaults : readPolicyFile(options.policyFile, defaults);
  const hosts =
    options.hostsFile === undefined
      ? new Map<string, NodeHost>()
      : readHostsFile(options.hostsFile, { managerIds, storageIds });
  const { deliveryIntervalS } = policy;
  const participants =
    options.communityFile === undefined
      ? madeUpParticipants(options.participants, deliveryIntervalS)
      : readCommunityFile(options.communityFile, { deliveryIntervalS, reservedIds });

  const issuerId = (index: number) => managerIds[index % managerIds.length] ?? "";
  const nodes = (role: NodePlan["role"], ids: readonly string[]) =>
    ids.map((id, index) =>
      planNode({ role, id, issuerId: issuerId(index), index, hosts, options }),
    );
  const managers = nodes("manager", managerIds);
  const client = <Role extends ClientPlan["role"]>(role: Role, id: string, index: number) => ({
    role,
    id,
    issuerId: issuerId(index),
    addresses: rotated(managers, index).map(({ address }) => address),
  });
  return {
    name: options.name,
    policy,
    managers,
    storage: nodes("storage", storageIds),
    participants: participants.map((participant, index) => ({
      ...participant,
      ...client("participant", participant.id, index),
    })),
    operators: operatorIds.map((id, index) => client("operator", id, index)),
    auditors: auditorIds.map((id, index) => client("auditor", id, index)),
  };
}

function checkOptions(options: ConsortiumOptions): void {
  if (!isId(options.name)) {
    const next = "use 1 to 63 characters out of a-z, 0-9 and -";
    throw new CliError(`--name ${JSON.stringify(options.name)} is not a consortium name`, next);
  }
  checkCount("--managers", options.managers, 1, countsMax.managers);
  checkCount("--storage", options.storage, 0, countsMax.storage);
  checkCount("--participants", options.participants, 0, countsMax.participants);
  checkCount(
    "--base-port",
    options.basePort,
    1,
    65_535 - portOffsets.storageMetrics - countsMax.storage,
  );
}

function checkCount(option: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new CliError(`${option} ${value} is out of range`, `use a number from ${min} to ${max}`);
}

function numbered(prefix: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${index + 1}`);
}

function madeUpParticipants(count: number, deliveryIntervalS: number): readonly ParticipantPlan[] {
  // A meter's interval has to divide the delivery interval, whatever the policy file says.
  const fits = deliveryIntervalS % defaultMeter.intervalS === 0;
  const intervalS = fits ? defaultMeter.intervalS : deliveryIntervalS;
  return numbered("participant", count).map((id, index) => ({
    id,
    agents: [],
    meters: [{ id: `meter-${index + 1}`, ratedPowerW: defaultMeter.ratedPowerW, intervalS }],
  }));
}

function planNode(input: {
  readonly role: NodePlan["role"];
  readonly id: string;
  readonly issuerId: string;
  readonly index: number;
  readonly hosts: ReadonlyMap<string, NodeHost>;
  readonly options: ConsortiumOptions;
}): NodePlan {
  const { role, id, issuerId, index, hosts, options } = input;
  const at = hosts.get(id);
  const number = options.basePort + index + 1;
  const port = at?.port ?? number + portOffsets[role];
  const host = at?.host ?? "127.0.0.1";
  const metricsPort = number + portOffsets[`${role}Metrics`];
  const address = joinHostPort({ host, port });
  return {
    role,
    id,
    issuerId,
    listen: { host: at === undefined ? host : everyAddress(host), port },
    metrics: { host: "127.0.0.1", port: metricsPort },
    address,
    certificateHosts: hostsOf(role, address),
  };
}

function everyAddress(host: string): string {
  return isIP(host) === 6 ? "::" : "0.0.0.0";
}

/** All of `items`, beginning with the one at `start` modulo their number. */
function rotated<T>(items: readonly T[], start: number): readonly T[] {
  const from = start % items.length;
  return [...items.slice(from), ...items.slice(0, from)];
}
