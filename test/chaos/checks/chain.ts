/** Checks of what nodes hold: each is a function of what was read back, and names what is wrong. */
import type { NodeLedger } from "../findings.js";
import type { Watch } from "../watchers.js";

/** Every node holds the same blocks, height by height, up to the same head. */
export function checkSameChain(ledgers: readonly NodeLedger[]): readonly string[] {
  const [first, ...others] = ledgers;
  if (first === undefined) return ["nothing was read back"];
  return others.flatMap((other) => {
    const heights = `${first.id} is at height ${first.blocks.length}, ${other.id} at`;
    if (other.blocks.length !== first.blocks.length) return [`${heights} ${other.blocks.length}`];
    const fork = other.blocks.findIndex(({ blockId }, i) => blockId !== first.blocks[i]?.blockId);
    return fork === -1 ? [] : [`${first.id} and ${other.id} differ at height ${fork + 1}`];
  });
}

/** Blocks are linked without a gap, and their roots are the roots over the records themselves. */
export function checkLedger(ledger: NodeLedger, genesisBlockId: string): readonly string[] {
  const { id, role, head, blocks } = ledger;
  const wrong: string[] = [];
  let previous = genesisBlockId;
  let treeSize = 0;
  for (const [index, block] of blocks.entries()) {
    const at = `${id}, height ${index + 1}:`;
    treeSize += block.leaves.length;
    if (block.height !== index + 1) wrong.push(`${at} the block says height ${block.height}`);
    if (block.previousBlockId !== previous) wrong.push(`${at} it does not follow the one before`);
    if (block.treeSize !== treeSize) wrong.push(`${at} ${block.treeSize} records, not ${treeSize}`);
    if (block.hash1 !== block.computedRoot) wrong.push(`${at} HASH1 is not the records' root`);
    if ((block.storage !== undefined) !== (role === "storage")) {
      wrong.push(`${at} a ${role} node's block with the wrong storage header`);
    }
    if (block.storage !== undefined) {
      const { hash2, managerBlockId } = block.storage;
      if (hash2 !== block.hash1) wrong.push(`${at} HASH1 and HASH2 differ`);
      if (managerBlockId !== block.blockId) wrong.push(`${at} linked to another manager block`);
    }
    previous = block.blockId;
  }
  const last = blocks.at(-1);
  const root = last?.computedRoot ?? head.root;
  const asHead = head.height === blocks.length && head.treeSize === treeSize;
  if (!asHead || head.blockId !== previous || head.root !== root) {
    wrong.push(`${id}: its status is not that of its last block`);
  }
  return wrong;
}

/** A watcher was given every block from 1 on, each once and in order, and the right ones. */
export function checkWatch({ name, seen }: Watch, ledger: NodeLedger): readonly string[] {
  for (const [index, { height, blockId }] of seen.entries()) {
    if (height !== index + 1) return [`watching ${name}: height ${height} came as ${index + 1}.`];
    if (blockId !== ledger.blocks[index]?.blockId) {
      return [`watching ${name}: height ${height} was not the block that is final`];
    }
  }
  const missing = ledger.blocks.length - seen.length;
  return missing > 0 ? [`watching ${name}: the last ${missing} blocks did not come`] : [];
}
