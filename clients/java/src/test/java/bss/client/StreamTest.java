package bss.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import bss.v1.RecordOutcome;
import bss.v1.Records.Submission;
import bss.v1.Refusal;
import bss.v1.SubmitResponse;
import bss.v1.SubmitStreamRequest;
import bss.v1.SubmitStreamResponse;
import com.google.protobuf.ByteString;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class StreamTest {
  static final int MANY = 1 << 30;

  private final World world = new World();

  @AfterEach
  void close() {
    world.close();
  }

  static List<Submission> submissions(int count) {
    return IntStream.range(0, count)
        .mapToObj(
            i ->
                Submission.newBuilder()
                    .setHeader(ByteString.copyFromUtf8(String.valueOf(i)))
                    .build())
        .toList();
  }

  /** Does something with each request, until it has done so often. */
  static StreamObserver<SubmitStreamRequest> each(
      StreamObserver<SubmitStreamResponse> to,
      int until,
      BiConsumer<Integer, SubmitStreamRequest> action) {
    AtomicInteger count = new AtomicInteger();
    return new StreamObserver<>() {
      @Override
      public void onNext(SubmitStreamRequest request) {
        int before = count.getAndIncrement();
        if (before < until) {
          action.accept(before, request);
        }
        if (before + 1 == until) {
          to.onError(FakeManager.stopping());
        }
      }

      @Override
      public void onError(Throwable broken) {}

      @Override
      public void onCompleted() {
        if (count.get() < until) {
          to.onCompleted();
        }
      }
    };
  }

  /** Answers each request with its own bytes. */
  static SubmitStreamResponse answer(SubmitStreamRequest request) {
    var outcome =
        RecordOutcome.newBuilder().setRecordHash(request.getSubmission().getHeader());
    return SubmitStreamResponse.newBuilder()
        .setRequestId(request.getRequestId())
        .setResponse(SubmitResponse.newBuilder().addOutcomes(outcome))
        .build();
  }

  private static SubmitStreamResponse refusal(
      SubmitStreamRequest request, Status.Code code, String reason, int retryAfterMs) {
    return SubmitStreamResponse.newBuilder()
        .setRequestId(request.getRequestId())
        .setRefusal(
            Refusal.newBuilder()
                .setCode(code.value())
                .setReason(reason)
                .setRetryAfterMs(retryAfterMs))
        .build();
  }

  private void answering(String id, int until) {
    world.start(id).stream =
        to -> each(to, until, (i, request) -> to.onNext(answer(request)));
  }

  @Test
  void itSurvivesItsLossWithOneOutcomeForEach() {
    answering("manager-1", 5);
    answering("manager-2", 7);
    answering("manager-3", MANY);
    AtomicInteger lost = new AtomicInteger();
    var options =
        StreamOptions.DEFAULT
            .withInFlightMax(4)
            .withOnReconnect((failure, unanswered) -> lost.incrementAndGet());
    Map<Long, String> outcomes = new HashMap<>();
    try (var stream = world.connect().submitStream(submissions(40).iterator(), options)) {
      for (SubmissionOutcome outcome : stream) {
        String told = outcome.response().getOutcomes(0).getRecordHash().toStringUtf8();
        assertNull(outcomes.put(outcome.index(), told), "it has two outcomes");
      }
    }
    assertEquals(40, outcomes.size());
    assertEquals(2, lost.get());
    outcomes.forEach((index, header) -> assertEquals(String.valueOf(index), header));
  }

  @Test
  void itTakesNoMoreThanFitsAndSendsLaterWhatIsRefusedNow() {
    world.start("manager-1").stream =
        to ->
            each(
                to,
                MANY,
                (i, request) ->
                    to.onNext(
                        i == 0
                            ? refusal(
                                request, Status.Code.RESOURCE_EXHAUSTED, "POOL_SHARE_FULL", 1)
                            : answer(request)));
    int inFlight = 3;
    AtomicInteger taken = new AtomicInteger();
    Iterator<Submission> source =
        submissions(30).stream().peek(each -> taken.incrementAndGet()).iterator();
    int outcomes = 0;
    var options = StreamOptions.DEFAULT.withInFlightMax(inFlight);
    try (var stream = world.connect().submitStream(source, options)) {
      for (SubmissionOutcome outcome : stream) {
        assertNull(outcome.refusal());
        outcomes++;
        // Those in flight, the one that the source holds out, and those whose outcome has come.
        assertTrue(taken.get() <= outcomes + inFlight + 1, taken + " after " + outcomes);
      }
    }
    assertEquals(30, outcomes);
  }

  @Test
  void itEndsWithItsCallersLoopAndGivesRefusals() {
    world.start("manager-1").stream =
        to ->
            each(
                to,
                MANY,
                (i, request) ->
                    to.onNext(
                        refusal(
                            request, Status.Code.INVALID_ARGUMENT, "SIGNATURE_INVALID", 0)));
    try (var stream =
        world.connect().submitStream(submissions(9).iterator(), StreamOptions.DEFAULT)) {
      SubmissionOutcome outcome = stream.next();
      assertNull(outcome.response());
      assertEquals("SIGNATURE_INVALID", outcome.refusal().reason());
    }
  }

  @Test
  void onesThatStallSaySo() {
    world.start("manager-1").stream = to -> each(to, MANY, (i, request) -> {});
    checkStalls();
  }

  @Test
  void onesThatBreakAgainAndAgainSaySo() {
    world.start("manager-1").stream =
        to -> {
          to.onError(FakeManager.stopping());
          return each(to, MANY, (i, request) -> {});
        };
    checkStalls();
  }

  private void checkStalls() {
    var options = StreamOptions.DEFAULT.withStallTimeout(Duration.ofMillis(50));
    try (var stream = world.connect().submitStream(submissions(1).iterator(), options)) {
      var stalled = assertThrows(BssException.class, stream::hasNext);
      assertEquals(BssException.DEADLINE, stalled.reason());
    }
  }

  @Test
  void aSourceThatFailsEndsIt() {
    answering("manager-1", MANY);
    Iterator<Submission> source =
        submissions(2).stream()
            .peek(
                each -> {
                  if (each.getHeader().toStringUtf8().equals("1")) {
                    throw new IllegalStateException("no more");
                  }
                })
            .iterator();
    try (var stream = world.connect().submitStream(source, StreamOptions.DEFAULT)) {
      assertThrows(IllegalStateException.class, () -> stream.forEachRemaining(each -> {}));
    }
  }

  @Test
  void anEmptyOneIsOver() {
    answering("manager-1", MANY);
    List<Submission> none = List.of();
    try (var stream =
        world.connect().submitStream(none.iterator(), StreamOptions.DEFAULT)) {
      assertTrue(!stream.hasNext());
    }
  }
}
