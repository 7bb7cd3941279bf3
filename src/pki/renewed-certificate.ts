import { equalBytes } from "../base/bytes.js";
import { certificatesPem, isIssuedBy, readCertificate, readTerms } from "../rpc/certificate.js";
import { createCertificateRequest } from "./certificate-request.js";

/** A new one may end before the old one if it lasts so long: there is time to ask again. */
const lastsMsMin = 12 * 60 * 60 * 1000;

/**
 * A new certificate (PEM) for the same key and names. Throws when what was issued is for somebody
 * else, of an authority that is not in the bundle, or does not serve from now on for as long as the
 * old one (or half a day): with it, nobody would be reached any more, not even to ask again.
 */
export async function renewedCertificate(options: {
  readonly id: string;
  readonly tls: { readonly certPem: string; readonly keyPem: string; readonly caPem: string };
  /** Gets a certificate chain (DER) for a request (DER). */
  readonly issue: (request: Uint8Array) => Promise<readonly Uint8Array[]>;
  /** The clock, Unix ms. */
  readonly wallMs: () => number;
}): Promise<string> {
  const { id, tls, issue, wallMs } = options;
  const { certPem, keyPem, caPem } = tls;
  const { hosts = [], toMs: formerToMs = 0 } = readTerms(certPem) ?? {};
  const chain = await issue(await createCertificateRequest({ keyPem, commonName: id, hosts }));
  const issued = certificatesPem(chain);
  const [now, before] = [readCertificate(issued), readCertificate(certPem)];
  const isSame =
    now !== undefined &&
    before !== undefined &&
    equalBytes(now.spkiSha256, before.spkiSha256) &&
    now.uris.join() === before.uris.join();
  if (!isSame) throw new Error("what was issued is another party's certificate");
  if (!isIssuedBy(issued, caPem)) throw new Error("what was issued is of no known authority");
  const nowMs = wallMs();
  const { fromMs = nowMs, toMs = 0 } = readTerms(issued) ?? {};
  if (fromMs > nowMs || toMs < Math.min(formerToMs, nowMs + lastsMsMin) || toMs <= nowMs) {
    throw new Error("what was issued does not serve now, or not for long enough");
  }
  return issued;
}
