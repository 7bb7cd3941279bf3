package bss.profile;

import bss.v1.ControlOperation;
import bss.v1.ManagerMember;
import bss.verify.Digests;
import bss.verify.Ed25519;
import bss.verify.Genesis;
import bss.verify.Hash;
import bss.verify.NotProvenException;
import com.google.protobuf.ByteString;
import java.nio.file.Path;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Objects;

/** Reads a profile and checks that its files belong together. */
final class ProfileReader {
  private ProfileReader() {}

  static Profile read(Path file) {
    var fields = new ProfileFields(file.toString(), Files.read(file));
    Path signingKeyFile = file.resolveSibling(fields.text("signing_key"));
    Path certificateFile = file.resolveSibling(fields.tlsText("certificate"));
    List<X509Certificate> certificates = Files.certificates(certificateFile);
    var profile =
        new Profile(
            fields.text("id"),
            fields.text("role"),
            fields.addresses(),
            genesis(file.resolveSibling(fields.text("consortium"))),
            certificates,
            Files.tlsKey(
                file.resolveSibling(fields.tlsText("key")), certificates.get(0).getPublicKey()),
            Files.certificates(file.resolveSibling(fields.tlsText("ca"))),
            Files.signingKey(signingKeyFile));
    checkCertificate(profile, certificateFile);
    checkSigningKey(profile, signingKeyFile);
    return profile;
  }

  private static Genesis genesis(Path file) {
    try {
      return Genesis.parse(Files.read(file));
    } catch (NotProvenException wrong) {
      throw new ProfileException(file + ": " + wrong.getMessage(), wrong);
    }
  }

  /**
   * Refuses files of two parties in one profile, which would fail later with an error about
   * something else, and a certificate that is not valid now.
   */
  private static void checkCertificate(Profile profile, Path file) {
    X509Certificate leaf = profile.certificates().get(0);
    var own = new Identity(profile.genesis().name(), profile.role(), profile.id());
    Identity named;
    try {
      named = Identity.of(leaf);
    } catch (IllegalArgumentException wrong) {
      throw new ProfileException(file + ": " + wrong.getMessage(), wrong);
    }
    if (!named.equals(own)) {
      throw new ProfileException(
          file + ": the certificate is that of " + named + ", the profile of " + own);
    }
    long nowMs = System.currentTimeMillis();
    if (nowMs < leaf.getNotBefore().getTime() || nowMs > leaf.getNotAfter().getTime()) {
      throw new ProfileException(
          (file + ": the certificate is valid from " + leaf.getNotBefore().toInstant())
              + (" to " + leaf.getNotAfter().toInstant() + ", so no node accepts it now: ")
              + "renew it with 'bss renew'");
    }
  }

  /** Only the ledger knows the keys of those who joined later. */
  private static void checkSigningKey(Profile profile, Path file) {
    ByteString registered = registeredKey(profile.genesis(), profile.id());
    if (registered != null && !belongs(registered, profile.signingKey())) {
      throw new ProfileException(
          file + ": the signing key is not the one that is registered for " + profile.id());
    }
  }

  /**
   * The JDK computes no public key of a seed, so a signature shows whether they belong together.
   */
  private static boolean belongs(ByteString publicKey, PrivateKey key) {
    Hash probe = Digests.plain(new byte[0]);
    return Ed25519.verify(publicKey.toByteArray(), probe, Ed25519.sign(key, probe));
  }

  private static ByteString registeredKey(Genesis genesis, String id) {
    ManagerMember manager = genesis.manager(id);
    if (manager != null) {
      return manager.getSigningKey();
    }
    return genesis.message().getOperationsList().stream()
        .map(operation -> keyOf(operation, id))
        .filter(Objects::nonNull)
        .findFirst()
        .orElse(null);
  }

  private static ByteString keyOf(ControlOperation operation, String id) {
    var participant = operation.getRegisterParticipant();
    if (participant.getParticipantId().equals(id)) {
      return participant.getSigningKey();
    }
    var officer = operation.getRegisterOfficer();
    if (officer.getOfficerId().equals(id)) {
      return officer.getSigningKey();
    }
    var node = operation.getAdmitStorageNode();
    return node.getNodeId().equals(id) ? node.getSigningKey() : null;
  }
}
