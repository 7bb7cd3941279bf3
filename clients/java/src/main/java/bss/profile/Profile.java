package bss.profile;

import bss.verify.Genesis;
import java.nio.file.Path;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.List;

/**
 * Who is calling, with all files read that a client needs.
 *
 * @param id the caller's
 * @param role what it is: participant, auditor, operator, manager or storage
 * @param addresses host:port of managers, in the order in which to try them; at least one
 * @param genesis what the consortium started from; the client trusts the keys of the managers in it
 * @param certificates the caller's for TLS, its own first
 * @param tlsKey the certificate's
 * @param authorities those of all managers
 * @param signingKey signs submissions
 */
public record Profile(
    String id,
    String role,
    List<String> addresses,
    Genesis genesis,
    List<X509Certificate> certificates,
    PrivateKey tlsKey,
    List<X509Certificate> authorities,
    PrivateKey signingKey) {

  public Profile {
    if (addresses.isEmpty() || certificates.isEmpty() || authorities.isEmpty()) {
      throw new IllegalArgumentException(
          "a profile has an address, a certificate and an authority");
    }
    addresses = List.copyOf(addresses);
    certificates = List.copyOf(certificates);
    authorities = List.copyOf(authorities);
  }

  /**
   * Reads a profile.yaml and the files that it names. Refuses files that are not all of one party,
   * secrets that everybody may read, and a certificate that no node would accept.
   *
   * @throws ProfileException which says what is wrong with which file
   */
  public static Profile read(Path file) {
    return ProfileReader.read(file);
  }

  @Override
  public String toString() {
    return role + " " + id + " of " + genesis.name();
  }
}
