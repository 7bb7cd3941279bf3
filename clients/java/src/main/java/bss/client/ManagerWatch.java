package bss.client;

import bss.v1.GetStatusResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Looks, while a manager owes an answer, whether another one would give it sooner.
 *
 * <p>A block may take a while, and then no other manager is faster: all wait for the same
 * signatures. So silence alone is no reason to leave. After some of it the manager and others of the
 * profile are asked for their status. The client goes on to another one only if that one is fit, and
 * its own does not even answer this, has halted, signs nothing, is far behind, is overloaded while
 * the other has less to do, or gives no answer for long while others add block after block. A
 * manager may lie about itself: what height is usual, most of those that are asked have to say.
 * Looks become rarer, so that clients do not wander about. What is sent again has the same bytes,
 * which the ledger takes once.
 */
final class ManagerWatch {
  /** The managers of a profile. */
  interface Managers {
    /** What the manager says about itself; null if it says nothing for {@link #ASK}. */
    CompletableFuture<GetStatusResponse> statusOf(String address);

    /** The other addresses, in the order in which to try them. */
    List<String> after(String address);

    /** Makes this manager the current one. */
    void turn(String address);

    /** Does the work after this time, unless what it returns is run before. */
    Runnable later(Duration wait, Runnable work);
  }

  /** What the manager owes an answer to. Both are asked, and it is ended, by any thread. */
  interface Call {
    /** Whether an answer is due. */
    default boolean isDue() {
      return true;
    }

    /** Whether the manager refuses for overload at present. */
    default boolean isOverloaded() {
      return false;
    }

    /** The call should be made at the manager that is the current one now. */
    void leave(BssException why);
  }

  /** How long a silence lasts before the first look, and then before each further one. */
  static final List<Duration> SILENCES =
      List.of(
          Duration.ofMillis(1_500),
          Duration.ofSeconds(3),
          Duration.ofSeconds(6),
          Duration.ofSeconds(12),
          Duration.ofSeconds(24));

  /** A manager that does not say how it is within this time is silent. */
  static final Duration ASK = Duration.ofSeconds(2);

  /** Besides the manager in use; a profile may name a hundred. */
  private static final int OTHERS_MAX = 6;

  /** Managers that keep up differ by a block or two. */
  private static final long BEHIND_MAX = 5;

  /** What is taken is on the ledger some blocks later, if its manager is honest. */
  private static final int VAIN_LOOKS = 4;

  private static final long VAIN_BLOCKS = 10;

  private final Managers managers;
  private final String address;
  private final Call call;

  /** Goes up with each answer, so that a look knows whether one came meanwhile. */
  private final AtomicLong answers = new AtomicLong();

  private volatile boolean stopped;
  private volatile Runnable cancel = () -> {};

  // Used by one look after the other.
  private int looks;
  private long firstHeight;

  private ManagerWatch(Managers managers, String address, Call call) {
    this.managers = managers;
    this.address = address;
    this.call = call;
  }

  /** Watches the manager at this address, which owes an answer to the call. */
  static ManagerWatch start(Managers managers, String address, Call call) {
    var watch = new ManagerWatch(managers, address, call);
    if (!managers.after(address).isEmpty()) {
      watch.await();
    }
    return watch;
  }

  /** The manager has answered: the silence begins anew. */
  void answered() {
    answers.incrementAndGet();
  }

  void stop() {
    stopped = true;
    cancel.run();
  }

  private void await() {
    if (!stopped) {
      long before = answers.get();
      Duration silence = SILENCES.get(Math.min(looks, SILENCES.size() - 1));
      cancel = managers.later(silence, () -> look(before));
    }
  }

  private void look(long answersBefore) {
    if (!isSilent(answersBefore)) {
      goOnWaiting(answersBefore);
      return;
    }
    looks++;
    var addresses = managers.after(address);
    var others = addresses.subList(0, Math.min(addresses.size(), OTHERS_MAX));
    var own = managers.statusOf(address);
    var asked = others.stream().map(managers::statusOf).toList();
    CompletableFuture.allOf(asked.toArray(CompletableFuture<?>[]::new))
        .thenAcceptBoth(
            own,
            (all, status) -> {
              List<GetStatusResponse> said = new ArrayList<>();
              asked.forEach(each -> said.add(each.join()));
              BssException better = stopped ? null : better(status, others, said);
              if (stopped) {
                return;
              }
              if (better == null || !isSilent(answersBefore)) {
                goOnWaiting(answersBefore);
                return;
              }
              stop();
              managers.turn(better.goingOnAt());
              call.leave(better);
            });
  }

  private boolean isSilent(long answersBefore) {
    return answers.get() == answersBefore && call.isDue();
  }

  private void goOnWaiting(long answersBefore) {
    if (answers.get() != answersBefore) {
      looks = 0;
    }
    await();
  }

  /** Why to go on at the first manager that is better; null if none is. */
  private BssException better(
      GetStatusResponse own, List<String> others, List<GetStatusResponse> said) {
    long usual = usualHeight(said);
    if (looks == 1) {
      firstHeight = usual;
    }
    boolean isVain = looks >= VAIN_LOOKS && usual - firstHeight > VAIN_BLOCKS;
    for (int i = 0; i < others.size(); i++) {
      GetStatusResponse other = said.get(i);
      if (other == null || !unfit(other).isEmpty()) {
        continue;
      }
      String reason = reasonToLeave(own, other, usual, call.isOverloaded(), isVain);
      if (!reason.isEmpty()) {
        return BssException.left(address, reason, others.get(i));
      }
    }
    return null;
  }

  /** What the manager says itself, without a full stop; empty for one that is fit. */
  private static String unfit(GetStatusResponse status) {
    if (!status.getHalted().isEmpty()) {
      return "has halted";
    }
    String abstaining = status.getAbstaining();
    return abstaining.isEmpty() ? "" : "signs nothing: " + abstaining;
  }

  /**
   * The lower median of what others say, so that a few cannot draw clients to them; 0 for none.
   */
  private static long usualHeight(List<GetStatusResponse> said) {
    long[] heights =
        said.stream()
            .filter(Objects::nonNull)
            .mapToLong(GetStatusResponse::getHeight)
            .sorted()
            .toArray();
    return heights.length == 0 ? 0 : heights[(heights.length - 1) / 2];
  }

  /** Why to leave a manager with its own status for a fit one; empty for no reason. */
  private static String reasonToLeave(
      GetStatusResponse own,
      GetStatusResponse other,
      long usual,
      boolean isOverloaded,
      boolean isVain) {
    if (own == null) {
      return "is silent";
    }
    long behind = Math.min(other.getHeight(), usual) - own.getHeight();
    if (behind > BEHIND_MAX) {
      return "is " + behind + " blocks behind";
    }
    long toDo = Integer.toUnsignedLong(own.getPoolSubmissions());
    if (isOverloaded && 2 * Integer.toUnsignedLong(other.getPoolSubmissions()) < toDo) {
      return "is overloaded";
    }
    if (!unfit(own).isEmpty()) {
      return unfit(own);
    }
    return isVain ? "gives no answer while blocks are added" : "";
  }
}
