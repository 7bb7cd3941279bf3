/**
 * config.yaml: what one node needs to know to start. Paths in it are relative to the file itself,
 * so a node's directory can be moved with all that belongs to it. Secrets never stand in it, only
 * the paths of their files: a loaded config can be logged.
 *
 * What the whole consortium agrees on (members, keys, policy) stands in the genesis file and on the
 * chain, never here.
 */

import { dirname, join, resolve } from "node:path";
import * as z from "zod";
import type { HostPort } from "../base/host-port.js";
import * as field from "./fields.js";
import {
  type ManagerLimits,
  managerLimitsOf,
  managerLimitsSchema,
  type NetworkLimits,
  networkLimitsOf,
  storageLimitsSchema,
} from "./limit-settings.js";
import { readYamlFile } from "./yaml-file.js";

/**
 * In the signer state: it stays where the data directory is emptied, and the node can write there
 * wherever its configuration lies.
 */
export const renewedCertificateName = "renewed-tls.crt";

const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof logLevels)[number];

/** Paths of a party's TLS files, all PEM. */
export type TlsPaths = {
  readonly certificate: string;
  readonly key: string;
  /** Certificates of every authority that is trusted. */
  readonly ca: string;
};

type CommonConfig = {
  /** Absolute path of the config file. */
  readonly file: string;
  readonly id: string;
  readonly genesisFile: string;
  readonly listen: HostPort;
  /** Where /metrics and /healthz are served; absent for nowhere. */
  readonly metrics?: HostPort;
  readonly tls: TlsPaths;
  /** Where the node keeps the certificate that it has renewed: beside what its key has signed. */
  readonly renewedCertificateFile: string;
  readonly signingKeyFile: string;
  readonly dataDirectory: string;
  /** Directory of what the signing key has signed; beside the key, never in the data directory. */
  readonly signerStateDirectory: string;
  /**
   * host:port by manager id: where to reach a manager instead of the address that genesis names.
   */
  readonly managerAddresses: ReadonlyMap<string, string>;
  readonly log: { readonly level: LogLevel };
};

/** A manager's certificate authority, with which it lets others join and renews certificates. */
export type IssuerConfig = {
  readonly certificateFile: string;
  readonly keyFile: string;
  /** How long what it issues is valid, ms. */
  readonly lifetimeMs: number;
};

/** A final block that the node takes as true. */
type CheckpointConfig = {
  readonly height: number;
  /** 32 bytes. */
  readonly blockId: Uint8Array;
};

export type ManagerConfig = CommonConfig & {
  readonly role: "manager";
  /** host:port that others are told to dial; the listening address when absent. */
  readonly advertise?: string;
  readonly vrfKeyFile: string;
  readonly hpkeKeyFile: string;
  /** Wrapped epoch keys; the place in the list is the number of the epoch. */
  readonly epochWrapFiles: readonly string[];
  /** Absent where others issue. */
  readonly issuer?: IssuerConfig;
  readonly limits: ManagerLimits;
};

export type StorageNodeConfig = CommonConfig & {
  readonly role: "storage";
  /** Everything on disk is read once in this time, ms; 0 for never. */
  readonly scrubPeriodMs: number;
  /** From its invitation: the node refuses a chain that has another block at this height. */
  readonly checkpoint?: CheckpointConfig;
  readonly limits: NetworkLimits;
};

export type NodeConfig = ManagerConfig | StorageNodeConfig;

const endpoint = () => field.mapping({ host: field.host(), port: field.port() });

export const tlsSchema = field.mapping({
  certificate: field.path(),
  key: field.path(),
  ca: field.path(),
});

const common = {
  id: field.id(),
  consortium: field.path(),
  listen: endpoint(),
  metrics: endpoint().optional(),
  tls: tlsSchema,
  signing_key: field.path(),
  data_directory: field.path(),
  managers: field
    .listOf(field.mapping({ id: field.id(), address: field.hostAndPort() }), "managers")
    .default([]),
  log: field.mapping({ level: field.oneOf(logLevels).default("info") }).prefault({}),
};

const managerSchema = field.mapping({
  role: z.literal("manager"),
  ...common,
  advertise: field.hostAndPort().optional(),
  signer_state: field.path().optional(),
  vrf_key: field.path(),
  hpke_key: field.path(),
  epoch_wraps: field.listOf(field.path(), "paths of epoch key wraps, epoch 0 first").min(1, {
    error: "a list of paths of epoch key wraps, epoch 0 first",
  }),
  issuer: field
    .mapping({
      certificate: field.path(),
      key: field.path(),
      validity_days: field.number(0.0001, 825, "days").default(90),
    })
    .optional(),
  limits: managerLimitsSchema.prefault({}),
});

const storageSchema = field.mapping({
  role: z.literal("storage"),
  ...common,
  signer_state: field.path().optional(),
  scrub: field
    .mapping({ period_hours: field.number(0, 87_600, "hours").default(168) })
    .prefault({}),
  checkpoint: field
    .mapping({ height: field.integer(0, Number.MAX_SAFE_INTEGER), block_id: field.hash() })
    .optional(),
  limits: storageLimitsSchema.prefault({}),
});

const configSchema = z.discriminatedUnion("role", [managerSchema, storageSchema], {
  error: (issue) =>
    issue.code === "invalid_union" ? "manager or storage" : "the keys of a node's config.yaml",
});

type Raw = z.output<typeof configSchema>;

/** Loads and checks a config.yaml. Throws `ConfigError` with every mistake that the file has. */
export function loadNodeConfig(file: string): NodeConfig {
  const whenMissing = "give the path of a node's config.yaml; 'bss init' writes one for each node";
  const raw = readYamlFile(file, configSchema, {
    whenMissing,
    unaltered: true,
    mistaken: {
      key: "addresses",
      what: "this is a profile.yaml, not a node's config",
      next: whenMissing,
    },
  });
  const at = pathsRelativeTo(file);
  const shared = commonConfig(raw, file, at);
  if (raw.role === "storage") {
    return {
      ...shared,
      role: "storage",
      scrubPeriodMs: raw.scrub.period_hours * 3_600_000,
      ...(raw.checkpoint && {
        checkpoint: { height: raw.checkpoint.height, blockId: raw.checkpoint.block_id },
      }),
      limits: networkLimitsOf(raw.limits),
    };
  }
  return {
    ...shared,
    role: "manager",
    ...(raw.advertise === undefined ? {} : { advertise: raw.advertise }),
    vrfKeyFile: at(raw.vrf_key),
    hpkeKeyFile: at(raw.hpke_key),
    epochWrapFiles: raw.epoch_wraps.map(at),
    ...(raw.issuer && { issuer: issuerOf(raw.issuer, at) }),
    limits: managerLimitsOf(raw.limits),
  };
}

function commonConfig(raw: Raw, file: string, at: (path: string) => string): CommonConfig {
  const signerStateDirectory = at(raw.signer_state ?? `${raw.signing_key}.state`);
  return {
    file: resolve(file),
    id: raw.id,
    genesisFile: at(raw.consortium),
    listen: raw.listen,
    ...(raw.metrics === undefined ? {} : { metrics: raw.metrics }),
    tls: tlsPaths(raw.tls, at),
    renewedCertificateFile: join(signerStateDirectory, renewedCertificateName),
    signingKeyFile: at(raw.signing_key),
    dataDirectory: at(raw.data_directory),
    signerStateDirectory,
    managerAddresses: new Map(raw.managers.map(({ id, address }) => [id, address])),
    log: raw.log,
  };
}

function issuerOf(
  raw: NonNullable<Extract<Raw, { role: "manager" }>["issuer"]>,
  at: (path: string) => string,
): IssuerConfig {
  const { certificate, key, validity_days: days } = raw;
  return { certificateFile: at(certificate), keyFile: at(key), lifetimeMs: days * 86_400_000 };
}

export function pathsRelativeTo(file: string): (path: string) => string {
  const directory = dirname(resolve(file));
  return (path) => resolve(directory, path);
}

export function tlsPaths(raw: z.output<typeof tlsSchema>, at: (path: string) => string): TlsPaths {
  return { certificate: at(raw.certificate), key: at(raw.key), ca: at(raw.ca) };
}
