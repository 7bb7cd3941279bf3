package bss.chain;

import bss.verify.Block;
import java.util.List;

/**
 * A block of a chain.
 *
 * @param changes those of the standings of storage nodes, which only a chain can compute
 */
public record ChainBlock(Block block, List<StandingChange> changes) {}
