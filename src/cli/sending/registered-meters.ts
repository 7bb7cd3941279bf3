/**
 * The meters that genesis registers, with their owners and agents. Those that joined later, with an
 * invitation, are in the managers' state, of which no query tells.
 */
import type { ControlOperation } from "../../gen/bss/v1/genesis_pb.js";
import { foldedId } from "../../ledger/ids.js";
import { invitationOf } from "../../ledger/members/consent.js";

export type RegisteredMeter = {
  readonly meterId: string;
  readonly ownerId: string;
  readonly intervalS: number;
  /** The most that an interval can have, Wh. */
  readonly valueWhMax: bigint;
};

export class RegisteredMeters {
  readonly #meters = new Map<string, RegisteredMeter>();
  readonly #agents = new Map<string, readonly string[]>();

  /** @param operations of genesis */
  constructor(operations: Iterable<ControlOperation>) {
    for (const message of operations) this.#add(message);
  }

  find(meterId: string): RegisteredMeter | undefined {
    return this.#meters.get(foldedId(meterId));
  }

  mayImportFor(submitterId: string, ownerId: string): boolean {
    return submitterId === ownerId || this.#agents.get(ownerId)?.includes(submitterId) === true;
  }

  #add(message: ControlOperation): void {
    const { operation } = message;
    if (operation.case === "registerMeter")
      this.#addMeter(operation.value.ownerId, operation.value);
    if (operation.case !== "registerParticipant") return;
    const { participantId, agentIds } = operation.value;
    this.#agents.set(participantId, agentIds);
    for (const meter of invitationOf(message)?.meters ?? []) this.#addMeter(participantId, meter);
  }

  #addMeter(
    ownerId: string,
    meter: { readonly meterId: string; readonly intervalS: number; readonly ratedPowerW: bigint },
  ): void {
    const { meterId, intervalS, ratedPowerW } = meter;
    const valueWhMax = (ratedPowerW * BigInt(intervalS)) / 3600n;
    this.#meters.set(foldedId(meterId), { meterId, ownerId, intervalS, valueWhMax });
  }
}
