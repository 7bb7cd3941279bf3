package bss.verify;

import bss.v1.ManagerMember;
import bss.verify.NotProvenException.Step;
import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.JsonFormat;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * What a consortium started from, and all that has to be trusted. In this release the managers and
 * their keys stay as genesis names them.
 */
public final class Genesis {
  private static final int BYTES_MAX = 64 << 20;
  private static final int MANAGERS_MAX = 100;
  private static final int BEACON_BYTES = 64;
  private static final Pattern ID = Pattern.compile("[a-z0-9-]{1,63}");

  private final Hash consortiumId;
  private final bss.v1.Genesis message;
  private final Map<String, ManagerMember> managers;

  private Genesis(
      Hash consortiumId, bss.v1.Genesis message, Map<String, ManagerMember> managers) {
    this.consortiumId = consortiumId;
    this.message = message;
    this.managers = managers;
  }

  /**
   * Reads the exact bytes of a genesis file.
   *
   * <p>It checks what the checks of this package rest on: that there are managers with ids and
   * keys, none of them twice. A file that a consortium does not run with has another consortium id,
   * so nothing that is signed fits it.
   */
  public static Genesis parse(byte[] file) {
    if (file.length > BYTES_MAX) {
      throw invalid("it has more than " + BYTES_MAX + " bytes");
    }
    bss.v1.Genesis message = decode(file);
    if (!isId(message.getConsortiumName())) {
      throw invalid("consortium_name is not 1 to 63 of the characters a-z, 0-9 and -");
    }
    if (!message.hasPolicy() || message.getBeacon().size() != BEACON_BYTES) {
      throw invalid("the policy or the beacon is missing");
    }
    if (message.getTimeUnixMs() < 1 || !Wire.isSafe(message.getTimeUnixMs())) {
      throw invalid("time_unix_ms is not a time");
    }
    return new Genesis(Digests.plain(file), message, managersOf(message));
  }

  private static bss.v1.Genesis decode(byte[] file) {
    if (file.length == 0) {
      throw invalid("it is empty");
    }
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(file)).toString();
      bss.v1.Genesis.Builder builder = bss.v1.Genesis.newBuilder();
      JsonFormat.parser().merge(text, builder);
      return builder.build();
    } catch (CharacterCodingException wrong) {
      throw invalid("it is not UTF-8");
    } catch (InvalidProtocolBufferException wrong) {
      throw invalid(wrong.getMessage());
    }
  }

  private static Map<String, ManagerMember> managersOf(bss.v1.Genesis message) {
    int count = message.getManagersCount();
    if (count < 1 || count > MANAGERS_MAX) {
      throw invalid("there are not 1 to " + MANAGERS_MAX + " managers");
    }
    Map<String, ManagerMember> managers = new LinkedHashMap<>();
    Set<ByteString> keys = new HashSet<>();
    for (int i = 0; i < count; i++) {
      ManagerMember manager = message.getManagers(i);
      ByteString key = manager.getSigningKey();
      if (!isId(manager.getManagerId())) {
        throw invalid("managers[" + i + "].manager_id is not an id");
      }
      boolean isKey = key.size() == Ed25519.KEY_BYTES;
      if (!isKey || !Ed25519.isAcceptablePoint(key.toByteArray())) {
        throw invalid("managers[" + i + "].signing_key is not an Ed25519 public key");
      }
      if (managers.put(manager.getManagerId(), manager) != null || !keys.add(key)) {
        throw invalid("managers[" + i + "] has the id or key of another manager");
      }
      if (!Hash.isHash(manager.getTlsSpkiSha256())) {
        throw invalid("managers[" + i + "].tls_spki_sha256 does not have 32 bytes");
      }
    }
    return managers;
  }

  private static NotProvenException invalid(String what) {
    return new NotProvenException(Step.GENESIS, "not a genesis file: %s", what);
  }

  static boolean isId(String text) {
    return ID.matcher(text).matches();
  }

  /** SHA-256 of the file. */
  public Hash consortiumId() {
    return consortiumId;
  }

  /** The one in every certificate's URI. */
  public String name() {
    return message.getConsortiumName();
  }

  /** The file's content. */
  public bss.v1.Genesis message() {
    return message;
  }

  /** The manager with this id; null if there is none. */
  public ManagerMember manager(String id) {
    return managers.get(id);
  }

  /** N: how many managers there are. */
  public int managerCount() {
    return managers.size();
  }

  /** f: how many of the N managers may be faulty. */
  public int faultsMax() {
    return (managers.size() - 1) / 3;
  }

  /** Q: how many of the N managers make a block final. */
  public int quorum() {
    return managers.size() - faultsMax();
  }
}
