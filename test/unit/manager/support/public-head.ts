/** A head whose storage nodes and open committees a test sets, and what watches them. */
import { SignatureCache } from "../../../../src/crypto/signature-cache.js";
import type { OpenCommittee, StorageNode } from "../../../../src/ledger/members/member-lists.js";
import { Members } from "../../../../src/ledger/members/members.js";
import type { LedgerHead } from "../../../../src/ledger/state/head.js";
import type { PeerSender } from "../../../../src/manager/peers/peer-sender.js";
import type { UnmarkedKind } from "../../../../src/manager/signing/signer.js";
import { Chain } from "../../ledger/support/chain.js";
import { consortiumId, policy } from "../../ledger/support/consortium.js";
import { sign } from "../../ledger/support/records.js";

export class PublicHead {
  head: LedgerHead = new Chain().head;
  nowMs = 0;
  wakes = 0;
  /** False while the signer of this manager is out of reach. */
  canSign = true;
  readonly signed: UnmarkedKind[] = [];
  readonly dropped: string[] = [];
  readonly selfId: string;

  constructor(selfId = "manager-1") {
    this.selfId = selfId;
  }

  get ports() {
    return {
      selfId: this.selfId,
      consortiumId,
      policy,
      signatures: new SignatureCache(),
      head: () => this.head,
      members: () => this.head.members,
      monotonicMs: () => this.nowMs,
      attentiveMs: () => this.nowMs,
      observer: {
        dropped: (from: string, reason: string) => void this.dropped.push(`${from}: ${reason}`),
      },
    };
  }

  /** What watches storage nodes speaks through these; `tell` hears what it says. */
  partsThat(tell: PeerSender["tell"]) {
    return {
      peers: { tell },
      trigger: {
        check: () => {
          this.wakes += 1;
        },
      },
      statements: {
        sign: async (kind: UnmarkedKind, _height: number, digest: Uint8Array) => {
          if (!this.canSign) return undefined;
          this.signed.push(kind);
          return sign(this.selfId, digest);
        },
      },
    };
  }

  at(height: number): void {
    this.head = { ...this.head, height };
  }

  change(nodeId: string, changes: Partial<StorageNode>): void {
    this.#set({
      storageNodes: this.head.members.storageNodes.map((each) =>
        each.nodeId === nodeId ? { ...each, ...changes } : each,
      ),
    });
  }

  open(...openCommittees: readonly OpenCommittee[]): void {
    this.#set({ openCommittees });
  }

  #set(lists: Partial<Pick<Members, "storageNodes" | "openCommittees">>): void {
    const { managers, storageNodes, officers, openCommittees } = this.head.members;
    const members = new Members({ managers, storageNodes, officers, openCommittees, ...lists });
    this.head = { ...this.head, members };
  }
}
