/**
 * What a person should do if a node refuses a call, or does not answer. Reasons that are in neither
 * table need no advice.
 */
import type { Reason } from "../../rpc/reasons.js";
import { RpcError } from "../../rpc/rpc-error.js";
import type { StatusName } from "../../rpc/status-codes.js";
import { CliError } from "./cli-error.js";

export const otherGenesis =
  "copy the genesis.json of the consortium again: it has to be the same, byte for byte";

const byReason: Partial<Readonly<Record<Reason, string>>> = {
  NODE_UNREACHABLE: "check that the managers run and that the addresses in the profile are right",
  NODE_STARTING: "try again in a moment",
  NODE_HALTED: "tell the consortium's operators: this manager has seen the ledger fork",
  IDENTITY_INVALID: "use a certificate that the managers of this consortium issued",
  CERTIFICATE_UNKNOWN: "use the profile that was registered, or ask an operator to register it",
  ROLE_NOT_ALLOWED: "use the profile of a party whose role may do this",
  LISTING_NOT_ALLOWED:
    "use the profile of the participant that owns the records, or of a manager; operators do not " +
    "see their content",
  CONSORTIUM_MISMATCH: otherGenesis,
  CALLER_NOT_SUBMITTER: "submit with the profile of the participant that signs",
  RECORD_UNKNOWN: "check the hash; 'bss list' shows the records of a participant or meter",
  BLOCK_UNKNOWN: "'bss status' shows the height of the ledger",
  MESSAGE_TOO_LARGE: "send less in one message; 'bss consortium' shows how long a record may be",
  RECORD_TOO_LARGE: "split the content; 'bss consortium' shows the limit",
  AGENT_NOT_AUTHORIZED: "submit as the owner, or let the owner register this profile as its agent",
  PARTICIPANT_UNKNOWN: "check the participant's id",
  OWNER_UNKNOWN: "register the owner first",
  METER_UNKNOWN: "register the meter first, or check its id",
  PARENT_NOT_LATEST: "update the latest version; 'bss history' shows it",
  DOUBLE_SPEND: "sell at most what the seller's meters exported in that interval",
  OVER_PURCHASE: "buy at most what the buyer's meters imported in that interval",
  INVITATION_INVALID: "ask the consortium's operators for an invitation of their own",
  INVITATION_EXPIRED: "ask the operator for another invitation",
  INVITATION_USED_UP:
    "if it was used for this machine, run the command again with the --dir of that time; otherwise " +
    "ask for another invitation",
  MEMBER_ID_TAKEN: "choose another --id and --dir",
  PAYOUT_OUTDATED:
    "check the payouts of the node with 'bss storage statement' before you repeat this one",
  NOT_AN_ISSUER: "use the address of a manager that issues certificates",
  NOT_ON_STORAGE_NODE: "use a profile with managers' addresses",
  METHOD_UNIMPLEMENTED: "check that the nodes run a version that offers this",
};

const byStatus: Partial<Readonly<Record<StatusName, string>>> = {
  UNAVAILABLE: "'bss status' shows which nodes are missing; try again when they are back",
  RESOURCE_EXHAUSTED: "try again later, with fewer or smaller requests",
  DEADLINE_EXCEEDED: "try again; a repeated submission gets the same receipt",
  CANCELLED: "run the command again",
  INTERNAL: "look into the log of the node",
  INVALID_ARGUMENT: "correct the value; docs/errors.md explains each reason",
  FAILED_PRECONDITION: "docs/errors.md explains the reason",
};

/** Why a running node cannot be reached: the first row whose pattern fits the message counts. */
const byConnectFailure: readonly (readonly [RegExp, string])[] = [
  [
    /the certificate of this client expired/,
    "ask the operator of a manager to run 'bss reissue' on the certificate",
  ],
  [
    /certificate (?:has expired|is not yet valid)/,
    "check the clock of this machine; if it is right, tell the operators that the certificates of " +
      "their nodes have expired",
  ],
  [
    /self-signed|unable to (?:verify|get)/,
    "check the CA bundle and the address in the profile: one of them is of another consortium",
  ],
  [
    /wrong version number/,
    "check the port in the address: no TLS is spoken there, as on a metrics port",
  ],
  [/the server is .*, expected manager/, "use the address of a manager"],
];

/** The next step after this error. */
export function adviceOf(error: RpcError): string {
  if (error.reason === "NODE_UNREACHABLE") {
    const found = byConnectFailure.find(([cause]) => cause.test(error.message));
    if (found !== undefined) return found[1];
  }
  const named: string | undefined = byReason[error.reason as Reason];
  return named ?? byStatus[error.status] ?? "docs/errors.md explains the reason";
}

/** An error of a call as the command line reports it; other errors stay as they are. */
export function cliErrorOf(error: unknown): unknown {
  if (!(error instanceof RpcError)) return error;
  const field = error.field === undefined ? "" : ` (${error.field})`;
  const what = `${error.message.replace(/\.$/, "")}${field} [${error.reason}]`;
  return new CliError(what, adviceOf(error), { cause: error });
}

/**
 * Prints lines about lost connections. Each cause is printed once until something works again,
 * however often the connection is tried in between.
 */
export class LossNotes {
  readonly #print: (text: string) => void;
  readonly #told = new Set<string>();

  constructor(print: (text: string) => void) {
    this.#print = print;
  }

  note({ message, metadata }: Pick<RpcError, "message" | "metadata">): void {
    if (this.#told.has(message)) return;
    this.#told.add(message);
    const isKnown = metadata.going_on_at !== undefined;
    const next = isKnown ? "" : "; trying again until it works; Ctrl-C stops this";
    this.#print(`bss: ${message}${next}`);
  }

  /** Something works again. */
  clear(): void {
    this.#told.clear();
  }
}
