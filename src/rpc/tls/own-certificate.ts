/**
 * Whether one's own TLS files can serve at all, looked at before any connection is made. A peer
 * that refuses them resets the connection, and from here that looks like a peer that is away.
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { authorityOf, readCertificate, readTerms } from "./certificate.js";
import { describeIdentity, type Identity, parseIdentityUri } from "./identity.js";

export type OwnTls = { readonly certPem: string; readonly keyPem: string; readonly caPem: string };

/** Of whom the certificate has to be. */
export type Party = { readonly consortiumName: string; readonly identity: Identity };

type CertificateFault = {
  /** "early" and "expired" are a matter of time alone; after "expired" a renewal helps. */
  readonly kind: "unreadable" | "party" | "key" | "authority" | "early" | "expired";
  /** What is wrong, to be said of the certificate's file; without a full stop. */
  readonly what: string;
  readonly next: string;
};

/** Why nobody would accept the certificate now; undefined if there is no reason. */
export function certificateFault(
  tls: OwnTls,
  nowMs: number,
  party?: Party,
): CertificateFault | undefined {
  const own = party === undefined ? undefined : partyFault(tls, party);
  return own ?? keyFault(tls) ?? authorityFault(tls, nowMs) ?? termsFault(tls, nowMs);
}

/** Whether a certificate is within its time. */
export function servesAt(certPem: string, nowMs: number): boolean {
  const terms = readTerms(certPem);
  return terms !== undefined && terms.fromMs <= nowMs && nowMs < terms.toMs;
}

function partyFault(
  { certPem }: OwnTls,
  { consortiumName, identity }: Party,
): CertificateFault | undefined {
  const [uri = ""] = readCertificate(certPem)?.uris ?? [];
  const named = parseIdentityUri(uri);
  const next = `give the certificate of ${describeIdentity(identity)}`;
  const refuse = (what: string): CertificateFault => ({ kind: "party", what, next });
  if (named === undefined) return refuse("the certificate names no party of a consortium");
  if (named.consortiumName !== consortiumName) {
    return refuse(
      `the certificate is of consortium ${named.consortiumName}, not ${consortiumName}`,
    );
  }
  const { role, id } = named.identity;
  if (role === identity.role && id === identity.id) return undefined;
  return refuse(`the certificate is that of ${describeIdentity(named.identity)}`);
}

function keyFault({ certPem, keyPem }: OwnTls): CertificateFault | undefined {
  const next = "give the key and the certificate of one party; both come from one folder";
  try {
    const certificate = new X509Certificate(certPem);
    if (certificate.checkPrivateKey(createPrivateKey(keyPem))) return undefined;
    return { kind: "key", what: "the certificate is for another key than the one beside it", next };
  } catch {
    // What a parser says of a key may hold pieces of it.
    return { kind: "unreadable", what: "the certificate or its key cannot be read", next };
  }
}

function authorityFault({ certPem, caPem }: OwnTls, nowMs: number): CertificateFault | undefined {
  const authority = authorityOf(certPem, caPem);
  if (authority === undefined) {
    return {
      kind: "authority",
      what: "no authority in the CA bundle has issued the certificate",
      next: "give the certificate and the ca-bundle.pem of one consortium",
    };
  }
  const { fromMs, toMs } = readTerms(authority) ?? { fromMs: 0, toMs: 0 };
  const clock = `this machine's clock says ${utc(nowMs)}`;
  if (nowMs >= toMs) {
    return {
      kind: "authority",
      what: `the authority that issued the certificate has expired at ${utc(toMs)}; ${clock}`,
      next: `set the clock if it is wrong; else ask ${reissuing("another manager")}`,
    };
  }
  if (nowMs >= fromMs) return undefined;
  return {
    kind: "early",
    what: `the authority that issued the certificate is not valid before ${utc(fromMs)}; ${clock}`,
    next: "set the clock",
  };
}

function termsFault({ certPem }: OwnTls, nowMs: number): CertificateFault | undefined {
  const { fromMs, toMs } = readTerms(certPem) ?? { fromMs: 0, toMs: 0 };
  const clock = `this machine's clock says ${utc(nowMs)}`;
  if (nowMs >= toMs) {
    return {
      kind: "expired",
      what: `the certificate has expired at ${utc(toMs)}; ${clock}`,
      next: `set the clock if it is wrong; else ask ${reissuing("a manager")}`,
    };
  }
  if (nowMs >= fromMs) return undefined;
  return {
    kind: "early",
    what: `the certificate is not valid before ${utc(fromMs)}; ${clock}`,
    next: "set the clock if it is wrong; else wait until then",
  };
}

function reissuing(whose: string): string {
  return `${whose}'s operator to run 'bss reissue' on this file, and put the result in its place`;
}

/** "2026-05-17 13:00:00 UTC". */
function utc(unixMs: number): string {
  const date = new Date(unixMs);
  if (Number.isNaN(date.getTime())) return "an unknown time";
  return `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}
