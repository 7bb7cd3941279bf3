/**
 * What a person should do about a refusal by the nodes. Reasons that stand in neither table speak
 * for themselves.
 */
import type { Reason } from "../../rpc/reasons.js";
import { RpcError } from "../../rpc/rpc-error.js";
import type { StatusName } from "../../rpc/status-codes.js";
import { CliError } from "./cli-error.js";

const byReason: Partial<Readonly<Record<Reason, string>>> = {
  NODE_UNREACHABLE: "check that the managers run and that the addresses in the profile are right",
  NODE_STARTING: "try again in a moment",
  NODE_HALTED: "tell the consortium's operators: this manager has seen the ledger fork",
  IDENTITY_INVALID: "use the certificate that this consortium's managers issued",
  CERTIFICATE_UNKNOWN: "use the profile that was registered, or ask an operator to register it",
  ROLE_NOT_ALLOWED: "use the profile of a party whose role may do this",
  LISTING_NOT_ALLOWED: "use the profile of the participant whose records they are",
  CALLER_NOT_SUBMITTER: "submit with the profile that signs",
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
  INVITATION_EXPIRED: "ask its operator for another invitation",
  INVITATION_USED_UP:
    "if it has served here, run the command again with that --dir; else ask for another invitation",
  MEMBER_ID_TAKEN: "choose another --id and --dir",
  PAYOUT_OUTDATED: "'bss storage statement' shows the node's payouts: look before you pay again",
  NOT_AN_ISSUER: "use the address of a manager that issues certificates",
  NOT_ON_STORAGE_NODE: "use a profile with managers' addresses",
  METHOD_UNIMPLEMENTED: "check that the nodes run a version that offers this",
};

const byStatus: Partial<Readonly<Record<StatusName, string>>> = {
  UNAVAILABLE: "try again when what is missing is back; 'bss status' shows who is connected",
  RESOURCE_EXHAUSTED: "try again later, with less at once",
  DEADLINE_EXCEEDED: "try again: nothing is lost, a repeated submission gets the same receipt",
  CANCELLED: "run the command again",
  INTERNAL: "look into the node's log",
  INVALID_ARGUMENT: "correct what it names; docs/errors.md explains each reason",
  FAILED_PRECONDITION: "docs/errors.md explains the reason",
};

/** Why a node that is there is still out of reach: the first that fits the error's text. */
const byConnectFailure: readonly (readonly [RegExp, string])[] = [
  [/the own certificate has expired/, "ask a manager's operator to run 'bss reissue' on it"],
  [
    /certificate (?:has expired|is not yet valid)/,
    "the nodes' certificates are out of date, or this machine's clock is wrong: check the clock, " +
      "then tell the nodes' operators",
  ],
  [
    /self-signed|unable to (?:verify|get)/,
    "the CA bundle or the address is of another consortium: check both in the profile",
  ],
  [/wrong version number/, "no TLS there: is it the metrics port?"],
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

  note({ message }: Pick<RpcError, "message">): void {
    if (this.#told.has(message)) return;
    this.#told.add(message);
    this.#print(`bss: ${message}; trying again until it works, Ctrl-C ends it`);
  }

  /** Something works again. */
  clear(): void {
    this.#told.clear();
  }
}
