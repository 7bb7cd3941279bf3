package bss.verify;

import com.google.protobuf.ByteString;
import java.util.List;

/** The Merkle log of RFC 9162. */
public final class Merkle {
  /**
   * The longest proof has a hash for each of 53 levels, and one where a consistency proof starts.
   */
  private static final int PROOF_HASHES_MAX = 54;

  /** The root of the tree without leaves: the hash of nothing. */
  static final Hash EMPTY_ROOT = Digests.plain(new byte[0]);

  private Merkle() {}

  /** The leaf of a record, RFC 9162 section 2.1.1. */
  public static Hash leaf(Hash recordHash, Hash sealDigest) {
    return Digests.tagged("\0", recordHash.toBytes(), sealDigest.toBytes());
  }

  /** The leaf of any bytes. */
  public static Hash leaf(byte[] entry) {
    return Digests.tagged("\0", entry);
  }

  static Hash node(Hash left, Hash right) {
    return Digests.tagged("\1", left.toBytes(), right.toBytes());
  }

  /**
   * A leaf is in a tree. Size and root have to come from one signed header, because a proof does
   * not bind the size.
   */
  public record Inclusion(
      Hash leafHash, long leafIndex, long treeSize, Hash root, List<ByteString> proof) {

    /** Whether the proof holds, RFC 9162 section 2.1.3.2. */
    public boolean holds() {
      boolean inRange = Wire.isSafe(treeSize) && leafIndex >= 0 && leafIndex < treeSize;
      if (!inRange || !isProof(proof)) {
        return false;
      }
      long fn = leafIndex;
      long sn = treeSize - 1;
      Hash r = leafHash;
      for (ByteString each : proof) {
        if (sn == 0) {
          return false;
        }
        Hash p = Hash.of(each);
        if (fn % 2 == 1 || fn == sn) {
          r = node(p, r);
          while (fn % 2 == 0 && fn != 0) {
            fn /= 2;
            sn /= 2;
          }
        } else {
          r = node(r, p);
        }
        fn /= 2;
        sn /= 2;
      }
      return sn == 0 && r.equals(root);
    }
  }

  /** A tree begins with all leaves of an earlier one. Each root has to belong to its size. */
  public record Consistency(
      long fromSize, long toSize, Hash fromRoot, Hash toRoot, List<ByteString> proof) {

    /**
     * Whether the proof holds, RFC 9162 section 2.1.4.2. That covers 0 &lt; fromSize &lt; toSize.
     * Outside of that only an empty proof holds: between equal sizes with equal roots, and from
     * size 0 with the empty tree's root.
     */
    public boolean holds() {
      if (!Wire.isSafe(toSize) || fromSize < 0 || fromSize > toSize || !isProof(proof)) {
        return false;
      }
      if (fromSize == 0 && !fromRoot.equals(EMPTY_ROOT)) {
        return false;
      }
      if (fromSize == toSize) {
        return proof.isEmpty() && fromRoot.equals(toRoot);
      }
      if (fromSize == 0 || proof.isEmpty()) {
        return fromSize == 0 && proof.isEmpty();
      }
      return leads();
    }

    private boolean leads() {
      long fn = fromSize - 1;
      long sn = toSize - 1;
      while (fn % 2 == 1) {
        fn /= 2;
        sn /= 2;
      }
      // fn is 0 exactly when the earlier size is a power of two; then its root starts the proof.
      Hash fr = fn == 0 ? fromRoot : Hash.of(proof.get(0));
      Hash sr = fr;
      for (ByteString each : proof.subList(fn == 0 ? 0 : 1, proof.size())) {
        if (sn == 0) {
          return false;
        }
        Hash c = Hash.of(each);
        if (fn % 2 == 1 || fn == sn) {
          fr = node(c, fr);
          sr = node(c, sr);
          while (fn % 2 == 0 && fn != 0) {
            fn /= 2;
            sn /= 2;
          }
        } else {
          sr = node(sr, c);
        }
        fn /= 2;
        sn /= 2;
      }
      return sn == 0 && fr.equals(fromRoot) && sr.equals(toRoot);
    }
  }

  private static boolean isProof(List<ByteString> proof) {
    return proof.size() <= PROOF_HASHES_MAX && proof.stream().allMatch(Hash::isHash);
  }
}
