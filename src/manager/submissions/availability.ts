/**
 * Who is missing when nothing can become final: what a caller is told instead of a bare time-out.
 *
 * A manager that cannot be reached stops the ring only if it is needed: because fewer than Q would
 * be left, or because it is active and cannot be suspended.
 */
import { SuspensionMode } from "../../gen/bss/v1/genesis_pb.js";
import { attestersNeeded } from "../../ledger/certificates/committee.js";
import { isAble } from "../../ledger/storage-nodes/credit.js";
import { RpcError } from "../../rpc/rpc-error.js";
import type { ManagerContext } from "../manager-context.js";
import type { StorageLinks } from "../storage-nodes/storage-links.js";

type Context = Pick<ManagerContext, "selfId" | "policy" | "members"> & {
  readonly links: () => { readonly connectedIds: readonly string[] };
};

/** Ids that are spelled out in a message. */
const namedMax = 10;

export class Availability {
  readonly #context: Context;
  readonly #storage: Pick<StorageLinks, "connectedIds">;

  constructor(context: Context, storage: Pick<StorageLinks, "connectedIds">) {
    this.#context = context;
    this.#storage = storage;
  }

  /** Too few managers to go on, or too few storage nodes to attest a block. */
  whatIsMissing(): RpcError | undefined {
    return this.#missingManagers() ?? this.#missingStorage();
  }

  #missingManagers(): RpcError | undefined {
    const { selfId, members, policy } = this.#context;
    const { managers, quorum, activeManagerIds } = members();
    const connected = new Set([...this.#context.links().connectedIds, selfId]);
    const isAway = (id: string) => !connected.has(id);
    const away = managers.map(({ managerId }) => managerId).filter(isAway);
    const awaited = activeManagerIds.filter(isAway);
    const mayBeSuspended =
      policy.suspension === SuspensionMode.FLOOR &&
      activeManagerIds.length - awaited.length >= quorum;
    const tooFew = managers.length - away.length < quorum;
    if (!tooFew && (awaited.length === 0 || mayBeSuspended)) return undefined;
    const missing = listed(away);
    const need = tooFew
      ? `${quorum} of ${managers.length} managers are needed`
      : "every block needs the acceptance of all active managers, and none can be suspended now";
    return new RpcError("MANAGERS_UNAVAILABLE", `not connected to ${missing}; ${need}`, {
      metadata: { missing_managers: missing },
    });
  }

  #missingStorage(): RpcError | undefined {
    const { members, policy } = this.#context;
    const eligible = members().eligibleStorageNodes(policy);
    const linked = new Set(this.#storage.connectedIds);
    const present = eligible.filter((id) => linked.has(id));
    const needed = attestersNeeded(eligible.length, policy.minStorage);
    if (present.length >= needed) return undefined;
    const missing = listed([
      ...eligible.filter((id) => !linked.has(id)),
      ...this.#suspendedStorage(),
    ]);
    const connected = `${present.length} of ${eligible.length} eligible storage nodes are connected`;
    const text = [`${connected}, ${needed} are needed`];
    if (missing !== "") text.push(`missing: ${missing}`);
    const beyond = eligible.length < needed ? this.#beyondShares(eligible) : [];
    if (beyond.length > 0) {
      text.push(
        `beyond the shares of their sponsors: ${listed(beyond)}`,
        "operators of other managers have to invite some",
      );
    }
    return new RpcError("STORAGE_UNAVAILABLE", text.join("; "), {
      metadata: { missing_storage: missing, needed: String(needed) },
    });
  }

  /** Those that are able and not eligible: their sponsor has brought enough of them already. */
  #beyondShares(eligible: readonly string[]): readonly string[] {
    const { members, policy } = this.#context;
    const known = new Set(eligible);
    return members()
      .storageNodes.filter((each) => isAble(each, policy) && !known.has(each.nodeId))
      .map(({ nodeId }) => nodeId);
  }

  /** Those that may come back by themselves. */
  #suspendedStorage(): readonly string[] {
    const { storageNodes } = this.#context.members();
    return storageNodes
      .filter(({ suspension }) => suspension === "unreachable")
      .map(({ nodeId }) => nodeId);
  }
}

function listed(ids: readonly string[]): string {
  const more = ids.length - namedMax;
  return `${ids.slice(0, namedMax).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
