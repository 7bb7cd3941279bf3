/** A participant that asks for a certificate with the names of a manager's host. */
import "reflect-metadata";
import { webcrypto, X509Certificate } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { renewCertificate } from "../../../src/client/joining.js";
import { keyPairOf, tlsSignatureAlgorithm } from "../../../src/pki/key-pairs.js";
import { type Attack, Counts } from "../attack.js";
import { pause } from "../pace.js";
import { compromised } from "../target.js";

const names = [
  { type: "dns", value: "manager-1.grid.example" },
  { type: "dns", value: "localhost" },
  { type: "ip", value: "127.0.0.1" },
] as const;
const serverAuth = "1.3.6.1.5.5.7.3.1";
const intervalMs = 3_000;

export const borrowedNames: Attack = {
  name: "borrowed-names",
  role: "participant",
  about: "a certificate for the host name of a manager",
  run: async (target, signal) => {
    const counts = new Counts();
    const violations = new Set<string>();
    const profile = target.profile(compromised.participants[0]);
    const keyPem = Buffer.from(profile.tls.keyPem).toString("latin1");
    const request = await requestForNames(keyPem, profile.id);
    while (!signal.aborted) {
      try {
        const der = await renewCertificate(profile, request, ([own]) => own, { signal });
        const given = new X509Certificate(der ?? new Uint8Array());
        counts.add("issued");
        if (names.some(({ value }) => given.subjectAltName?.includes(value))) {
          violations.add(`a participant got a certificate for ${given.subjectAltName}`);
        }
        if (given.keyUsage?.includes(serverAuth)) {
          violations.add("a participant got a certificate for servers");
        }
      } catch (error) {
        const reason = error instanceof Error && "reason" in error ? String(error.reason) : "error";
        counts.add(reason);
      }
      await pause(intervalMs, signal);
    }
    return { ...counts.tally, violations: [...violations] };
  },
};

/** A request (DER) that asks for what nobody but a manager may have. */
async function requestForNames(keyPem: string, commonName: string): Promise<Uint8Array> {
  const request = await x509.Pkcs10CertificateRequestGenerator.create(
    {
      name: [{ CN: [commonName] }],
      keys: await keyPairOf(keyPem),
      signingAlgorithm: tlsSignatureAlgorithm,
      extensions: [
        new x509.SubjectAlternativeNameExtension([...names]),
        new x509.ExtendedKeyUsageExtension([serverAuth]),
      ],
    },
    webcrypto,
  );
  return new Uint8Array(request.rawData);
}
