package bss.verify;

import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.HexFormat;
import java.util.Set;

/** Ed25519 of the JDK, which wants keys in DER: a fixed prefix of RFC 8410 and the 32 bytes. */
public final class Ed25519 {
  /** The length of public keys and seeds. */
  public static final int KEY_BYTES = 32;

  static final int SIGNATURE_BYTES = 64;

  private static final byte[] PUBLIC_PREFIX =
      HexFormat.of().parseHex("302a300506032b6570032100");
  private static final byte[] PRIVATE_PREFIX =
      HexFormat.of().parseHex("302e020100300506032b657004220420");

  private static final BigInteger FIELD_PRIME =
      BigInteger.TWO.pow(255).subtract(BigInteger.valueOf(19));

  /** The y of the eight points whose order divides 8: order 4, 1, 2, and twice 8. */
  private static final Set<BigInteger> SMALL_ORDER_YS =
      Set.of(
          BigInteger.ZERO,
          BigInteger.ONE,
          FIELD_PRIME.subtract(BigInteger.ONE),
          littleEndian("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
          littleEndian("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"));

  private Ed25519() {}

  /** The private key of a seed of 32 bytes, as a file signing.key holds it. */
  public static PrivateKey privateKey(byte[] seed) {
    try {
      var spec = new PKCS8EncodedKeySpec(withPrefix(PRIVATE_PREFIX, seed));
      return KeyFactory.getInstance("Ed25519").generatePrivate(spec);
    } catch (GeneralSecurityException wrong) {
      throw new IllegalArgumentException("a seed has 32 bytes", wrong);
    }
  }

  /** Signs a digest: the message of plain Ed25519, not Ed25519ph. */
  public static byte[] sign(PrivateKey key, Hash digest) {
    try {
      Signature signature = Signature.getInstance("Ed25519");
      signature.initSign(key);
      signature.update(digest.toBytes());
      return signature.sign();
    } catch (GeneralSecurityException wrong) {
      throw new IllegalArgumentException("the key does not sign by Ed25519", wrong);
    }
  }

  /**
   * Whether a signature holds: RFC 8032 in its strict reading, the same in every client and node. S
   * is below the group order and the equation has no cofactor, as in the JDK, and besides neither
   * the key nor R is of small order or not canonical.
   */
  public static boolean verify(byte[] key, Hash digest, byte[] signature) {
    if (key.length != KEY_BYTES || signature.length != SIGNATURE_BYTES) {
      return false;
    }
    if (!isAcceptablePoint(key) || !isAcceptablePoint(signature)) {
      return false;
    }
    try {
      Signature verifier = Signature.getInstance("Ed25519");
      verifier.initVerify(publicKey(key));
      verifier.update(digest.toBytes());
      return verifier.verify(signature);
    } catch (GeneralSecurityException malformed) {
      return false;
    }
  }

  private static PublicKey publicKey(byte[] key) throws GeneralSecurityException {
    var spec = new X509EncodedKeySpec(withPrefix(PUBLIC_PREFIX, key));
    return KeyFactory.getInstance("Ed25519").generatePublic(spec);
  }

  /**
   * Whether the y of an encoded point, the first 32 bytes, is below the prime and not that of a
   * point of small order. This does not say that the point is on the curve.
   */
  static boolean isAcceptablePoint(byte[] bytes) {
    BigInteger y = littleEndian(bytes).clearBit(255);
    return y.compareTo(FIELD_PRIME) < 0 && !SMALL_ORDER_YS.contains(y);
  }

  private static BigInteger littleEndian(String digits) {
    return littleEndian(HexFormat.of().parseHex(digits));
  }

  private static BigInteger littleEndian(byte[] bytes) {
    byte[] reversed = new byte[KEY_BYTES];
    for (int i = 0; i < KEY_BYTES; i++) {
      reversed[KEY_BYTES - 1 - i] = bytes[i];
    }
    return new BigInteger(1, reversed);
  }

  private static byte[] withPrefix(byte[] prefix, byte[] key) {
    byte[] der = new byte[prefix.length + key.length];
    System.arraycopy(prefix, 0, der, 0, prefix.length);
    System.arraycopy(key, 0, der, prefix.length, key.length);
    return der;
  }
}
