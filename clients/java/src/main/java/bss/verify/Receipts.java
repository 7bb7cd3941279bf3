package bss.verify;

import bss.v1.ManagerBlockHeader;
import bss.v1.Receipt;
import bss.verify.NotProvenException.Step;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.JsonFormat;
import java.time.Instant;
import java.util.List;

/** Reads receipts, and verifies them against genesis alone. */
public final class Receipts {
  /**
   * The length of the longest receipt that is read. One with the signatures of 100 managers and a
   * proof of 54 hashes has fewer than 30,000 characters.
   */
  private static final int LENGTH_MAX = 1 << 20;

  private Receipts() {}

  /** Writes a receipt as {@code bss receipt} does: protobuf JSON, which {@code bss verify} reads. */
  public static String toJson(Receipt receipt) {
    try {
      return JsonFormat.printer().print(receipt);
    } catch (InvalidProtocolBufferException never) {
      throw new IllegalArgumentException(never);
    }
  }

  /** Encodes a receipt, a third as long; {@code bss verify} reads this, too. */
  public static byte[] toBinary(Receipt receipt) {
    return receipt.toByteArray();
  }

  /** Reads a receipt as {@code bss receipt} writes it: protobuf JSON. */
  public static Receipt fromJson(String text) {
    checkLength(text.length());
    try {
      Receipt.Builder builder = Receipt.newBuilder();
      JsonFormat.parser().merge(text, builder);
      if (builder.getRecordHash().isEmpty()) {
        throw new NotProvenException(
            Step.ENCODING, "this is no receipt: it has no record hash");
      }
      return builder.build();
    } catch (InvalidProtocolBufferException wrong) {
      throw new NotProvenException(
          Step.ENCODING, "this is no receipt: %s", wrong.getMessage());
    }
  }

  /** Reads a receipt from its encoded bytes. */
  public static Receipt fromBinary(byte[] encoded) {
    checkLength(encoded.length);
    try {
      return known(Receipt.parseFrom(encoded));
    } catch (InvalidProtocolBufferException wrong) {
      if (encoded.length > 0 && encoded[0] == '{') {
        throw new NotProvenException(Step.ENCODING, "this is JSON: read it with fromJson");
      }
      throw new NotProvenException(
          Step.ENCODING, "this is no receipt: %s", wrong.getMessage());
    }
  }

  private static void checkLength(int length) {
    if (length > LENGTH_MAX) {
      throw new NotProvenException(Step.ENCODING, "a receipt is not longer than 1 MiB");
    }
  }

  private static Receipt known(Receipt receipt) {
    if (Wire.hasUnknownFields(receipt)) {
      throw new NotProvenException(
          Step.ENCODING, "the receipt holds fields that this version does not know");
    }
    return receipt;
  }

  /**
   * Checks a receipt against genesis:
   *
   * <pre>
   * record ──hash──▶ record hash ┐
   *                 seal digest ─┴─▶ leaf ──inclusion proof──▶ hash1 in the header
   * header ──hash──▶ block id ◀──signed by Q of the managers── commit certificate
   * previous header ──hash──▶ previous block id in the header
   * </pre>
   *
   * <p>It proves that this block added the record at this position. A leaf is under the root of
   * every later block as well; the position, which lies beyond the tree of the block before, shows
   * that this block added it.
   *
   * @throws NotProvenException which says at which step it fails
   */
  public static ReceiptFacts verify(Receipt receipt, Genesis genesis) {
    return verify(receipt, genesis, null);
  }

  /** Checks a receipt, and binds the exact bytes of the record to it; null leaves these out. */
  public static ReceiptFacts verify(Receipt receipt, Genesis genesis, byte[] record) {
    known(receipt);
    Hash recordHash = checkRecord(receipt, genesis, record);
    ManagerBlockHeader header = checkHeader(receipt, genesis);
    Hash id = Digests.block(receipt.getHeader());
    if (!id.is(receipt.getBlockId())) {
      throw new NotProvenException(
          Step.BLOCK_ID, "the header's hash is %s, and the receipt names another block", id);
    }
    checkPlace(receipt, recordHash, header);
    long previousTreeSize = previousTreeSize(receipt, header);
    if (!receipt.hasCommitCertificate()) {
      throw new NotProvenException(Step.COMMIT_CERTIFICATE, "there is no commit certificate");
    }
    List<String> signers =
        Commits.check(receipt.getCommitCertificate(), header.getHeight(), id, genesis);
    return new ReceiptFacts(
        recordHash,
        header.getHeight(),
        id,
        Instant.ofEpochMilli(header.getTimestampUnixMs()),
        receipt.getPosition(),
        header.getTreeSize(),
        Hash.of(header.getHash1()),
        previousTreeSize,
        signers,
        record != null);
  }

  private static Hash checkRecord(Receipt receipt, Genesis genesis, byte[] record) {
    if (!Hash.isHash(receipt.getRecordHash())) {
      throw new NotProvenException(
          Step.RECORD, "the receipt's record hash does not have 32 bytes");
    }
    Hash named = Hash.of(receipt.getRecordHash());
    if (record != null) {
      Hash found = Digests.record(genesis.consortiumId(), record);
      if (!found.equals(named)) {
        throw new NotProvenException(
            Step.RECORD, "the record's hash is %s, the receipt is for %s", found, named);
      }
    }
    return named;
  }

  private static ManagerBlockHeader checkHeader(Receipt receipt, Genesis genesis) {
    ManagerBlockHeader header =
        Headers.parse(receipt.getHeader(), Step.HEADER, "the receipt holds no block header");
    if (!genesis.consortiumId().is(header.getConsortiumId())) {
      throw new NotProvenException(Step.HEADER, "the header is of another consortium");
    }
    if (header.getHeight() != receipt.getHeight()) {
      throw new NotProvenException(
          Step.HEADER,
          "the header is of height %d, not of %d",
          header.getHeight(),
          receipt.getHeight());
    }
    if (header.getTimestampUnixMs() != receipt.getTimeUnixMs()) {
      throw new NotProvenException(
          Step.HEADER,
          "the header's time is %d ms, the receipt says %d",
          header.getTimestampUnixMs(),
          receipt.getTimeUnixMs());
    }
    return header;
  }

  private static void checkPlace(Receipt receipt, Hash recordHash, ManagerBlockHeader header) {
    if (!Hash.isHash(receipt.getSealDigest())) {
      throw new NotProvenException(
          Step.INCLUSION, "the receipt's seal digest does not have 32 bytes");
    }
    var claim =
        new Merkle.Inclusion(
            Merkle.leaf(recordHash, Hash.of(receipt.getSealDigest())),
            receipt.getPosition(),
            header.getTreeSize(),
            Hash.of(header.getHash1()),
            receipt.getInclusionProofList());
    if (!claim.holds()) {
      throw new NotProvenException(
          Step.INCLUSION,
          "the inclusion proof does not lead from the record at position %d to hash1 of the header:"
              + " the record hash, the seal digest, the position or the proof is wrong",
          receipt.getPosition());
    }
  }

  /** The size of the tree before the block, which added the record and none below. */
  private static long previousTreeSize(Receipt receipt, ManagerBlockHeader header) {
    Step step = Step.PREVIOUS_HEADER;
    boolean isThere = !receipt.getPreviousHeader().isEmpty();
    if (header.getHeight() == 1) {
      if (isThere) {
        throw new NotProvenException(
            step, "block 1 has none before it, but the receipt holds one");
      }
      return 0;
    }
    if (!isThere) {
      throw new NotProvenException(
          step,
          "the receipt lacks the header before its block: it proves only that the record was there "
              + "no later than block %d",
          header.getHeight());
    }
    Hash id = Digests.block(receipt.getPreviousHeader());
    if (!id.is(header.getPreviousBlockId())) {
      throw new NotProvenException(
          step,
          "the previous header is not that of the block before block %d",
          header.getHeight());
    }
    ManagerBlockHeader previous =
        Headers.parse(receipt.getPreviousHeader(), step, "the receipt holds no previous header");
    if (receipt.getPosition() < previous.getTreeSize()) {
      throw new NotProvenException(
          step,
          "block %d did not add the record: position %d was in the ledger's %d records before it",
          header.getHeight(),
          receipt.getPosition(),
          previous.getTreeSize());
    }
    return previous.getTreeSize();
  }
}
