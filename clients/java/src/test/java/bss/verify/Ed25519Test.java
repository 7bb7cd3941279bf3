package bss.verify;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.Signature;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

class Ed25519Test {
  /** The first of RFC 8032's examples. */
  private static final byte[] SEED =
      HexFormat.of().parseHex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");

  private static final byte[] KEY =
      HexFormat.of().parseHex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");

  private static final BigInteger ORDER =
      BigInteger.TWO.pow(252).add(new BigInteger("27742317777372353535851937790883648493"));

  private static final Hash DIGEST = Digests.plain(SEED);

  @Test
  void aSignatureVerifiesUntilABitOfItChanges() {
    byte[] signature = Ed25519.sign(Ed25519.privateKey(SEED), DIGEST);
    assertTrue(Ed25519.verify(KEY, DIGEST, signature));
    for (int i = 0; i < signature.length; i++) {
      byte[] changed = signature.clone();
      changed[i] ^= 1;
      assertFalse(Ed25519.verify(KEY, DIGEST, changed), "byte " + i);
    }
  }

  /** A signer whose nonce is 0 makes an R that is the neutral point; the JDK takes it. */
  @Test
  void anRofSmallOrderIsRefused() throws GeneralSecurityException {
    byte[] signature = new byte[64];
    signature[0] = 1;
    byte[] k = sha512(Arrays.copyOf(signature, 32), KEY, DIGEST.toBytes());
    BigInteger s = unsigned(k).multiply(secretScalar()).mod(ORDER);
    byte[] encoded = reversed(s.toByteArray());
    System.arraycopy(encoded, 0, signature, 32, Math.min(32, encoded.length));

    Signature jdk = Signature.getInstance("Ed25519");
    byte[] der = new byte[44];
    System.arraycopy(HexFormat.of().parseHex("302a300506032b6570032100"), 0, der, 0, 12);
    System.arraycopy(KEY, 0, der, 12, 32);
    jdk.initVerify(KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(der)));
    jdk.update(DIGEST.toBytes());
    assertTrue(jdk.verify(signature), "the equation holds");

    assertFalse(Ed25519.verify(KEY, DIGEST, signature));
  }

  @Test
  void aKeyOfSmallOrderIsRefused() {
    // The neutral point as key and R, and S = 0, satisfy the equation for every message.
    byte[] neutral = new byte[32];
    neutral[0] = 1;
    byte[] signature = Arrays.copyOf(neutral, 64);
    assertFalse(Ed25519.verify(neutral, DIGEST, signature));
  }

  private static BigInteger secretScalar() throws GeneralSecurityException {
    byte[] half = Arrays.copyOf(sha512(SEED), 32);
    return unsigned(half).clearBit(0).clearBit(1).clearBit(2).clearBit(255).setBit(254);
  }

  private static byte[] sha512(byte[]... parts) throws GeneralSecurityException {
    MessageDigest digest = MessageDigest.getInstance("SHA-512");
    for (byte[] part : parts) {
      digest.update(part);
    }
    return digest.digest();
  }

  private static BigInteger unsigned(byte[] littleEndian) {
    return new BigInteger(1, reversed(littleEndian));
  }

  private static byte[] reversed(byte[] bytes) {
    byte[] result = new byte[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      result[bytes.length - 1 - i] = bytes[i];
    }
    return result;
  }

  @Test
  void pointsThatAreNotCanonicalAreRefused() {
    byte[] prime = new byte[32];
    Arrays.fill(prime, (byte) 0xff);
    prime[0] = (byte) 0xed;
    prime[31] = 0x7f;
    assertFalse(Ed25519.isAcceptablePoint(prime));
    prime[0] = (byte) 0xef;
    assertFalse(Ed25519.isAcceptablePoint(prime));
    assertTrue(Ed25519.isAcceptablePoint(KEY));
  }
}
