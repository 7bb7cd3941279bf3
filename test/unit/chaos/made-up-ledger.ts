/** A small ledger of one node, right in every respect, for the checker's tests to spoil. */
import type { Place } from "../../chaos/book.js";
import type { BlockFact, Listing, NodeLedger } from "../../chaos/findings.js";
import type { Watch } from "../../chaos/watchers.js";

export const managers = ["manager-1", "manager-2", "manager-3", "manager-4"] as const;
export const genesisId = "genesis";

/** Three blocks with two records each; manager-4 is suspended by the second, back in the third. */
export function madeUpLedger(id = "manager-1", role: NodeLedger["role"] = "manager"): NodeLedger {
  const blocks = [1, 2, 3].map((height) => blockAt(height, role));
  return {
    id,
    role,
    blocks,
    head: { height: 3, blockId: "block-3", treeSize: 6, root: "root-3" },
    history: [
      { height: 2, kind: "suspend", managerId: "manager-4" },
      { height: 3, kind: "resume", managerId: "manager-4" },
    ],
  };
}

/** Where the ledger has its records. */
export function madeUpPlaces(): Map<string, Place> {
  return new Map(
    [1, 2, 3].flatMap((height) =>
      leavesOf(height).map((hash, index) => {
        const place = { height, position: 2 * (height - 1) + index, blockId: `block-${height}` };
        return [hash, place] as const;
      }),
    ),
  );
}

/** A listing of the whole ledger. */
export function madeUpListing(): Listing {
  const records = [...madeUpPlaces()].map(([hash, { height, position }]) => {
    return { hash, height, position, ownerId: "participant-1", parent: "", asMade: true };
  });
  return { nodeId: "manager-1", records };
}

/** A watch that saw everything. */
export function madeUpWatch(): Watch {
  const seen = [1, 2, 3].map((height) => ({ height, blockId: `block-${height}` }));
  return { name: "manager-1", seen };
}

/** The ledger with one of its blocks changed. */
export function withBlock(
  ledger: NodeLedger,
  height: number,
  change: Partial<BlockFact>,
): NodeLedger {
  const blocks = ledger.blocks.map((block) =>
    block.height === height ? { ...block, ...change } : block,
  );
  return { ...ledger, blocks };
}

function blockAt(height: number, role: NodeLedger["role"]): BlockFact {
  const active = height === 2 ? managers.slice(0, 3) : managers;
  const kind = height === 2 ? "suspend" : "resume";
  return {
    height,
    blockId: `block-${height}`,
    previousBlockId: height === 1 ? genesisId : `block-${height - 1}`,
    timestampMs: height * 1000,
    treeSize: 2 * height,
    hash1: `root-${height}`,
    computedRoot: `root-${height}`,
    ...(role === "storage" && {
      storage: { hash2: `root-${height}`, managerBlockId: `block-${height}` },
    }),
    leaves: leavesOf(height),
    changes: height === 1 ? [] : [{ managerId: "manager-4", kind }],
    accepters: active,
    committers: managers.slice(1),
  };
}

function leavesOf(height: number): readonly string[] {
  return [`record-${height}a`, `record-${height}b`];
}
