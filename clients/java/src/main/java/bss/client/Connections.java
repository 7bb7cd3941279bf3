package bss.client;

import bss.profile.Profile;
import bss.v1.GetStatusRequest;
import bss.v1.GetStatusResponse;
import bss.v1.QueryServiceGrpc;
import io.grpc.ConnectivityState;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.channel.ChannelOption;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContext;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContextBuilder;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslProvider;
import io.grpc.stub.StreamObserver;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import javax.net.ssl.SSLException;

/**
 * The connections to the managers of a profile, and the rule by which a call moves from one to the
 * next. The manager that answered last is asked first.
 */
final class Connections implements AutoCloseable, ManagerWatch.Managers {
  /** A call that was given no time ends after this time if no manager can be reached. */
  static final Duration UNREACHABLE = Duration.ofSeconds(3);

  private static final int CONNECT_MS = 5_000;

  /** Blocks of a consortium of thousands of storage nodes may exceed the 4 MiB that gRPC takes. */
  private static final int MESSAGE_BYTES_MAX = 16 << 20;

  private final List<String> addresses;
  private final SslContext tls;
  private final Map<String, ManagedChannel> open = new HashMap<>();
  private final ScheduledThreadPoolExecutor timer;
  private int current;
  private boolean closed;

  /** A manager to ask. */
  record Manager(String address, ManagedChannel channel) {}

  /** How long a call may take, and one attempt of it, so that other managers can be asked. */
  record Limits(Duration call, Duration attempt) {}

  static final Limits READING = new Limits(Duration.ofSeconds(30), Duration.ofSeconds(10));

  /** A manager answers such a call when a block is final: one attempt gets the whole time. */
  static final Limits FINAL = new Limits(Duration.ofSeconds(60), Duration.ofSeconds(60));

  /** One attempt of a call, at one manager. */
  interface Attempt<T> {
    T at(ManagedChannel channel, Deadline deadline);
  }

  Connections(Profile profile) {
    addresses = profile.addresses();
    X509Certificate[] own = profile.certificates().toArray(X509Certificate[]::new);
    try {
      tls =
          GrpcSslContexts.configure(SslContextBuilder.forClient(), SslProvider.JDK)
              .keyManager(profile.tlsKey(), own)
              .trustManager(new ManagerTrust(profile))
              .protocols("TLSv1.3")
              .build();
    } catch (SSLException wrong) {
      throw new IllegalStateException("TLS cannot use the profile's certificate", wrong);
    }
    // What is left to do when the client is closed is not done.
    timer =
        new ScheduledThreadPoolExecutor(
            1, Connections::daemon, new ThreadPoolExecutor.DiscardPolicy());
    timer.setRemoveOnCancelPolicy(true);
  }

  private static Thread daemon(Runnable work) {
    Thread thread = new Thread(work, "bss-timer");
    thread.setDaemon(true);
    return thread;
  }

  List<String> addresses() {
    return addresses;
  }

  /** Throws if the client was closed. */
  synchronized void checkOpen() {
    if (closed) {
      throw BssException.cancelled("the client is closed", null);
    }
  }

  /** The one to ask now. */
  synchronized Manager manager() {
    String address = addresses.get(current);
    return new Manager(address, channel(address));
  }

  private synchronized ManagedChannel channel(String address) {
    checkOpen();
    return open.computeIfAbsent(address, this::channelTo);
  }

  private ManagedChannel channelTo(String address) {
    return NettyChannelBuilder.forTarget("dns:///" + address)
        .sslContext(tls)
        .withOption(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_MS)
        .maxInboundMessageSize(MESSAGE_BYTES_MAX)
        .build();
  }

  /** Turns to the next manager, unless another call has done so already. */
  synchronized void leave(String address) {
    if (addresses.get(current).equals(address)) {
      current = (current + 1) % addresses.size();
    }
    ManagedChannel channel = open.get(address);
    boolean isDown =
        channel != null && channel.getState(false) == ConnectivityState.TRANSIENT_FAILURE;
    if (isDown) {
      // By itself it would wait for up to two minutes before it connects again.
      open.remove(address).shutdown();
    }
  }

  @Override
  public CompletableFuture<GetStatusResponse> statusOf(String address) {
    var answer = new CompletableFuture<GetStatusResponse>();
    ManagedChannel channel;
    try {
      channel = channel(address);
    } catch (BssException closing) {
      return CompletableFuture.completedFuture(null);
    }
    QueryServiceGrpc.newStub(channel)
        .withDeadlineAfter(ManagerWatch.ASK.toMillis(), TimeUnit.MILLISECONDS)
        .getStatus(
            GetStatusRequest.getDefaultInstance(),
            new StreamObserver<>() {
              @Override
              public void onNext(GetStatusResponse said) {
                answer.complete(said);
              }

              @Override
              public void onError(Throwable failure) {
                answer.complete(null);
              }

              @Override
              public void onCompleted() {
                answer.complete(null);
              }
            });
    return answer;
  }

  @Override
  public List<String> after(String address) {
    int at = addresses.indexOf(address);
    List<String> others = new ArrayList<>(addresses.subList(at + 1, addresses.size()));
    others.addAll(addresses.subList(0, at));
    return others;
  }

  @Override
  public synchronized void turn(String address) {
    current = addresses.indexOf(address);
  }

  @Override
  public Runnable later(Duration wait, Runnable work) {
    var waiting = timer.schedule(work, wait.toMillis(), TimeUnit.MILLISECONDS);
    return () -> waiting.cancel(false);
  }

  @Override
  public synchronized void close() {
    closed = true;
    timer.shutdownNow();
    open.values().forEach(ManagedChannel::shutdownNow);
    open.clear();
  }

  /**
   * Calls a method at one manager after the other, and waits when all have been tried. It ends when
   * a call succeeds, when it fails for a reason that another manager would give too, when TLS
   * refuses every manager, or when time is up. A manager that is silent is left before its time is
   * up if another one is better; see {@link ManagerWatch}.
   *
   * @param time the caller's, or null for that of the limits
   */
  <T> T ask(Limits limits, Duration time, Attempt<T> call) {
    long start = System.nanoTime();
    Duration total = time == null ? limits.call() : time;
    boolean isWhole = time != null && limits == FINAL;
    Duration attemptMax = isWhole ? time : limits.attempt();
    Round round = new Round(this);
    BssException said = null;
    while (true) {
      Manager manager = manager();
      Duration left = total.minusNanos(System.nanoTime() - start);
      Duration attempt = left.compareTo(attemptMax) < 0 ? left : attemptMax;
      BssException failure;
      try {
        Deadline deadline = Deadline.after(attempt.toNanos(), TimeUnit.NANOSECONDS);
        return watched(manager, () -> call.at(manager.channel(), deadline));
      } catch (io.grpc.StatusRuntimeException | BssException failed) {
        failure = BssException.of(failed);
      }
      if (Thread.currentThread().isInterrupted()) {
        throw BssException.cancelled("the calling thread was interrupted", failure);
      }
      checkOpen();
      if (!failure.mayRepeat()) {
        throw failure;
      }
      if (said != null && System.nanoTime() - start >= total.toNanos()) {
        // What managers said before tells more than that time was up during the last attempt.
        throw round.summary(said);
      }
      said = failure;
      Duration wait = round.leave(manager.address(), failure);
      boolean isNobodyThere = time == null && round.allFail(BssException::isUnreachable);
      Duration until = isNobodyThere ? UNREACHABLE : total;
      if (wait.plusNanos(System.nanoTime() - start).compareTo(until) > 0) {
        throw round.summary(failure);
      }
      pause(wait);
    }
  }

  /** Calls until there is an answer, or another manager is better, and then throws why. */
  private <T> T watched(Manager manager, Supplier<T> call) {
    var left = new AtomicReference<BssException>();
    var context = Context.current().withCancellation();
    ManagerWatch watch =
        ManagerWatch.start(
            this,
            manager.address(),
            why -> {
              left.set(why);
              context.cancel(why);
            });
    Context outer = context.attach();
    try {
      return call.get();
    } catch (io.grpc.StatusRuntimeException failed) {
      throw left.get() == null ? failed : left.get();
    } finally {
      watch.stop();
      context.detach(outer);
      context.cancel(null);
    }
  }

  static void pause(Duration wait) {
    try {
      TimeUnit.NANOSECONDS.sleep(wait.toNanos());
    } catch (InterruptedException interrupted) {
      throw BssException.interrupted(interrupted);
    }
  }
}
