/**
 * The meters that are registered, with their owners and agents: those of genesis, and those that
 * joined later, as a community file says. The managers' state has the latter, too, of which no
 * query tells.
 */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ControlOperation } from "../../gen/bss/v1/genesis_pb.js";
import { foldedId } from "../../ledger/ids.js";
import { invitationOf } from "../../ledger/members/consent.js";
import { type ParticipantPlan, readJoinedFile } from "../init/community-file.js";

export type RegisteredMeter = {
  readonly meterId: string;
  readonly ownerId: string;
  readonly intervalS: number;
  /** The most that an interval can have, Wh. */
  readonly valueWhMax: bigint;
};

/** Beside a profile: `bss register participant` writes it. */
export const joinedFileName = "community.yaml";

/**
 * The participants that joined after genesis: of `given`, or else of the file beside the profile,
 * if it is there. Throws `ConfigError`.
 */
export function joinedParticipants(
  given: string | undefined,
  profileFile: string,
): readonly ParticipantPlan[] {
  const beside = join(dirname(profileFile), joinedFileName);
  if (given === undefined && !existsSync(beside)) return [];
  return readJoinedFile(given ?? beside);
}

export class RegisteredMeters {
  readonly #meters = new Map<string, RegisteredMeter>();
  readonly #agents = new Map<string, readonly string[]>();

  /** @param operations of genesis */
  constructor(operations: Iterable<ControlOperation>, joined: readonly ParticipantPlan[]) {
    for (const message of operations) this.#add(message);
    for (const { id: ownerId, agents, meters } of joined) {
      this.#agents.set(ownerId, agents);
      for (const { id: meterId, ratedPowerW, intervalS } of meters) {
        this.#addMeter(ownerId, { meterId, ratedPowerW: BigInt(ratedPowerW), intervalS });
      }
    }
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
