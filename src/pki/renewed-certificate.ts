import { certificatesPem, isIssuedBy, readCertificate, readTerms } from "../rpc/tls/certificate.js";
import { parseIdentityUri } from "../rpc/tls/tls-identity.js";
import { isSameParty } from "./certificate-choice.js";
import { createCertificateRequest } from "./certificate-request.js";
import { usagesOf } from "./server-names.js";

/** A new one of a node may end before the old one if it lasts so long: it asks again in time. */
const lastsMsMin = 12 * 60 * 60 * 1000;

/**
 * Gets the certificate chain (DER) for a request (DER) from whom ever issues one that `take` does
 * not throw at: one whose answers are no good must not keep the others from being asked.
 *
 * @returns what `take` made of it
 */
export type AskForCertificate = (
  request: Uint8Array,
  take: (chain: readonly Uint8Array[]) => string,
) => Promise<string>;

/**
 * A new certificate (PEM) for the same key and party. Not taken is what was issued for somebody
 * else, by an authority that is not in the bundle, or does not serve from now on for as long as the
 * old one (or half a day, with `mayEndSooner`): with it, nobody would be reached any more, not even
 * to ask again.
 */
export async function renewedCertificate(options: {
  readonly id: string;
  readonly tls: { readonly certPem: string; readonly keyPem: string; readonly caPem: string };
  readonly ask: AskForCertificate;
  /** For those who ask again by themselves. */
  readonly mayEndSooner: boolean;
  /** The clock, Unix ms. */
  readonly wallMs: () => number;
}): Promise<string> {
  const { id, tls, ask, mayEndSooner, wallMs } = options;
  const request = await createCertificateRequest({ keyPem: tls.keyPem, commonName: id });
  return ask(request, (chain) => {
    const issued = certificatesPem(chain);
    const fault = faultOf(issued, tls, { mayEndSooner, nowMs: wallMs() });
    if (fault !== undefined) throw new Error(fault);
    return issued;
  });
}

/** Whether it has the usages that whom it names needs: nobody dials a node without `serverAuth`. */
function servesItsRole(certPem: string): boolean {
  const { role } = parseIdentityUri(readCertificate(certPem)?.uris[0] ?? "")?.identity ?? {};
  const { usages = [] } = readTerms(certPem) ?? {};
  return role !== undefined && usagesOf(role).every((usage) => usages.includes(usage));
}

/** Why not to use what was issued; undefined if there is no reason. */
function faultOf(
  issued: string,
  { certPem, caPem }: { readonly certPem: string; readonly caPem: string },
  { mayEndSooner, nowMs }: { readonly mayEndSooner: boolean; readonly nowMs: number },
): string | undefined {
  if (!isSameParty(issued, certPem)) return "what was issued is another party's certificate";
  if (!servesItsRole(issued)) return "what was issued is not for what the party does";
  if (!isIssuedBy(issued, caPem)) return "what was issued is of no known authority";
  const { toMs: formerToMs = 0 } = readTerms(certPem) ?? {};
  const { fromMs = nowMs, toMs = 0 } = readTerms(issued) ?? {};
  if (fromMs > nowMs || toMs <= nowMs) return "what was issued does not serve now";
  const toMsMin = mayEndSooner ? Math.min(formerToMs, nowMs + lastsMsMin) : formerToMs;
  if (toMs >= toMsMin) return undefined;
  const [ends, endsNow] = [toMs, formerToMs].map((ms) => new Date(ms).toISOString().slice(0, 16));
  return `what was issued ends at ${ends}Z, before the one in use, at ${endsNow}Z`;
}
