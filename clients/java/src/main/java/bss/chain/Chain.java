package bss.chain;

import bss.v1.BlockCertificates;
import bss.v1.BlockView;
import bss.v1.IntegrityCertificate;
import bss.v1.ManagerBlockHeader;
import bss.v1.ManagerEntry;
import bss.v1.Policy;
import bss.v1.StorageNodeEntry;
import bss.verify.Block;
import bss.verify.Frontier;
import bss.verify.Genesis;
import bss.verify.Hash;
import bss.verify.NotProvenException;
import bss.verify.NotProvenException.Step;
import bss.verify.Wire;
import java.util.List;
import java.util.Optional;

/**
 * Follows the blocks from genesis on. It believes what Q managers of genesis committed, as a
 * receipt does, and nobody who sends the blocks: every link, root and signature is checked, and the
 * members are computed by itself and held against the digest in the header.
 *
 * <p>Only one thread at a time may use a chain.
 */
public final class Chain {
  private final Genesis genesis;
  private long height;
  private Hash id;
  private long timeMs;
  private Frontier log = Frontier.EMPTY;
  private Members members;

  /** The last block, as the next one settles it; null for genesis. */
  private SettledBlock last;

  /** Starts at genesis. */
  public Chain(Genesis genesis) {
    this.genesis = genesis;
    id = genesis.consortiumId();
    timeMs = genesis.message().getTimeUnixMs();
    members = Members.of(genesis.message());
  }

  /** That of the last block that was added; 0 for genesis. */
  public long height() {
    return height;
  }

  /** The id of the last block; of genesis, the consortium id. */
  public Hash id() {
    return id;
  }

  /** The size of the Merkle log after the last block. */
  public long treeSize() {
    return log.size();
  }

  /** The root of the Merkle log after the last block. */
  public Hash root() {
    return log.root();
  }

  /** The standing of a storage node after the last block; null if nobody admitted it. */
  public StorageNodeEntry storageNode(String nodeId) {
    return members.nodes.get(nodeId);
  }

  /** The standings of all storage nodes after the last block, ascending by id. */
  public List<StorageNodeEntry> storageNodes() {
    return List.copyOf(members.nodes.values());
  }

  /** The standings of the managers after the last block, in ring order. */
  public List<ManagerEntry> managers() {
    return List.copyOf(members.managers);
  }

  /**
   * Takes in the next block, which has to be whole (not headers_only).
   *
   * @throws NotProvenException for one that does not follow, or is not final; the chain then stays
   *     where it was
   */
  public ChainBlock add(BlockView view) {
    Block block = Block.verify(view, genesis);
    if (block.height() != height + 1) {
      throw new NotProvenException(
          Step.HEADER, "the next block is %d, not %d", height + 1, block.height());
    }
    if (!block.previousId().equals(id)) {
      throw new NotProvenException(
          Step.HEADER, "block %d does not follow the one before it", block.height());
    }
    if (block.header().getTimestampUnixMs() <= timeMs) {
      throw new NotProvenException(
          Step.HEADER, "the time of block %d is not after its parent's", block.height());
    }
    Frontier grown = log.append(block.leafHashes());
    if (grown.size() != block.treeSize() || !grown.root().equals(block.root())) {
      throw new NotProvenException(
          Step.LOG, "the records of block %d do not lead to its hash1", block.height());
    }
    Draft draft = apply(block, integrityOfLast(view.getBlock(), block.height()));
    last =
        new SettledBlock(
            block.height(),
            block.id(),
            block.root(),
            block.treeSize(),
            block.header().getBeacon(),
            block.leaves().size(),
            members.eligible(genesis.message().getPolicy()));
    height = block.height();
    id = block.id();
    timeMs = block.header().getTimestampUnixMs();
    log = grown;
    members = draft.members;
    return new ChainBlock(block, List.copyOf(draft.changes));
  }

  /** The integrity certificate of the block before, as this one carries it. */
  private Optional<IntegrityCertificate> integrityOfLast(bss.v1.Block block, long number) {
    if (last == null) {
      return Optional.empty();
    }
    BlockCertificates carried =
        Wire.decodeCanonical(block.getPreviousCertificates(), BlockCertificates.parser())
            .orElseThrow(
                () ->
                    new NotProvenException(
                        Step.BODY,
                        "block %d: the certificates of the block before do not decode",
                        number));
    if (carried.hasIntegrity() != last.leaves() > 0) {
      throw new NotProvenException(
          Step.BODY,
          "block %d: an integrity certificate belongs to a block with records, and to no other",
          number);
    }
    return carried.hasIntegrity() ? Optional.of(carried.getIntegrity()) : Optional.empty();
  }

  /** Computes the members after the block, and holds them against the header. */
  private Draft apply(Block block, Optional<IntegrityCertificate> integrity) {
    ManagerBlockHeader header = block.header();
    Policy policy = genesis.message().getPolicy();
    Draft draft =
        new Draft(new Members(members), policy, header.getHeight(), header.getTimestampUnixMs());
    draft.elapse(header.getTimestampUnixMs() - timeMs);
    integrity.ifPresent(certificate -> draft.settle(last, certificate, header.getBeacon()));
    for (var operation : block.operations()) {
      if (!draft.apply(operation)) {
        throw new NotProvenException(
            Step.MEMBERS,
            "block %d holds an operation that this version does not know",
            header.getHeight());
      }
    }
    draft.conclude(header.getSealedBytes());
    if (!draft.members.digest().is(header.getMembersDigest())) {
      throw new NotProvenException(
          Step.MEMBERS,
          "the members after block %d have another digest than its header",
          header.getHeight());
    }
    return draft;
  }
}
