package bss.chain;

import bss.v1.AdmitStorageNode;
import bss.v1.Policy;
import bss.v1.StorageNodeEntry;
import bss.v1.StorageSuspension;
import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bouncycastle.crypto.digests.SHAKEDigest;

/** Who attests a block, and whose audit digests are recomputed: drawn by the block's beacon. */
final class Committees {
  private static final String COMMITTEE = "bss/v1/committee";
  private static final String AUDITED = "bss/v1/audited";
  private static final StorageSuspension ACTIVE = StorageSuspension.STORAGE_SUSPENSION_UNSPECIFIED;

  private Committees() {}

  /**
   * The ids of the storage nodes from which committees are drawn, in the order of nodes: not
   * suspended, with credit at or above the boycott line, and within their sponsor's share. With X
   * of them before the share is taken, and N managers, each sponsor brings its first ⌈X/N⌉.
   */
  static List<String> eligible(
      Collection<StorageNodeEntry> nodes, int managerCount, Policy policy) {
    List<AdmitStorageNode> able =
        nodes.stream()
            .filter(each -> each.getSuspension() == ACTIVE)
            .filter(each -> Integer.compareUnsigned(each.getCredit(), policy.getBoycottLine()) >= 0)
            .map(StorageNodeEntry::getAdmission)
            .toList();
    int share = (able.size() + managerCount - 1) / managerCount;
    Map<String, Integer> taken = new HashMap<>();
    List<String> eligible = new ArrayList<>();
    for (AdmitStorageNode node : able) {
      if (taken.merge(node.getSponsorId(), 1, Integer::sum) <= share) {
        eligible.add(node.getNodeId());
      }
    }
    return List.copyOf(eligible);
  }

  /** Draws ⌊2X/3⌋+1 of the X eligible ids, which are sorted. */
  static List<String> committee(List<String> eligible, ByteString beacon, int round) {
    int size = Math.min(eligible.size(), 2 * eligible.size() / 3 + 1);
    return draw(eligible, size, COMMITTEE, beacon, Integer.toUnsignedLong(round));
  }

  /**
   * Draws those whose audit digest is recomputed among the named ids; both are sorted. It is at
   * least one of fifty, because a node without data gains 1 when it is not drawn, and loses 100
   * when it is.
   */
  static List<String> audited(
      List<String> named, ByteString beacon, long height, int auditsPerBlock) {
    if (auditsPerBlock == 0) {
      return List.of();
    }
    long wanted = Math.max(Integer.toUnsignedLong(auditsPerBlock), (named.size() + 49) / 50);
    int size = (int) Math.min(named.size(), wanted);
    List<String> drawn = new ArrayList<>(draw(named, size, AUDITED, beacon, height));
    Collections.sort(drawn);
    return drawn;
  }

  /**
   * The Fisher-Yates shuffle by the bytes of SHAKE256(tag ‖ beacon ‖ number), stopped once enough
   * are drawn.
   */
  private static List<String> draw(
      List<String> ids, int count, String tag, ByteString beacon, long number) {
    SHAKEDigest stream = new SHAKEDigest(256);
    byte[] tagBytes = tag.getBytes(StandardCharsets.US_ASCII);
    stream.update(tagBytes, 0, tagBytes.length);
    stream.update(beacon.toByteArray(), 0, beacon.size());
    stream.update(ByteBuffer.allocate(8).putLong(number).array(), 0, 8);
    List<String> shuffled = new ArrayList<>(ids);
    for (int place = 0; place < count; place++) {
      Collections.swap(shuffled, place, place + below(shuffled.size() - place, stream));
    }
    return shuffled.subList(0, count);
  }

  /**
   * A uniform integer below bound. Draws from the last, incomplete stretch of 2^32 are rejected,
   * because they would favour low remainders.
   */
  private static int below(int bound, SHAKEDigest stream) {
    long limit = (1L << 32) / bound * bound;
    byte[] bytes = new byte[4];
    while (true) {
      stream.doOutput(bytes, 0, 4);
      long draw = Integer.toUnsignedLong(ByteBuffer.wrap(bytes).getInt());
      if (draw < limit) {
        return (int) (draw % bound);
      }
    }
  }
}
