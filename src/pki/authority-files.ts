/**
 * The files of a certificate authority, checked before anything is issued. It does without the
 * library that makes certificates: a node that starts checks them, and few nodes ever issue one.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { fileError } from "../config/config-error.js";
import { isAmong } from "../rpc/tls/certificate.js";

export type AuthorityFiles = {
  readonly consortiumName: string;
  readonly certificatePem: string;
  readonly keyPem: string;
  /** The authorities that the consortium's nodes trust; one of them it must be. */
  readonly caPem: string | Uint8Array;
  /** Where the PEMs were read, for what is said of them. */
  readonly certificateFile: string;
  readonly keyFile: string;
};

const restoreBoth = "restore ca.crt and ca.key from one backup";

/**
 * @throws ConfigError naming the file, when they are not a P-256 certificate and its key, or nodes
 * would not accept what it issues
 */
export function checkAuthorityFiles(files: AuthorityFiles): void {
  const { certificatePem, keyPem, caPem, certificateFile, keyFile } = files;
  const certificate = readOrFail(certificateFile, "no certificate of a P-256 key", () => {
    const read = new X509Certificate(certificatePem);
    return isP256(read.publicKey) ? read : undefined;
  });
  const privateKey = readOrFail(keyFile, "no PKCS #8 key of the curve P-256", () => {
    const read = createPrivateKey({ key: pkcs8Of(keyPem), format: "der", type: "pkcs8" });
    return isP256(read) ? read : undefined;
  });
  if (!certificate.checkPrivateKey(privateKey)) {
    throw fileError(keyFile, `not the key of ${certificateFile}`, restoreBoth);
  }
  if (!isAmong(certificatePem, Buffer.from(caPem).toString("latin1"))) {
    const next = "use the files of a manager of this consortium";
    throw fileError(certificateFile, "no authority of the consortium's CA bundle", next);
  }
}

function readOrFail<T>(file: string, what: string, read: () => T | undefined): T {
  let found: T | undefined;
  try {
    found = read();
  } catch {
    // What a parser says of a key may hold pieces of it.
  }
  if (found === undefined) throw fileError(file, what, restoreBoth);
  return found;
}

function isP256({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): boolean {
  return asymmetricKeyType === "ec" && asymmetricKeyDetails?.namedCurve === "prime256v1";
}

function pkcs8Of(pem: string): Buffer {
  const base64 = /-----BEGIN PRIVATE KEY-----([^-]*)-----END PRIVATE KEY-----/.exec(pem)?.[1];
  return Buffer.from(base64 ?? "", "base64");
}
