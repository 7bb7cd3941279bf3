package bss.profile;

import bss.verify.Ed25519;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The files that a profile names. */
final class Files {
  private static final int BYTES_MAX = 64 << 20;
  private static final Pattern PRIVATE_KEY =
      Pattern.compile("-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\\s]+)-----END PRIVATE KEY-----");
  private static final Set<PosixFilePermission> EVERYBODYS =
      Set.of(
          PosixFilePermission.OTHERS_READ,
          PosixFilePermission.OTHERS_WRITE,
          PosixFilePermission.OTHERS_EXECUTE);

  private Files() {}

  static byte[] read(Path file) {
    if (!java.nio.file.Files.exists(file)) {
      throw new ProfileException(file + " does not exist");
    }
    if (!java.nio.file.Files.isRegularFile(file)) {
      throw new ProfileException(file + " is not a regular file");
    }
    try (InputStream opened = java.nio.file.Files.newInputStream(file)) {
      byte[] content = opened.readNBytes(BYTES_MAX + 1);
      if (content.length > BYTES_MAX) {
        throw new ProfileException(file + " is too long");
      }
      return content;
    } catch (IOException failed) {
      throw new ProfileException(file + " cannot be read: " + failed.getMessage(), failed);
    }
  }

  /**
   * Reads a file that must not be readable for everybody, where the system has such permissions.
   */
  private static String readSecret(Path file) {
    byte[] content = read(file);
    var view = java.nio.file.Files.getFileAttributeView(file, PosixFileAttributeView.class);
    try {
      if (view != null
          && view.readAttributes().permissions().stream().anyMatch(EVERYBODYS::contains)) {
        throw new ProfileException(
            file + " is a secret, and everybody may access it: run chmod o= on it");
      }
    } catch (IOException failed) {
      throw new ProfileException(file + " cannot be read: " + failed.getMessage(), failed);
    }
    return new String(content, StandardCharsets.US_ASCII);
  }

  /** Reads a signing.key: an Ed25519 seed as 64 hex digits and a newline. */
  static PrivateKey signingKey(Path file) {
    try {
      return Ed25519.privateKey(HexFormat.of().parseHex(readSecret(file).strip()));
    } catch (IllegalArgumentException wrong) {
      throw new ProfileException(file + " is not a key of 64 hex digits", wrong);
    }
  }

  static List<X509Certificate> certificates(Path file) {
    try {
      var read =
          CertificateFactory.getInstance("X.509")
              .generateCertificates(new ByteArrayInputStream(read(file)));
      if (read.isEmpty()) {
        throw new ProfileException(file + " holds no certificate (PEM)");
      }
      return read.stream().map(X509Certificate.class::cast).toList();
    } catch (CertificateException wrong) {
      throw new ProfileException(file + " holds no certificate (PEM)", wrong);
    }
  }

  /** Reads the private key of a certificate with this public key. */
  static PrivateKey tlsKey(Path file, PublicKey publicKey) {
    Matcher pem = PRIVATE_KEY.matcher(readSecret(file));
    if (!pem.find()) {
      throw new ProfileException(file + " holds no PRIVATE KEY (PEM, PKCS #8)");
    }
    try {
      byte[] der = Base64.getMimeDecoder().decode(pem.group(1));
      PrivateKey key =
          KeyFactory.getInstance(publicKey.getAlgorithm())
              .generatePrivate(new PKCS8EncodedKeySpec(der));
      if (belongs(publicKey, key)) {
        return key;
      }
      throw new ProfileException(file + " is not the key of the certificate");
    } catch (GeneralSecurityException | IllegalArgumentException wrong) {
      throw new ProfileException(file + " is not the key of the certificate", wrong);
    }
  }

  private static boolean belongs(PublicKey publicKey, PrivateKey key)
      throws GeneralSecurityException {
    String algorithm =
        switch (publicKey.getAlgorithm()) {
          case "EC" -> "SHA256withECDSA";
          case "RSA" -> "SHA256withRSA";
          default -> "Ed25519";
        };
    Signature signature = Signature.getInstance(algorithm);
    signature.initSign(key);
    byte[] signed = signature.sign();
    signature.initVerify(publicKey);
    return signature.verify(signed);
  }
}
