package bss.profile;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import bss.verify.Ed25519;
import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProfileTest {
  private static final String SEED = "11".repeat(32);

  @TempDir Path directory;

  private Path write(String name, String text, String permissions) throws IOException {
    Path file = java.nio.file.Files.writeString(directory.resolve(name), text);
    if (FileSystems.getDefault().supportedFileAttributeViews().contains("posix")) {
      java.nio.file.Files.setPosixFilePermissions(
          file, PosixFilePermissions.fromString(permissions));
    }
    return file;
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "''                                    | is not a profile",
        "{id: a, id: b}                        | is not a profile",
        "{id: a, role: participant}            | signing_key is missing",
        "{id: a, name: b}                      | no field name",
        "{id: a, tls: {crt: b}}                | no field tls.crt",
        "{id: a, signing_key: s, tls: [1]}     | tls is a mapping",
      })
  void itSaysWhatIsWrong(String text, String wanted) throws IOException {
    Path file = write("profile.yaml", text, "rw-------");
    var wrong = assertThrows(ProfileException.class, () -> Profile.read(file));
    assertTrue(wrong.getMessage().contains(wanted), wrong.getMessage());
  }

  @Test
  void aMissingFileIsNamed() {
    Path file = directory.resolve("none.yaml");
    var wrong = assertThrows(ProfileException.class, () -> Profile.read(file));
    assertTrue(wrong.getMessage().contains("none.yaml does not exist"), wrong.getMessage());
  }

  @Test
  void aSigningKeyIsASecret() throws IOException {
    Path right = write("right.key", SEED + "\n", "rw-------");
    byte[] seed = HexFormat.of().parseHex(SEED);
    assertEquals(Ed25519.privateKey(seed), Files.signingKey(right));

    Path brief = write("short.key", "1111", "rw-------");
    assertThrows(ProfileException.class, () -> Files.signingKey(brief));

    assumeTrue(FileSystems.getDefault().supportedFileAttributeViews().contains("posix"));
    Path open = write("open.key", SEED, "rw-r--r--");
    var refused = assertThrows(ProfileException.class, () -> Files.signingKey(open));
    assertTrue(refused.getMessage().contains("secret"), refused.getMessage());
  }
}
