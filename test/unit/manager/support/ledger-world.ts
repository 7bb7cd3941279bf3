/** A manager's store in memory, and the other managers' work on it: blocks that are final. */
import { toHex } from "../../../../src/base/bytes.js";
import { systemTime } from "../../../../src/base/time.js";
import { ecvrf } from "../../../../src/crypto/ecvrf.js";
import { SignatureCache } from "../../../../src/crypto/signature-cache.js";
import type { BlockCertificates, ManagerBlock } from "../../../../src/gen/bss/v1/block_pb.js";
import type { ExecutedBlock } from "../../../../src/ledger/blocks/executed-block.js";
import { type AppendedBlock, ManagerStore } from "../../../../src/store/manager-store.js";
import { createMemoryDisk, type MemoryDisk } from "../../../support/memory-store.js";
import { Chain, certify, type ProposalOptions } from "../../ledger/support/chain.js";
import { consortiumId, genesis, genesisMs, policy } from "../../ledger/support/consortium.js";

export class LedgerWorld {
  readonly disk: MemoryDisk;
  readonly store: ManagerStore;
  readonly chain = new Chain();
  readonly signatures = new SignatureCache();
  /** Unix ms. */
  wallMs = genesisMs + 1_000;
  monotonicMs = 0;

  private constructor(disk: MemoryDisk, store: ManagerStore) {
    this.disk = disk;
    this.store = store;
  }

  static async create(): Promise<LedgerWorld> {
    const disk = createMemoryDisk();
    return new LedgerWorld(disk, await ManagerStore.open(await disk.open(), genesis));
  }

  /** The ports that everything that runs rules has. */
  get ports() {
    return {
      consortiumId,
      policy,
      signatures: this.signatures,
      vrf: ecvrf,
      head: () => this.store.head,
      readState: (keys: readonly Uint8Array[]) => this.store.state(keys),
      wallMs: () => this.wallMs,
      monotonicMs: () => this.monotonicMs,
      attentiveMs: () => this.monotonicMs,
      pauses: () => systemTime.breathe,
      isAhead: () => false,
      mightCure: () => false,
    };
  }

  /** The next final block, not appended to the store. */
  make(options: ProposalOptions = {}): FinalBlock {
    const { block, executed } = this.chain.extend(options);
    return { block, executed, certificates: certify(executed.facts) };
  }

  /** Makes the next block and appends it to the store. */
  async extend(options: ProposalOptions = {}): Promise<FinalBlock> {
    const made = this.make(options);
    await this.store.append(made);
    return made;
  }

  /** Ids of the submissions that would survive a restart. */
  async savedIds(): Promise<readonly string[]> {
    const limits = { submissionsMax: 1_000, bytesMax: 10_000_000 };
    const saved = await this.store.loadPool(limits);
    return saved.map(({ signature }) => toHex(signature));
  }
}

export type FinalBlock = AppendedBlock & {
  readonly block: ManagerBlock;
  readonly executed: ExecutedBlock;
  readonly certificates: BlockCertificates;
};

/** A promise and what ends it. */
export function gate<T = void>(): {
  readonly promise: Promise<T>;
  open(value: T): void;
  fail(error: Error): void;
} {
  let open: (value: T) => void = () => {};
  let fail: (error: Error) => void = () => {};
  const promise = new Promise<T>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  return { promise, open, fail };
}
