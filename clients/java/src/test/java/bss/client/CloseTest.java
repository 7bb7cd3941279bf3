package bss.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import bss.v1.Records.Submission;
import bss.v1.SubmitResponse;
import bss.v1.SubmitStreamRequest;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The end of a client ends what goes on. */
class CloseTest {
  private static final int SECONDS_MAX = 20;

  private final World world = new World();
  private final CountDownLatch ready = new CountDownLatch(1);

  @AfterEach
  void close() {
    world.close();
  }

  private void endsWhenClosed(Client client, Runnable call) throws Exception {
    var ended = CompletableFuture.runAsync(call);
    assertTrue(ready.await(SECONDS_MAX, TimeUnit.SECONDS));
    client.close();
    var thrown =
        assertThrows(
            ExecutionException.class, () -> ended.get(SECONDS_MAX, TimeUnit.SECONDS));
    var failure = assertInstanceOf(BssException.class, thrown.getCause());
    assertEquals(BssException.CANCELLED, failure.reason());
  }

  private static void readAll(Iterator<?> feed) {
    feed.forEachRemaining(each -> {});
  }

  @Test
  void aWatch() throws Exception {
    world.start("manager-1").watch = (request, to) -> ready.countDown();
    Client client = world.connect();
    endsWhenClosed(client, () -> readAll(client.watchBlocks(1)));
  }

  @Test
  void aWatchThatWaitsForAManager() throws Exception {
    world.start("manager-1").watch = (request, to) -> to.onError(FakeManager.stopping());
    Client client = world.connect();
    List<String> lost = Collections.synchronizedList(new ArrayList<>());
    var blocks =
        client.watchBlocks(
            1,
            (failure, height) -> {
              lost.add(failure.text());
              if (lost.size() == 3) {
                ready.countDown();
              }
            });
    endsWhenClosed(client, () -> readAll(blocks));
    String address = world.addresses().get(0);
    assertTrue(lost.stream().allMatch(text -> text.contains(address)), lost.toString());
  }

  @Test
  void aStream() throws Exception {
    world.start("manager-1").stream =
        to ->
            new StreamObserver<>() {
              @Override
              public void onNext(SubmitStreamRequest request) {
                ready.countDown();
              }

              @Override
              public void onError(Throwable broken) {}

              @Override
              public void onCompleted() {}
            };
    Client client = world.connect();
    var source = List.of(Submission.getDefaultInstance()).iterator();
    endsWhenClosed(client, () -> readAll(client.submitStream(source, StreamOptions.DEFAULT)));
  }

  @Test
  void aCall() throws Exception {
    CountDownLatch over = new CountDownLatch(1);
    world.start("manager-1").submit = request -> answerAfter(over);
    Client client = world.connect();
    endsWhenClosed(client, () -> client.submit(Submission.getDefaultInstance()));
    over.countDown();
  }

  @Test
  void aDeadlineOfTheClientsOwnMayBeRetried() {
    CountDownLatch over = new CountDownLatch(1);
    world.start("manager-1").submit = request -> answerAfter(over);
    Client client = world.connect().withTimeout(Duration.ofMillis(500));
    var late =
        assertThrows(
            BssException.class, () -> client.submit(Submission.getDefaultInstance()));
    over.countDown();
    assertEquals(BssException.DEADLINE, late.reason());
    assertTrue(late.isRetryable());
    assertEquals(Duration.ofSeconds(1), late.retryAfter());
  }

  private SubmitResponse answerAfter(CountDownLatch over) {
    ready.countDown();
    try {
      over.await(SECONDS_MAX, TimeUnit.SECONDS);
    } catch (InterruptedException ending) {
      Thread.currentThread().interrupt();
    }
    throw FakeManager.stopping();
  }
}
