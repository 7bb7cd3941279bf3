package bss.verify;

import bss.v1.CanonicalCommit;
import bss.v1.CommitCertificate;
import bss.v1.ManagerSignature;
import bss.verify.NotProvenException.Step;
import java.util.ArrayList;
import java.util.List;

/** The certificate that makes a block final. */
final class Commits {
  private Commits() {}

  /**
   * Checks COMMITs of one round by at least Q managers of genesis, each once, sorted, all valid.
   * Returns who signed.
   */
  static List<String> check(
      CommitCertificate certificate, long height, Hash id, Genesis genesis) {
    if (Wire.hasUnknownFields(certificate)) {
      throw invalid("there are unknown fields");
    }
    if (certificate.getHeight() != height) {
      throw invalid("it is about another height");
    }
    if (!id.is(certificate.getBlockId())) {
      throw invalid("it is about another block");
    }
    List<String> signers = signersOf(certificate, genesis);
    Hash digest =
        Digests.commit(
            CanonicalCommit.newBuilder()
                .setConsortiumId(genesis.consortiumId().toByteString())
                .setHeight(height)
                .setRound(certificate.getRound())
                .setBlockId(id.toByteString())
                .build());
    for (ManagerSignature each : certificate.getSignaturesList()) {
      byte[] key = genesis.manager(each.getManagerId()).getSigningKey().toByteArray();
      if (!Ed25519.verify(key, digest, each.getSignature().toByteArray())) {
        throw new NotProvenException(
            Step.SIGNATURES,
            "a signature does not verify: COMMIT of %s at height %d",
            each.getManagerId(),
            height);
      }
    }
    return signers;
  }

  private static List<String> signersOf(CommitCertificate certificate, Genesis genesis) {
    int count = certificate.getSignaturesCount();
    if (count < genesis.quorum() || count > genesis.managerCount()) {
      throw invalid(
          genesis.quorum()
              + (" of " + genesis.managerCount() + " managers must sign, ")
              + (count + " signatures are here"));
    }
    List<String> signers = new ArrayList<>();
    for (ManagerSignature each : certificate.getSignaturesList()) {
      String signer = each.getManagerId();
      if (!signers.isEmpty() && signers.get(signers.size() - 1).compareTo(signer) >= 0) {
        throw invalid("the signers are not in ascending order without repeats");
      }
      if (genesis.manager(signer) == null) {
        throw invalid("one of the signers is no manager");
      }
      if (each.getSignature().size() != Ed25519.SIGNATURE_BYTES) {
        throw invalid("the signature of " + signer + " does not have 64 bytes");
      }
      signers.add(signer);
    }
    return List.copyOf(signers);
  }

  private static NotProvenException invalid(String what) {
    return new NotProvenException(
        Step.COMMIT_CERTIFICATE, "the commit certificate is not valid: %s", what);
  }
}
