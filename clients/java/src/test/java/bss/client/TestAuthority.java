package bss.client;

import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import javax.security.auth.x500.X500Principal;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.cert.CertIOException;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/** Certifies the parties of a test. */
final class TestAuthority {
  private static final X500Principal NAME = new X500Principal("CN=authority");

  private final KeyPair keys = generate("EC");
  private final PrivateKey signingKey = generate("Ed25519").getPrivate();
  private final X509Certificate certificate;

  /** A certificate with its key. */
  record Party(X509Certificate certificate, PrivateKey key) {}

  TestAuthority() {
    certificate =
        signed(
            NAME,
            keys,
            builder ->
                builder.addExtension(
                    Extension.basicConstraints, true, new BasicConstraints(true)));
  }

  X509Certificate certificate() {
    return certificate;
  }

  PrivateKey signingKey() {
    return signingKey;
  }

  Party certify(String role, String id) {
    KeyPair own = generate("EC");
    var uri =
        new GeneralName(
            GeneralName.uniformResourceIdentifier, "bss://test-grid/" + role + "/" + id);
    KeyPurposeId[] purposes = {KeyPurposeId.id_kp_serverAuth, KeyPurposeId.id_kp_clientAuth};
    X509Certificate made =
        signed(
            new X500Principal("CN=" + id),
            own,
            builder -> {
              builder.addExtension(
                  Extension.subjectAlternativeName, false, new GeneralNames(uri));
              builder.addExtension(
                  Extension.extendedKeyUsage, false, new ExtendedKeyUsage(purposes));
            });
    return new Party(made, own.getPrivate());
  }

  private interface Extensions {
    void addTo(X509v3CertificateBuilder builder) throws CertIOException;
  }

  private X509Certificate signed(X500Principal subject, KeyPair of, Extensions extensions) {
    Instant now = Instant.now();
    var builder =
        new JcaX509v3CertificateBuilder(
            NAME,
            BigInteger.ONE,
            Date.from(now.minus(Duration.ofHours(1))),
            Date.from(now.plus(Duration.ofHours(1))),
            subject,
            of.getPublic());
    try {
      extensions.addTo(builder);
      var signer = new JcaContentSignerBuilder("SHA256withECDSA").build(keys.getPrivate());
      return new JcaX509CertificateConverter().getCertificate(builder.build(signer));
    } catch (CertIOException | OperatorCreationException | GeneralSecurityException failed) {
      throw new IllegalStateException(failed);
    }
  }

  private static KeyPair generate(String algorithm) {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm);
      if (algorithm.equals("EC")) {
        generator.initialize(256);
      }
      return generator.generateKeyPair();
    } catch (GeneralSecurityException failed) {
      throw new IllegalStateException(failed);
    }
  }
}
