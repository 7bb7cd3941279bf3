/**
 * A node has its certificate in two files: the one that its operator gives (`tls.certificate`),
 * which may lie where the node cannot write, and the one that the node has renewed by itself and
 * keeps in its own state. Which one is used follows from the certificates alone, never from the
 * times of the files: these change when files are copied.
 */
import { equalBytes } from "../base/bytes.js";
import { authorityOf, readCertificate, readTerms } from "../rpc/tls/certificate.js";
import { servesAt } from "../rpc/tls/own-certificate.js";

export type CertificateChoice = {
  readonly certPem: string;
  readonly from: "configured" | "renewed";
};

/**
 * The renewed one counts while it is of the same key and names as the configured one, leads to an
 * authority of the bundle, and serves now. If both serve, the one that begins last is used: it was
 * issued last. So a new one that the operator puts in place wins over renewed ones that are older.
 */
export function chooseCertificate(
  configured: string,
  renewed: string | undefined,
  { caPem, nowMs }: { readonly caPem: string; readonly nowMs: number },
): CertificateChoice {
  const given = { certPem: configured, from: "configured" } as const;
  if (renewed === undefined || !isSameParty(configured, renewed)) return given;
  if (authorityOf(renewed, caPem) === undefined || !servesAt(renewed, nowMs)) return given;
  const kept = { certPem: renewed, from: "renewed" } as const;
  if (!servesAt(configured, nowMs)) return kept;
  const [a, b] = [readTerms(configured), readTerms(renewed)];
  if (a === undefined || b === undefined) return given;
  return (b.fromMs - a.fromMs || b.toMs - a.toMs) > 0 ? kept : given;
}

/** Whether two certificates are for one key and one name. */
export function isSameParty(a: string, b: string): boolean {
  const [first, second] = [readCertificate(a), readCertificate(b)];
  return (
    first !== undefined &&
    second !== undefined &&
    equalBytes(first.spkiSha256, second.spkiSha256) &&
    first.uris.join() === second.uris.join()
  );
}
