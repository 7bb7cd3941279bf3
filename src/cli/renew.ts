/** `bss renew`: a new certificate for the key of a profile. Nodes that run renew their own. */
import type { Command } from "commander";
import { renewCertificate } from "../client/joining.js";
import { clientProfile } from "../client/profile.js";
import { replacePublicFile } from "../config/durable-file.js";
import { readTlsFiles } from "../config/key-files.js";
import { renewedCertificate } from "../pki/renewed-certificate.js";
import { readTerms } from "../rpc/certificate.js";
import { formatTime, outputOf } from "./output.js";
import { addProfileOption, profileOf } from "./profile.js";
import { cliErrorOf } from "./rpc-advice.js";

export function register(program: Command): void {
  const command = program
    .command("renew")
    .summary("renew the certificate of a profile")
    .description(
      "Asks a manager for a new certificate for the profile's key, and puts it in the place of " +
        "the old one, which has to be valid still. Nodes that run renew theirs by themselves.",
    )
    .action(async (_options: object, self: Command) => {
      const profile = profileOf(self);
      const client = clientProfile(profile);
      const certificate = await renewedCertificate({
        id: profile.id,
        tls: readTlsFiles(profile.tls),
        ask: (request, take) => renewCertificate(client, request, take),
        wallMs: Date.now,
      }).catch((error: unknown) => {
        throw cliErrorOf(error);
      });
      replacePublicFile(profile.tls.certificate, certificate);
      const untilMs = readTerms(certificate)?.toMs ?? 0;
      outputOf(self).result({ id: profile.id, until_unix_ms: untilMs }, () => {
        return `${profile.id}: the new certificate is valid until ${formatTime(untilMs)}`;
      });
    });
  addProfileOption(command);
}
