package bss.client;

import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Predicate;

/** One turn of a call through the managers. */
final class Round {
  private static final long BACKOFF_MIN_MS = 100;
  private static final long BACKOFF_MAX_MS = 2_000;

  private final Connections connections;
  private final Map<String, BssException> failed = new HashMap<>();
  private int failures;
  private long ceilingMs = BACKOFF_MIN_MS;

  Round(Connections connections) {
    this.connections = connections;
  }

  /**
   * Turns to the next manager and says how long to wait before it is asked: not at all while some
   * have not failed in this round, then as long as the last one asked for or the client's own
   * backoff, whichever is longer. Throws if TLS refuses every manager, as it would do so again.
   */
  Duration leave(String address, BssException failure) {
    failed.put(address, failure);
    connections.leave(address);
    failures++;
    if (allFail(BssException::isTlsFailure)) {
      throw summary(failure);
    }
    if (failures % connections.addresses().size() != 0) {
      return Duration.ZERO;
    }
    long half = ceilingMs / 2;
    Duration wait = Duration.ofMillis(half + ThreadLocalRandom.current().nextLong(half));
    ceilingMs = Math.min(ceilingMs * 2, BACKOFF_MAX_MS);
    return wait.compareTo(failure.retryAfter()) > 0 ? wait : failure.retryAfter();
  }

  /** Notes that a manager has answered. */
  void succeed() {
    failures = 0;
    ceilingMs = BACKOFF_MIN_MS;
    failed.clear();
  }

  boolean allFail(Predicate<BssException> how) {
    return connections.addresses().stream()
        .allMatch(address -> failed.containsKey(address) && how.test(failed.get(address)));
  }

  /**
   * One error that says what each manager failed with. What a node answered says more than that
   * another one did not answer.
   */
  BssException summary(BssException last) {
    if (failed.size() <= 1 && last.isAnswer()) {
      return last;
    }
    BssException telling = last;
    Set<String> said = new LinkedHashSet<>();
    for (String address : connections.addresses()) {
      BssException failure = failed.get(address);
      if (failure == null) {
        continue;
      }
      said.add(address + ": " + failure.text());
      if (!telling.isAnswer() && failure.isAnswer()) {
        telling = failure;
      }
    }
    return telling.withMessage("no manager could answer: " + String.join("; ", said));
  }
}
