import { equalBytes } from "../base/bytes.js";
import { certificatesPem, isIssuedBy, readCertificate, readTerms } from "../rpc/certificate.js";
import { createCertificateRequest } from "./certificate-request.js";

/** A new one may end before the old one if it lasts so long: there is time to ask again. */
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
 * A new certificate (PEM) for the same key and names. Not taken is what was issued for somebody
 * else, by an authority that is not in the bundle, or does not serve from now on for as long as the
 * old one (or half a day): with it, nobody would be reached any more, not even to ask again.
 */
export async function renewedCertificate(options: {
  readonly id: string;
  readonly tls: { readonly certPem: string; readonly keyPem: string; readonly caPem: string };
  readonly ask: AskForCertificate;
  /** The clock, Unix ms. */
  readonly wallMs: () => number;
}): Promise<string> {
  const { id, tls, ask, wallMs } = options;
  const { hosts = [] } = readTerms(tls.certPem) ?? {};
  const request = await createCertificateRequest({ keyPem: tls.keyPem, commonName: id, hosts });
  return ask(request, (chain) => {
    const issued = certificatesPem(chain);
    const fault = faultOf(issued, tls, wallMs());
    if (fault !== undefined) throw new Error(fault);
    return issued;
  });
}

/** Why not to use what was issued; undefined if there is no reason. */
function faultOf(
  issued: string,
  { certPem, caPem }: { readonly certPem: string; readonly caPem: string },
  nowMs: number,
): string | undefined {
  const [now, before] = [readCertificate(issued), readCertificate(certPem)];
  const isSame =
    now !== undefined &&
    before !== undefined &&
    equalBytes(now.spkiSha256, before.spkiSha256) &&
    now.uris.join() === before.uris.join();
  if (!isSame) return "what was issued is another party's certificate";
  if (!isIssuedBy(issued, caPem)) return "what was issued is of no known authority";
  const { toMs: formerToMs = 0 } = readTerms(certPem) ?? {};
  const { fromMs = nowMs, toMs = 0 } = readTerms(issued) ?? {};
  const isLongEnough = toMs >= Math.min(formerToMs, nowMs + lastsMsMin) && toMs > nowMs;
  if (fromMs <= nowMs && isLongEnough) return undefined;
  return "what was issued does not serve now, or not for long enough";
}
