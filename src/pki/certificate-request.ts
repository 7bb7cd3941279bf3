/**
 * Certificate requests (PKCS #10): how somebody shows that it holds the key that a certificate is
 * to be about. Whoever issues takes over the key and the host names and nothing else: who the
 * certificate is for, and what it may be used for, is never the requester's word.
 */
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { keyPairOf, spkiSha256, tlsKeyAlgorithm, tlsSignatureAlgorithm } from "./key-pairs.js";

export const requestBytesMax = 4_096;

export type CertificateRequest = {
  readonly publicKey: webcrypto.CryptoKey;
  /** 32 bytes: what the ledger registers. */
  readonly spkiSha256: Uint8Array;
};

/** A request for the key of a PKCS #8 PEM; DER. */
export async function createCertificateRequest(options: {
  readonly keyPem: string;
  readonly commonName: string;
}): Promise<Uint8Array> {
  const { keyPem, commonName } = options;
  const request = await x509.Pkcs10CertificateRequestGenerator.create(
    {
      name: [{ CN: [commonName.slice(0, 64)] }],
      keys: await keyPairOf(keyPem),
      signingAlgorithm: tlsSignatureAlgorithm,
    },
    webcrypto,
  );
  return new Uint8Array(request.rawData);
}

/** Reads a request (DER) and checks it; a text that says what is wrong with it otherwise. */
export async function readCertificateRequest(
  der: Uint8Array,
): Promise<CertificateRequest | string> {
  if (der.length > requestBytesMax) return `the request has more than ${requestBytesMax} bytes`;
  try {
    return await checkedRequest(der);
  } catch {
    return "not a certificate request (PKCS #10, DER) for a P-256 key";
  }
}

async function checkedRequest(der: Uint8Array): Promise<CertificateRequest | string> {
  const request = new x509.Pkcs10CertificateRequest(Buffer.from(der));
  const publicKey = await request.publicKey.export(tlsKeyAlgorithm, ["verify"], webcrypto);
  if (!(await request.verify(webcrypto))) return "the request is not signed by its key";
  return { publicKey, spkiSha256: await spkiSha256(publicKey) };
}
