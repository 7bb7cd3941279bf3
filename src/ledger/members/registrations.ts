/** Shapes that a registration and an invitation share: agents, meters, and the keys of a member. */
import { isValidEd25519PublicKey } from "../../crypto/ed25519.js";
import { hashBytes } from "../../crypto/hash.js";
import type { Policy } from "../../gen/bss/v1/genesis_pb.js";
import { deviceIdForm, isDeviceId, isId } from "../ids.js";

/** Agents that one participant's registration may name. */
export const agentsMax = 16;
/** W: more than any meter carries, and small enough for all arithmetic in safe integers. */
export const ratedPowerMaxW = 10 ** 12;

/** What is wrong, in one sentence, and the path of the field below the message. */
export type ShapeProblem = { readonly message: string; readonly field: string };

/** Agents are distinct ids, and none is the participant itself ("" while that is open). */
export function agentsProblem(
  participantId: string,
  agentIds: readonly string[],
): ShapeProblem | undefined {
  if (agentIds.length > agentsMax) {
    return { message: `There are more than ${agentsMax} agents.`, field: "agent_ids" };
  }
  const seen = new Set([participantId]);
  for (const [i, agentId] of agentIds.entries()) {
    const field = `agent_ids[${i}]`;
    if (!isId(agentId)) return { message: "The value is not an id.", field };
    if (seen.has(agentId))
      return { message: "The agent is the participant itself, or is named twice.", field };
    seen.add(agentId);
  }
  return undefined;
}

/** What a meter can carry and how long its intervals are, whatever the market's interval. */
export function meterProblem(meter: {
  readonly meterId: string;
  readonly ratedPowerW: bigint;
  readonly intervalS: number;
}): ShapeProblem | undefined {
  const { meterId, ratedPowerW, intervalS } = meter;
  if (!isDeviceId(meterId))
    return { message: `The value is not ${deviceIdForm}.`, field: "meter_id" };
  if (ratedPowerW < 1n || ratedPowerW > BigInt(ratedPowerMaxW)) {
    return {
      message: `The value is not between 1 and ${ratedPowerMaxW} W.`,
      field: "rated_power_w",
    };
  }
  return intervalS < 1
    ? { message: "The value is not an interval.", field: "interval_s" }
    : undefined;
}

/** Whether a meter's interval divides the market's. */
export function isMeterInterval(
  intervalS: number,
  { deliveryIntervalS }: Pick<Policy, "deliveryIntervalS">,
): boolean {
  return intervalS >= 1 && deliveryIntervalS % intervalS === 0;
}

export function keysProblem(keys: {
  readonly signingKey: Uint8Array;
  readonly tlsSpkiSha256: Uint8Array;
}): ShapeProblem | undefined {
  if (!isValidEd25519PublicKey(keys.signingKey)) {
    return { message: "The value is not an Ed25519 public key.", field: "signing_key" };
  }
  if (keys.tlsSpkiSha256.length === hashBytes) return undefined;
  return { message: "The value is not a SHA-256 digest.", field: "tls_spki_sha256" };
}
