package bss.chain;

import bss.chain.StandingChange.Kind;
import bss.v1.AdmitStorageNode;
import bss.v1.AuditedAttestation;
import bss.v1.CarryAttestations;
import bss.v1.ControlOperation;
import bss.v1.FailAudit;
import bss.v1.LateAttestation;
import bss.v1.ManagerEntry;
import bss.v1.OfficerEntry;
import bss.v1.OpenCommittee;
import bss.v1.Policy;

import bss.v1.StorageNodeEntry;
import bss.v1.StorageSuspension;
import bss.v1.SuspensionMode;
import bss.v1.SuspensionReason;
import com.google.protobuf.ByteString;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * The members while a block is applied to them: first the block before is settled, then come the
 * operations in order; in the end committees close.
 *
 * <p>It does not ask whether an operation is allowed. Q managers have found so before they
 * committed the block, and what comes of it is held against the digest in the header that they
 * signed.
 */
final class Draft {
  /** A block stays open for late attestations for so many blocks after it. */
  private static final int OPEN_BLOCKS = 8;

  final Members members;
  final List<StandingChange> changes = new ArrayList<>();
  private final Policy policy;
  private final long height;
  private final long timeMs;

  /** Of genesis, height and time are 0. */
  Draft(Members members, Policy policy, long height, long timeMs) {
    this.members = members;
    this.policy = policy;
    this.height = height;
    this.timeMs = timeMs;
  }

  /** Lets the time pass since the block before. */
  void elapse(long elapsedMs) {
    members.totals = Credit.totalsUntil(members.totals, elapsedMs);
  }

  /** Does what the block does because of the one before, whose certificate it carries. */
  void settle(SettledBlock previous, bss.v1.IntegrityCertificate integrity, ByteString beacon) {
    TreeMap<String, ByteString> audits = new TreeMap<>();
    for (var each : integrity.getSignaturesList()) {
      audits.put(each.getNodeId(), each.getAudit());
    }
    List<String> named =
        integrity.getSignaturesList().stream().map(each -> each.getNodeId()).sorted().toList();
    OpenCommittee.Builder committee =
        OpenCommittee.newBuilder()
            .setHeight(previous.height())
            .setBlockId(previous.id().toByteString())
            .setRound(integrity.getRound())
            .setHash1(previous.root().toByteString())
            .setTreeSize(previous.treeSize());
    Committees.committee(previous.eligible(), previous.beacon(), integrity.getRound()).stream()
        .filter(id -> !audits.containsKey(id))
        .sorted()
        .forEach(committee::addMissing);
    int perBlock = policy.getAuditsPerBlock();
    for (String id : Committees.audited(named, beacon, previous.height(), perBlock)) {
      committee.addAudited(
          AuditedAttestation.newBuilder().setNodeId(id).setAudit(audits.get(id)));
    }
    members.open.add(committee.build());
    for (var each : integrity.getSignaturesList()) {
      put(each.getNodeId(), Kind.MATCH, previous.height(), node -> match(node, previous.height()));
    }
  }

  private void match(StorageNodeEntry.Builder node, long attestedHeight) {
    Credit.rewardForStoring(node, members.totals.getKibSeconds(), policy);
    node.setReward(Credit.added(node.getReward(), Credit.unsigned(policy.getMatchReward())));
    node.setCredit(Credit.after(Kind.MATCH, node.getCredit()));
    node.setLastAttestedHeight(Math.max(node.getLastAttestedHeight(), attestedHeight));
  }

  /** Applies one operation; false for one that this version does not know. */
  boolean apply(ControlOperation operation) {
    switch (operation.getOperationCase()) {
      case REGISTER_PARTICIPANT, REGISTER_METER -> {
        // Participants and meters are no members.
      }
      case ADMIT_STORAGE_NODE -> admit(operation.getAdmitStorageNode());
      case REGISTER_OFFICER -> {
        var registration = operation.getRegisterOfficer();
        members.officers.put(
            registration.getOfficerId(),
            OfficerEntry.newBuilder().setRegistration(registration).build());
      }
      case SUSPEND_MANAGER ->
          changeManager(
              operation.getSuspendManager().getManagerId(),
              manager -> {
                manager.setAbsences(
                    absencesWith(manager.getAbsences(), manager.getChangedAtUnixMs()));
                suspend(manager, SuspensionReason.SUSPENSION_REASON_ABSENT);
              });
      case RESUME_MANAGER ->
          changeManager(
              operation.getResumeManager().getManagerId(),
              manager -> {
                suspend(manager, SuspensionReason.SUSPENSION_REASON_UNSPECIFIED);
                manager.setSuspended(false);
              });
      case EVIDENCE ->
          changeManager(
              operation.getEvidence().getManagerId(), manager -> manager.setOffenceHeight(height));
      case RETIRE_STORAGE_NODE ->
          put(
              operation.getRetireStorageNode().getNodeId(),
              Kind.RETIRED,
              height,
              node -> suspend(node, StorageSuspension.STORAGE_SUSPENSION_RETIRED));
      case SUSPEND_STORAGE_NODE ->
          put(
              operation.getSuspendStorageNode().getNodeId(),
              Kind.UNREACHABLE,
              height,
              node -> {
                node.setAbsences(absencesWith(node.getAbsences(), node.getChangedAtUnixMs()));
                suspend(node, StorageSuspension.STORAGE_SUSPENSION_UNREACHABLE);
              });
      case RETURN_STORAGE_NODE ->
          put(
              operation.getReturnStorageNode().getNodeId(),
              Kind.RETURNED,
              height,
              node -> {
                node.setRewardedKibSeconds(members.totals.getKibSeconds());
                suspend(node, StorageSuspension.STORAGE_SUSPENSION_UNSPECIFIED);
              });
      case CARRY_ATTESTATIONS -> carry(operation.getCarryAttestations());
      case FAIL_AUDIT -> failAudit(operation.getFailAudit());
      case RECORD_PAYOUT ->
          put(
              operation.getRecordPayout().getNodeId(),
              Kind.PAID,
              height,
              node -> node.setPaid(node.getPaid() + operation.getRecordPayout().getAmount()));
      default -> {
        return false;
      }
    }
    return true;
  }

  /** Closes what the block closes. */
  void conclude(long sealedBytes) {
    members.totals = members.totals.toBuilder().setSealedBytes(sealedBytes).build();
    members.managers.replaceAll(this::judged);
    for (Iterator<OpenCommittee> each = members.open.iterator(); each.hasNext(); ) {
      OpenCommittee committee = each.next();
      if (committee.getHeight() + OPEN_BLOCKS <= height) {
        each.remove();
        close(committee);
      }
    }
    for (Map.Entry<String, StorageNodeEntry> each : List.copyOf(members.nodes.entrySet())) {
      StorageNodeEntry node = each.getValue();
      boolean isOut =
          node.getSuspension() == StorageSuspension.STORAGE_SUSPENSION_BOYCOTTED
              || node.getSuspension() == StorageSuspension.STORAGE_SUSPENSION_RETIRED;
      if (!isOut && Integer.compareUnsigned(node.getCredit(), policy.getBoycottLine()) < 0) {
        put(
            each.getKey(),
            Kind.BOYCOTTED,
            height,
            builder -> suspend(builder, StorageSuspension.STORAGE_SUSPENSION_BOYCOTTED));
      }
    }
  }

  /**
   * Ends the time for attestations of a block: a node that is still missing was not seen, and one
   * that is still audited has passed.
   */
  private void close(OpenCommittee committee) {
    long about = committee.getHeight();
    for (String id : committee.getMissingList()) {
      StorageNodeEntry node = members.nodes.get(id);
      // A node that was admitted again since then starts anew; a suspended one is known to be away.
      boolean isHere =
          node != null
              && node.getAdmittedHeight() <= about
              && node.getSuspension() == StorageSuspension.STORAGE_SUSPENSION_UNSPECIFIED;
      if (isHere) {
        move(id, Kind.UNSEEN, about);
      }
    }
    for (AuditedAttestation audited : committee.getAuditedList()) {
      StorageNodeEntry node = members.nodes.get(audited.getNodeId());
      if (node != null && node.getAuditFailed()) {
        put(audited.getNodeId(), Kind.AUDIT_PASSED, about, each -> each.setAuditFailed(false));
      }
    }
  }

  private void admit(AdmitStorageNode admission) {
    String id = admission.getNodeId();
    StorageNodeEntry before =
        members.nodes.getOrDefault(id, StorageNodeEntry.getDefaultInstance());
    StorageNodeEntry.Builder node =
        StorageNodeEntry.newBuilder()
            .setAdmission(
                AdmitStorageNode.newBuilder()
                    .setNodeId(id)
                    .setSigningKey(admission.getSigningKey())
                    .setTlsSpkiSha256(admission.getTlsSpkiSha256())
                    .setSponsorId(admission.getSponsorId()))
            .setCredit(Credit.AT_ADMISSION)
            .setReward(before.getReward())
            .setPaid(before.getPaid())
            .setLastAttestedHeight(before.getLastAttestedHeight())
            .setAdmittedHeight(height)
            .setRewardedKibSeconds(members.totals.getKibSeconds());
    suspend(node, StorageSuspension.STORAGE_SUSPENSION_UNSPECIFIED);
    StorageNodeEntry after = node.build();
    members.nodes.put(id, after);
    changes.add(StandingChange.between(before, after, Kind.ADMITTED, height, height));
  }

  private void carry(CarryAttestations carried) {
    Set<String> arrived = new HashSet<>();
    carried.getAttestationsList().forEach(each -> arrived.add(each.getNodeId()));
    members.open.replaceAll(
        open -> {
          if (open.getHeight() != carried.getHeight()) {
            return open;
          }
          List<String> missing =
              open.getMissingList().stream().filter(id -> !arrived.contains(id)).toList();
          return open.toBuilder().clearMissing().addAllMissing(missing).build();
        });
    for (LateAttestation each : carried.getAttestationsList()) {
      if (each.hasMismatch()) {
        move(each.getNodeId(), Kind.MISMATCH, carried.getHeight());
        continue;
      }
      put(
          each.getNodeId(),
          Kind.LATE,
          carried.getHeight(),
          node -> {
            node.setCredit(Credit.after(Kind.LATE, node.getCredit()));
            node.setLastAttestedHeight(
                Math.max(node.getLastAttestedHeight(), carried.getHeight()));
          });
    }
  }

  /** Drops the node's older audits, too: one that has failed since cannot pass them any more. */
  private void failAudit(FailAudit failed) {
    members.open.replaceAll(
        open -> {
          if (open.getHeight() > failed.getHeight()) {
            return open;
          }
          List<AuditedAttestation> others =
              open.getAuditedList().stream()
                  .filter(each -> !each.getNodeId().equals(failed.getNodeId()))
                  .toList();
          return open.toBuilder().clearAudited().addAllAudited(others).build();
        });
    put(
        failed.getNodeId(),
        Kind.AUDIT_FAILED,
        failed.getHeight(),
        node -> {
          node.setCredit(Credit.after(Kind.AUDIT_FAILED, node.getCredit()));
          node.setAuditFailed(true);
          node.setRewardedKibSeconds(members.totals.getKibSeconds());
        });
  }

  /** A manager after the block's operations: an offender is suspended once there is room. */
  private ManagerEntry judged(ManagerEntry manager) {
    SuspensionReason equivocated = SuspensionReason.SUSPENSION_REASON_EQUIVOCATED;
    boolean isFloor = policy.getSuspension() == SuspensionMode.SUSPENSION_MODE_FLOOR;
    if (!isFloor || manager.getOffenceHeight() == 0 || manager.getReason() == equivocated) {
      return manager;
    }
    if (manager.getSuspended()) {
      return manager.toBuilder().setReason(equivocated).build();
    }
    if (members.suspensionRoom(policy) == 0) {
      return manager;
    }
    ManagerEntry.Builder suspended = manager.toBuilder();
    suspend(suspended, equivocated);
    return suspended.build();
  }

  private void suspend(ManagerEntry.Builder manager, SuspensionReason reason) {
    manager.setSuspended(true).setReason(reason);
    manager.setChangedHeight(height).setChangedAtUnixMs(timeMs);
  }

  private void suspend(StorageNodeEntry.Builder node, StorageSuspension cause) {
    node.setSuspension(cause).setChangedHeight(height).setChangedAtUnixMs(timeMs);
  }

  /** How often somebody who is suspended now has been suspended in close succession. */
  private int absencesWith(int absences, long changedAtMs) {
    long waitMax = Integer.toUnsignedLong(policy.getResumeWaitMaxMs());
    return timeMs - changedAtMs < waitMax ? absences + 1 : 1;
  }

  private void changeManager(String id, Consumer<ManagerEntry.Builder> change) {
    members.managers.replaceAll(
        manager -> {
          if (!manager.getMember().getManagerId().equals(id)) {
            return manager;
          }
          ManagerEntry.Builder builder = manager.toBuilder();
          change.accept(builder);
          return builder.build();
        });
  }

  /** Changes a node's credit by a movement, and nothing else. */
  private void move(String id, Kind kind, long aboutHeight) {
    put(id, kind, aboutHeight, node -> node.setCredit(Credit.after(kind, node.getCredit())));
  }

  /** Changes a node, if there is one with this id, and takes down the change. */
  private void put(
      String id, Kind kind, long aboutHeight, Consumer<StorageNodeEntry.Builder> change) {
    StorageNodeEntry before = members.nodes.get(id);
    if (before == null) {
      return;
    }
    StorageNodeEntry.Builder builder = before.toBuilder();
    change.accept(builder);
    StorageNodeEntry after = builder.build();
    members.nodes.put(id, after);
    changes.add(StandingChange.between(before, after, kind, height, aboutHeight));
  }
}
