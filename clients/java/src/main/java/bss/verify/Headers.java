package bss.verify;

import bss.v1.ManagerBlockHeader;
import bss.verify.NotProvenException.Step;
import com.google.protobuf.ByteString;
import java.util.stream.Stream;

/** Reads the canonical bytes of a block's header: lengths and ranges. */
final class Headers {
  private static final int BYTES_MAX = 1024;
  private static final int BEACON_BYTES = 64;
  private static final int BEACON_PROOF_BYTES = 80;

  private Headers() {}

  /** Throws at {@code step} what {@code what} is not. */
  static ManagerBlockHeader parse(ByteString encoded, Step step, String what) {
    if (encoded.size() > BYTES_MAX) {
      throw new NotProvenException(step, "%s: the header is too long", what);
    }
    ManagerBlockHeader header =
        Wire.decodeCanonical(encoded, ManagerBlockHeader.parser())
            .orElseThrow(
                () -> new NotProvenException(step, "%s: the header does not decode", what));
    String wrong = wrongIn(header);
    if (wrong != null) {
      throw new NotProvenException(step, "%s: %s", what, wrong);
    }
    return header;
  }

  private static String wrongIn(ManagerBlockHeader header) {
    boolean areHashes =
        Stream.of(
                header.getConsortiumId(),
                header.getPreviousBlockId(),
                header.getHash1(),
                header.getMembersDigest(),
                header.getPreviousStateDigest(),
                header.getBodyDigest(),
                header.getCertificatesDigest())
            .allMatch(Hash::isHash);
    if (!areHashes) {
      return "a hash in the header does not have 32 bytes";
    }
    boolean isBeacon = header.getBeacon().size() == BEACON_BYTES;
    if (!isBeacon || header.getBeaconProof().size() != BEACON_PROOF_BYTES) {
      return "the header's beacon does not have its length";
    }
    if (header.getHeight() < 1 || !Wire.isSafe(header.getHeight())) {
      return "the header's height is not one";
    }
    if (!Wire.isSafe(header.getTreeSize()) || !Wire.isSafe(header.getSealedBytes())) {
      return "the header's sizes are out of range";
    }
    if (header.getTimestampUnixMs() < 1 || !Wire.isSafe(header.getTimestampUnixMs())) {
      return "the header's timestamp is not one";
    }
    return Genesis.isId(header.getProposerId()) ? null : "the header's proposer is not an id";
  }
}
