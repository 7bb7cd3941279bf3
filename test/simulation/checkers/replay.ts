/**
 * Invariant 10: replaying the chain from genesis gives the same state. The longest chain is run
 * again on an empty ledger by the production rules, every certificate checked, and each manager's
 * digests are held against it.
 */
import { defined } from "../../../src/base/assert.js";
import { equalBytes } from "../../../src/base/bytes.js";
import { SignatureCache } from "../../../src/crypto/signature-cache.js";
import { blockId } from "../../../src/ledger/blocks/block-hashes.js";
import type { LedgerHead } from "../../../src/ledger/state/head.js";
import { BlockValidator } from "../../../src/manager/ring/block-validator.js";
import { ManagerStore } from "../../../src/store/manager-store.js";
import { openMemoryStore } from "../../support/memory-store.js";
import type { Consortium } from "../consortium.js";
import { Checker, type FinalBlock } from "../events.js";
import type { FinalDisks } from "./final-disks.js";

export class ReplayChecker extends Checker {
  readonly name = "replay";
  readonly #consortium: Consortium;
  readonly #disks: () => Promise<FinalDisks>;
  /** By height. */
  readonly #chain: FinalBlock[] = [];

  constructor(consortium: Consortium, disks: () => Promise<FinalDisks>) {
    super();
    this.#consortium = consortium;
    this.#disks = disks;
  }

  override appended(_managerId: string, block: FinalBlock): void {
    this.#chain[block.parsed.height - 1] ??= block;
  }

  override async finish(): Promise<void> {
    const heads = await this.#replay();
    for (const [id, store] of (await this.#disks()).managers) {
      const { height, stateDigest, members, frontier } = store.head;
      const replayed = defined(heads[height], "no chain is longer than the longest");
      const same =
        equalBytes(stateDigest, replayed.stateDigest) &&
        equalBytes(members.digest(), replayed.members.digest()) &&
        frontier.size === replayed.frontier.size;
      if (!same) this.fail(`${id} has another state at height ${height} than the replay`);
    }
  }

  /** The heads by height, from genesis on. */
  async #replay(): Promise<readonly LedgerHead[]> {
    const { genesis, scheme, epochKey } = this.#consortium;
    const store = await ManagerStore.open(await openMemoryStore(), genesis);
    const validator = new BlockValidator({
      consortiumId: genesis.consortiumId,
      policy: genesis.policy,
      epochKey,
      vrf: scheme.vrf,
      signatures: new SignatureCache(async (publicKey, digest, signature) =>
        scheme.verify({ publicKey, digest, signature }),
      ),
      head: () => store.head,
      readState: (keys) => store.state(keys),
    });
    const heads = [store.head];
    for (const { block, certificates } of this.#chain) {
      const id = blockId(defined(block.block, "a final block has its public part").header);
      const judged = await validator.judge(id, block);
      const height = store.head.height + 1;
      if (judged?.ok !== true) {
        const why = judged?.error.message ?? "it does not hang together";
        this.fail(`the block at height ${height} does not replay: ${why}`);
      }
      const refused = await validator.checkFinal(judged.value, certificates);
      if (refused !== undefined) {
        this.fail(`the certificates of block ${height} do not hold: ${refused.message}`);
      }
      await store.append({ block, certificates, executed: judged.value });
      heads.push(store.head);
    }
    return heads;
  }
}
