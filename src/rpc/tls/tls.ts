/**
 * Mutual TLS 1.3 on every connection. Hosts move and addresses are configuration, so nobody is
 * verified by host name: both sides check the chain against the consortium's CAs, the identity in
 * the URI SAN and the registered public key. The server does the last two per call
 * (authenticator.ts), the client once per connection, here.
 */
import { createSecureContext, type PeerCertificate } from "node:tls";
import { ChannelCredentials, ServerCredentials } from "@grpc/grpc-js";
import { equalBytes } from "../../base/bytes.js";
import { requestHeaderBytesMax } from "../bounds/header-bounds.js";
import { RpcError } from "../rpc-error.js";
import { identityOf, readCertificate } from "./certificate.js";
import type { OwnTls } from "./own-certificate.js";
import { describeIdentity, type Role } from "./tls-identity.js";

/** What a party shows in TLS, and whom it believes. */
export type TlsCredentials = {
  /** The own certificate, then those that lead to a CA. */
  readonly certPem: string | Uint8Array;
  /** PKCS #8. */
  readonly keyPem: string | Uint8Array;
  /** The CAs of all managers. */
  readonly caPem: string | Uint8Array;
};

/**
 * Credentials of which the certificates can be replaced while they are in use: connections that are
 * made afterwards use the new ones, those that are open go on.
 */
export class RenewableTls implements TlsCredentials {
  readonly keyPem: string;
  #caPem: string;
  #certPem: string;
  readonly #watchers: (() => void)[] = [];

  constructor({ certPem, keyPem, caPem }: OwnTls) {
    this.keyPem = keyPem;
    this.#caPem = caPem;
    this.#certPem = certPem;
  }

  get certPem(): string {
    return this.#certPem;
  }

  get caPem(): string {
    return this.#caPem;
  }

  /** Takes a new certificate for the same key, and a new bundle of authorities if there is one. */
  renew(certPem: string, caPem = this.#caPem): void {
    this.#certPem = certPem;
    this.#caPem = caPem;
    for (const watcher of this.#watchers) watcher();
  }

  watch(watcher: () => void): void {
    this.#watchers.push(watcher);
  }
}

/** Whom a client expects to find at an address. */
export type ExpectedServer = {
  readonly consortiumName: string;
  readonly role: Role;
  /** Any id of the role when left out. */
  readonly id?: string;
  /**
   * 32 bytes, SHA-256 of the registered SPKI, or where to look it up by id (undefined refuses).
   * Without it, every CA of the consortium is trusted to certify nobody else's node.
   */
  readonly spkiSha256?: Uint8Array | ((id: string) => Uint8Array | undefined);
};

const minVersion = "TLSv1.3";
/** For a handshake, and before it for its first record. */
export const handshakeTimeoutMs = 5_000;
/** HTTP/2 header fields of one request; callers of this API send about ten. */
const headerPairsMax = 64;

/** @param connectionStreamsMax calls that one connection may have at a time */
export function serverCredentials(
  tls: TlsCredentials,
  connectionStreamsMax: number,
): ServerCredentials {
  return new MutualTlsCredentials(tls, connectionStreamsMax);
}

/** As `ServerCredentials.createSsl`, which takes no TLS version, but with one. */
class MutualTlsCredentials extends ServerCredentials {
  constructor(tls: TlsCredentials, connectionStreamsMax: number) {
    super(
      {
        requestCert: true,
        rejectUnauthorized: true,
        minVersion,
        handshakeTimeout: handshakeTimeoutMs,
        maxHeaderListPairs: headerPairsMax,
        // Replaces the settings that grpc-js would make of its options, which have no header size.
        settings: {
          maxConcurrentStreams: connectionStreamsMax,
          maxHeaderListSize: requestHeaderBytesMax,
        },
      },
      { ...secureContextOptions(tls), minVersion },
    );
    if (!(tls instanceof RenewableTls)) return;
    tls.watch(() => this.updateSecureContextOptions({ ...secureContextOptions(tls), minVersion }));
  }

  override _equals(other: ServerCredentials): boolean {
    return other === this;
  }
}

export function channelCredentials(
  tls: TlsCredentials,
  expected: ExpectedServer,
): ChannelCredentials {
  const context = createSecureContext({ ...secureContextOptions(tls), minVersion });
  return ChannelCredentials.createFromSecureContext(context, {
    checkServerIdentity: (_host, certificate) => refusalOfServer(certificate, expected),
  });
}

function secureContextOptions(tls: TlsCredentials): { cert: Buffer; key: Buffer; ca: Buffer } {
  return {
    cert: Buffer.from(tls.certPem),
    key: Buffer.from(tls.keyPem),
    ca: Buffer.from(tls.caPem),
  };
}

function refusalOfServer(
  certificate: PeerCertificate,
  expected: ExpectedServer,
): RpcError | undefined {
  try {
    checkServer(certificate.raw, expected);
    return undefined;
  } catch (error) {
    if (error instanceof RpcError) return error;
    return new RpcError("INTERNAL", "the server's certificate could not be checked", {
      cause: error,
    });
  }
}

/** @throws RpcError IDENTITY_INVALID or CERTIFICATE_UNKNOWN */
function checkServer(certificate: Uint8Array, expected: ExpectedServer): void {
  const facts = readCertificate(certificate);
  if (facts === undefined) {
    throw new RpcError("IDENTITY_INVALID", "the server's certificate cannot be read");
  }
  const identity = identityOf(facts, expected.consortiumName);
  if (identity.role !== expected.role || (expected.id ?? identity.id) !== identity.id) {
    const wanted = `${expected.role} ${expected.id ?? ""}`.trim();
    throw new RpcError(
      "IDENTITY_INVALID",
      `the server is ${describeIdentity(identity)}, expected ${wanted}`,
    );
  }
  if (expected.spkiSha256 === undefined) return;
  const registered =
    typeof expected.spkiSha256 === "function"
      ? expected.spkiSha256(identity.id)
      : expected.spkiSha256;
  if (registered === undefined || !equalBytes(registered, facts.spkiSha256)) {
    throw new RpcError(
      "CERTIFICATE_UNKNOWN",
      `the server's key is not the one registered for ${describeIdentity(identity)}`,
    );
  }
}
