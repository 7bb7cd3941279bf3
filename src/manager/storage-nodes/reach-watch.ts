/**
 * Which storage nodes this manager has heard nothing of for policy.unreachable_after_ms. Heard of
 * is a node whose link is up, and one whose attestation came, whoever passed it on: one for a later
 * height or round than any before, as anybody can send an old one again. A node is expected here
 * only if it has to link with this manager ([R5.6.1]), and for no longer than this manager runs and
 * the node has stood as it does.
 *
 * A manager that hears no storage node at all is rather cut off itself, and says nothing: f+1 of
 * them behind one broken line must not send the whole public away.
 */
import { chosenManagers } from "../../consensus/attestation/links.js";
import type { Policy } from "../../gen/bss/v1/genesis_pb.js";
import { isAfter, type Place } from "../../store/double-sign-protection/attestation-mark.js";
import type { ManagerContext } from "../manager-context.js";
import type { StorageLinks } from "./storage-links.js";

/**
 * By `attentiveMs`, so that a node is not called silent for what this manager was too busy to hear.
 */
type Context = Pick<ManagerContext, "selfId" | "members" | "attentiveMs"> & {
  readonly policy: Pick<Policy, "unreachableAfterMs">;
};

type Contact = {
  readonly atMs: number;
  readonly changedHeight: number;
  /** False for one that is only given time. */
  readonly heard: boolean;
};

export class ReachWatch {
  readonly #context: Context;
  readonly #links: Pick<StorageLinks, "connectedIds">;
  readonly #contacts = new Map<string, Contact>();
  readonly #expected = new Map<string, boolean>();
  /** The latest attestation that came of a node. */
  readonly #attested = new Map<string, Place>();

  constructor(context: Context, links: Pick<StorageLinks, "connectedIds">) {
    this.#context = context;
    this.#links = links;
    for (const { nodeId, changedHeight } of context.members().storageNodes) {
      this.#note(nodeId, changedHeight, false);
    }
  }

  /** An attestation came that this storage node has signed. */
  heard(nodeId: string, attested: Place): void {
    const node = this.#context.members().storageNode(nodeId);
    const last = this.#attested.get(nodeId);
    if (node === undefined || (last !== undefined && !isAfter(attested, last))) return;
    this.#attested.set(nodeId, attested);
    this.#note(nodeId, node.changedHeight, true);
  }

  /** Nodes that are silent for too long, ascending by id; to be asked at intervals. */
  tick(): readonly string[] {
    const { policy, members, attentiveMs } = this.#context;
    if (policy.unreachableAfterMs === 0) return [];
    const { storageNodes } = members();
    const connected = new Set(this.#links.connectedIds);
    const nowMs = attentiveMs();
    const silent: string[] = [];
    let hearsAny = false;
    for (const { nodeId, suspension, changedHeight } of storageNodes) {
      const last = this.#contacts.get(nodeId);
      const isConnected = connected.has(nodeId);
      if (isConnected || last?.changedHeight !== changedHeight) {
        this.#note(nodeId, changedHeight, isConnected);
        hearsAny ||= isConnected;
        continue;
      }
      const isLate = nowMs - last.atMs >= policy.unreachableAfterMs;
      hearsAny ||= last.heard && !isLate;
      if (isLate && suspension === undefined && this.#isExpected(nodeId)) silent.push(nodeId);
    }
    return hearsAny ? silent : [];
  }

  #note(nodeId: string, changedHeight: number, heard: boolean): void {
    this.#contacts.set(nodeId, { atMs: this.#context.attentiveMs(), changedHeight, heard });
  }

  /** Managers are those of genesis, so that the answer stands. */
  #isExpected(nodeId: string): boolean {
    const { selfId, members } = this.#context;
    let expected = this.#expected.get(nodeId);
    if (expected === undefined) {
      expected = chosenManagers(nodeId, members()).some(({ managerId }) => managerId === selfId);
      this.#expected.set(nodeId, expected);
    }
    return expected;
  }
}
