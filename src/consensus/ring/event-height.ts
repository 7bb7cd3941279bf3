/** Which height an event speaks of. */
import { unreachable } from "../../base/assert.js";
import type { RingEvent } from "./events.js";

/** Undefined for an event of whatever height the ring is at, and for one of several heights. */
export function heightOf(event: RingEvent): number | undefined {
  switch (event.kind) {
    case "wake":
    case "seen":
      return undefined;
    case "proposal":
      return Number(event.proposal.height);
    case "vote":
      return Number(event.vote.height);
    case "attestation":
      return Number(event.attestation.height);
    case "lock-certificate":
      return Number(event.certificate.polka?.height ?? -1n);
    case "judged":
    case "built":
      return event.height;
    default:
      return unreachable(event);
  }
}
