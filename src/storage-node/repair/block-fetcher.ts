/**
 * Gets single final blocks from managers for a node that has lost them: one linked manager after
 * the other is asked, until one gives a block that the caller accepts.
 */
import type { Time } from "../../base/time.js";
import type { CertifiedStorageBlock } from "../../gen/bss/v1/block_pb.js";
import type { StorageBlocks } from "../../gen/bss/v1/verify_integrity_pb.js";
import { parseHeader } from "../../ledger/blocks/block-parsing.js";
import type { ManagerLinks } from "../manager-links.js";

/** How long one manager may take. */
const answerMs = 3_000;
/** Before all are asked again, when none had it. */
const pauseMs = 1_000;

type Question = {
  readonly managerId: string;
  readonly height: number;
  readonly answered: (block: CertifiedStorageBlock | undefined) => void;
};

export class BlockFetcher {
  readonly #links: Pick<ManagerLinks, "connectedIds" | "send">;
  readonly #time: Pick<Time, "after">;
  readonly #questions = new Set<Question>();
  #closed = false;
  #turn = 0;

  constructor(links: Pick<ManagerLinks, "connectedIds" | "send">, time: Pick<Time, "after">) {
    this.#links = links;
    this.#time = time;
  }

  /**
   * The first block of this height that `accept` takes; waits for managers. Rejects when this is
   * closed.
   */
  async fetch(
    height: number,
    accept: (block: CertifiedStorageBlock) => Promise<boolean>,
  ): Promise<CertifiedStorageBlock> {
    for (;;) {
      const managerIds = this.#links.connectedIds;
      for (let asked = 0; asked < managerIds.length; asked += 1) {
        this.#turn += 1;
        const managerId = managerIds[this.#turn % managerIds.length];
        const block = managerId && (await this.#ask(managerId, height));
        if (this.#closed) throw new Error("the node is stopping");
        if (block && (await accept(block))) return block;
      }
      await new Promise<void>((resolve) => this.#time.after(pauseMs, resolve));
      if (this.#closed) throw new Error("the node is stopping");
    }
  }

  /** Takes blocks if they answer a question that this has asked; false otherwise. */
  take(managerId: string, { blocks }: StorageBlocks): boolean {
    const [block] = blocks;
    const parsed = block?.block === undefined ? undefined : parseHeader(block.block.header);
    if (!parsed?.ok || blocks.length > 1) return false;
    for (const question of this.#questions) {
      if (question.managerId !== managerId || question.height !== parsed.value.height) continue;
      question.answered(block);
      return true;
    }
    return false;
  }

  close(): void {
    this.#closed = true;
    for (const { answered } of this.#questions) answered(undefined);
  }

  async #ask(managerId: string, height: number): Promise<CertifiedStorageBlock | undefined> {
    let question: Question | undefined;
    const answer = new Promise<CertifiedStorageBlock | undefined>((answered) => {
      question = { managerId, height, answered };
      this.#questions.add(question);
      const value = { fromHeight: BigInt(height), limit: 1 };
      if (this.#links.send({ message: { case: "fetchBlocks", value } }, managerId)) {
        this.#time.after(answerMs, () => answered(undefined));
      } else answered(undefined);
    });
    try {
      return await answer;
    } finally {
      if (question !== undefined) this.#questions.delete(question);
    }
  }
}
