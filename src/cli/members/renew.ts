/** `bss renew`: a new certificate for the key of a profile. Nodes that run renew their own. */
import type { Command } from "commander";
import { clientProfile } from "../../client/client-profile.js";
import { renewCertificate } from "../../client/joining.js";
import { replacePublicFile } from "../../config/durable-file.js";
import { readTlsFiles } from "../../config/key-files.js";
import type { Profile } from "../../config/profile.js";
import { renewedCertificate } from "../../pki/renewed-certificate.js";
import { RpcError } from "../../rpc/rpc-error.js";
import { readTerms } from "../../rpc/tls/certificate.js";
import { addProfileOption, profileOf } from "../client-session.js";
import { CliError } from "../text/cli-error.js";
import { formatTime, type Output, outputOf } from "../text/output.js";
import { cliErrorOf } from "../text/rpc-advice.js";

type Options = { readonly shorter?: boolean };

export function register(program: Command): void {
  const command = program
    .command("renew")
    .summary("renew the certificate of a profile")
    .description(
      "Asks the managers for a new certificate for the profile's key, and replaces the old one with " +
        "it. The old one must still be valid ('bss reissue' is for expired ones). A certificate " +
        "that ends sooner than the old one is refused. Running nodes renew theirs by themselves.",
    )
    .option("--shorter", "accept a certificate that ends sooner")
    .action((options: Options, self: Command) => renew(profileOf(self), options, outputOf(self)));
  addProfileOption(command);
}

async function renew(
  profile: Profile,
  { shorter = false }: Options,
  output: Output,
): Promise<void> {
  const client = clientProfile(profile);
  const tls = readTlsFiles(profile.tls);
  const certificate = await renewedCertificate({
    id: profile.id,
    tls,
    ask: (request, take) => renewCertificate(client, request, take),
    mayEndSooner: shorter,
    wallMs: Date.now,
  }).catch((error: unknown) => {
    throw shorterError(error) ?? cliErrorOf(error);
  });
  replacePublicFile(profile.tls.certificate, certificate);
  const formerMs = readTerms(tls.certPem)?.toMs ?? 0;
  const untilMs = readTerms(certificate)?.toMs ?? 0;
  const result = { id: profile.id, until_unix_ms: untilMs, former_until_unix_ms: formerMs };
  output.result(result, () => validityWords(profile.id, untilMs, formerMs));
}

/** If no manager has issued a certificate that lasts as long as the old one. */
function shorterError(error: unknown): CliError | undefined {
  const text = error instanceof RpcError ? error.message : "";
  if (!/the new certificate would end at .* before the old one/.test(text)) return undefined;
  const next = "keep the old one, or accept the new one with --shorter";
  return new CliError(`nothing was changed: ${text}`, next);
}

/** "home-1: the new certificate is valid until … (for 90 days), the old one was until …" */
export function validityWords(id: string, untilMs: number, formerMs: number): string {
  const was = formerMs > Date.now() ? "would have been" : "was";
  return (
    `${id}: the new certificate is valid until ${formatTime(untilMs)} (${daysLeft(untilMs)}), ` +
    `the old one ${was} valid until ${formatTime(formerMs)} (${daysLeft(formerMs)})`
  );
}

/** "for 90 days", "for 3 hours", "it has expired". */
function daysLeft(untilMs: number): string {
  const leftMs = untilMs - Date.now();
  if (leftMs <= 0) return "it has expired";
  const hours = Math.round(leftMs / 3_600_000);
  if (hours < 1) return "for less than an hour";
  const [count, unit] = hours < 48 ? [hours, "hour"] : [Math.round(hours / 24), "day"];
  return `for ${count} ${unit}${count === 1 ? "" : "s"}`;
}
