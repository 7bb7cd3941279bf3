/**
 * Renews a node's own certificate when two thirds of its life are over, while the node runs. The
 * key stays: the ledger registers it. Connections that are open stay, new ones use the new
 * certificate.
 */
import type { Logger } from "pino";
import type { Time, Timer } from "../base/time.js";
import { replacePublicFile } from "../config/durable-file.js";
import { RegistrationService } from "../gen/bss/v1/registration_pb.js";
import type { Manager } from "../ledger/members.js";
import { type AskForCertificate, renewedCertificate } from "../pki/renewed-certificate.js";
import { readTerms } from "../rpc/certificate.js";
import { createChannel } from "../rpc/channel.js";
import { createClient } from "../rpc/client.js";
import type { RenewableTls } from "../rpc/tls.js";

export type RenewalPorts = {
  /** The node's. */
  readonly id: string;
  readonly tls: RenewableTls;
  readonly certificateFile: string;
  readonly ask: AskForCertificate;
  readonly time: Time;
  readonly log: Logger;
};

/** The clock is looked at as often: timers of months do not exist, and clocks are set. */
const lookMs = 3_600_000;
const retryMs = { min: 1_000, max: 600_000 };
const callTimeoutMs = 10_000;

export class CertificateRenewal {
  readonly #ports: RenewalPorts;
  #timer: Timer | undefined;
  #closed = false;

  constructor(ports: RenewalPorts) {
    this.#ports = ports;
    this.#schedule(dueMs(ports.tls.certPem));
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #schedule(atMs: number): void {
    if (this.#closed) return;
    const { time } = this.#ports;
    const leftMs = Math.max(0, atMs - time.wallMs());
    this.#timer = time.after(Math.min(leftMs, lookMs), () => {
      if (time.wallMs() < atMs) this.#schedule(atMs);
      else void this.#renew();
    });
  }

  async #renew(): Promise<void> {
    const { tls, certificateFile, log, time } = this.#ports;
    try {
      const certPem = await renewedCertificate({ ...this.#ports, wallMs: () => time.wallMs() });
      if (this.#closed) return;
      replacePublicFile(certificateFile, certPem);
      tls.renew(certPem);
      log.info({ until: readTerms(certPem)?.toMs }, "the certificate was renewed");
      this.#schedule(Math.max(dueMs(certPem), time.wallMs() + retryMs.min));
    } catch (error) {
      const toMs = readTerms(tls.certPem)?.toMs ?? 0;
      const nextMs = (toMs - time.wallMs()) / 20;
      const reason = error instanceof Error ? error.message : String(error);
      log.warn({ reason, until: toMs }, "the certificate could not be renewed yet");
      this.#schedule(time.wallMs() + Math.min(retryMs.max, Math.max(retryMs.min, nextMs)));
    }
  }
}

/**
 * Asks one manager after the other, each time another one first, so that none that takes its time
 * is always in the way.
 *
 * @throws the last one's error, when none has issued what is taken
 */
export function askManagersInTurn(options: {
  readonly consortiumName: string;
  readonly managers: () => readonly Manager[];
  /** host:port by manager id, instead of the address that genesis names. */
  readonly addresses: ReadonlyMap<string, string>;
  readonly tls: RenewableTls;
}): AskForCertificate {
  const { consortiumName, managers, addresses, tls } = options;
  let turn = 0;
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

/** When two thirds of a certificate's life are over, Unix ms. */
function dueMs(certPem: string): number {
  const terms = readTerms(certPem);
  return terms === undefined ? 0 : terms.fromMs + ((terms.toMs - terms.fromMs) * 2) / 3;
}
