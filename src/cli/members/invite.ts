/** `bss invite`: an operator's word that somebody may join, as one file. */
import { join } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { toHex } from "../../base/bytes.js";
import type { BssClient } from "../../client/bss-client.js";
import { clientProfile } from "../../client/client-profile.js";
import { signInvitation } from "../../client/joining.js";
import { createSecretFile } from "../../config/durable-file.js";
import { invitationFileText } from "../../config/invitation-file.js";
import { readGenesisFile, readIssuerFiles } from "../../config/key-files.js";
import type { Profile } from "../../config/profile.js";
import { InvitedRole } from "../../gen/bss/v1/genesis_pb.js";
import { deviceIdForm, isDeviceId, isId } from "../../ledger/ids.js";
import { actsForManager } from "../../ledger/members/consent.js";
import type { AuthorityFiles } from "../../pki/authority-files.js";
import {
  type CertificateAuthority,
  issueCertificate,
  loadCertificateAuthority,
} from "../../pki/certificate-authority.js";
import { parseCount } from "../arguments.js";
import { addProfileOption, profileOf, withClient } from "../client-session.js";
import { CliError } from "../text/cli-error.js";
import { formatTime } from "../text/output.js";

type Options = {
  readonly id?: string;
  readonly uses: number;
  readonly expires: number;
  readonly issuer: string;
  readonly out: string;
  readonly meter?: readonly InvitedMeter[];
  readonly agent?: readonly string[];
};

type InvitedMeter = {
  readonly meterId: string;
  readonly ratedPowerW: bigint;
  readonly intervalS: number;
};

const dayMs = 86_400_000;
const lifetimeDefaultMs = 7 * dayMs;
const lifetimeMsMax = 825 * dayMs;

export function register(program: Command): void {
  const invite = program.command("invite").summary("invite storage nodes or participants to join");
  inviteCommand(invite, "storage", "storage nodes", InvitedRole.STORAGE);
  inviteCommand(invite, "participant", "participants", InvitedRole.PARTICIPANT)
    .option(
      "--meter <id:ratedW:intervalS>",
      "register this meter too (needs --id); may be repeated",
      addMeter,
    )
    .option(
      "--agent <id>",
      "a participant that may submit for the new one; may be repeated",
      addAgent,
    );
}

function inviteCommand(parent: Command, name: string, whom: string, role: InvitedRole): Command {
  const command = parent
    .command(name)
    .summary(`invite ${whom}`)
    .description(
      `Signs an invitation for ${whom} as an operator, and writes it into one file together with ` +
        "everything that is needed to join. Keep the file secret: whoever has it may join.",
    )
    .option("--id <id>", "the id of the new member; without it the new member chooses one", parseId)
    .option("--uses <count>", "how many members may join with it", parseCount, 1)
    .addOption(
      new Option("--expires <time>", "how long it is valid, such as 30m or 12h")
        .default(lifetimeDefaultMs, "7d")
        .argParser(parseTime),
    )
    .requiredOption("--issuer <directory>", "the directory with a manager's ca.crt and ca.key")
    .requiredOption("--out <file>", "the file to write, which must not exist")
    .action((options: Options, self: Command) =>
      withClient(self, async (client, output) => {
        const text = await fileText(client, profileOf(self), role, options);
        writeSecret(options.out, text);
        const expires = Date.now() + options.expires;
        const result = { file: options.out, uses: options.uses, expires_at_unix_ms: expires };
        output.result(result, () => {
          const times = options.uses === 1 ? "once" : `${options.uses} times`;
          return `${options.out} can be used ${times}, until ${formatTime(expires)}`;
        });
      }),
    );
  return addProfileOption(command);
}

async function fileText(
  client: BssClient,
  profile: Profile,
  role: InvitedRole,
  options: Options,
): Promise<string> {
  const { genesis, tls, id } = client.profile;
  const operator = genesis.members.officer(id);
  if (operator === undefined || !actsForManager(operator)) {
    throw new CliError(
      `only an operator of a manager can invite, and ${id} is none`,
      "give the profile of an operator with --profile",
    );
  }
  const caPem = Buffer.from(tls.caPem).toString("latin1");
  const authority = await authorityIn(options.issuer, { consortiumName: genesis.name, caPem });
  const signed = signInvitation(clientProfile(profile), {
    role,
    usesMax: options.uses,
    memberId: options.id ?? "",
    expiresAtUnixMs: BigInt(Date.now() + options.expires),
    checkpoint: await checkpointOf(client),
    agentIds: [...(options.agent ?? [])],
    meters: [...(options.meter ?? [])],
  });
  if (signed === undefined) {
    throw new CliError(
      "nobody could join with such an invitation",
      "give --id with --meter, leave out --uses with --id, and let --uses be at most 10000",
    );
  }
  const invited = await issueCertificate(authority, {
    role: "invited",
    hosts: [],
    nowMs: Date.now(),
    lifetimeMs: options.expires,
    id: toHex(signed.invitation.invitationId).slice(0, 16),
  });
  const managers = genesis.members.managers.map(({ address }) => address);
  return invitationFileText({
    ...signed,
    genesisBytes: readGenesisFile(profile.genesisFile),
    addresses: [...new Set([...client.profile.addresses, ...managers])],
    tls: { certPem: invited.certificatePem, keyPem: invited.keyPem, caPem },
  });
}

function authorityIn(
  directory: string,
  named: Pick<AuthorityFiles, "consortiumName" | "caPem">,
): Promise<CertificateAuthority> {
  const files = {
    certificateFile: join(directory, "ca.crt"),
    keyFile: join(directory, "ca.key"),
  };
  return loadCertificateAuthority({ ...named, ...files, ...readIssuerFiles(files) });
}

/** The head of the manager that answers. */
async function checkpointOf(client: BssClient) {
  const { height } = await client.status();
  if (height === 0n) {
    const { consortiumId: blockId, members } = client.genesis;
    return { height, blockId, membersDigest: members.digest() };
  }
  const { blockId, header } = await client.getBlock({ height: Number(height) });
  return { height, blockId, membersDigest: header?.membersDigest ?? new Uint8Array() };
}

function writeSecret(file: string, text: string): void {
  try {
    createSecretFile(file, text);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const what = code === "EEXIST" ? "exists already" : `cannot be written (${code})`;
    throw new CliError(`${file} ${what}`, "give another file with --out");
  }
}

function parseId(text: string): string {
  if (isId(text)) return text;
  throw new InvalidArgumentError("Use 1 to 63 characters out of a-z, 0-9 and -.");
}

function parseTime(text: string): number {
  const unitMs = { s: 1_000, m: 60_000, h: 3_600_000, d: dayMs };
  const match = /^([1-9]\d{0,6})([smhd])$/.exec(text);
  const ms = match === null ? 0 : Number(match[1]) * unitMs[match[2] as keyof typeof unitMs];
  if (ms > 0 && ms <= lifetimeMsMax) return ms;
  throw new InvalidArgumentError("Use a time such as 30m, 12h or 7d, at most 825d.");
}

function addMeter(text: string, before: readonly InvitedMeter[] = []): readonly InvitedMeter[] {
  // The id may hold colons, the numbers do not.
  const match = /^(.+):([1-9]\d{0,11}):([1-9]\d{0,8})$/.exec(text);
  const [, meterId = "", ratedPowerW = "", intervalS] = match ?? [];
  if (match === null || !isDeviceId(meterId)) {
    const message = `Use id:ratedW:intervalS, meter-9:11000:900; an id has ${deviceIdForm}`;
    throw new InvalidArgumentError(message);
  }
  return [...before, { meterId, ratedPowerW: BigInt(ratedPowerW), intervalS: Number(intervalS) }];
}

function addAgent(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, parseId(text)];
}
