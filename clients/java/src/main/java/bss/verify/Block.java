package bss.verify;

import bss.v1.BlockView;
import bss.v1.ControlOperation;
import bss.v1.ManagerBlockHeader;
import bss.verify.NotProvenException.Step;
import com.google.protobuf.ByteString;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * What a final block proves, and nothing else.
 *
 * @param leaves the records that the block adds, in order
 * @param operations the block's changes of membership, in order
 * @param signers the managers whose COMMIT was verified
 */
public record Block(
    ManagerBlockHeader header,
    Hash id,
    List<Leaf> leaves,
    List<ControlOperation> operations,
    List<String> signers) {
  // How much a block may hold, whatever the policy says.
  private static final int OPERATIONS_MAX = 1000;
  private static final int CERTIFICATES_BYTES_MAX = (1 << 20) + (1 << 18);
  private static final int LEAVES_MAX = 10_000;

  /** A record in the Merkle log. */
  public record Leaf(Hash recordHash, Hash sealDigest) {
    Hash hash() {
      return Merkle.leaf(recordHash, sealDigest);
    }
  }

  @Override
  public String toString() {
    return "block " + height() + " " + id + " of " + time() + " with " + leaves.size() + " records";
  }

  public long height() {
    return header.getHeight();
  }

  /** The id of the block before; of block 1, the consortium id. */
  public Hash previousId() {
    return Hash.of(header.getPreviousBlockId());
  }

  /** The block's timestamp, by the clock of the manager that made it. */
  public Instant time() {
    return Instant.ofEpochMilli(header.getTimestampUnixMs());
  }

  /** The size of the Merkle log after the block. */
  public long treeSize() {
    return header.getTreeSize();
  }

  /** The root of the Merkle log after the block. */
  public Hash root() {
    return Hash.of(header.getHash1());
  }

  /** The leaves as the Merkle log holds them. */
  public List<Hash> leafHashes() {
    return leaves.stream().map(Leaf::hash).toList();
  }

  /**
   * Checks that Q managers made a block final, and that its parts are those of its header. The
   * block has to be whole (not headers_only). It may stand anywhere: a {@link bss.chain.Chain}
   * checks what comes before it, too.
   *
   * @throws NotProvenException which says at which step it fails
   */
  public static Block verify(BlockView view, Genesis genesis) {
    bss.v1.Block content = view.getBlock();
    if (!view.hasBlock() || Wire.hasUnknownFields(content)) {
      throw new NotProvenException(
          Step.ENCODING, "this is no whole block that this version knows");
    }
    ManagerBlockHeader header =
        Headers.parse(content.getHeader(), Step.HEADER, "this is no block");
    if (!genesis.consortiumId().is(header.getConsortiumId())) {
      throw new NotProvenException(Step.HEADER, "the block is of another consortium");
    }
    Hash id = Digests.block(content.getHeader());
    if (view.getHeight() != header.getHeight() || !id.is(view.getBlockId())) {
      throw new NotProvenException(
          Step.BLOCK_ID,
          "this is block %d, %s, and not the one that it is called",
          header.getHeight(),
          id);
    }
    if (!view.getCertificates().hasCommit()) {
      throw new NotProvenException(Step.COMMIT_CERTIFICATE, "there is no commit certificate");
    }
    List<String> signers =
        Commits.check(view.getCertificates().getCommit(), header.getHeight(), id, genesis);
    List<Leaf> leaves = leavesOf(content, header);
    checkDigests(content, header, leaves);
    return new Block(header, id, leaves, operationsOf(content, header), signers);
  }

  private static List<Leaf> leavesOf(bss.v1.Block content, ManagerBlockHeader header) {
    if (content.getControlCount() > OPERATIONS_MAX
        || content.getLeavesCount() > LEAVES_MAX
        || content.getPreviousCertificates().size() > CERTIFICATES_BYTES_MAX) {
      throw invalid(header, "it is longer than a block may be");
    }
    List<Leaf> leaves = new ArrayList<>();
    for (bss.v1.Leaf leaf : content.getLeavesList()) {
      if (!Hash.isHash(leaf.getRecordHash()) || !Hash.isHash(leaf.getSealDigest())) {
        throw invalid(header, "a leaf is two hashes of 32 bytes");
      }
      leaves.add(new Leaf(Hash.of(leaf.getRecordHash()), Hash.of(leaf.getSealDigest())));
    }
    return List.copyOf(leaves);
  }

  private static void checkDigests(
      bss.v1.Block content, ManagerBlockHeader header, List<Leaf> leaves) {
    if (!Hash.isHash(content.getPrivateRoot())) {
      throw invalid(header, "a root has 32 bytes");
    }
    List<Hash> control =
        content.getControlList().stream().map(each -> Merkle.leaf(each.toByteArray())).toList();
    List<Hash> records = leaves.stream().map(Leaf::hash).toList();
    Hash body =
        Digests.tagged(
            Digests.BODY,
            Frontier.EMPTY.append(control).root().toBytes(),
            Frontier.EMPTY.append(records).root().toBytes(),
            content.getPrivateRoot().toByteArray());
    if (!body.is(header.getBodyDigest())) {
      throw invalid(header, "the header's body digest is not that of the body");
    }
    byte[] certificates = content.getPreviousCertificates().toByteArray();
    if (!Digests.tagged(Digests.CERTIFICATES, certificates).is(header.getCertificatesDigest())) {
      throw invalid(header, "the header's certificates digest is not that of the certificates");
    }
  }

  private static List<ControlOperation> operationsOf(
      bss.v1.Block content, ManagerBlockHeader header) {
    List<ControlOperation> operations = new ArrayList<>();
    for (ByteString encoded : content.getControlList()) {
      operations.add(
          Wire.decodeCanonical(encoded, ControlOperation.parser())
              .filter(each -> each.getOperationCase().getNumber() != 0)
              .orElseThrow(
                  () ->
                      invalid(
                          header, "it holds an operation that this version does not know")));
    }
    return List.copyOf(operations);
  }

  private static NotProvenException invalid(ManagerBlockHeader header, String what) {
    return new NotProvenException(Step.BODY, "block %d: %s", header.getHeight(), what);
  }
}
