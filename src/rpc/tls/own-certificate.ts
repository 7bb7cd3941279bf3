/**
 * Whether a party's own TLS files can be accepted at all, checked before any connection is made: a
 * peer that refuses them resets the connection, which looks from here as if it were away.
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { authorityOf, partyOf, readTerms } from "./certificate.js";
import { describeIdentity, type Party } from "./tls-identity.js";

/** `TlsCredentials` as texts, as a party's files have them; `keyPem` is secret. */
export type OwnTls = { readonly certPem: string; readonly keyPem: string; readonly caPem: string };

type CertificateFault = {
  /** "early" and "expired" depend on the time alone; a renewal helps against "expired". */
  readonly kind: "unreadable" | "party" | "key" | "authority" | "early" | "expired";
  /** What is wrong with the certificate, as a sentence without its full stop. */
  readonly what: string;
  readonly next: string;
};

/**
 * Why nobody would accept the certificate now; undefined if there is no reason.
 *
 * @param party whose certificate it has to be
 */
export function certificateFault(
  tls: OwnTls,
  nowMs: number,
  party?: Party,
): CertificateFault | undefined {
  const own = party === undefined ? undefined : partyFault(tls, party);
  return own ?? keyFault(tls) ?? authorityFault(tls, nowMs) ?? termsFault(tls, nowMs);
}

/** Why a certificate is not that of a party, for "the certificate …"; undefined if it is. */
export function partyMismatch(certPem: string, party: Party): string | undefined {
  const named = partyOf(certPem);
  if (named === undefined) return "names no party of a consortium";
  if (named.consortiumName !== party.consortiumName) {
    return `is of consortium ${named.consortiumName}, not ${party.consortiumName}`;
  }
  const [own, wanted] = [named.identity, party.identity].map(describeIdentity);
  return own === wanted ? undefined : `is that of ${own}, not of ${wanted}`;
}

/** Whether a certificate is within its time. */
export function servesAt(certPem: string, nowMs: number): boolean {
  const terms = readTerms(certPem);
  return terms !== undefined && terms.fromMs <= nowMs && nowMs < terms.toMs;
}

function partyFault({ certPem }: OwnTls, party: Party): CertificateFault | undefined {
  const mismatch = partyMismatch(certPem, party);
  if (mismatch === undefined) return undefined;
  const next = `give the certificate of ${describeIdentity(party.identity)}`;
  return { kind: "party", what: `the certificate ${mismatch}`, next };
}

function keyFault({ certPem, keyPem }: OwnTls): CertificateFault | undefined {
  const next = "give the key and the certificate of one party; both come from one folder";
  try {
    const certificate = new X509Certificate(certPem);
    if (certificate.checkPrivateKey(createPrivateKey(keyPem))) return undefined;
    return { kind: "key", what: "the certificate is for another key than the one beside it", next };
  } catch {
    // The parser's own message is left out: it may hold pieces of the key.
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
