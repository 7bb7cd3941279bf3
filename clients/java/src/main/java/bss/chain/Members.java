package bss.chain;

import bss.v1.ManagerEntry;
import bss.v1.MemberEntry;
import bss.v1.OfficerEntry;
import bss.v1.OpenCommittee;
import bss.v1.Policy;
import bss.v1.StorageNodeEntry;
import bss.v1.StorageTotals;
import bss.v1.SuspensionMode;
import bss.verify.Frontier;
import bss.verify.Hash;
import bss.verify.Merkle;
import com.google.protobuf.Message;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * All entries that a header's members_digest covers, as members.proto has them. Entries never
 * change; they are replaced, so that the members of two heights share the others.
 */
final class Members {
  /** In ring order. */
  final List<ManagerEntry> managers;

  final TreeMap<String, StorageNodeEntry> nodes;
  final TreeMap<String, OfficerEntry> officers;

  /** Ascending by height. */
  final List<OpenCommittee> open;

  StorageTotals totals;

  /** The leaf hashes of entries, which most blocks leave as they are. */
  private Map<Message, Hash> leaves;

  Members() {
    managers = new ArrayList<>();
    nodes = new TreeMap<>();
    officers = new TreeMap<>();
    open = new ArrayList<>();
    totals = StorageTotals.getDefaultInstance();
    leaves = new IdentityHashMap<>();
  }

  Members(Members other) {
    managers = new ArrayList<>(other.managers);
    nodes = new TreeMap<>(other.nodes);
    officers = new TreeMap<>(other.officers);
    open = new ArrayList<>(other.open);
    totals = other.totals;
    leaves = other.leaves;
  }

  /** The managers, storage nodes and officers of genesis. */
  static Members of(bss.v1.Genesis genesis) {
    Members members = new Members();
    for (var manager : genesis.getManagersList()) {
      members.managers.add(ManagerEntry.newBuilder().setMember(manager).build());
    }
    Draft draft = new Draft(members, genesis.getPolicy(), 0, 0);
    genesis.getOperationsList().forEach(draft::apply);
    return members;
  }

  List<String> eligible(Policy policy) {
    return Committees.eligible(nodes.values(), managers.size(), policy);
  }

  /** How many of the active managers may be suspended. */
  int suspensionRoom(Policy policy) {
    if (policy.getSuspension() != SuspensionMode.SUSPENSION_MODE_FLOOR) {
      return 0;
    }
    int active = (int) managers.stream().filter(each -> !each.getSuspended()).count();
    int count = managers.size();
    return Math.max(0, active - (count - (count - 1) / 3));
  }

  /** members_digest: the RFC 9162 root over the canonical bytes of each entry. */
  Hash digest() {
    List<Hash> hashes = new ArrayList<>();
    Map<Message, Hash> known = new IdentityHashMap<>();
    for (ManagerEntry each : managers) {
      add(hashes, known, each, MemberEntry.newBuilder().setManager(each));
    }
    for (StorageNodeEntry each : nodes.values()) {
      add(hashes, known, each, MemberEntry.newBuilder().setStorageNode(each));
    }
    for (OfficerEntry each : officers.values()) {
      add(hashes, known, each, MemberEntry.newBuilder().setOfficer(each));
    }
    for (OpenCommittee each : open) {
      add(hashes, known, each, MemberEntry.newBuilder().setOpenCommittee(each));
    }
    if (!totals.equals(StorageTotals.getDefaultInstance())) {
      add(hashes, known, totals, MemberEntry.newBuilder().setTotals(totals));
    }
    leaves = known;
    return Frontier.EMPTY.append(hashes).root();
  }

  private void add(
      List<Hash> hashes, Map<Message, Hash> known, Message part, MemberEntry.Builder entry) {
    Hash hash = leaves.get(part);
    if (hash == null) {
      hash = Merkle.leaf(entry.build().toByteArray());
    }
    known.put(part, hash);
    hashes.add(hash);
  }
}
