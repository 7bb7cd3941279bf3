package bss.client;

import java.util.Iterator;

/**
 * What comes from a stream, for one loop. Close it to end the stream before its end; that may be
 * done by another thread, all else is for one thread. The loop of a feed that another thread or
 * {@link Client#close} closes ends with a {@link BssException} of reason CANCELLED, so that it is not
 * taken for one that has read everything.
 *
 * <pre>
 * try (Feed&lt;Block&gt; blocks = client.watchBlocks(1)) {
 *   for (Block block : blocks) { … }
 * }
 * </pre>
 */
public interface Feed<T> extends Iterator<T>, Iterable<T>, AutoCloseable {
  /** The feed itself: it is read once. */
  @Override
  default Iterator<T> iterator() {
    return this;
  }

  @Override
  void close();
}
