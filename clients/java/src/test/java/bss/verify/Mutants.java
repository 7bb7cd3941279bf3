package bss.verify;

import java.util.Arrays;
import java.util.List;

/** Mutants of what is valid, the same in all languages; docs/sdks.md says how they are made. */
final class Mutants {
  private static final int STRETCH_MAX = 64;

  private final List<byte[]> originals;
  private long state;

  /** The index of the original, and the mutant. */
  record Mutant(int of, byte[] bytes) {}

  Mutants(List<byte[]> originals) {
    this.originals = originals;
  }

  /** Sebastiano Vigna's splitmix64. */
  private int below(int bound) {
    state += 0x9e3779b97f4a7c15L;
    long z = state;
    z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return (int) Long.remainderUnsigned(z ^ (z >>> 31), bound);
  }

  Mutant get(long number) {
    state = number;
    int of = below(originals.size());
    byte[] bytes = originals.get(of).clone();
    int changes = 1 + below(3);
    for (int i = 0; i < changes; i++) {
      bytes = changed(bytes);
    }
    return new Mutant(of, bytes);
  }

  private byte[] changed(byte[] bytes) {
    int operation = below(8);
    int place = below(bytes.length + 1);
    switch (operation) {
      case 0, 1 -> {
        if (place < bytes.length) {
          bytes[place] ^= (byte) (1 << below(8));
        }
        return bytes;
      }
      case 2 -> {
        if (place < bytes.length) {
          bytes[place] = (byte) below(256);
        }
        return bytes;
      }
      case 3 -> {
        byte[] source = originals.get(below(originals.size()));
        int start = below(source.length);
        int end = Math.min(source.length, start + 1 + below(STRETCH_MAX));
        int count = Math.min(end - start, bytes.length - place);
        System.arraycopy(source, start, bytes, place, count);
        return bytes;
      }
      case 4 -> {
        byte[] inserted = {(byte) below(256)};
        return spliced(bytes, place, place, inserted);
      }
      case 5 -> {
        int end = Math.min(bytes.length, place + 1 + below(STRETCH_MAX));
        return spliced(bytes, place, end, new byte[0]);
      }
      case 6 -> {
        return Arrays.copyOf(bytes, place);
      }
      default -> {
        byte[] other = originals.get(below(originals.size()));
        return spliced(bytes, bytes.length, bytes.length, other);
      }
    }
  }

  private static byte[] spliced(byte[] bytes, int start, int end, byte[] instead) {
    byte[] result = new byte[start + instead.length + bytes.length - end];
    System.arraycopy(bytes, 0, result, 0, start);
    System.arraycopy(instead, 0, result, start, instead.length);
    System.arraycopy(bytes, end, result, start + instead.length, bytes.length - end);
    return result;
  }
}
