/**
 * What comes for the next height while this one is being finished: peers that have decided a moment
 * earlier go on at once. It is a convenience, as everything is sent again until it is decided, so
 * only little is kept, and of each sender for itself: nobody can fill the room of another.
 */
import { toHex } from "../../base/bytes.js";
import type { Members } from "../../ledger/members/members.js";
import { isLockBundle } from "../height/lock-certificate.js";
import type { HeightEvent } from "./events.js";

/** Proposals and votes kept of one manager: those of some rounds. */
export const nextOfManagerMax = 32;
/** Attestations kept of one storage node, and of all of them together. */
export const nextOfStorageNodeMax = 2;
export const nextAttestationsMax = 2_048;
/** Lock certificates kept, each of another round or block. */
export const nextCertificatesMax = 4;

export class NextHeight {
  #events: HeightEvent[] = [];
  readonly #counts = new Map<string, number>();

  /** Keeps an event of `height`, if there is room; `members` are those of the height before. */
  keep(event: HeightEvent, height: number, members: Members): void {
    if (this.#hasRoom(event, height, members)) this.#events.push(event);
  }

  /** Everything that was kept, in the order in which it came; nothing is left. */
  take(): readonly HeightEvent[] {
    const events = this.#events;
    this.#events = [];
    this.#counts.clear();
    return events;
  }

  #hasRoom(event: HeightEvent, height: number, members: Members): boolean {
    switch (event.kind) {
      case "proposal":
        return this.#count(`manager ${event.proposal.managerId}`, nextOfManagerMax);
      case "vote":
        return this.#count(`manager ${event.vote.managerId}`, nextOfManagerMax);
      case "attestation": {
        const { nodeId } = event.attestation;
        const isOneOfFew = this.#count(`storage ${nodeId}`, nextOfStorageNodeMax);
        return isOneOfFew && this.#count("attestations", nextAttestationsMax);
      }
      case "lock-certificate": {
        const { certificate } = event;
        if (!isLockBundle(certificate, height, members.quorum)) return false;
        const { round, blockId } = certificate.polka ?? { round: 0, blockId: new Uint8Array() };
        const isNew = this.#count(`certificate ${round}/${toHex(blockId)}`, 1);
        return isNew && this.#count("certificates", nextCertificatesMax);
      }
      default:
        // Answers of the driver are about the open height.
        return false;
    }
  }

  #count(what: string, max: number): boolean {
    const count = this.#counts.get(what) ?? 0;
    if (count >= max) return false;
    this.#counts.set(what, count + 1);
    return true;
  }
}
