package bss.client;

import bss.v1.BroadcastServiceGrpc;
import bss.v1.Records.Submission;
import bss.v1.SubmitStreamRequest;
import bss.v1.SubmitStreamResponse;
import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Many submissions over one stream after the other. What outlives a stream is here, what belongs to
 * one is in its {@link Attempt}.
 *
 * <pre>
 * source ──▶ unanswered (at most inFlightMax) ──send──▶ manager
 *                ▲          │ answer                       │
 * stream is lost ┘          ▼                              │
 * all are sent again     outcomes ──▶ caller ◀─────────────┘
 * </pre>
 */
final class SubmitStream implements Feed<SubmissionOutcome> {
  /**
   * A node may fail by a fault of its own this often in a row. After that, something in the
   * submissions is taken to be the cause.
   */
  private static final int FAULTS_MAX = 3;

  /** The shortest wait before a refused submission is sent again. */
  private static final Duration RETRY_WAIT_MIN = Duration.ofMillis(50);

  private final Connections connections;
  private final Iterator<Submission> source;
  private final StreamOptions options;
  private final Round round;
  private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();

  /** A permit for each submission that may still be taken. */
  private final Semaphore slots;

  private final Thread reader;

  // Used by the caller's thread alone.
  private SubmissionOutcome upcoming;
  private boolean started;
  private boolean done;
  private BssException lastFailure;
  private int faults;

  // Guarded by this object's lock.
  private final TreeMap<Long, Submission> unanswered = new TreeMap<>();
  private long count;
  private boolean sourceEnded;
  private boolean closed;
  private long progressNs = System.nanoTime();
  private Attempt attempt;

  /** While the caller works on an outcome, no manager is late. */
  private boolean yielding;

  /** What happened: an answer or the end of a stream, or a failure of the source. */
  private record Event(Attempt from, SubmitStreamResponse answer, RuntimeException failure) {}

  SubmitStream(Connections connections, Iterator<Submission> source, StreamOptions options) {
    this.connections = connections;
    this.source = source;
    this.options = options;
    round = new Round(connections);
    slots = new Semaphore(options.inFlightMax());
    reader = new Thread(this::readSource, "bss-submit-source");
    reader.setDaemon(true);
  }

  /** Takes from the source, as slots become free. */
  private void readSource() {
    try {
      while (true) {
        slots.acquire();
        if (!source.hasNext()) {
          endSource();
          return;
        }
        take(source.next());
      }
    } catch (InterruptedException closing) {
      // Nobody waits for more of the source.
    } catch (RuntimeException failure) {
      events.add(new Event(null, null, failure));
    }
  }

  private synchronized void take(Submission submission) {
    if (unanswered.isEmpty()) {
      progressNs = System.nanoTime();
    }
    count++;
    unanswered.put(count, submission);
    if (attempt != null) {
      attempt.send(count);
    }
  }

  private synchronized void endSource() {
    sourceEnded = true;
    if (attempt != null) {
      attempt.endIfSettled();
    }
  }

  @Override
  public boolean hasNext() {
    if (upcoming == null && !done) {
      try {
        upcoming = advance();
        done = upcoming == null;
      } catch (InterruptedException interrupted) {
        close();
        throw BssException.interrupted(interrupted);
      } catch (RuntimeException ending) {
        close();
        throw ending;
      }
      if (done) {
        close();
      }
    }
    return upcoming != null;
  }

  @Override
  public SubmissionOutcome next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    SubmissionOutcome outcome = upcoming;
    upcoming = null;
    return outcome;
  }

  /** The next outcome; null when the source has ended and all of it is answered. */
  private SubmissionOutcome advance() throws InterruptedException {
    if (!started) {
      started = true;
      reader.start();
    }
    synchronized (this) {
      progressNs = System.nanoTime();
      yielding = false;
    }
    while (true) {
      Attempt current = present();
      Duration left = options.stallTimeout().minus(sinceProgress());
      Event event = events.poll(Math.max(0, left.toMillis()), TimeUnit.MILLISECONDS);
      if (event == null) {
        checkProgress();
      } else if (event.from == null) {
        throw event.failure;
      } else if (event.from == current && event.answer != null) {
        SubmissionOutcome outcome = outcomeOf(current, event.answer);
        current.requests.request(1);
        if (outcome != null) {
          round.succeed();
          current.watch.answered();
          synchronized (this) {
            yielding = true;
          }
          return outcome;
        }
      } else if (event.from == current) {
        if (isSettled()) {
          return null;
        }
        goOn(current, (BssException) event.failure);
      }
    }
  }

  /** The attempt that is running; opens a stream if there is none. */
  private synchronized Attempt present() {
    if (closed) {
      throw BssException.cancelled("the stream is closed", null);
    }
    if (attempt == null) {
      Connections.Manager manager = connections.manager();
      attempt = new Attempt(manager.address());
      attempt.watch = ManagerWatch.start(connections, manager.address(), attempt);
      BroadcastServiceGrpc.newStub(manager.channel()).submitStream(attempt);
      // In the order of the source.
      List.copyOf(unanswered.keySet()).forEach(attempt::send);
      attempt.endIfSettled();
    }
    return attempt;
  }

  /** Ends an attempt that failed, and waits until the next one. */
  private void goOn(Attempt lost, BssException failure) {
    int waiting;
    synchronized (this) {
      lost.cancel();
      attempt = null;
      waiting = unanswered.size();
    }
    lastFailure = failure;
    connections.checkOpen();
    if (!failure.mayRepeat()) {
      faults++;
      if (!failure.isFault() || faults > FAULTS_MAX) {
        throw failure;
      }
    }
    checkProgress();
    Duration wait = round.leave(lost.address, failure);
    options.onReconnect().accept(failure.at(lost.address), waiting);
    Connections.pause(wait);
  }

  /** Null for an answer without a result, and for a refusal after which it is sent again. */
  private SubmissionOutcome outcomeOf(Attempt from, SubmitStreamResponse answer) {
    long id = answer.getRequestId();
    Submission submission;
    synchronized (this) {
      submission = unanswered.get(id);
    }
    boolean isEmpty =
        answer.getResultCase() == SubmitStreamResponse.ResultCase.RESULT_NOT_SET;
    if (submission == null || isEmpty) {
      return null;
    }
    BssException refusal = answer.hasRefusal() ? BssException.of(answer.getRefusal()) : null;
    if (refusal != null && refusal.code() == Status.Code.UNAVAILABLE) {
      // Another manager should be asked.
      from.fail(refusal);
      return null;
    }
    if (refusal != null && refusal.mayRepeat()) {
      lastFailure = refusal;
      from.overloaded = refusal.code() == Status.Code.RESOURCE_EXHAUSTED;
      from.sendLater(id, refusal.retryAfter());
      return null;
    }
    synchronized (this) {
      unanswered.remove(id);
      from.overloaded = false;
      from.endIfSettled();
    }
    faults = 0;
    slots.release();
    return new SubmissionOutcome(
        id - 1, submission, answer.hasResponse() ? answer.getResponse() : null, refusal);
  }

  private synchronized boolean isSettled() {
    return sourceEnded && unanswered.isEmpty();
  }

  /** How long an outcome has been due; zero while none is. */
  private synchronized Duration sinceProgress() {
    if (unanswered.isEmpty()) {
      progressNs = System.nanoTime();
    }
    return Duration.ofNanos(System.nanoTime() - progressNs);
  }

  private void checkProgress() {
    if (sinceProgress().compareTo(options.stallTimeout()) < 0) {
      return;
    }
    String told = lastFailure == null ? "" : "; the last error was: " + lastFailure.text();
    throw new BssException(
        BssException.DEADLINE,
        Status.Code.DEADLINE_EXCEEDED,
        "no outcome has come for " + options.stallTimeout().toMillis() + " ms" + told,
        lastFailure);
  }

  @Override
  public void close() {
    reader.interrupt();
    synchronized (this) {
      closed = true;
      if (attempt != null) {
        attempt.cancel();
        attempt.fail(BssException.cancelled("the stream is closed", null));
      }
    }
  }

  /** One stream to one manager. All but the observer's methods is called under the lock. */
  private final class Attempt
      implements ClientResponseObserver<SubmitStreamRequest, SubmitStreamResponse>,
          ManagerWatch.Call {
    final String address;
    ManagerWatch watch;

    /** Whether the last answers were refusals for overload. */
    volatile boolean overloaded;

    ClientCallStreamObserver<SubmitStreamRequest> requests;
    private boolean over;

    Attempt(String address) {
      this.address = address;
    }

    @Override
    public void beforeStart(ClientCallStreamObserver<SubmitStreamRequest> stream) {
      requests = stream;
      // One answer at a time: the next one is asked for when this one was taken.
      stream.disableAutoRequestWithInitial(1);
    }

    @Override
    public void onNext(SubmitStreamResponse answer) {
      events.add(new Event(this, answer, null));
    }

    @Override
    public void onError(Throwable error) {
      fail(BssException.of(error));
    }

    @Override
    public void onCompleted() {
      fail(
          new BssException(
              BssException.STOPPING,
              Status.Code.UNAVAILABLE,
              "the node ended the stream before it had answered",
              null));
    }

    @Override
    public boolean isDue() {
      synchronized (SubmitStream.this) {
        return !unanswered.isEmpty() && !yielding;
      }
    }

    @Override
    public boolean isOverloaded() {
      return overloaded;
    }

    @Override
    public void leave(BssException why) {
      fail(why);
    }

    void fail(BssException failure) {
      events.add(new Event(this, null, failure));
    }

    /** Leaves failures to the observer, which learns why the stream ended. */
    void send(long id) {
      Submission submission = unanswered.get(id);
      if (over || submission == null) {
        return;
      }
      requests.onNext(
          SubmitStreamRequest.newBuilder()
              .setRequestId(id)
              .setSubmission(submission)
              .setWaitFor(options.waitFor())
              .build());
    }

    void sendLater(long id, Duration asked) {
      Duration wait = asked.compareTo(RETRY_WAIT_MIN) > 0 ? asked : RETRY_WAIT_MIN;
      CompletableFuture.delayedExecutor(wait.toMillis(), TimeUnit.MILLISECONDS)
          .execute(
              () -> {
                synchronized (SubmitStream.this) {
                  send(id);
                }
              });
    }

    void endIfSettled() {
      if (!over && isSettled()) {
        over = true;
        requests.onCompleted();
      }
    }

    void cancel() {
      over = true;
      watch.stop();
      requests.cancel("the client leaves this stream", null);
    }
  }
}
