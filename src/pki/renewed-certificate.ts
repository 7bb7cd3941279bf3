import { certificatesPem, isIssuedBy, partyOf, readTerms } from "../rpc/tls/certificate.js";
import type { OwnTls } from "../rpc/tls/own-certificate.js";
import { isSameParty } from "./certificate-choice.js";
import { usagesOf } from "./server-names.js";

/** A node asks again in time: its new certificate may end sooner if it lasts this long. */
const lastsMsMin = 12 * 60 * 60 * 1000;

/**
 * Asks one issuer after the other for the certificate chain (DER) of a request (DER), until `take`
 * accepts a chain. `take` throws if a chain is of no use; then the next issuer is asked.
 *
 * @returns what `take` returned
 */
export type AskForCertificate = (
  request: Uint8Array,
  take: (chain: readonly Uint8Array[]) => string,
) => Promise<string>;

/**
 * A new certificate (PEM) for the same key and party. A certificate is refused if it is for
 * somebody else, if its authority is not in the bundle, or if it is not valid from now on for as
 * long as the old one (or half a day, with `mayEndSooner`). With such a certificate the party could
 * reach nobody any more, not even to ask again.
 */
export async function renewedCertificate(options: {
  readonly id: string;
  readonly tls: OwnTls;
  readonly ask: AskForCertificate;
  /** For nodes, which ask again by themselves. */
  readonly mayEndSooner: boolean;
  /** The clock, Unix ms. */
  readonly wallMs: () => number;
}): Promise<string> {
  const { id, tls, ask, mayEndSooner, wallMs } = options;
  // Loaded here, as it comes with a library that takes long to load and is needed once in months.
  const { createCertificateRequest } = await import("./certificate-request.js");
  const request = await createCertificateRequest({ keyPem: tls.keyPem, commonName: id });
  return ask(request, (chain) => {
    const issued = certificatesPem(chain);
    const fault = faultOf(issued, tls, { mayEndSooner, nowMs: wallMs() });
    if (fault !== undefined) throw new Error(fault);
    return issued;
  });
}

/** Whether it has the usages of its party's role: nobody dials a node without `serverAuth`. */
function servesItsRole(certPem: string): boolean {
  const { role } = partyOf(certPem)?.identity ?? {};
  const { usages = [] } = readTerms(certPem) ?? {};
  return role !== undefined && usagesOf(role).every((usage) => usages.includes(usage));
}

/** Why the issued certificate must not be used; undefined if it may be. */
function faultOf(
  issued: string,
  { certPem, caPem }: Pick<OwnTls, "certPem" | "caPem">,
  { mayEndSooner, nowMs }: { readonly mayEndSooner: boolean; readonly nowMs: number },
): string | undefined {
  if (!isSameParty(issued, certPem)) return "the new certificate is that of another party";
  if (!servesItsRole(issued))
    return "the new certificate lacks a usage that the role of the party needs";
  if (!isIssuedBy(issued, caPem)) return "the new certificate was issued by an unknown authority";
  const { toMs: formerToMs = 0 } = readTerms(certPem) ?? {};
  const { fromMs = nowMs, toMs = 0 } = readTerms(issued) ?? {};
  if (fromMs > nowMs || toMs <= nowMs) return "the new certificate is not valid now";
  const toMsMin = mayEndSooner ? Math.min(formerToMs, nowMs + lastsMsMin) : formerToMs;
  if (toMs >= toMsMin) return undefined;
  const [ends, endsNow] = [toMs, formerToMs].map((ms) => new Date(ms).toISOString().slice(0, 16));
  return `the new certificate would end at ${ends}Z, before the old one, which ends at ${endsNow}Z`;
}
