/**
 * A manager's certificate authority at work: certificates for the key of a request that its owner
 * has signed, for nobody but the role and id that the ledger registers the key for, with the hosts
 * that genesis has for that id.
 *
 * What makes certificates is loaded with the first request: it takes long to load, and most
 * managers issue nothing for months.
 */
import { readIssuerFiles } from "../../config/key-files.js";
import type { IssuerConfig } from "../../config/node-config.js";
import type { Members } from "../../ledger/members/members.js";
import { type AuthorityFiles, checkAuthorityFiles } from "../../pki/authority-files.js";
import type { CertificateAuthority } from "../../pki/certificate-authority.js";
import type { CertificateRequest } from "../../pki/certificate-request.js";
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
  readonly #loadAuthority: () => Promise<CertificateAuthority>;
  readonly #options: IssuingOptions;

  constructor(loadAuthority: () => Promise<CertificateAuthority>, options: IssuingOptions) {
    this.#loadAuthority = loadAuthority;
    this.#options = options;
  }

  /** Opens the authority that a config names; `caPem`: whom nodes trust. @throws ConfigError */
  static open(
    config: IssuerConfig,
    { consortiumName, caPem }: Pick<AuthorityFiles, "consortiumName" | "caPem">,
    options: Omit<IssuingOptions, "lifetimeMs">,
  ): Issuer {
    const { certificateFile, keyFile, lifetimeMs } = config;
    const pem = readIssuerFiles(config);
    const files = { consortiumName, caPem, certificateFile, keyFile, ...pem };
    checkAuthorityFiles(files);
    const load = async () => {
      const { loadCertificateAuthority } = await import("../../pki/certificate-authority.js");
      return loadCertificateAuthority(files);
    };
    let authority: Promise<CertificateAuthority> | undefined;
    const loadOnce = () => {
      authority ??= load().catch((error: unknown) => {
        authority = undefined;
        throw error;
      });
      return authority;
    };
    return new Issuer(loadOnce, { ...options, lifetimeMs });
  }

  /** The chain of a new certificate, DER, the own one first. */
  async issue(identity: Identity, request: CertificateRequest): Promise<readonly Uint8Array[]> {
    const { role, id } = identity;
    const { lifetimeMs, members, nowMs } = this.#options;
    const hosts = hostsOf(role, members.manager(id)?.address);
    const { publicKey } = request;
    const subject = { role, id, hosts, publicKey, lifetimeMs, nowMs: nowMs() };
    const { certify } = await import("../../pki/certificate-authority.js");
    const certificate = await certify(await this.#loadAuthority(), subject);
    return [new Uint8Array(certificate.rawData)];
  }
}

/** @throws RpcError CERTIFICATE_REQUEST_INVALID */
export async function requestOf(der: Uint8Array): Promise<CertificateRequest> {
  const { readCertificateRequest } = await import("../../pki/certificate-request.js");
  const request = await readCertificateRequest(der);
  if (typeof request !== "string") return request;
  throw new RpcError("CERTIFICATE_REQUEST_INVALID", request, { field: "certificate_request" });
}
