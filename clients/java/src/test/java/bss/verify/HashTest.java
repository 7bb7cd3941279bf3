package bss.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class HashTest {
  @Test
  void itsTextIsHex() {
    Hash hash = Digests.plain(new byte[] {1, 2, 3});
    assertEquals(hash, Hash.parse(hash.toString()));
    assertEquals(64, hash.toString().length());
    assertThrows(IllegalArgumentException.class, () -> Hash.parse("FC19viMDi0etMG9swfGS17"));
  }
}
