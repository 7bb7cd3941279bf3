/**
 * Who is calling: turns the certificate of a connection into the identity of a caller. Managers run
 * the TLS CAs, so a valid chain is not enough: the certificate's public key must be the one that
 * the ledger has registered for the identity. So no manager can issue a certificate that passes for
 * somebody else's. What the caller may call is decided in method-roles.ts.
 */
import { equalBytes, toHex } from "../../base/bytes.js";
import { sha256 } from "../../crypto/hash.js";
import { LruCache } from "../../crypto/lru-cache.js";
import { RpcError } from "../rpc-error.js";
import {
  type CertificateFacts,
  identityOf,
  readCertificate,
  readTerms,
} from "../tls/certificate.js";
import { describeIdentity, type Identity, type MemberRole } from "../tls/tls-identity.js";

/** Where the keys of members and participants are registered: the ledger's state. */
export type IdentityRegistry = {
  /** SHA-256 of the SPKI registered for the id; undefined when nobody is registered under it. */
  spkiOf(role: MemberRole, id: string): Promise<Uint8Array | undefined>;
};

type AuthenticatorOptions = {
  readonly consortiumName: string;
  readonly registry: IdentityRegistry;
  /** How long the registry's answer is reused; a removed member can still call until then. */
  readonly cacheMs?: number;
  readonly nowMs?: () => number;
};

type KnownCertificate = CertificateFacts & { readonly toMs: number };
type Registered = { readonly spki: Uint8Array | undefined; readonly expiresMs: number };

export class Authenticator {
  readonly #consortiumName: string;
  readonly #registry: IdentityRegistry;
  readonly #cacheMs: number;
  readonly #nowMs: () => number;
  /** A connection shows its certificate as the same object at every call. */
  readonly #read = new WeakMap<Uint8Array, KnownCertificate | "unreadable">();
  readonly #certificates = new LruCache<KnownCertificate | "unreadable">(4_096);
  /** Stays small: only identities that a CA of the consortium has certified get here. */
  readonly #registered = new Map<string, Registered>();

  constructor(options: AuthenticatorOptions) {
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
    // Any authority of the consortium may certify them; what they may do, the invitation decides.
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
