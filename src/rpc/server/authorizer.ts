/**
 * Turns the certificate of a connection into the identity of a caller. Managers run the TLS CAs, so
 * a valid chain is not enough: the certificate's public key must be the one that the ledger has
 * registered for the identity, and none of the managers can mint another's.
 */
import { equalBytes, toHex } from "../../base/bytes.js";
import { sha256 } from "../../crypto/hash.js";
import { LruCache } from "../../crypto/lru-cache.js";
import { RpcError } from "../rpc-error.js";
import { type CertificateFacts, readCertificate, readTerms } from "../tls/certificate.js";
import {
  describeIdentity,
  type Identity,
  type MemberRole,
  parseIdentityUri,
} from "../tls/identity.js";
import { mayCall } from "./method-roles.js";

/** Where the keys of members and participants are registered: the ledger's state. */
export type IdentityRegistry = {
  /** SHA-256 of the SPKI registered for the id; undefined when nobody is registered under it. */
  spkiOf(role: MemberRole, id: string): Promise<Uint8Array | undefined>;
};

type AuthorizerOptions = {
  readonly consortiumName: string;
  readonly registry: IdentityRegistry;
  /** How long the registry's answer is believed; a removed member is cut off after that. */
  readonly cacheMs?: number;
  readonly nowMs?: () => number;
};

type KnownCertificate = CertificateFacts & { readonly toMs: number };
type Registered = { readonly spki: Uint8Array | undefined; readonly expiresMs: number };

export class Authorizer {
  readonly #consortiumName: string;
  readonly #registry: IdentityRegistry;
  readonly #cacheMs: number;
  readonly #nowMs: () => number;
  /** What one connection shows is one and the same object. */
  readonly #read = new WeakMap<Uint8Array, KnownCertificate | "unreadable">();
  readonly #certificates = new LruCache<KnownCertificate | "unreadable">(4_096);
  /**
   * Only identities that a CA of the consortium has certified come here, so the map stays small.
   */
  readonly #registered = new Map<string, Registered>();

  constructor(options: AuthorizerOptions) {
    this.#consortiumName = options.consortiumName;
    this.#registry = options.registry;
    this.#cacheMs = options.cacheMs ?? 1_000;
    this.#nowMs = options.nowMs ?? Date.now;
  }

  /**
   * The identity behind a certificate that TLS has verified.
   *
   * @param certificate DER; undefined when the connection has none
   * @throws RpcError IDENTITY_INVALID or CERTIFICATE_UNKNOWN
   */
  async identify(certificate: Uint8Array | undefined): Promise<Identity> {
    if (certificate === undefined) {
      throw new RpcError("IDENTITY_INVALID", "the connection carries no verified certificate");
    }
    const facts = this.#factsOf(certificate);
    const identity = identityOf(facts, this.#consortiumName);
    const { role, id } = identity;
    // Any of the consortium's authorities may let somebody in this far: the invitation decides.
    if (role === "invited") return identity;
    const registered = await this.#spkiOf(role, id);
    if (registered === undefined || !equalBytes(registered, facts.spkiSha256)) {
      const what = registered === undefined ? "nobody is registered as" : "another key belongs to";
      throw new RpcError("CERTIFICATE_UNKNOWN", `${what} ${describeIdentity(identity)}`, {
        metadata: { role, id },
      });
    }
    return identity;
  }

  /** Until when a certificate is valid, Unix ms. @throws RpcError IDENTITY_INVALID */
  validToMs(certificate: Uint8Array): number {
    return this.#factsOf(certificate).toMs;
  }

  /** @throws RpcError ROLE_NOT_ALLOWED */
  authorize(identity: Identity, method: string): void {
    if (mayCall(identity.role, method)) return;
    throw new RpcError("ROLE_NOT_ALLOWED", `${identity.role} may not call ${method}`, {
      metadata: { role: identity.role, method },
    });
  }

  #factsOf(certificate: Uint8Array): KnownCertificate {
    const facts =
      this.#read.get(certificate) ??
      this.#certificates.getOrCreate(
        toHex(sha256(certificate)),
        () => known(certificate) ?? "unreadable",
      );
    this.#read.set(certificate, facts);
    if (facts === "unreadable") {
      throw new RpcError("IDENTITY_INVALID", "the certificate cannot be read");
    }
    return facts;
  }

  async #spkiOf(role: MemberRole, id: string): Promise<Uint8Array | undefined> {
    const key = `${role}/${id}`;
    const nowMs = this.#nowMs();
    const known = this.#registered.get(key);
    if (known !== undefined && known.expiresMs > nowMs) return known.spki;
    const spki = await this.#registry.spkiOf(role, id);
    if (this.#registered.size >= registeredMax) this.#registered.clear();
    this.#registered.set(key, { spki, expiresMs: nowMs + this.#cacheMs });
    return spki;
  }
}

const registeredMax = 10_000;

function known(certificate: Uint8Array): KnownCertificate | undefined {
  const [facts, terms] = [readCertificate(certificate), readTerms(certificate)];
  if (facts === undefined || terms === undefined) return undefined;
  return { ...facts, toMs: terms.toMs };
}

/**
 * The one identity that a certificate claims in a consortium.
 *
 * @throws RpcError IDENTITY_INVALID
 */
export function identityOf(facts: CertificateFacts, consortiumName: string): Identity {
  const [uri, ...others] = facts.uris;
  if (uri === undefined || others.length > 0) {
    throw new RpcError(
      "IDENTITY_INVALID",
      `the certificate carries ${facts.uris.length} URI names instead of one`,
    );
  }
  const parsed = parseIdentityUri(uri);
  if (parsed === undefined) {
    throw new RpcError(
      "IDENTITY_INVALID",
      "the certificate's URI name is not bss://<consortium>/<role>/<id>",
    );
  }
  if (parsed.consortiumName !== consortiumName) {
    throw new RpcError(
      "IDENTITY_INVALID",
      `the certificate is for consortium ${parsed.consortiumName}, this is ${consortiumName}`,
    );
  }
  return parsed.identity;
}
