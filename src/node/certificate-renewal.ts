/**
 * Renews a node's own certificate when about two thirds of its life are over, while the node runs.
 * The key stays, as the ledger registers it. Open connections stay, new ones use the new
 * certificate.
 *
 * Nodes that were made together do not all ask at once: for each the moment is another one within
 * the twentieth of the life before two thirds.
 */
import type { Logger } from "pino";
import type { Time, Timer } from "../base/time.js";
import { sha256 } from "../crypto/hash.js";
import { RegistrationService } from "../gen/bss/v1/registration_pb.js";
import type { Manager } from "../ledger/members/member-lists.js";
import type { Metrics } from "../metrics/metrics.js";
import { type AskForCertificate, renewedCertificate } from "../pki/renewed-certificate.js";
import { createChannel } from "../rpc/channels/channel.js";
import { createClient } from "../rpc/channels/typed-client.js";
import { readTerms } from "../rpc/tls/certificate.js";
import type { RenewableTls } from "../rpc/tls/tls.js";
import type { NodeCertificate } from "./node-certificate.js";

type RenewalPorts = {
  /** The node's. */
  readonly id: string;
  readonly certificate: NodeCertificate;
  readonly ask: AskForCertificate;
  readonly time: Time;
  readonly log: Logger;
  readonly metrics: Metrics;
};

/** How often the clock is read: there are no timers of months, and clocks are set. */
const lookMs = 300_000;
const retryMs = { min: 1_000, max: 600_000 };
const callTimeoutMs = 10_000;
/** Parts of a certificate's life. */
const dueAt = 2 / 3;
const spread = 1 / 20;

export class CertificateRenewal {
  readonly #ports: RenewalPorts;
  #timer: Timer | undefined;
  #isAsking = false;
  #closed = false;

  constructor(ports: RenewalPorts) {
    this.#ports = ports;
    this.#goOn();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  /**
   * Renews a certificate that has expired, if that is possible without others. Resolves when it has
   * been tried.
   */
  async renewExpired(): Promise<void> {
    const { certificate, time } = this.#ports;
    const { toMs = 0 } = readTerms(certificate.tls.certPem) ?? {};
    if (time.wallMs() >= toMs) await this.#renew();
  }

  /** Reads the files again; what they hold is used from now on. */
  reload(): void {
    this.#ports.certificate.reload();
    if (!this.#isAsking) this.#goOn();
  }

  #goOn(notBeforeMs = 0): void {
    const { certificate, metrics, time } = this.#ports;
    const dueMs = dueMsOf(certificate.tls.certPem);
    const untilMs = readTerms(certificate.tls.certPem)?.toMs ?? 0;
    metrics.certificateExpiry.set(untilMs / 1_000);
    metrics.certificateRenewalDue.set(dueMs / 1_000);
    metrics.certificateUnwritten.set(certificate.isWritten ? 0 : 1);
    // A clock that was far ahead and is right again has left a time that is far away.
    const latestMs = time.wallMs() + retryMs.max;
    this.#schedule(Math.max(dueMs, Math.min(notBeforeMs, latestMs)));
  }

  #schedule(atMs: number): void {
    if (this.#closed) return;
    const { time } = this.#ports;
    this.#timer?.cancel();
    const leftMs = Math.max(0, atMs - time.wallMs());
    this.#timer = time.after(Math.min(leftMs, lookMs), () => {
      if (time.wallMs() >= atMs) void this.#renew();
      else this.#look(atMs);
    });
  }

  #look(atMs: number): void {
    const { certificate } = this.#ports;
    const { certPem } = certificate.tls;
    certificate.write();
    // The clock was set, or renewals have failed: the other file may hold a valid one.
    if (!certificate.servesNow) certificate.reload();
    this.#goOn(certificate.tls.certPem === certPem ? atMs : 0);
  }

  async #renew(): Promise<void> {
    const { id, ask, certificate, metrics, log, time } = this.#ports;
    const { tls } = certificate;
    this.#timer?.cancel();
    this.#isAsking = true;
    try {
      const wallMs = () => time.wallMs();
      const certPem = await renewedCertificate({ id, tls, ask, wallMs, mayEndSooner: true });
      if (this.#closed) return;
      certificate.renew(certPem);
      metrics.certificateRenewals.inc({ result: "renewed" });
      this.#goOn(time.wallMs() + retryMs.min);
    } catch (error) {
      if (this.#closed) return;
      metrics.certificateRenewals.inc({ result: "failed" });
      const reason = error instanceof Error ? error.message : String(error);
      const { toMs = 0 } = readTerms(tls.certPem) ?? {};
      const until = new Date(toMs).toISOString();
      log.warn({ reason, until }, "the certificate could not be renewed yet");
      if (!certificate.servesNow) certificate.reload();
      this.#goOn(time.wallMs() + retryAfterMs(toMs - time.wallMs()));
    } finally {
      this.#isAsking = false;
    }
  }
}

/**
 * Asks one manager after the other, each time another one first, so that a slow one is not always
 * in the way.
 *
 * @throws the last one's error, when none has issued a certificate that is taken
 */
export function askManagersInTurn(options: {
  readonly consortiumName: string;
  readonly managers: () => readonly Manager[];
  /** host:port by manager id, instead of the address that genesis names. */
  readonly addresses: ReadonlyMap<string, string>;
  readonly tls: RenewableTls;
}): AskForCertificate {
  const { consortiumName, managers, addresses, tls } = options;
  // Nodes that start together do not all begin with the same manager.
  let turn = shareOf(tls.certPem);
  return async (certificateRequest, take) => {
    const all = managers();
    const first = turn++ % Math.max(1, all.length);
    const inTurn = [...all.slice(first), ...all.slice(0, first)];
    let failure: unknown = new Error("there is no manager to ask");
    for (const { managerId, address, tlsSpkiSha256: spkiSha256 } of inTurn) {
      const expected = { consortiumName, role: "manager" as const, id: managerId, spkiSha256 };
      const at = addresses.get(managerId) ?? address;
      const channel = createChannel({ address: at, tls, expected });
      try {
        const client = createClient(RegistrationService, channel);
        const call = { timeoutMs: callTimeoutMs };
        return take((await client.renewCertificate({ certificateRequest }, call)).certificateChain);
      } catch (error) {
        failure = error;
      } finally {
        channel.close();
      }
    }
    throw failure;
  };
}

/**
 * How long to wait after a failure, by how long the certificate lasts. When it has ended, nobody
 * takes it but a manager whose clock is late, and all nodes of a consortium may be in that state.
 */
function retryAfterMs(leftMs: number): number {
  if (leftMs <= 0) return retryMs.max;
  return Math.min(retryMs.max, Math.max(retryMs.min, leftMs / 20));
}

/** When a certificate is to be renewed, Unix ms. */
function dueMsOf(certPem: string): number {
  const terms = readTerms(certPem);
  if (terms === undefined) return 0;
  const lifeMs = terms.toMs - terms.fromMs;
  const part = dueAt - (spread * shareOf(certPem)) / sharesMax;
  return Math.round(terms.fromMs + lifeMs * part);
}

const sharesMax = 0xffff;

/** A number up to `sharesMax`, another one for most certificates. */
function shareOf(certPem: string): number {
  return Buffer.from(sha256(Buffer.from(certPem))).readUInt16BE();
}
