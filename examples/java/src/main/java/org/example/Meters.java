package org.example;

import bss.v1.GetReceiptRequest;
import bss.v1.GetStatusRequest;
import bss.v1.QueryServiceGrpc;
import com.google.protobuf.ByteString;
import com.google.rpc.ErrorInfo;
import io.grpc.Grpc;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.protobuf.StatusProto;
import java.io.File;
import java.util.HexFormat;
import java.util.concurrent.TimeUnit;

/**
 * The status of a manager and, with the hash of a record, where it stands on the ledger. Usage:
 * Meters CA-BUNDLE DIRECTORY ADDRESS [HASH]
 */
public final class Meters {
  public static void main(String[] args) throws Exception {
    var directory = new File(args[1]);
    var credentials =
        TlsChannelCredentials.newBuilder()
            .keyManager(new File(directory, "tls.crt"), new File(directory, "tls.key"))
            .trustManager(new File(args[0]))
            .build();
    var channel = Grpc.newChannelBuilder(args[2], credentials).build();
    var queries = QueryServiceGrpc.newBlockingStub(channel).withDeadlineAfter(10, TimeUnit.SECONDS);
    try {
      var status = queries.getStatus(GetStatusRequest.getDefaultInstance());
      System.out.println(status.getNodeId() + ": height " + status.getHeight());
      if (args.length > 3) {
        var hash = ByteString.copyFrom(HexFormat.of().parseHex(args[3]));
        var answer = queries.getReceipt(GetReceiptRequest.newBuilder().setRecordHash(hash).build());
        var receipt = answer.getReceipt();
        System.out.println("block " + receipt.getHeight() + ", position " + receipt.getPosition());
      }
    } catch (StatusRuntimeException refused) {
      for (var detail : StatusProto.fromThrowable(refused).getDetailsList()) {
        if (!detail.is(ErrorInfo.class)) continue;
        System.err.println(detail.unpack(ErrorInfo.class).getReason());
      }
      throw refused;
    } finally {
      channel.shutdownNow();
    }
  }
}
