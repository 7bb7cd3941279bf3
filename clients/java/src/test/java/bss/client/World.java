package bss.client;

import bss.profile.Profile;
import bss.v1.BlockView;
import bss.v1.WatchBlocksRequest;
import bss.v1.WatchBlocksResponse;
import bss.verify.Corpus;
import bss.verify.Digests;
import bss.verify.Genesis;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.InvalidProtocolBufferException;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.netty.shaded.io.netty.handler.ssl.ClientAuth;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContextBuilder;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslProvider;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.function.BiConsumer;

/** A consortium of which some managers run, in this process. */
final class World implements AutoCloseable {
  final Corpus.Item chain;
  final List<BlockView> blocks = new ArrayList<>();
  final Genesis genesis;
  private final TestAuthority authority = new TestAuthority();
  private final TestAuthority.Party participant =
      authority.certify("participant", "participant-1");

  /** The corpus names no keys of these certificates, so connections have a genesis that does. */
  private final JsonObject certified;

  private final List<String> addresses = new ArrayList<>();
  private final List<Runnable> opened = new ArrayList<>();

  World() {
    Corpus corpus = Corpus.read();
    genesis = corpus.genesis("own");
    chain = corpus.validChain();
    for (byte[] encoded : chain.list("blocks")) {
      try {
        blocks.add(BlockView.parseFrom(encoded));
      } catch (InvalidProtocolBufferException wrong) {
        throw new IllegalStateException(wrong);
      }
    }
    String file = new String(corpus.first("genesis").bytes("file"), StandardCharsets.UTF_8);
    certified = JsonParser.parseString(file).getAsJsonObject();
  }

  /** Runs a manager that genesis names. */
  FakeManager start(String id) {
    TestAuthority.Party party = authority.certify("manager", id);
    byte[] key = party.certificate().getPublicKey().getEncoded();
    String digest = Base64.getEncoder().encodeToString(Digests.plain(key).toBytes());
    for (JsonElement each : certified.getAsJsonArray("managers")) {
      JsonObject manager = each.getAsJsonObject();
      if (manager.get("managerId").getAsString().equals(id)) {
        manager.addProperty("tlsSpkiSha256", digest);
      }
    }
    return serve(party);
  }

  /** Runs a server whose certificate is right, and whose key another one than that of genesis. */
  FakeManager startStranger(String role, String id) {
    return serve(authority.certify(role, id));
  }

  /** Accepts connections, and never says a word. */
  void startMute() {
    try {
      var server = new ServerSocket(0, 0, InetAddress.getLoopbackAddress());
      addresses.add("127.0.0.1:" + server.getLocalPort());
      opened.add(
          () -> {
            try {
              server.close();
            } catch (IOException failed) {
              throw new UncheckedIOException(failed);
            }
          });
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  private FakeManager serve(TestAuthority.Party party) {
    FakeManager manager = new FakeManager();
    try {
      var tls =
          GrpcSslContexts.configure(
                  SslContextBuilder.forServer(party.key(), party.certificate()), SslProvider.JDK)
              .trustManager(authority.certificate())
              .clientAuth(ClientAuth.REQUIRE)
              .protocols("TLSv1.3")
              .build();
      var builder =
          NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0)).sslContext(tls);
      manager.services().forEach(builder::addService);
      Server server = builder.build().start();
      opened.add(server::shutdownNow);
      addresses.add("127.0.0.1:" + server.getPort());
    } catch (IOException failed) {
      throw new IllegalStateException(failed);
    }
    return manager;
  }

  List<String> addresses() {
    return addresses;
  }

  Client connect() {
    Genesis registered = Genesis.parse(certified.toString().getBytes(StandardCharsets.UTF_8));
    var connections = new Connections(profile(registered));
    Client client = new Client(profile(genesis), connections, null);
    opened.add(client::close);
    return client;
  }

  private Profile profile(Genesis with) {
    return new Profile(
        "participant-1",
        "participant",
        addresses,
        with,
        List.of(participant.certificate()),
        participant.key(),
        List.of(authority.certificate()),
        authority.signingKey());
  }

  /** Sends blocks from the height that is asked for up to another one, and ends the stream. */
  BiConsumer<WatchBlocksRequest, StreamObserver<WatchBlocksResponse>> blocksUntil(int until) {
    return (request, to) -> {
      int from = Math.min((int) request.getFromHeight() - 1, until);
      for (BlockView block : blocks.subList(from, until)) {
        to.onNext(WatchBlocksResponse.newBuilder().setBlock(block).build());
      }
      to.onError(FakeManager.stopping());
    };
  }

  @Override
  public void close() {
    opened.forEach(Runnable::run);
  }
}
