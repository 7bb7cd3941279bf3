package bss.verify;

import java.util.ArrayList;
import java.util.List;

/**
 * As much of a Merkle tree as it takes to append to it: the roots of its complete subtrees, biggest
 * first, one for each 1 in the binary form of the size.
 */
public record Frontier(long size, List<Hash> peaks) {
  /** Of the tree without leaves. */
  public static final Frontier EMPTY = new Frontier(0, List.of());

  /** The frontier after these leaves; this one stays as it is. */
  public Frontier append(List<Hash> leaves) {
    List<Hash> appended = new ArrayList<>(peaks);
    long count = size;
    for (Hash leaf : leaves) {
      Hash node = leaf;
      for (long index = count; index % 2 == 1; index /= 2) {
        node = Merkle.node(appended.remove(appended.size() - 1), node);
      }
      appended.add(node);
      count++;
    }
    return new Frontier(count, List.copyOf(appended));
  }

  /** The tree's root. */
  public Hash root() {
    if (peaks.isEmpty()) {
      return Merkle.EMPTY_ROOT;
    }
    Hash root = peaks.get(peaks.size() - 1);
    for (int i = peaks.size() - 2; i >= 0; i--) {
      root = Merkle.node(peaks.get(i), root);
    }
    return root;
  }
}
