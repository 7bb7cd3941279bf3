/**
 * Invariant 10: replaying the chain from genesis gives the same state. The longest chain is run
 * again on an empty ledger, every rule and every certificate checked, and each manager's digests
 * are held against it.
 */
import { defined } from "../../../src/base/assert.js";
import { equalBytes } from "../../../src/base/bytes.js";
import { blockId } from "../../../src/ledger/blocks.js";
import { checkBlockCertificates } from "../../../src/ledger/certificates.js";
import type { LedgerHead } from "../../../src/ledger/head.js";
import type { Consortium } from "../consortium.js";
import { Checker, type StoredBlock } from "../events.js";
import { Judge } from "../judge.js";
import { ManagerDisk } from "../manager-disk.js";

export class ReplayChecker extends Checker {
  readonly name = "replay";
  readonly #consortium: Consortium;
  readonly #managers: () => readonly { readonly id: string; readonly disk: ManagerDisk }[];

  constructor(
    consortium: Consortium,
    managers: () => readonly { readonly id: string; readonly disk: ManagerDisk }[],
  ) {
    super();
    this.#consortium = consortium;
    this.#managers = managers;
  }

  override finish(): void {
    const managers = this.#managers();
    const longest = managers.reduce((a, b) => (b.disk.head.height > a.disk.head.height ? b : a));
    const heads = this.#replay(longest.disk.blocks);
    for (const { id, disk } of managers) {
      const { height, stateDigest, members, frontier } = disk.head;
      const replayed = defined(heads[height], "no chain is longer than the longest");
      const same =
        equalBytes(stateDigest, replayed.stateDigest) &&
        equalBytes(members.digest(), replayed.members.digest()) &&
        frontier.size === replayed.frontier.size;
      if (!same) this.fail(`${id} has another state at height ${height} than the replay`);
    }
  }

  /** The heads by height, from genesis on. */
  #replay(blocks: readonly StoredBlock[]): readonly LedgerHead[] {
    const { genesis, scheme } = this.#consortium;
    const judge = new Judge(this.#consortium, true);
    const disk = new ManagerDisk(genesis);
    const heads = [disk.head];
    for (const { block, certificates } of blocks) {
      const id = blockId(defined(block.block, "a final block has its public part").header);
      const judged = judge.judge(disk, id, block);
      const height = disk.head.height + 1;
      if (judged?.ok !== true) {
        const why = judged?.error.message ?? "it does not hang together";
        this.fail(`the block at height ${height} does not replay: ${why}`);
      }
      const { facts, head } = judged.value;
      const { consortiumId } = genesis;
      const checks = checkBlockCertificates(certificates, facts, head.electorate, consortiumId);
      if (!checks.ok || !checks.value.every((check) => scheme.verify(check))) {
        this.fail(`the certificates of the block at height ${height} do not hold`);
      }
      disk.append({ block, certificates, executed: judged.value });
      heads.push(disk.head);
    }
    return heads;
  }
}
