/** `bss register`: joins a running consortium with an invitation. */
import { type Command, InvalidArgumentError } from "commander";
import { join } from "../client/joining.js";
import { type HostPort, splitHostPort } from "../config/fields.js";
import { type InvitationFile, readInvitationFile } from "../config/invitation-file.js";
import { InvitedRole } from "../gen/bss/v1/genesis_pb.js";
import { isId } from "../ledger/ids.js";
import { CliError } from "./cli-error.js";
import { type Listening, MemberDirectory } from "./joining/member-directory.js";
import { formatTime, type Output, outputOf } from "./output.js";
import { cliErrorOf } from "./rpc-advice.js";
import { runConfig } from "./start.js";

type Options = {
  readonly invite: string;
  readonly dir: string;
  readonly id?: string;
  readonly listen: HostPort;
  readonly metrics?: HostPort;
  readonly start: boolean;
};

const listenDefault: HostPort = { host: "127.0.0.1", port: 7501 };

export function register(program: Command): void {
  const parent = program.command("register").summary("join a consortium with an invitation");
  registerCommand(parent, "storage", "a storage node")
    .description(
      "Makes keys in a new directory, registers them, and runs the storage node in the " +
        "foreground. Run it again with the same --dir to go on where it stopped; later 'bss start' " +
        "with the directory's config.yaml does as well.",
    )
    .option("--listen <host:port>", "where others may ask the node", parseAddress, listenDefault)
    .option("--metrics <host:port>", "where it serves /metrics and /healthz", parseAddress)
    .option("--no-start", "only register")
    .action(async (options: Options, command: Command) => {
      const { listen, metrics } = options;
      const directory = await joined(options, outputOf(command), { listen, metrics });
      if (options.start) await runConfig(directory.configFile, command);
    });
  registerCommand(parent, "participant", "a participant")
    .description(
      "Makes keys in a new directory, registers them, and writes a profile.yaml for 'bss submit' " +
        "and all other commands.",
    )
    .action(async (options: Options, command: Command) => {
      await joined(options, outputOf(command), undefined);
    });
}

function registerCommand(parent: Command, name: string, whom: string): Command {
  return parent
    .command(name)
    .summary(`join as ${whom}`)
    .requiredOption("--invite <file>", "the file that an operator made with 'bss invite'")
    .requiredOption("--dir <directory>", "the directory to make")
    .option("--id <id>", "the id under which to join; without it that of the invitation");
}

/** The directory of somebody who has joined, and has its certificate. */
async function joined(
  options: Options,
  output: Output,
  listening: Listening | undefined,
): Promise<MemberDirectory> {
  const file = readInvitationFile(options.invite);
  const role = listening === undefined ? "participant" : "storage";
  const id = idOf(options, file, role);
  const directory = new MemberDirectory(options.dir, { role, id }, file);
  await directory.prepare(listening);
  if (directory.hasCertificate) {
    output.note(`${id} has its certificate already`);
    return directory;
  }
  refuseExpired(options.invite, file);
  const joining = await directory.joining(hostsOf(listening));
  const { certificateChain, height } = await join(file, joining).catch((error: unknown) => {
    throw cliErrorOf(error);
  });
  directory.keepCertificate(certificateChain, joining);
  const next = listening === undefined ? `: use --profile ${directory.profileFile}` : "";
  output.result({ id, role, directory: directory.path, height }, () => {
    return `${id} has joined with block ${height}${next}`;
  });
  return directory;
}

function idOf(
  { id: given, invite }: Options,
  { invitation }: InvitationFile,
  role: "storage" | "participant",
): string {
  const invited = invitation.role === InvitedRole.STORAGE ? "storage" : "participant";
  if (invited !== role) {
    const what = `${invite} invites a ${invited === "storage" ? "storage node" : "participant"}`;
    throw new CliError(what, `run 'bss register ${invited}'`);
  }
  const { memberId } = invitation;
  const id = given ?? memberId;
  if (id === "") throw new CliError("the invitation names no id", "choose one with --id");
  if (!isId(id)) {
    throw new CliError(`${id} is no id`, "use 1 to 63 characters out of a-z, 0-9 and -");
  }
  if (memberId === "" || memberId === id) return id;
  throw new CliError(`the invitation is for ${memberId}`, "leave out --id");
}

/** The certificate in the file expires as the invitation does, so nobody would answer why. */
function refuseExpired(name: string, { invitation }: InvitationFile): void {
  const untilMs = Number(invitation.expiresAtUnixMs);
  if (untilMs > Date.now()) return;
  const what = `${name} has expired at ${formatTime(untilMs)} [INVITATION_EXPIRED]`;
  throw new CliError(what, "ask its operator for another one");
}

function hostsOf(listening: Listening | undefined): readonly string[] {
  if (listening === undefined) return [];
  const { host } = listening.listen;
  const everywhere = host === "0.0.0.0" || host === "::";
  return [...new Set(["localhost", "127.0.0.1", "::1", ...(everywhere ? [] : [host])])];
}

function parseAddress(text: string): HostPort {
  const address = splitHostPort(text);
  if (address !== undefined) return address;
  throw new InvalidArgumentError("Use host:port, such as 0.0.0.0:7501.");
}
