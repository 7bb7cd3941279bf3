/**
 * Who is missing when nothing can become final: what a caller is told instead of a bare time-out.
 */
import type { Policy } from "../gen/bss/v1/genesis_pb.js";
import { committeeSize, matchesNeeded } from "../ledger/committee.js";
import type { Members } from "../ledger/members.js";
import { RpcError } from "../rpc/rpc-error.js";

export type AvailabilityPorts = {
  readonly policy: Policy;
  readonly selfId: string;
  readonly members: () => Members;
  readonly connectedManagers: () => readonly string[];
  readonly connectedStorage: () => readonly string[];
};

/** Ids that are spelled out in a message. */
const namedMax = 10;

export class Availability {
  readonly #ports: AvailabilityPorts;

  constructor(ports: AvailabilityPorts) {
    this.#ports = ports;
  }

  /** Every active manager must accept a block, and enough storage nodes must attest it. */
  whatIsMissing(): RpcError | undefined {
    const { selfId, members, policy } = this.#ports;
    const connected = new Set([...this.#ports.connectedManagers(), selfId]);
    const managers = members().activeManagerIds.filter((id) => !connected.has(id));
    if (managers.length > 0) {
      const text = `not connected to ${listed(managers)}, whose acceptance every block needs`;
      return new RpcError("MANAGERS_UNAVAILABLE", text, {
        metadata: { missing_managers: listed(managers) },
      });
    }
    const eligible = members().eligibleStorageNodes(policy);
    const linked = new Set(this.#ports.connectedStorage());
    const missing = eligible.filter((id) => !linked.has(id));
    const needed = Math.max(policy.minStorage, matchesNeeded(committeeSize(eligible.length)));
    if (eligible.length - missing.length >= needed) return undefined;
    const present = eligible.length - missing.length;
    const text = `${present} of ${eligible.length} storage nodes are connected, ${needed} are needed`;
    return new RpcError("STORAGE_UNAVAILABLE", `${text}; missing: ${listed(missing)}`, {
      metadata: { missing_storage: listed(missing), needed: String(needed) },
    });
  }
}

function listed(ids: readonly string[]): string {
  const more = ids.length - namedMax;
  return `${ids.slice(0, namedMax).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
