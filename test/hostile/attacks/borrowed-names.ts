/** A participant that asks for a certificate with the names of a manager's host. */
import { X509Certificate } from "node:crypto";
import { renewCertificate } from "../../../src/client/joining.js";
import { createCertificateRequest } from "../../../src/pki/certificate-request.js";
import { type Attack, Counts } from "../attack.js";
import { pause } from "../pace.js";
import { compromised } from "../target.js";

const hosts = ["manager-1.grid.example", "127.0.0.1", "localhost"];
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
    const request = await createCertificateRequest({ keyPem, commonName: profile.id, hosts });
    while (!signal.aborted) {
      try {
        const der = await renewCertificate(profile, request, ([own]) => own, { signal });
        const given = new X509Certificate(der ?? new Uint8Array());
        counts.add("issued");
        if (hosts.some((host) => given.subjectAltName?.includes(host))) {
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
