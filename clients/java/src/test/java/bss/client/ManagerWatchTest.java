package bss.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import bss.v1.GetStatusResponse;
import bss.v1.Records.Submission;
import bss.v1.SubmitResponse;
import bss.v1.WatchBlocksResponse;
import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.function.IntConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class ManagerWatchTest {
  private static final GetStatusResponse FIT =
      GetStatusResponse.newBuilder().setHeight(100).setPoolSubmissions(10).build();
  private static final GetStatusResponse HALTED =
      FIT.toBuilder().setHalted("it saw a fork").build();

  private static GetStatusResponse at(long height) {
    return FIT.toBuilder().setHeight(height).build();
  }

  private static GetStatusResponse abstaining(String why) {
    return FIT.toBuilder().setAbstaining(why).build();
  }

  private static GetStatusResponse withPool(int count) {
    return FIT.toBuilder().setPoolSubmissions(count).build();
  }

  /**
   * Managers "a", "b" and so on, and what each says; null for one that says nothing. The first one
   * owes the answer. A silence takes no time.
   */
  private static final class Managers implements ManagerWatch.Managers, ManagerWatch.Call {
    GetStatusResponse[] says;
    boolean due = true;
    boolean overloaded;
    final List<String> asked = new ArrayList<>();
    final List<String> turned = new ArrayList<>();
    final List<Duration> waits = new ArrayList<>();
    BssException why;
    ManagerWatch watch;
    private Runnable next;

    Managers(GetStatusResponse... says) {
      this.says = says;
    }

    /** Looks after so many silences, each of which ends with this step. */
    Managers look(int count, IntConsumer step) {
      watch = ManagerWatch.start(this, "a", this);
      for (int look = 0; look < count && next != null; look++) {
        step.accept(look);
        Runnable work = next;
        next = null;
        if (work != null) {
          work.run();
        }
      }
      return this;
    }

    Managers look(int count) {
      return look(count, look -> {});
    }

    String left() {
      return why == null ? "" : why.text();
    }

    List<String> addresses() {
      return Stream.iterate('a', each -> (char) (each + 1))
          .limit(says.length)
          .map(String::valueOf)
          .toList();
    }

    @Override
    public CompletableFuture<GetStatusResponse> statusOf(String address) {
      asked.add(address);
      return CompletableFuture.completedFuture(says[addresses().indexOf(address)]);
    }

    @Override
    public List<String> after(String address) {
      return addresses().subList(1, says.length);
    }

    @Override
    public void turn(String address) {
      turned.add(address);
    }

    @Override
    public Runnable later(Duration wait, Runnable work) {
      waits.add(wait);
      next = work;
      return () -> next = null;
    }

    @Override
    public boolean isDue() {
      return due;
    }

    @Override
    public boolean isOverloaded() {
      return overloaded;
    }

    @Override
    public void leave(BssException better) {
      why = better;
    }
  }

  private final World world = new World();

  @AfterEach
  void close() {
    world.close();
  }

  static Stream<Arguments> unfit() {
    return Stream.of(
        Arguments.of(null, "is silent"),
        Arguments.of(HALTED, "has halted"),
        Arguments.of(abstaining("its log is gone"), "signs nothing: its log is gone"),
        Arguments.of(at(90), "is 10 blocks behind"));
  }

  @ParameterizedTest
  @MethodSource("unfit")
  void oneThatOwesAnAnswerIsLeftForOneThatIsFit(GetStatusResponse own, String why) {
    var managers = new Managers(own, null, HALTED, FIT).look(9);
    assertEquals("a " + why + "; going on at d", managers.left());
    assertEquals(List.of("d"), managers.turned);
    assertEquals(ManagerWatch.SILENCES.subList(0, 1), managers.waits);
  }

  static Stream<Arguments> kept() {
    return Stream.of(
        Arguments.of("it is as fit as others", new Managers(FIT, at(104))),
        Arguments.of("no other one is better", new Managers(null, null, HALTED)),
        Arguments.of("one claims to be far ahead", new Managers(FIT, at(1L << 50), FIT, FIT)),
        Arguments.of("it has the only address", new Managers((GetStatusResponse) null)),
        Arguments.of("it refuses nothing", new Managers(withPool(1000), FIT)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void kept(String because, Managers managers) {
    assertEquals("", managers.look(5).left());
    assertEquals(List.of(), managers.turned);
  }

  @Test
  void othersAreAskedEverMoreRarely() {
    var managers = new Managers(FIT, FIT).look(5);
    List<Duration> wanted = new ArrayList<>(ManagerWatch.SILENCES);
    wanted.add(Duration.ofSeconds(24));
    assertEquals(wanted, managers.waits);
    assertEquals(10, managers.asked.size());
  }

  @ParameterizedTest
  @CsvSource({"499,a is overloaded; going on at b", "500,''"})
  void oneIsLeftForOverloadOnlyIfAnotherHasLessThanHalfToDo(int pool, String why) {
    var managers = new Managers(withPool(1000), withPool(pool));
    managers.overloaded = true;
    assertEquals(why, managers.look(1).left());
  }

  @ParameterizedTest
  @CsvSource({"10,''", "11,a gives no answer while blocks are added; going on at b"})
  void oneIsLeftWhenNothingComesOfWhatItTakes(int blocks, String why) {
    var managers = new Managers(FIT, FIT, FIT);
    long[] heights = {20, 90, 100, 100, 100, 100 + blocks};
    managers.look(
        heights.length,
        look -> {
          if (look == 1) {
            // An answer begins the silence anew.
            managers.watch.answered();
          }
          Arrays.fill(managers.says, at(heights[look]));
        });
    assertEquals(why, managers.left());
  }

  @Test
  void oneIsNotLookedAtWhileNothingIsDueOrWhenItAnswersOrIsNoLongerWatched() {
    var managers = new Managers(null, FIT);
    managers.look(
        9,
        look -> {
          managers.due = look == 3;
          if (look == 3) {
            managers.watch.answered();
          }
          if (look == 4) {
            managers.due = true;
            managers.watch.stop();
          }
        });
    assertEquals(List.of(), managers.asked);
  }

  @Test
  void oneThatWasLeftWasReached() {
    var why = new Managers(abstaining("its certificate has expired"), FIT).look(1).why;
    assertFalse(why.isUnreachable());
    assertFalse(why.isTlsFailure());
    assertTrue(why.isRetryable());
  }

  private final List<Submission> seen = Collections.synchronizedList(new ArrayList<>());

  private void answering(String id) {
    world.start(id).submit =
        request -> {
          seen.add(request.getSubmission());
          return SubmitResponse.getDefaultInstance();
        };
  }

  @Test
  void aCallLeavesOneThatNeverSaysAWord() {
    world.startMute();
    answering("manager-2");
    Client client = world.connect();
    Submission submission = client.sign(new byte[] {1});
    client.submit(submission);
    assertEquals(List.of(submission), seen);
  }

  @Test
  void aCallLeavesOneThatTookItAndDiedWithTheSameBytes() {
    CountDownLatch over = new CountDownLatch(1);
    FakeManager died = world.start("manager-1");
    died.status = abstaining("its disk is full");
    died.submit =
        request -> {
          seen.add(request.getSubmission());
          try {
            over.await();
          } catch (InterruptedException ending) {
            Thread.currentThread().interrupt();
          }
          throw FakeManager.stopping();
        };
    answering("manager-2");
    Client client = world.connect();
    Submission submission = client.sign(new byte[] {1});
    client.submit(submission);
    over.countDown();
    assertEquals(List.of(submission, submission), seen);
  }

  @Test
  void aStreamLeavesOneThatGivesNoOutcomes() {
    FakeManager halted = world.start("manager-1");
    halted.status = HALTED;
    halted.stream = to -> StreamTest.each(to, StreamTest.MANY, (i, request) -> {});
    world.start("manager-2").stream =
        to ->
            StreamTest.each(
                to, StreamTest.MANY, (i, request) -> to.onNext(StreamTest.answer(request)));
    List<String> lost = new ArrayList<>();
    var options =
        StreamOptions.DEFAULT.withOnReconnect((failure, count) -> lost.add(failure.text()));
    int outcomes = 0;
    var source = StreamTest.submissions(5).iterator();
    try (var stream = world.connect().submitStream(source, options)) {
      for (SubmissionOutcome outcome : stream) {
        assertNull(outcome.refusal());
        outcomes++;
      }
    }
    assertEquals(5, outcomes);
    List<String> addresses = world.addresses();
    String why = addresses.get(0) + " has halted; going on at " + addresses.get(1);
    assertEquals(List.of(why), lost);
  }

  @Test
  void aWatchThatReachesNobodyEndsLikeACall() {
    world.addresses().add("127.0.0.1:1");
    try (var blocks = world.connect().watchBlocks(1)) {
      var failed = assertThrows(BssException.class, blocks::next);
      assertEquals(BssException.UNREACHABLE, failed.reason());
    }
  }

  @Test
  void aWatchThatHasBegunWaitsWithoutEnd() {
    int waitMs = (int) Connections.UNREACHABLE.toMillis() + 1_000;
    world.start("manager-1").watch =
        (request, to) -> {
          if (request.getFromHeight() > 1) {
            to.onError(
                FakeManager.refusal(
                    Status.Code.UNAVAILABLE, BssException.UNREACHABLE, "", waitMs));
            return;
          }
          to.onNext(WatchBlocksResponse.newBuilder().setBlock(world.blocks.get(0)).build());
          to.onCompleted();
        };
    Client client = world.connect();
    List<Long> lost = new ArrayList<>();
    var blocks =
        client.watchBlocks(
            1,
            (failure, height) -> {
              lost.add(height);
              if (lost.size() == 2) {
                Thread.currentThread().interrupt();
              }
            });
    assertEquals(1, blocks.next().height());
    var ended = assertThrows(BssException.class, blocks::next);
    assertTrue(Thread.interrupted());
    assertEquals(BssException.CANCELLED, ended.reason());
    assertEquals(List.of(2L, 2L), lost);
  }
}
