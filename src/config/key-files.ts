/**
 * Reading keys, certificates and the genesis file.
 *
 * Who else may access a file is checked (file-access.ts) after opening it, so nobody can exchange
 * it between check and use.
 */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  readFileSync,
  type Stats,
} from "node:fs";
import { fromHex } from "../base/bytes.js";
import { wrappedEpochKeyBytes } from "../crypto/hpke.js";
import { genesisBytesMax } from "../ledger/genesis.js";
import { ConfigError, fileError } from "./config-error.js";
import { checkSecret, checkUnaltered } from "./file-access.js";
import type { ManagerConfig, TlsPaths } from "./node-config.js";

const keyFileBytesMax = 64 * 1024;
const caFileBytesMax = 4 * 1024 * 1024;

/** A manager's secrets, 32 bytes each, and its epoch key wraps, epoch 0 first. */
export type ManagerKeys = {
  readonly signingSeed: Uint8Array;
  readonly vrfSeed: Uint8Array;
  readonly hpkeSecretKey: Uint8Array;
  readonly epochWraps: readonly Uint8Array[];
};

/** A secret of 32 bytes, stored as 64 hex digits and a newline. Throws `ConfigError`. */
export function readSeedFile(file: string): Uint8Array {
  const seed = fromHex(readFile(file, keyFileBytesMax, checkSecret).toString("latin1").trim());
  if (seed?.length === 32) return seed;
  throw fileError(file, "this is not a key of 64 hex digits", "restore it from a backup");
}

/** A party's certificate, key (secret) and trusted authorities, all PEM. Throws `ConfigError`. */
export function readTlsFiles(files: TlsPaths): {
  readonly certPem: string;
  readonly keyPem: string;
  readonly caPem: string;
} {
  return {
    keyPem: readPrivateKey(files.key, "tls.key"),
    certPem: readCertificates(files.certificate, "tls.certificate"),
    caPem: readCertificates(files.ca, "tls.ca"),
  };
}

/** The PEM text of a certificate's file. Throws `ConfigError`. */
export function readCertificateFile(file: string): string {
  return readCertificates(file, "tls.certificate");
}

/** The PEM text of a renewed certificate; undefined if there is none. Throws `ConfigError`. */
export function readRenewedCertificate(file: string): string | undefined {
  return existsSync(file) ? readCertificates(file, "signer_state") : undefined;
}

/** The PEM text of the trusted authorities. Throws `ConfigError`. */
export function readAuthorities(file: string): string {
  return readCertificates(file, "tls.ca");
}

/** A manager's certificate authority, both PEM; the key is secret. Throws `ConfigError`. */
export function readIssuerFiles(files: {
  readonly certificateFile: string;
  readonly keyFile: string;
}): { readonly certificatePem: string; readonly keyPem: string } {
  return {
    keyPem: readPrivateKey(files.keyFile, "issuer.key"),
    certificatePem: readCertificates(files.certificateFile, "issuer.certificate"),
  };
}

/** The text of an invitation file, which holds a key. Throws `ConfigError`. */
export function readInvitationText(file: string): string {
  const bytesMax = 2 * genesisBytesMax + caFileBytesMax;
  return readFile(file, bytesMax, checkSecret).toString("utf8");
}

/** Reads all key files that a manager's config names. Throws `ConfigError`. */
export function readManagerKeys(config: ManagerConfig): ManagerKeys {
  return {
    signingSeed: readSeedFile(config.signingKeyFile),
    vrfSeed: readSeedFile(config.vrfKeyFile),
    hpkeSecretKey: readSeedFile(config.hpkeKeyFile),
    epochWraps: config.epochWrapFiles.map(readEpochWrap),
  };
}

/** The exact bytes of a genesis file, whose SHA-256 is the consortium id. Throws `ConfigError`. */
export function readGenesisFile(file: string): Uint8Array {
  return new Uint8Array(readFile(file, genesisBytesMax, checkUnaltered));
}

function readEpochWrap(file: string): Uint8Array {
  // The wrap is a secret: together with hpke.key it gives the epoch key.
  const wrap = fromHex(readFile(file, keyFileBytesMax, checkSecret).toString("latin1").trim());
  if (wrap?.length === wrappedEpochKeyBytes) return wrap;
  const what = `this is not a wrapped epoch key of ${2 * wrappedEpochKeyBytes} hex digits`;
  throw fileError(file, what, "ask the operator of another manager for this manager's wrap");
}

/** `key`: where the config names the file. */
function readPrivateKey(file: string, key: string): string {
  const pem = readFile(file, keyFileBytesMax, checkSecret).toString("latin1");
  if (pem.includes("-----BEGIN PRIVATE KEY-----")) return pem;
  throw fileError(
    file,
    "this file holds no private key (PKCS #8, PEM)",
    `check the path in ${key}`,
  );
}

function readCertificates(file: string, key: string): string {
  const pem = readFile(file, caFileBytesMax, checkUnaltered).toString("latin1");
  if (pem.includes("-----BEGIN CERTIFICATE-----")) return pem;
  throw fileError(file, "this file holds no certificate (PEM)", `check the path in ${key}`);
}

/** `checkAccess` looks at the opened file, before anything of it is read. */
function readFile(
  file: string,
  bytesMax: number,
  checkAccess: (file: string, stats: Stats) => void,
): Buffer {
  let descriptor: number | undefined;
  try {
    // Without O_NONBLOCK, opening a pipe would wait for its writer.
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) throw fileError(file, "this is not a regular file", "check the path");
    if (stats.size > bytesMax) {
      throw fileError(file, `larger than ${bytesMax} bytes`, "check that it is the right file");
    }
    checkAccess(file, stats);
    return readFileSync(descriptor);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    const what = code === "ENOENT" ? "no such file" : `cannot be read (${code})`;
    throw fileError(file, what, "check the path and the permissions of the file");
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
