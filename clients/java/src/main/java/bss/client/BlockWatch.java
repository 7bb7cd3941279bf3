package bss.client;

import bss.v1.BlockView;
import bss.v1.QueryServiceGrpc;
import bss.v1.WatchBlocksRequest;
import bss.v1.WatchBlocksResponse;
import bss.verify.Block;
import bss.verify.Genesis;
import bss.verify.NotProvenException;
import io.grpc.Context;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.Iterator;
import java.util.function.BiConsumer;

/** Every block from a height on, once and in order, over one stream after the other. */
final class BlockWatch implements Feed<Block> {
  private final Connections connections;
  private final Genesis genesis;
  private final BiConsumer<BssException, Long> onReconnect;
  private final Round round;
  private long nextHeight;
  private Block last;

  /** When the first attempt failed; null until then. */
  private Long failingNs;

  private Connections.Manager manager;
  private Iterator<WatchBlocksResponse> stream;
  private Context.CancellableContext context;
  private volatile boolean closed;

  BlockWatch(
      Connections connections,
      Genesis genesis,
      long fromHeight,
      BiConsumer<BssException, Long> onReconnect) {
    this.connections = connections;
    this.genesis = genesis;
    this.onReconnect = onReconnect;
    nextHeight = fromHeight;
    round = new Round(connections);
  }

  /** Always, as only an exception ends the chain. */
  @Override
  public boolean hasNext() {
    return true;
  }

  @Override
  public Block next() {
    while (!closed) {
      try {
        if (stream == null) {
          open();
        }
        return take(received());
      } catch (StatusRuntimeException failed) {
        lose(BssException.of(failed));
      } catch (UntrueAnswerException lie) {
        close();
        throw lie;
      }
    }
    throw BssException.cancelled("the watch is closed", null);
  }

  private synchronized void open() {
    manager = connections.manager();
    context = Context.current().withCancellation();
    Context outer = context.attach();
    try {
      var request = WatchBlocksRequest.newBuilder().setFromHeight(nextHeight).build();
      stream = QueryServiceGrpc.newBlockingStub(manager.channel()).watchBlocks(request);
    } finally {
      context.detach(outer);
    }
    if (closed) {
      context.cancel(null);
    }
  }

  private BlockView received() {
    if (!stream.hasNext()) {
      throw Status.UNAVAILABLE.withDescription("the node ended the stream").asRuntimeException();
    }
    BlockView view = stream.next().getBlock();
    if (view.getHeight() != nextHeight) {
      // A manager that breaks the order is treated like one that cannot be reached.
      throw Status.UNAVAILABLE
          .withDescription("it sent another block than the next one")
          .asRuntimeException();
    }
    return view;
  }

  private Block take(BlockView view) {
    Block block;
    try {
      block = Block.verify(view, genesis);
    } catch (NotProvenException wrong) {
      throw new UntrueAnswerException("a block that was sent does not hold", wrong);
    }
    if (last != null && !block.previousId().equals(last.id())) {
      throw new UntrueAnswerException(
          "block " + block.height() + " does not follow the block before it: a fork");
    }
    last = block;
    nextHeight++;
    round.succeed();
    return block;
  }

  private void lose(BssException failure) {
    end();
    if (closed) {
      return;
    }
    if (Thread.currentThread().isInterrupted()) {
      close();
      throw BssException.cancelled("the calling thread was interrupted", failure);
    }
    try {
      if (!failure.mayRepeat() && !failure.isFault()) {
        throw failure;
      }
      connections.checkOpen();
      if (failingNs == null) {
        failingNs = System.nanoTime();
      }
      var wait = round.leave(manager.address(), failure);
      boolean isNobodyThere = last == null && round.allFail(BssException::isUnreachable);
      Duration without = wait.plusNanos(System.nanoTime() - failingNs);
      if (isNobodyThere && without.compareTo(Connections.UNREACHABLE) > 0) {
        throw round.summary(failure);
      }
      onReconnect.accept(failure.at(manager.address()), nextHeight);
      Connections.pause(wait);
    } catch (RuntimeException ending) {
      close();
      throw ending;
    }
  }

  private synchronized void end() {
    if (context != null) {
      context.cancel(null);
    }
    stream = null;
  }

  @Override
  public synchronized void close() {
    closed = true;
    if (context != null) {
      context.cancel(null);
    }
  }
}
