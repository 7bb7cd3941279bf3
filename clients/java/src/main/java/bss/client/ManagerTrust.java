package bss.client;

import bss.profile.Identity;
import bss.profile.Profile;
import bss.v1.ManagerMember;
import bss.verify.Digests;
import bss.verify.Genesis;
import java.io.IOException;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import javax.net.ssl.X509TrustManager;

/**
 * Accepts exactly the managers of genesis, each by the key that is registered there. A host name
 * would prove less: loopback names are in every node's certificate.
 */
final class ManagerTrust extends X509ExtendedTrustManager {
  private final Genesis genesis;
  private final X509TrustManager authorities;

  ManagerTrust(Profile profile) {
    genesis = profile.genesis();
    authorities = trustIn(profile.authorities());
  }

  private static X509TrustManager trustIn(List<X509Certificate> authorities) {
    try {
      KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
      store.load(null, null);
      for (int i = 0; i < authorities.size(); i++) {
        store.setCertificateEntry("authority-" + i, authorities.get(i));
      }
      var factory = TrustManagerFactory.getInstance("PKIX");
      factory.init(store);
      for (TrustManager each : factory.getTrustManagers()) {
        if (each instanceof X509TrustManager found) {
          return found;
        }
      }
      throw new IllegalStateException("this Java has no trust manager for X.509");
    } catch (GeneralSecurityException | IOException wrong) {
      throw new IllegalStateException("the authorities' certificates cannot be used", wrong);
    }
  }

  private void check(X509Certificate[] chain, String authType) throws CertificateException {
    authorities.checkServerTrusted(chain, authType);
    Identity named;
    try {
      named = Identity.of(chain[0]);
    } catch (IllegalArgumentException wrong) {
      throw refusal(wrong.getMessage());
    }
    ManagerMember manager = genesis.manager(named.id());
    boolean isManager =
        named.role().equals("manager")
            && named.consortium().equals(genesis.name())
            && manager != null;
    if (!isManager) {
      throw refusal("it is " + named + ", and not a manager of " + genesis.name());
    }
    byte[] key = chain[0].getPublicKey().getEncoded();
    if (!Digests.plain(key).is(manager.getTlsSpkiSha256())) {
      throw refusal("its key is not the one that genesis names for " + named.id());
    }
  }

  private static CertificateException refusal(String what) {
    return new CertificateException("the server's identity: " + what);
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
      throws CertificateException {
    check(chain, authType);
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
      throws CertificateException {
    check(chain, authType);
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType)
      throws CertificateException {
    check(chain, authType);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
      throws CertificateException {
    checkClientTrusted(chain, authType);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
      throws CertificateException {
    checkClientTrusted(chain, authType);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType)
      throws CertificateException {
    throw new CertificateException("a client serves nobody");
  }

  @Override
  public X509Certificate[] getAcceptedIssuers() {
    return authorities.getAcceptedIssuers();
  }
}
