package bss.client;

import bss.chain.Chain;
import bss.chain.StandingChange;
import bss.v1.StorageNodeEntry;
import bss.v1.StorageNodeStatus;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Why a storage node's credit and reward are what they are.
 *
 * @param height that of the block up to which the chain was followed
 * @param node the node's standing after that block; empty if nobody has admitted it
 * @param changes all that led to it, oldest first
 */
public record Statement(
    String nodeId, long height, Optional<StorageNodeEntry> node, List<StandingChange> changes) {
  /**
   * The chain grows while it is read. Its new blocks are read this often before the manager is
   * taken to be wrong.
   */
  private static final int COMPARISONS_MAX = 10;

  private static final Duration COMPARISON_PAUSE = Duration.ofMillis(300);

  /** Recomputes it from genesis on, and compares it with what a manager says. */
  static Statement recompute(Client client, String nodeId) {
    Chain chain = new Chain(client.genesis());
    List<StandingChange> changes = new ArrayList<>();
    for (int comparison = 1; comparison <= COMPARISONS_MAX; comparison++) {
      if (comparison > 1) {
        Connections.pause(COMPARISON_PAUSE);
      }
      for (var added : client.follow(chain)) {
        added.changes().stream()
            .filter(each -> each.nodeId().equals(nodeId))
            .forEach(changes::add);
      }
      Optional<StorageNodeEntry> computed = Optional.ofNullable(chain.storageNode(nodeId));
      if (isSame(computed, said(client, nodeId))) {
        return new Statement(nodeId, chain.height(), computed, List.copyOf(changes));
      }
    }
    throw new UntrueAnswerException(
        ("what a manager says about " + nodeId)
            + (" does not follow from the chain up to block " + chain.height()));
  }

  private static Optional<StorageNodeStatus> said(Client client, String nodeId) {
    for (StorageNodeStatus each : client.listStorageNodes()) {
      if (each.getNodeId().equals(nodeId)) {
        return Optional.of(each);
      }
    }
    return Optional.empty();
  }

  static boolean isSame(
      Optional<StorageNodeEntry> computed, Optional<StorageNodeStatus> said) {
    if (computed.isEmpty() || said.isEmpty()) {
      return computed.isEmpty() && said.isEmpty();
    }
    StorageNodeEntry node = computed.get();
    StorageNodeStatus status = said.get();
    return node.getCredit() == status.getCredit()
        && node.getReward() == status.getReward()
        && node.getPaid() == status.getPaid()
        && node.getChangedHeight() == status.getChangedHeight()
        && node.getLastAttestedHeight() == status.getLastAttestedHeight();
  }
}
