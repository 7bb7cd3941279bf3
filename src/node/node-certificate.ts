/**
 * A running node's certificate. It is read from two files; pki/certificate-choice.ts says which one
 * counts. A renewed one is used at once. If it cannot be written, it stays in memory and is written
 * when the disk allows.
 */
import type { Logger } from "pino";
import { ConfigError, fileError } from "../config/config-error.js";
import { keepPublicFile } from "../config/durable-file.js";
import { readRenewedCertificate, readTlsFiles } from "../config/key-files.js";
import type { NodeConfig } from "../config/node-config.js";
import { type CertificateChoice, chooseCertificate } from "../pki/certificate-choice.js";
import { readTerms } from "../rpc/tls/certificate.js";
import { certificateFault, type OwnTls, servesAt } from "../rpc/tls/own-certificate.js";
import { RenewableTls } from "../rpc/tls/tls.js";
import type { Party } from "../rpc/tls/tls-identity.js";

type CertificateOwner = Pick<NodeConfig, "id" | "role" | "tls" | "renewedCertificateFile">;

export type CertificateOptions = {
  readonly consortiumName: string;
  /** The node issues its own certificate, so it starts with one that has expired, too. */
  readonly renewsItself: boolean;
  /** The clock, Unix ms. */
  readonly wallMs: () => number;
  readonly log: Logger;
};

export class NodeCertificate {
  readonly tls: RenewableTls;
  readonly #owner: CertificateOwner;
  readonly #options: CertificateOptions;
  /** The renewed certificate while it is not on disk. */
  #unwritten: string | undefined;

  private constructor(tls: RenewableTls, owner: CertificateOwner, options: CertificateOptions) {
    this.tls = tls;
    this.#owner = owner;
    this.#options = options;
  }

  /**
   * Reads the files of a node that starts. One that is not valid yet is taken: the clocks of small
   * machines are set only after their start.
   *
   * @throws ConfigError when nobody would accept the certificate
   */
  static open(owner: CertificateOwner, options: CertificateOptions): NodeCertificate {
    const { log, renewsItself, wallMs } = options;
    const read = readTlsFiles(owner.tls);
    const renewed = readRenewed(owner, log);
    const choice = chooseCertificate(read.certPem, renewed, { caPem: read.caPem, nowMs: wallMs() });
    const { keyPem, caPem } = read;
    const used: OwnTls = { certPem: choice.certPem, keyPem, caPem };
    const fault = certificateFault(used, wallMs(), partyOf(owner, options));
    const file = fileOf(choice, owner);
    if (fault !== undefined) {
      const { kind, what: reason, next } = fault;
      if (kind === "early") {
        log.error({ file, reason, next }, "nobody talks to this node until then");
      } else if (kind === "expired" && renewsItself) {
        log.warn({ file, reason }, "the node issues itself a new certificate");
      } else throw fileError(file, reason, next);
    }
    log.info({ file, until: untilOf(choice.certPem) }, "the node's certificate");
    return new NodeCertificate(new RenewableTls(used), owner, options);
  }

  /** False while a renewed certificate is in memory alone. */
  get isWritten(): boolean {
    return this.#unwritten === undefined;
  }

  get servesNow(): boolean {
    return servesAt(this.tls.certPem, this.#options.wallMs());
  }

  /** Uses a renewed certificate from now on, and keeps it if it can. */
  renew(certPem: string): void {
    this.#options.log.info(
      { until: untilOf(certPem), formerUntil: untilOf(this.tls.certPem) },
      "the certificate was renewed",
    );
    this.tls.renew(certPem);
    this.#unwritten = certPem;
    this.write();
  }

  /** Writes the renewed certificate if it is not on disk yet. */
  write(): void {
    if (this.#unwritten === undefined) return;
    const { renewedCertificateFile: file } = this.#owner;
    try {
      keepPublicFile(file, this.#unwritten);
      this.#unwritten = undefined;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const next = `let the node write ${file}; it tries again`;
      const text = "the renewed certificate is in use but not on disk: a restart would lose it";
      this.#options.log.warn({ reason, next }, text);
    }
  }

  /**
   * Reads the certificate and the authorities from disk again. What nobody would accept is not
   * taken: the node goes on with what it has.
   */
  reload(): void {
    const { log, wallMs } = this.#options;
    const owner = this.#owner;
    try {
      const { certPem: configured, caPem } = readTlsFiles(owner.tls);
      const renewed = this.#unwritten ?? readRenewed(owner, log);
      const choice = chooseCertificate(configured, renewed, { caPem, nowMs: wallMs() });
      const { certPem } = choice;
      const file = fileOf(choice, owner);
      const used: OwnTls = { certPem, keyPem: this.tls.keyPem, caPem };
      const fault = certificateFault(used, wallMs(), partyOf(owner, this.#options));
      if (fault !== undefined) throw fileError(file, fault.what, fault.next);
      if (certPem !== this.#unwritten) this.#unwritten = undefined;
      const isNew = certPem !== this.tls.certPem || caPem !== this.tls.caPem;
      if (isNew) this.tls.renew(certPem, caPem);
      log.info({ file, until: untilOf(certPem), isNew }, "the certificates were read again");
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      const text = "what is on disk is not taken: the node goes on with the certificate in use";
      log.error({ reason: error.message }, text);
    }
  }
}

function partyOf({ id, role }: CertificateOwner, { consortiumName }: CertificateOptions): Party {
  return { consortiumName, identity: { role, id } };
}

function fileOf({ from }: CertificateChoice, owner: CertificateOwner): string {
  return from === "renewed" ? owner.renewedCertificateFile : owner.tls.certificate;
}

/** If the renewed certificate cannot be read, the configured one is used. */
function readRenewed(
  { renewedCertificateFile: file }: CertificateOwner,
  log: Logger,
): string | undefined {
  try {
    return readRenewedCertificate(file);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    log.warn({ reason: error.message }, "the renewed certificate is left out");
    return undefined;
  }
}

/** For people. */
function untilOf(certPem: string): string | undefined {
  const { toMs } = readTerms(certPem) ?? {};
  return toMs === undefined || Number.isNaN(toMs) ? undefined : new Date(toMs).toISOString();
}
