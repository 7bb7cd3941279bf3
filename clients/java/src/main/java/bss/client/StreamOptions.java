package bss.client;

import bss.v1.WaitFor;
import java.time.Duration;
import java.util.function.BiConsumer;

/**
 * How to submit a stream.
 *
 * @param inFlightMax how many submissions may be without an outcome at any time
 * @param waitFor what an outcome waits for
 * @param stallTimeout ends the stream with an error when no outcome has come for so long
 * @param onReconnect is called after each loss of the stream, with the reason, which names the
 *     manager, and the number of submissions that are sent again
 */
public record StreamOptions(
    int inFlightMax,
    WaitFor waitFor,
    Duration stallTimeout,
    BiConsumer<BssException, Integer> onReconnect) {
  /** 32 in flight, final outcomes, five minutes. */
  public static final StreamOptions DEFAULT =
      new StreamOptions(
          32, WaitFor.WAIT_FOR_COMMITTED, Duration.ofMinutes(5), (failure, unanswered) -> {});

  public StreamOptions {
    if (inFlightMax < 1) {
      throw new IllegalArgumentException("inFlightMax is at least 1");
    }
  }

  /** The same with another number in flight. */
  public StreamOptions withInFlightMax(int count) {
    return new StreamOptions(count, waitFor, stallTimeout, onReconnect);
  }

  /** The same with another time without an outcome. */
  public StreamOptions withStallTimeout(Duration time) {
    return new StreamOptions(inFlightMax, waitFor, time, onReconnect);
  }

  /** The same with something to do after each loss of the stream. */
  public StreamOptions withOnReconnect(BiConsumer<BssException, Integer> action) {
    return new StreamOptions(inFlightMax, waitFor, stallTimeout, action);
  }
}
