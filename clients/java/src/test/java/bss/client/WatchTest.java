package bss.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import bss.v1.BlockView;
import bss.v1.GetStatusResponse;
import bss.v1.WatchBlocksResponse;
import bss.verify.Block;
import bss.verify.NotProvenException;
import com.google.protobuf.ByteString;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class WatchTest {
  private static final Map<String, Consumer<BlockView.Builder>> FORGED =
      Map.of(
          "a leaf less", view -> view.getBlockBuilder().removeLeaves(0),
          "a signature of none",
              view ->
                  view.getCertificatesBuilder()
                      .getCommitBuilder()
                      .getSignaturesBuilder(0)
                      .setSignature(ByteString.copyFrom(new byte[64])),
          "no certificates", BlockView.Builder::clearCertificates);

  private final World world = new World();

  @AfterEach
  void close() {
    world.close();
  }

  @Test
  void itGoesOnWithoutGapOrRepeat() {
    world.start("manager-1").watch = world.blocksUntil(5);
    world.start("manager-2").watch = world.blocksUntil(12);
    world.start("manager-3").watch = world.blocksUntil(20);
    List<Long> resumed = new ArrayList<>();
    List<Long> heights = new ArrayList<>();
    try (var blocks =
        world.connect().watchBlocks(2, (failure, height) -> resumed.add(height))) {
      while (heights.size() < 19) {
        heights.add(blocks.next().height());
      }
    }
    assertEquals(Stream.iterate(2L, height -> height + 1).limit(19).toList(), heights);
    assertEquals(List.of(6L, 13L), resumed);
  }

  @Test
  void itStartsAfterTheHead() {
    FakeManager manager = world.start("manager-1");
    manager.watch = world.blocksUntil(20);
    manager.status = GetStatusResponse.newBuilder().setHeight(7).build();
    try (var blocks = world.connect().watchBlocks(0)) {
      assertEquals(8, blocks.next().height());
    }
  }

  static Stream<String> forged() {
    return FORGED.keySet().stream();
  }

  @ParameterizedTest
  @MethodSource("forged")
  void itRefusesWhatDoesNotHold(String how) {
    BlockView.Builder third = world.blocks.get(2).toBuilder();
    FORGED.get(how).accept(third);
    world.blocks.set(2, third.build());
    world.start("manager-1").watch = world.blocksUntil(20);
    try (var blocks = world.connect().watchBlocks(1)) {
      blocks.next();
      assertEquals(2, blocks.next().height());
      var lie = assertThrows(UntrueAnswerException.class, blocks::next);
      assertInstanceOf(NotProvenException.class, lie.getCause());
    }
  }

  @Test
  void itLeavesAManagerThatSkipsABlock() {
    world.start("manager-1").watch =
        (request, to) ->
            to.onNext(
                WatchBlocksResponse.newBuilder().setBlock(world.blocks.get(4)).build());
    world.start("manager-2").watch = world.blocksUntil(20);
    try (var blocks = world.connect().watchBlocks(1)) {
      Block first = blocks.next();
      assertEquals(1, first.height());
    }
  }

  @Test
  void closingItEndsTheWaitForABlock() throws Exception {
    world.start("manager-1").watch = (request, to) -> {};
    var blocks = world.connect().watchBlocks(1);
    Thread closing = new Thread(blocks::close);
    closing.start();
    assertEquals(
        BssException.CANCELLED, assertThrows(BssException.class, blocks::next).reason());
    closing.join();
  }
}
