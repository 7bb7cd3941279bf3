package bss.profile;

import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.YAMLException;

/** The fields of a profile.yaml. The paths in it are relative to it. */
final class ProfileFields {
  private static final Set<String> NAMES =
      Set.of("id", "role", "consortium", "addresses", "tls", "signing_key");
  private static final Set<String> TLS_NAMES = Set.of("certificate", "key", "ca");

  private final String file;
  private final Map<?, ?> fields;
  private final Map<?, ?> tls;

  ProfileFields(String file, byte[] content) {
    this.file = file;
    fields = mapping(parse(content), "a profile");
    tls = fields.containsKey("tls") ? mapping(fields.get("tls"), "tls") : Map.of();
    checkKnown(fields, NAMES, "");
    checkKnown(tls, TLS_NAMES, "tls.");
  }

  private Object parse(byte[] content) {
    LoaderOptions options = new LoaderOptions();
    options.setAllowDuplicateKeys(false);
    options.setMaxAliasesForCollections(0);
    try {
      String text = new String(content, StandardCharsets.UTF_8);
      return new Yaml(new SafeConstructor(options)).load(text);
    } catch (YAMLException wrong) {
      throw new ProfileException(file + " is not a profile: " + wrong.getMessage(), wrong);
    }
  }

  private Map<?, ?> mapping(Object value, String what) {
    if (value instanceof Map<?, ?> map) {
      return map;
    }
    throw new ProfileException(file + " is not a profile: " + what + " is a mapping of fields");
  }

  private void checkKnown(Map<?, ?> map, Set<String> known, String prefix) {
    Set<Object> unknown = new HashSet<>(map.keySet());
    unknown.removeAll(known);
    if (!unknown.isEmpty()) {
      String name = prefix + unknown.iterator().next();
      throw new ProfileException(file + ": a profile has no field " + name);
    }
  }

  String text(String name) {
    return text(fields, name, name);
  }

  String tlsText(String name) {
    return text(tls, name, "tls." + name);
  }

  private String text(Map<?, ?> map, String name, String shown) {
    if (map.get(name) instanceof String text && !text.isEmpty()) {
      return text;
    }
    throw new ProfileException(file + ": " + shown + " is missing, or no text");
  }

  List<String> addresses() {
    if (fields.get("addresses") instanceof List<?> list
        && !list.isEmpty()
        && list.stream().allMatch(String.class::isInstance)) {
      return list.stream().map(String.class::cast).toList();
    }
    throw new ProfileException(
        file + ": addresses is missing: a list of managers' host:port");
  }
}
