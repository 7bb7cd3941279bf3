import { equalBytes } from "../base/bytes.js";
import { certificatesPem, isIssuedBy, readCertificate, readTerms } from "../rpc/certificate.js";
import { createCertificateRequest } from "./certificate-request.js";

/**
 * A new certificate (PEM) for the same key and names. Throws when what was issued is for somebody
 * else, or of an authority that is not in the bundle: with it, nobody would be reached any more.
 */
export async function renewedCertificate(options: {
  readonly id: string;
  readonly tls: { readonly certPem: string; readonly keyPem: string; readonly caPem: string };
  /** Gets a certificate chain (DER) for a request (DER). */
  readonly issue: (request: Uint8Array) => Promise<readonly Uint8Array[]>;
}): Promise<string> {
  const { id, tls, issue } = options;
  const { certPem, keyPem, caPem } = tls;
  const hosts = readTerms(certPem)?.hosts ?? [];
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
  return issued;
}
