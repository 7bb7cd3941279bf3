/** What was read back from the nodes after a run, in the form that the checks are about. */

export type BlockFact = {
  readonly height: number;
  /** Hex, as all digests here. */
  readonly blockId: string;
  readonly previousBlockId: string;
  readonly timestampMs: number;
  readonly treeSize: number;
  readonly hash1: string;
  /** Of storage nodes: HASH2, and the manager block that the storage block is linked to. */
  readonly storage?: { readonly hash2: string; readonly managerBlockId: string };
  /** Root over the leaves of this block and of all before it, computed by the reader. */
  readonly computedRoot: string;
  /** Record hashes in ledger order. */
  readonly leaves: readonly string[];
  readonly changes: readonly ManagerChange[];
  /** Whose ACCEPT the certificate holds. */
  readonly accepters: readonly string[];
  /** Whose COMMIT the certificate holds. */
  readonly committers: readonly string[];
};

export type ManagerChange = {
  readonly managerId: string;
  readonly kind: "suspend" | "resume" | "evidence";
};

/** One node's whole ledger. */
export type NodeLedger = {
  readonly id: string;
  readonly role: "manager" | "storage";
  readonly head: {
    readonly height: number;
    readonly blockId: string;
    readonly treeSize: number;
    readonly root: string;
  };
  readonly blocks: readonly BlockFact[];
  /** Changes of managers' membership as GetConsortium tells them. */
  readonly history: readonly (ManagerChange & { readonly height: number })[];
};

/** A record as a manager lists it to its owner. */
export type ListedRecord = {
  readonly hash: string;
  readonly ownerId: string;
  readonly height: number;
  readonly position: number;
  /** Hex; empty for none. */
  readonly parent: string;
  /** The energy that it sells, and in which hour. */
  readonly trade?: {
    readonly sellerId: string;
    readonly deliveryStartS: number;
    readonly energyWh: number;
  };
  /** What it has values for. */
  readonly measured?: { readonly meterId: string; readonly startsS: readonly number[] };
  /** Whether its content is, byte for byte, what its owner made. */
  readonly asMade: boolean;
};

/** What one manager lists over all participants. */
export type Listing = { readonly nodeId: string; readonly records: readonly ListedRecord[] };
