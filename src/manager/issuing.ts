/**
 * A manager's certificate authority at work: certificates for the key of a request that its owner
 * has signed, for nobody but the role and id that the ledger registers the key for.
 */
import { readIssuerFiles } from "../config/key-files.js";
import type { IssuerConfig } from "../config/node-config.js";
import {
  type AuthorityFiles,
  type CertificateAuthority,
  certify,
  loadCertificateAuthority,
} from "../pki/certificate-authority.js";
import { type CertificateRequest, readCertificateRequest } from "../pki/certificate-request.js";
import type { Identity } from "../rpc/identity.js";
import { RpcError } from "../rpc/rpc-error.js";

export class Issuer {
  readonly #authority: CertificateAuthority;
  readonly #lifetimeMs: number;
  readonly #nowMs: () => number;

  constructor(authority: CertificateAuthority, lifetimeMs: number, nowMs: () => number) {
    this.#authority = authority;
    this.#lifetimeMs = lifetimeMs;
    this.#nowMs = nowMs;
  }

  /** Opens the authority that a config names; `caPem`: whom nodes trust. @throws ConfigError */
  static async open(
    config: IssuerConfig,
    { consortiumName, caPem }: Pick<AuthorityFiles, "consortiumName" | "caPem">,
    nowMs: () => number,
  ): Promise<Issuer> {
    const { certificateFile, keyFile } = config;
    const pem = readIssuerFiles(config);
    const named = { consortiumName, caPem, certificateFile, keyFile };
    const authority = await loadCertificateAuthority({ ...named, ...pem });
    return new Issuer(authority, config.lifetimeMs, nowMs);
  }

  /** The chain of a new certificate, DER, the own one first. */
  async issue(identity: Identity, request: CertificateRequest): Promise<readonly Uint8Array[]> {
    const { publicKey, hosts } = request;
    const certificate = await certify(this.#authority, {
      ...{ ...identity, hosts, publicKey },
      nowMs: this.#nowMs(),
      lifetimeMs: this.#lifetimeMs,
    });
    return [new Uint8Array(certificate.rawData)];
  }
}

/** @throws RpcError CERTIFICATE_REQUEST_INVALID */
export async function requestOf(der: Uint8Array): Promise<CertificateRequest> {
  const request = await readCertificateRequest(der);
  if (typeof request !== "string") return request;
  throw new RpcError("CERTIFICATE_REQUEST_INVALID", request, { field: "certificate_request" });
}
