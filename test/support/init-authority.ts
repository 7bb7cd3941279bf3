import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readGenesis } from "../../src/config/genesis-file.js";
import {
  type CertificateAuthority,
  loadCertificateAuthority,
} from "../../src/pki/certificate-authority.js";

/** A manager's authority in a directory that `bss init` made. */
export function readInitAuthority(directory: string, id: string): Promise<CertificateAuthority> {
  const at = (...names: readonly string[]) => join(directory, ...names);
  const certificateFile = at("managers", id, "ca.crt");
  const keyFile = at("managers", id, "ca.key");
  return loadCertificateAuthority({
    consortiumName: readGenesis(at("genesis.json")).name,
    caPem: readFileSync(at("ca-bundle.pem"), "latin1"),
    certificatePem: readFileSync(certificateFile, "latin1"),
    keyPem: readFileSync(keyFile, "latin1"),
    certificateFile,
    keyFile,
  });
}
