/**
 * The commands, as `bss --help` lists them. `bss X` is in the file X.ts, which exports
 * `register(program)`. It is loaded, with all that it imports, when the command line names it.
 */
import type { Command } from "commander";

/** A command before its file is loaded: what the list says of it. A test compares the two. */
export type CommandEntry = {
  /** Its name, and what may follow. */
  readonly usage: string;
  readonly summary: string;
  readonly load: () => Promise<{ readonly register: (program: Command) => void }>;
};

/** In the groups and the order of the list. */
export const commandGroups: Readonly<Record<string, readonly CommandEntry[]>> = {
  "Nodes of a consortium:": [
    {
      usage: "init [options]",
      summary: "make a new consortium: keys, certificates, genesis, a config file for each node",
      load: () => import("./init/init.js"),
    },
    {
      usage: "devnet [options]",
      summary: "run all nodes of a directory on this machine",
      load: () => import("./nodes/devnet.js"),
    },
    {
      usage: "start [options]",
      summary: "run one node",
      load: () => import("./nodes/start.js"),
    },
    {
      usage: "status [options]",
      summary: "show height, root and peers of every node, and what they wait for",
      load: () => import("./nodes/status.js"),
    },
    {
      usage: "check [options]",
      summary: "check the whole store of a node that is stopped",
      load: () => import("./nodes/check.js"),
    },
    {
      usage: "storage",
      summary: "show storage nodes, and record payouts and retirements",
      load: () => import("./nodes/storage.js"),
    },
    {
      usage: "fork",
      summary: "show forks of the chain and their evidence",
      load: () => import("./nodes/fork.js"),
    },
  ],
  "Members:": [
    {
      usage: "consortium [options]",
      summary: "show managers, policy and rules in force",
      load: () => import("./members/consortium.js"),
    },
    {
      usage: "managers [options]",
      summary: "list managers; --history shows who was away when",
      load: () => import("./members/managers.js"),
    },
    {
      usage: "invite",
      summary: "invite storage nodes or participants to join",
      load: () => import("./members/invite.js"),
    },
    {
      usage: "register",
      summary: "join a consortium with an invitation",
      load: () => import("./register/register.js"),
    },
    {
      usage: "renew [options]",
      summary: "renew the certificate of a profile",
      load: () => import("./members/renew.js"),
    },
    {
      usage: "reissue [options]",
      summary: "sign a new certificate for the key of an old one, also of one that has expired",
      load: () => import("./members/reissue.js"),
    },
  ],
  "Records:": [
    {
      usage: "submit [options] <file>",
      summary: "put CSV rows or a file onto the ledger",
      load: () => import("./submit/submit.js"),
    },
    {
      usage: "import [options] <file>",
      summary: "put load profiles and charging sessions of a file onto the ledger",
      load: () => import("./import/import.js"),
    },
    {
      usage: "get [options] <hash>",
      summary: "read a record",
      load: () => import("./records/get.js"),
    },
    {
      usage: "history [options] <hash>",
      summary: "show every version of a record",
      load: () => import("./records/history.js"),
    },
    {
      usage: "list [options]",
      summary: "list records by participant or meter",
      load: () => import("./records/list.js"),
    },
    {
      usage: "receipt [options] <hash>",
      summary: "fetch the receipt of a record",
      load: () => import("./records/receipt.js"),
    },
    {
      usage: "verify [options] <receipt>",
      summary: "check a receipt offline",
      load: () => import("./records/verify.js"),
    },
    {
      usage: "blocks [options]",
      summary: "show blocks; --follow waits for new ones",
      load: () => import("./records/blocks.js"),
    },
  ],
};

export function nameOf({ usage }: CommandEntry): string {
  return usage.split(" ", 1)[0] ?? usage;
}
