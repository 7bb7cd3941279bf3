/** `bss register`: joins a running consortium with an invitation. */
import { type Command, InvalidArgumentError } from "commander";
import { type HostPort, joinHostPort } from "../../base/host-port.js";
import { join } from "../../client/joining.js";
import { splitHostPort } from "../../config/fields.js";
import { type InvitationFile, readInvitationFile } from "../../config/invitation-file.js";
import { InvitedRole } from "../../gen/bss/v1/genesis_pb.js";
import { isId } from "../../ledger/ids.js";
import { runConfig } from "../nodes/start.js";
import { CliError } from "../text/cli-error.js";
import { type Output, outputOf } from "../text/output.js";
import { cliErrorOf } from "../text/rpc-advice.js";
import { MemberDirectory } from "./member-directory.js";
import { readListening, sameListening, writeListening } from "./node-config-file.js";
import {
  chooseListening,
  demandFree,
  firstPort,
  refuseNoRoom,
  refuseOutOfTime,
  type WantedListening,
} from "./readiness.js";

type Options = {
  readonly invite: string;
  readonly dir: string;
  readonly id?: string;
  readonly listen?: HostPort;
  readonly metrics?: HostPort;
  readonly start: boolean;
};

export function register(program: Command): void {
  const parent = program.command("register").summary("join a consortium with an invitation");
  registerCommand(parent, "storage", "a storage node")
    .description(
      "Makes keys in a new directory, registers them, and runs the storage node in the " +
        "foreground. If it was interrupted, run it again with the same --dir: it goes on where it " +
        "stopped and uses the invitation only once. After joining, 'bss start' with the config.yaml " +
        "of the directory runs the node as well.",
    )
    .option(
      "--listen <host:port>",
      `where the node listens (default: the first free port of 127.0.0.1 from ${firstPort})`,
      parseAddress,
    )
    .option(
      "--metrics <host:port>",
      "where it serves /metrics and /healthz (default: nowhere)",
      parseAddress,
    )
    .option("--no-start", "register and do not start the node")
    .action(registerStorage);
  registerCommand(parent, "participant", "a participant")
    .description(
      "Makes keys in a new directory, registers them, and writes a profile.yaml, which 'bss submit' " +
        "and all other commands take with --profile.",
    )
    .action(registerParticipant);
}

async function registerStorage(options: Options, command: Command): Promise<void> {
  const output = outputOf(command);
  const newcomer = newcomerOf(options, "storage");
  const { directory, id } = newcomer;
  await prepareNode(newcomer, options, output);
  await joinOnce(newcomer, output);
  if (!options.start) {
    output.note(`start ${id} with 'bss start --config ${directory.configFile}'`);
    return;
  }
  output.note(
    `${id} is starting; it attests when it has read the chain up to the block that admitted it`,
  );
  await runConfig(directory.configFile, command);
}

async function registerParticipant(options: Options, command: Command): Promise<void> {
  const newcomer = newcomerOf(options, "participant");
  refuseNoRoom(newcomer.directory.path, 0);
  await newcomer.directory.prepare(undefined);
  await joinOnce(newcomer, outputOf(command));
}

function registerCommand(parent: Command, name: string, whom: string): Command {
  return parent
    .command(name)
    .summary(`join as ${whom}`)
    .requiredOption("--invite <file>", "the file that an operator made with 'bss invite'")
    .requiredOption("--dir <directory>", "the directory to make, or to go on with")
    .option("--id <id>", "the id of the new member (default: the one in the invitation)");
}

type Newcomer = {
  readonly id: string;
  readonly role: "storage" | "participant";
  readonly file: InvitationFile;
  readonly directory: MemberDirectory;
};

/** Throws `CliError` when the invitation cannot serve; nothing has been made by then. */
function newcomerOf(options: Options, role: Newcomer["role"]): Newcomer {
  const file = readInvitationFile(options.invite);
  const id = idOf(options, file, role);
  const directory = new MemberDirectory(options.dir, { role, id }, file);
  if (!directory.hasCertificate) refuseOutOfTime(options.invite, file);
  return { id, role, file, directory };
}

/** Makes the node's directory, or goes on with it. Throws `CliError` if no node could run here. */
async function prepareNode(
  { directory, id }: Newcomer,
  { listen, metrics, start }: Options,
  output: Output,
): Promise<void> {
  const { exists, configFile } = directory;
  if (exists) directory.checkSame("config");
  const before: WantedListening = exists ? readListening(configFile) : {};
  const listening = await chooseListening({
    listen: listen ?? before.listen,
    metrics: metrics ?? before.metrics,
  });
  if (start) await demandFree(listening);
  refuseNoRoom(directory.path);
  if (!exists) await directory.prepare(listening);
  else if (!sameListening(before, listening)) writeListening(configFile, listening);
  const at = joinHostPort(listening.listen);
  output.note(`${id} has its keys in ${directory.path} and will listen on ${at}`);
}

/** Has the member admitted and its certificate issued, unless it has one. */
async function joinOnce({ id, role, file, directory }: Newcomer, output: Output): Promise<void> {
  if (directory.hasCertificate) {
    output.note(`${id} has joined before and has its certificate`);
    return;
  }
  const joining = await directory.joining();
  const { certificateChain, height } = await join(file, joining).catch((error: unknown) => {
    throw cliErrorOf(error);
  });
  directory.keepCertificate(certificateChain, joining);
  const next = role === "participant" ? `; use --profile ${directory.profileFile}` : "";
  output.result({ id, role, directory: directory.path, height }, () => {
    return `${id} has joined with block ${height}${next}`;
  });
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
  if (id === "") throw new CliError("the invitation leaves the id open", "choose one with --id");
  if (!isId(id)) {
    throw new CliError(`${id} is not an id`, "use 1 to 63 characters out of a-z, 0-9 and -");
  }
  if (memberId === "" || memberId === id) return id;
  throw new CliError(`the invitation is only for ${memberId}`, "leave out --id");
}

function parseAddress(text: string): HostPort {
  const address = splitHostPort(text);
  if (address !== undefined) return address;
  throw new InvalidArgumentError("Use host:port, such as 0.0.0.0:7501.");
}
