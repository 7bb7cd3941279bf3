/**
 * The directory of a new member. Its keys are made first and stay; its certificate is added when a
 * manager has issued it. So a registration that was interrupted goes on where it stopped.
 */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { equalBytes, toHex } from "../../base/bytes.js";
import type { Joining } from "../../client/joining.js";
import { replacePublicFile } from "../../config/durable-file.js";
import type { InvitationFile } from "../../config/invitation-file.js";
import { readGenesisFile, readRenewedCertificate, readSeedFile } from "../../config/key-files.js";
import { loadNodeConfig } from "../../config/node-config.js";
import { loadProfile } from "../../config/profile.js";
import { ed25519KeyPairFromSeed } from "../../crypto/ed25519.js";
import { sha256 } from "../../crypto/hash.js";
import { randomBytes } from "../../crypto/random.js";
import { chooseCertificate } from "../../pki/certificate-choice.js";
import { createCertificateRequest, readCertificateRequest } from "../../pki/certificate-request.js";
import { generateTlsKeyPair, privateKeyPem } from "../../pki/key-pairs.js";
import {
  certificatesPem,
  isIssuedBy,
  partyOf,
  readCertificate,
  readTerms,
} from "../../rpc/tls/certificate.js";
import type { Identity } from "../../rpc/tls/tls-identity.js";
import { communityText } from "../init/community-file.js";
import { createTree } from "../init/new-tree.js";
import {
  caBundleFileName,
  genesisFileName,
  profileText,
  signingKeyFileName,
} from "../init/party-files.js";
import { joinedFileName } from "../sending/registered-meters.js";
import { CliError } from "../text/cli-error.js";
import { nodeConfigText } from "./node-config-file.js";
import type { Listening } from "./readiness.js";

const files = {
  genesis: genesisFileName,
  ca: caBundleFileName,
  key: "tls.key",
  certificate: "tls.crt",
  signingKey: signingKeyFileName,
} as const;

const tls = { certificate: files.certificate, key: files.key, ca: files.ca };

export class MemberDirectory {
  readonly path: string;
  readonly #identity: Identity;
  readonly #file: InvitationFile;

  constructor(path: string, identity: Identity, file: InvitationFile) {
    this.path = resolve(path);
    this.#identity = identity;
    this.#file = file;
  }

  get configFile(): string {
    return this.#at("config.yaml");
  }

  get profileFile(): string {
    return this.#at("profile.yaml");
  }

  /** Whether it was made before, for this or for another member. */
  get exists(): boolean {
    return existsSync(this.#at(files.signingKey));
  }

  /**
   * Makes the directory, or checks that it is that of the same party. Throws `CliError`, and
   * `ConfigError` when its YAML file was changed into something that cannot be read.
   */
  async prepare(listening: Listening | undefined): Promise<void> {
    if (this.exists) return this.checkSame(listening === undefined ? "profile" : "config");
    const { genesisBytes, tls: invited } = this.#file;
    const { privateKey } = await generateTlsKeyPair();
    const keyPem = await privateKeyPem(privateKey);
    await createTree(this.path, async (tree) => {
      tree.publicFile(files.genesis, genesisBytes);
      tree.publicFile(files.ca, invited.caPem);
      tree.secretFile(files.key, keyPem);
      tree.secretFile(files.signingKey, `${toHex(randomBytes(32))}\n`);
      if (listening === undefined) {
        tree.publicFile("profile.yaml", this.#profileText());
        tree.publicFile(joinedFileName, this.#joinedText());
      } else {
        tree.directory("data");
        tree.publicFile("config.yaml", this.#configText(listening));
      }
    });
  }

  /** Whether it has a certificate that is still valid, its first one or a renewed one. */
  get hasCertificate(): boolean {
    const file = this.#at(files.certificate);
    if (!existsSync(file)) return false;
    const { caPem } = this.#file.tls;
    const nowMs = Date.now();
    const renewed = this.#renewedCertificate();
    const { certPem } = chooseCertificate(readFileSync(file, "latin1"), renewed, { caPem, nowMs });
    const { toMs = 0 } = readTerms(certPem) ?? {};
    return toMs > nowMs;
  }

  #renewedCertificate(): string | undefined {
    if (!existsSync(this.configFile)) return undefined;
    const { renewedCertificateFile: file } = loadNodeConfig(this.configFile);
    return readRenewedCertificate(file);
  }

  /** What the member joins with: the keys of the directory. */
  async joining(): Promise<Joining> {
    const { id } = this.#identity;
    const signingSeed = readSeedFile(this.#at(files.signingKey));
    const keyPem = readFileSync(this.#at(files.key), "latin1");
    const certificateRequest = await createCertificateRequest({ keyPem, commonName: id });
    const request = await readCertificateRequest(certificateRequest);
    if (typeof request === "string")
      throw new CliError(request, "restore tls.key, or give another --dir");
    const { publicKey: signingKey } = ed25519KeyPairFromSeed(signingSeed);
    const { spkiSha256: tlsSpkiSha256 } = request;
    return { id, signingSeed, signingKey, certificateRequest, tlsSpkiSha256 };
  }

  /** Keeps the certificates that a manager has issued (DER). Throws `CliError` for useless ones. */
  keepCertificate(
    chain: readonly Uint8Array[],
    { tlsSpkiSha256 }: Pick<Joining, "tlsSpkiSha256">,
  ): void {
    const [own] = chain;
    const facts = own && readCertificate(own);
    const named = own && partyOf(own)?.identity;
    const { role, id } = this.#identity;
    const isOurs = named?.role === role && named.id === id;
    if (
      own === undefined ||
      facts === undefined ||
      !isOurs ||
      !equalBytes(facts.spkiSha256, tlsSpkiSha256)
    ) {
      throw new CliError("the manager issued a certificate for somebody else", "run this again");
    }
    const { fromMs = 0, toMs = 0 } = readTerms(own) ?? {};
    const nowMs = Date.now();
    if (fromMs > nowMs || toMs <= nowMs || !isIssuedBy(own, this.#file.tls.caPem)) {
      const next = "check the clock of this machine, and call the operator of the manager";
      throw new CliError("the manager issued a certificate that no node would accept", next);
    }
    replacePublicFile(this.#at(files.certificate), certificatesPem(chain));
  }

  /** Throws `CliError` if the directory is that of another party. */
  checkSame(kind: "profile" | "config"): void {
    const other = kind === "profile" ? this.profileFile : this.configFile;
    const genesis = sha256(readGenesisFile(this.#at(files.genesis)));
    const isSame = existsSync(other) && equalBytes(genesis, this.#file.genesis.consortiumId);
    const load = kind === "profile" ? loadProfile : loadNodeConfig;
    if (isSame && load(other).id === this.#identity.id) return;
    throw new CliError(
      `${this.path} is the directory of another party`,
      "give the --id with which it was made, or another --dir",
    );
  }

  #configText(listening: Listening): string {
    const { genesis, signingKey } = files;
    const { checkpoint } = this.#file.invitation;
    const own = { genesis, signingKey, tls };
    return nodeConfigText({ id: this.#identity.id, listening, files: own, checkpoint });
  }

  #profileText(): string {
    const { id, role } = this.#identity;
    const { addresses } = this.#file;
    return profileText({ id, role, addresses, files: { genesis: files.genesis, tls } });
  }

  /** What the invitation says of this participant. */
  #joinedText(): string {
    const { id } = this.#identity;
    const { agentIds, meters } = this.#file.invitation;
    const plans = meters.map(({ meterId, ratedPowerW, intervalS }) => {
      return { id: meterId, ratedPowerW: Number(ratedPowerW), intervalS };
    });
    return `# Who joined after genesis, and with which meters: for 'bss import' and 'bss submit'.
${communityText([{ id, agents: agentIds, meters: plans }])}`;
  }

  #at(name: string): string {
    return join(this.path, name);
  }
}
