package bss.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import bss.v1.Records.Submission;
import bss.v1.SubmitResponse;
import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SubmitTest {
  private final World world = new World();

  @AfterEach
  void close() {
    world.close();
  }

  @Test
  void itGoesOnToTheNextManagerWithTheSameBytes() {
    List<Submission> seen = Collections.synchronizedList(new ArrayList<>());
    world.start("manager-1").submit =
        request -> {
          seen.add(request.getSubmission());
          throw FakeManager.stopping();
        };
    world.start("manager-2").submit =
        request -> {
          seen.add(request.getSubmission());
          return SubmitResponse.getDefaultInstance();
        };
    Client client = world.connect();
    Submission submission = client.sign(new byte[] {1, 2});
    client.submit(submission);
    assertEquals(List.of(submission, submission), seen);
    assertEquals(submission, client.sign(new byte[] {1, 2}));
  }

  @Test
  void itIsRepeatedAfterARefusalThatSaysWhen() {
    FakeManager manager = world.start("manager-1");
    manager.submit =
        request -> {
          if (manager.calls.get() < 3) {
            throw FakeManager.refusal(Status.Code.RESOURCE_EXHAUSTED, "POOL_FULL", "", 1);
          }
          return SubmitResponse.getDefaultInstance();
        };
    world.connect().submit(Submission.getDefaultInstance());
    assertEquals(3, manager.calls.get());
  }

  @Test
  void aRefusalHasItsReasonAndIsNotRepeated() {
    FakeManager manager = world.start("manager-1");
    String field = "submission.records[0]";
    manager.submit =
        request -> {
          throw FakeManager.refusal(Status.Code.FAILED_PRECONDITION, "DOUBLE_SPEND", field, 0);
        };
    Client client = world.connect();
    var refused =
        assertThrows(
            BssException.class, () -> client.submit(Submission.getDefaultInstance()));
    assertEquals("DOUBLE_SPEND", refused.reason());
    assertEquals(field, refused.field());
    assertEquals(Status.Code.FAILED_PRECONDITION, refused.code());
    assertEquals(1, manager.calls.get());
  }

  @Test
  void theErrorSaysWhatEachManagerSaid() {
    for (String id : List.of("manager-1", "manager-2")) {
      world.start(id).submit =
          request -> {
            throw FakeManager.refusal(
                Status.Code.UNAVAILABLE, "TOO_FEW_STORAGE_NODES", "", 0);
          };
    }
    // Long enough that both have been asked also on a busy machine.
    Client client = world.connect().withTimeout(Duration.ofSeconds(3));
    var failed =
        assertThrows(
            BssException.class, () -> client.submit(Submission.getDefaultInstance()));
    assertEquals("TOO_FEW_STORAGE_NODES", failed.reason());
    for (String address : world.addresses()) {
      assertTrue(failed.getMessage().contains(address), failed.getMessage());
    }
  }

  @Test
  void theInterruptionOfTheCallerEndsACall() {
    Thread caller = Thread.currentThread();
    world.start("manager-1").submit =
        request -> {
          caller.interrupt();
          throw FakeManager.stopping();
        };
    Client client = world.connect();
    var ended =
        assertThrows(
            BssException.class, () -> client.submit(Submission.getDefaultInstance()));
    assertTrue(Thread.interrupted());
    assertEquals(BssException.CANCELLED, ended.reason());
  }

  @ParameterizedTest
  @CsvSource({"manager,manager-1", "storage,storage-1", "participant,manager-1"})
  void aServerThatIsNotTheManagerOfGenesisIsRefused(String role, String id) {
    world.startStranger(role, id);
    Client client = world.connect();
    var refused = assertThrows(BssException.class, client::getStatus);
    assertEquals(BssException.UNREACHABLE, refused.reason());
    assertTrue(refused.getMessage().contains("the server's identity"), refused.getMessage());
  }

  @Test
  void aClosedClientSaysSo() {
    world.start("manager-1");
    Client client = world.connect();
    client.getStatus();
    client.close();
    assertEquals(
        BssException.CANCELLED, assertThrows(BssException.class, client::getStatus).reason());
  }
}
