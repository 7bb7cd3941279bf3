/**
 * Holds the others' signed heads against what this manager held at their height.
 *
 * Q equal heads that differ from one's own mean that this manager is wrong, whatever the reason: it
 * halts. One that differs means that its manager is wrong, or that the chain forks: somebody has to
 * look. Heads beyond this manager's own are kept until it gets there.
 */
import { equalBytes, toHex } from "../../base/bytes.js";
import type { SignedHead } from "../../gen/bss/v1/vote_pb.js";
import { blockId } from "../../ledger/blocks/block-hashes.js";
import { parseHeader } from "../../ledger/blocks/block-parsing.js";
import { rootOf } from "../../ledger/merkle/frontier.js";
import type { LedgerHead } from "../../ledger/state/head.js";
import type { ManagerStore } from "../../store/manager-store.js";

export type HeadWatchPorts = {
  readonly held: HeldHeads;
  readonly quorum: () => number;
  /** This manager's heads are not what Q managers hold. */
  readonly onOutvoted: (message: string) => void;
  /** Another manager's head is not what this one held there. */
  readonly onDiffering: (head: SignedHead, held: HeadClaim) => void;
};

/** Whether a head is what this manager holds there, or may be once it gets there. */
export type HeadFit = "fits" | "differs";

/** Heads kept of each manager: those beyond this one's, and those that differ. */
const headsMax = 64;

type HeadsByManager = Map<string, Map<number, SignedHead>>;

export class HeadWatch {
  readonly #ports: HeadWatchPorts;
  readonly #ahead: HeadsByManager = new Map();
  readonly #differing: HeadsByManager = new Map();

  constructor(ports: HeadWatchPorts) {
    this.#ports = ports;
  }

  /** Whether there is something in a head that makes its signature worth verifying. */
  isNews(head: SignedHead): boolean {
    const held = this.#ports.held.recent(Number(head.height));
    return held === undefined || !isEqual(head, held);
  }

  /** Takes a head whose signature has been verified. */
  async take(head: SignedHead): Promise<HeadFit> {
    const height = Number(head.height);
    const held = await this.#ports.held.at(height);
    if (held !== undefined) return this.#compare(head, held);
    keep(this.#ahead, head);
    return "fits";
  }

  /** A block has been appended, and `held` noted. */
  onAppended(height: number): void {
    const held = this.#ports.held.recent(height);
    if (held === undefined) return;
    for (const heads of this.#ahead.values()) {
      const head = heads.get(height);
      for (const at of heads.keys()) if (at <= height) heads.delete(at);
      if (head !== undefined) this.#compare(head, held);
    }
  }

  #compare(head: SignedHead, held: HeadClaim): HeadFit {
    const height = Number(head.height);
    if (isEqual(head, held)) {
      this.#differing.get(head.managerId)?.delete(height);
      return "fits";
    }
    keep(this.#differing, head);
    const agreeing = [...this.#differing].filter(([, heads]) => {
      const other = heads.get(height);
      return other !== undefined && isEqual(other, head);
    });
    if (agreeing.length < this.#ports.quorum()) {
      this.#ports.onDiffering(head, held);
      return "differs";
    }
    const ids = agreeing
      .map(([managerId]) => managerId)
      .sort()
      .join(", ");
    const what = whatDiffers(head, held);
    this.#ports.onOutvoted(
      `${ids} hold another ${what} than this manager at height ${height}: ` +
        `block ${toHex(head.blockId)} there, ${toHex(held.blockId)} here`,
    );
    return "differs";
  }
}

export function isEqual(a: HeadClaim, b: HeadClaim): boolean {
  return whatDiffers(a, b) === undefined;
}

/** For people; undefined when nothing does. */
export function whatDiffers(a: HeadClaim, b: HeadClaim): string | undefined {
  if (!equalBytes(a.blockId, b.blockId)) return "block";
  if (!equalBytes(a.hash1, b.hash1)) return "root of the log";
  if (!equalBytes(a.stateDigest, b.stateDigest)) return "state";
  return undefined;
}

/** The newest stay, so that no manager can push out what others said. */
function keep(byManager: HeadsByManager, head: SignedHead): void {
  const heads = byManager.get(head.managerId) ?? new Map<number, SignedHead>();
  byManager.set(head.managerId, heads);
  const height = Number(head.height);
  heads.delete(height);
  heads.set(height, head);
  for (const oldest of heads.keys()) {
    if (heads.size <= headsMax) break;
    heads.delete(oldest);
  }
}

/** What a manager says in a signed head. */
export type HeadClaim = {
  readonly blockId: Uint8Array;
  /** The log's root. */
  readonly hash1: Uint8Array;
  readonly stateDigest: Uint8Array;
};

/** Own heads that are kept in memory. */
const recentMax = 256;

/** What this manager held after each block: recent ones from memory, older ones from the store. */
export class HeldHeads {
  readonly #store: Pick<ManagerStore, "head" | "bareBlock">;
  readonly #recent = new Map<number, HeadClaim>();

  constructor(store: Pick<ManagerStore, "head" | "bareBlock">) {
    this.#store = store;
    this.note(store.head);
  }

  note(head: LedgerHead): void {
    this.#recent.set(head.height, claimOf(head));
    this.#recent.delete(head.height - recentMax);
  }

  /** What was held at a height that is still in memory. */
  recent(height: number): HeadClaim | undefined {
    return this.#recent.get(height);
  }

  /** Undefined beyond the head, and for genesis once it is no longer in memory. */
  async at(height: number): Promise<HeadClaim | undefined> {
    const recent = this.#recent.get(height);
    if (recent !== undefined || height > this.#store.head.height) return recent;
    const [header, next] = await Promise.all([this.#headerAt(height), this.#headerAt(height + 1)]);
    if (header === undefined || next === undefined) return undefined;
    const { hash1 } = header.fields;
    return { blockId: header.id, hash1, stateDigest: next.fields.previousStateDigest };
  }

  async #headerAt(height: number) {
    const bytes = (await this.#store.bareBlock(height))?.block.header;
    if (bytes === undefined) return undefined;
    const parsed = parseHeader(bytes);
    return parsed.ok ? { id: blockId(bytes), fields: parsed.value.header } : undefined;
  }
}

function claimOf({ blockId: id, frontier, stateDigest }: LedgerHead): HeadClaim {
  return { blockId: id, hash1: rootOf(frontier), stateDigest };
}
