/**
 * A manager's certificate authority at work: certificates for the key of a request that its owner
 * has signed, for nobody but the role and id that the ledger registers the key for, with the hosts
 * that genesis has for that id.
 */
import { readIssuerFiles } from "../../config/key-files.js";
import type { IssuerConfig } from "../../config/node-config.js";
import type { Members } from "../../ledger/members/members.js";
import {
  type AuthorityFiles,
  type CertificateAuthority,
  certify,
  loadCertificateAuthority,
} from "../../pki/certificate-authority.js";
import { type CertificateRequest, readCertificateRequest } from "../../pki/certificate-request.js";
import { hostsOf } from "../../pki/server-names.js";
import { RpcError } from "../../rpc/rpc-error.js";
import type { Identity } from "../../rpc/tls/tls-identity.js";

export type IssuingOptions = {
  readonly lifetimeMs: number;
  readonly members: Pick<Members, "manager">;
  /** The clock, Unix ms. */
  readonly nowMs: () => number;
};

export class Issuer {
  readonly #authority: CertificateAuthority;
  readonly #options: IssuingOptions;

  constructor(authority: CertificateAuthority, options: IssuingOptions) {
    this.#authority = authority;
    this.#options = options;
  }

  /** Opens the authority that a config names; `caPem`: whom nodes trust. @throws ConfigError */
  static async open(
    config: IssuerConfig,
    { consortiumName, caPem }: Pick<AuthorityFiles, "consortiumName" | "caPem">,
    options: Omit<IssuingOptions, "lifetimeMs">,
  ): Promise<Issuer> {
    const { certificateFile, keyFile, lifetimeMs } = config;
    const pem = readIssuerFiles(config);
    const named = { consortiumName, caPem, certificateFile, keyFile };
    const authority = await loadCertificateAuthority({ ...named, ...pem });
    return new Issuer(authority, { ...options, lifetimeMs });
  }

  /** The chain of a new certificate, DER, the own one first. */
  async issue(identity: Identity, request: CertificateRequest): Promise<readonly Uint8Array[]> {
    const { role, id } = identity;
    const { lifetimeMs, members, nowMs } = this.#options;
    const hosts = hostsOf(role, members.manager(id)?.address);
    const { publicKey } = request;
    const subject = { role, id, hosts, publicKey, lifetimeMs, nowMs: nowMs() };
    const certificate = await certify(this.#authority, subject);
    return [new Uint8Array(certificate.rawData)];
  }
}

/** @throws RpcError CERTIFICATE_REQUEST_INVALID */
export async function requestOf(der: Uint8Array): Promise<CertificateRequest> {
  const request = await readCertificateRequest(der);
  if (typeof request !== "string") return request;
  throw new RpcError("CERTIFICATE_REQUEST_INVALID", request, { field: "certificate_request" });
}
