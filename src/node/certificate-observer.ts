import type { Metrics } from "../metrics/metrics.js";
import type { RenewalObserver } from "./certificate-renewal.js";

/** Tells the metrics of a node's certificate and of its renewals. */
export function certificateObserver(metrics: Metrics): RenewalObserver {
  return {
    onCertificate: ({ untilMs, dueMs, isWritten }) => {
      metrics.certificateExpiry.set(untilMs / 1_000);
      metrics.certificateRenewalDue.set(dueMs / 1_000);
      metrics.certificateUnwritten.set(isWritten ? 0 : 1);
    },
    onAttempt: (result) => metrics.certificateRenewals.inc({ result }),
  };
}
