package bss.profile;

import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What a certificate's one URI name says: bss://CONSORTIUM/ROLE/ID. */
public record Identity(String consortium, String role, String id) {
  private static final int URI = 6;
  private static final Pattern PATTERN =
      Pattern.compile(
          "bss://([A-Za-z0-9._-]{1,64})"
              + "/(manager|storage|participant|auditor|operator|invited)"
              + "/([A-Za-z0-9._-]{1,64})");

  /** Throws {@link IllegalArgumentException} for a certificate without exactly one such name. */
  public static Identity of(X509Certificate certificate) {
    List<String> uris;
    try {
      Collection<List<?>> names = certificate.getSubjectAlternativeNames();
      uris =
          (names == null ? List.<List<?>>of() : names)
              .stream()
                  .filter(name -> name.get(0).equals(URI))
                  .map(name -> (String) name.get(1))
                  .toList();
    } catch (CertificateParsingException wrong) {
      throw new IllegalArgumentException("its names do not decode", wrong);
    }
    if (uris.size() != 1) {
      throw new IllegalArgumentException(
          "it carries " + uris.size() + " URI names instead of one");
    }
    Matcher match = PATTERN.matcher(uris.get(0));
    if (!match.matches()) {
      throw new IllegalArgumentException(
          "its URI name is not bss://<consortium>/<role>/<id>");
    }
    return new Identity(match.group(1), match.group(2), match.group(3));
  }

  @Override
  public String toString() {
    return role + " " + id + " of " + consortium;
  }
}
