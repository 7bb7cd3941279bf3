/**
 * `bss reissue`: a manager's operator signs a new certificate for the key of an old one. It needs
 * the authority's files and the old certificate, and no node: so it serves where a certificate has
 * expired, and nobody lets its owner in any more to ask for another one.
 */
import { type Command, InvalidArgumentError } from "commander";
import { equalBytes } from "../../base/bytes.js";
import { fileError } from "../../config/config-error.js";
import { replacePublicFile } from "../../config/durable-file.js";
import { readGenesis } from "../../config/genesis-file.js";
import { readAuthorities, readCertificateFile, readIssuerFiles } from "../../config/key-files.js";
import { type IssuerConfig, loadNodeConfig, type NodeConfig } from "../../config/node-config.js";
import type { GenesisState } from "../../ledger/genesis.js";
import { loadCertificateAuthority, reissueCertificate } from "../../pki/certificate-authority.js";
import { hostsOf } from "../../pki/server-names.js";
import { authorityOf, partyOf, readCertificate, readTerms } from "../../rpc/tls/certificate.js";
import type { Identity } from "../../rpc/tls/tls-identity.js";
import { CliError } from "../text/cli-error.js";
import { formatTime, type Output, outputOf } from "../text/output.js";
import { validityWords } from "./renew.js";

type Options = {
  readonly config: string;
  readonly certificate: string;
  readonly out?: string;
  readonly days?: number;
  readonly shorter?: boolean;
};

const dayMs = 86_400_000;

export function register(program: Command): void {
  program
    .command("reissue")
    .summary("sign a new certificate for the key of an old one, also of one that has expired")
    .description(
      "Signs a new certificate for the key and the name of an old one, with the authority of a " +
        "manager. If your certificate has expired, send the file (it is no secret) to the operator " +
        "of a manager, and replace it with the file that comes back. No node has to run for this.",
    )
    .requiredOption("-c, --config <file>", "the config.yaml of a manager, with an `issuer`")
    .requiredOption("--certificate <file>", "the old certificate, such as tls.crt")
    .option("--out <file>", "where to write the new one (default: it replaces the old one)")
    .option("--days <number>", "how long it is valid (default: `issuer.validity_days`)", parseDays)
    .option("--shorter", "also replace a certificate that ends later")
    .action((options: Options, command: Command) => reissue(options, outputOf(command)));
}

async function reissue(options: Options, output: Output): Promise<void> {
  const { certificate, out = certificate, shorter = false } = options;
  const config = loadNodeConfig(options.config);
  const issuer = issuerOf(config);
  const genesis = readGenesis(config.genesisFile);
  const caPem = readAuthorities(config.tls.ca);
  const former = readCertificateFile(certificate);
  const { role, id } = holderOf(certificate, former, { genesis, caPem });
  const { certificateFile, keyFile } = issuer;
  const authority = await loadCertificateAuthority({
    consortiumName: genesis.name,
    caPem,
    certificateFile,
    keyFile,
    ...readIssuerFiles(issuer),
  });
  const lifetimeMs = options.days === undefined ? issuer.lifetimeMs : options.days * dayMs;
  const hosts = hostsOf(role, genesis.members.manager(id)?.address);
  const subject = { role, id, hosts, nowMs: Date.now(), lifetimeMs };
  const issued = await reissueCertificate(authority, former, subject);
  const untilMs = readTerms(issued)?.toMs ?? 0;
  const formerMs = readTerms(former)?.toMs ?? 0;
  if (untilMs < formerMs && !shorter) refuseShorter(untilMs, formerMs);
  replacePublicFile(out, issued);
  const times = { until_unix_ms: untilMs, former_until_unix_ms: formerMs };
  output.result({ id, role, file: out, ...times }, () =>
    [
      validityWords(id, untilMs, formerMs),
      `it is in ${out}; a running node takes it at SIGHUP, another one at its next start`,
    ].join("\n"),
  );
}

function issuerOf(config: NodeConfig): IssuerConfig {
  if (config.role === "manager" && config.issuer !== undefined) return config.issuer;
  const what = `${config.file} has no \`issuer\`, so this node cannot sign certificates`;
  throw new CliError(what, "give the config.yaml of a manager that has one");
}

/** The party of the old certificate. Throws if its key is not the one that genesis names. */
function holderOf(
  file: string,
  certPem: string,
  { genesis, caPem }: { readonly genesis: GenesisState; readonly caPem: string },
): Identity {
  const facts = readCertificate(certPem);
  const named = partyOf(certPem);
  const refuse = (what: string) =>
    fileError(file, what, "give a certificate that this consortium's managers issued to a member");
  if (facts === undefined || named === undefined) {
    throw refuse("it is no certificate of a member of a consortium");
  }
  if (named.consortiumName !== genesis.name) {
    throw refuse(
      `it is a certificate of consortium ${named.consortiumName}, not of ${genesis.name}`,
    );
  }
  if (authorityOf(certPem, caPem) === undefined) {
    throw refuse("it was not issued by an authority of the consortium");
  }
  const { identity } = named;
  if (identity.role === "invited") throw refuse("it is the certificate of an invitation");
  const registered = registeredInGenesis(identity, genesis);
  if (registered === undefined || equalBytes(registered, facts.spkiSha256)) return identity;
  throw refuse(`its key is not the one that genesis names for ${identity.id}`);
}

/** SHA-256 of the key; undefined for those who joined later, whom the ledger knows. */
function registeredInGenesis({ role, id }: Identity, genesis: GenesisState) {
  const { members } = genesis;
  if (role === "manager") return members.manager(id)?.tlsSpkiSha256;
  if (role === "storage") return members.storageNode(id)?.tlsSpkiSha256;
  if (role === "operator" || role === "auditor") return members.officer(id)?.tlsSpkiSha256;
  for (const { operation } of genesis.genesis.operations) {
    if (operation.case !== "registerParticipant") continue;
    if (operation.value.participantId === id) return operation.value.tlsSpkiSha256;
  }
  return undefined;
}

function refuseShorter(untilMs: number, formerMs: number): never {
  throw new CliError(
    `nothing was changed: the new certificate would end at ${formatTime(untilMs)}, the old one ` +
      `ends at ${formatTime(formerMs)}`,
    "give more --days, or accept the new one with --shorter",
  );
}

function parseDays(text: string): number {
  const days = /^\d{1,3}(\.\d{1,4})?$/.test(text) ? Number(text) : 0;
  if (days > 0 && days <= 825) return days;
  throw new InvalidArgumentError("Use a number of days above 0 and up to 825.");
}
