/**
 * What an attacker knows: addresses, what genesis says, and the keys of one party of each role.
 * `manager-4`, `storage-5`, `participant-2` and `participant-3` are compromised; the others are
 * honest.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { defined } from "../../src/base/assert.js";
import { findConfigFiles } from "../../src/cli/nodes/node-processes.js";
import { type ClientProfile, readProfile } from "../../src/client/client-profile.js";
import { type InvitationFile, readInvitationFile } from "../../src/config/invitation-file.js";
import { readSeedFile, readTlsFiles } from "../../src/config/key-files.js";
import { loadNodeConfig, type NodeConfig } from "../../src/config/node-config.js";
import type { TlsCredentials } from "../../src/rpc/tls/tls.js";
import type { Attacker } from "./attack.js";

export const honestParticipant = "participant-1";
export const compromised = {
  manager: "manager-4",
  storage: "storage-5",
  participants: ["participant-2", "participant-3"],
} as const;

/** Under the consortium's directory, once it runs. */
export const invitationFileName = "invitation.json";
/** Hashes of what is on the ledger before the attacks, one a line, in hex. */
export const archiveFileName = "archive.txt";

export class Target {
  readonly directory: string;
  readonly #configs: readonly NodeConfig[];

  constructor(directory: string) {
    this.directory = directory;
    this.#configs = findConfigFiles(directory).map(loadNodeConfig);
  }

  /** "host:port" of the managers that are honest. */
  get managers(): readonly string[] {
    const honest = this.#configs.filter(
      ({ id, role }) => role === "manager" && id !== compromised.manager,
    );
    return honest.map(({ listen }) => `${listen.host}:${listen.port}`);
  }

  /** One of them: a different one for each number. */
  manager(number: number): string {
    const { managers } = this;
    return defined(managers[number % managers.length], "there are managers");
  }

  addressOf(id: string): string {
    const { listen } = defined(
      this.#configs.find((config) => config.id === id),
      `a node ${id}`,
    );
    return `${listen.host}:${listen.port}`;
  }

  /** Undefined for a stranger. */
  tlsOf(role: Attacker): TlsCredentials | undefined {
    if (role === "stranger") return undefined;
    if (role === "invited") return this.invitation.tls;
    const at = (name: string) => join(this.directory, partyOf(role), name);
    const ca = join(this.directory, "ca-bundle.pem");
    return readTlsFiles({ certificate: at("tls.crt"), key: at("tls.key"), ca });
  }

  /** 32 bytes: the Ed25519 seed of the compromised manager or storage node. */
  seedOf(role: "manager" | "storage"): Uint8Array {
    return readSeedFile(join(this.directory, partyOf(role), "signing.key"));
  }

  get invitation(): InvitationFile {
    return readInvitationFile(join(this.directory, invitationFileName));
  }

  /** Of a participant, auditor or operator. */
  profile(id: string): ClientProfile {
    const parent = `${id.replace(/-\d+$/, "")}s`;
    return readProfile(join(this.directory, parent, id, "profile.yaml"));
  }

  /** 32 bytes each: records that participant-2 owns; the last one is the latest version. */
  get archive(): readonly Uint8Array[] {
    const text = readFileSync(join(this.directory, archiveFileName), "utf8").trim();
    return text.split("\n").map((line) => new Uint8Array(Buffer.from(line, "hex")));
  }
}

function partyOf(role: Exclude<Attacker, "stranger" | "invited">): string {
  switch (role) {
    case "manager":
      return join("managers", compromised.manager);
    case "storage":
      return join("storage", compromised.storage);
    case "participant":
      return join("participants", compromised.participants[0]);
    case "auditor":
      return join("auditors", "auditor-1");
    case "operator":
      return join("operators", "operator-4");
  }
}
