package bss.client;

import bss.v1.BlockView;
import bss.v1.BroadcastServiceGrpc;
import bss.v1.GetReceiptRequest;
import bss.v1.GetReceiptResponse;
import bss.v1.GetRecordHistoryRequest;
import bss.v1.GetRecordHistoryResponse;
import bss.v1.GetRecordRequest;
import bss.v1.GetRecordResponse;
import bss.v1.GetSettlementRequest;
import bss.v1.GetSettlementResponse;
import bss.v1.GetStatusRequest;
import bss.v1.GetStatusResponse;
import bss.v1.ListBlocksRequest;
import bss.v1.ListBlocksResponse;
import bss.v1.ListStorageNodesRequest;
import bss.v1.ListStorageNodesResponse;
import bss.v1.QueryServiceGrpc;
import bss.v1.Receipt;
import bss.v1.RecordEntry;
import bss.v1.Settlement;
import bss.v1.StorageNodeStatus;
import bss.v1.SubmitRequest;
import bss.v1.SubmitResponse;
import bss.v1.SubmitStreamRequest;
import bss.v1.SubmitStreamResponse;
import bss.v1.WatchBlocksRequest;
import bss.v1.WatchBlocksResponse;
import com.google.protobuf.Any;
import com.google.protobuf.Duration;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.BindableService;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.Function;

/** A manager that answers as a test says; what a test leaves out is answered by nothing. */
final class FakeManager {
  /** A status as a node sends it. */
  static StatusRuntimeException refusal(
      Status.Code code, String reason, String field, int retryAfterMs) {
    var status =
        com.google.rpc.Status.newBuilder()
            .setCode(code.value())
            .setMessage("for people")
            .addDetails(
                Any.pack(ErrorInfo.newBuilder().setReason(reason).setDomain("bss").build()));
    if (!field.isEmpty()) {
      var violation = BadRequest.FieldViolation.newBuilder().setField(field);
      status.addDetails(
          Any.pack(BadRequest.newBuilder().addFieldViolations(violation).build()));
    }
    if (retryAfterMs > 0) {
      var delay = Duration.newBuilder().setSeconds(retryAfterMs / 1_000).setNanos(retryAfterMs % 1_000 * 1_000_000);
      status.addDetails(Any.pack(RetryInfo.newBuilder().setRetryDelay(delay).build()));
    }
    return StatusProto.toStatusRuntimeException(status.build());
  }

  static StatusRuntimeException stopping() {
    return refusal(Status.Code.UNAVAILABLE, "NODE_STOPPING", "", 0);
  }

  final AtomicInteger calls = new AtomicInteger();
  Function<SubmitRequest, SubmitResponse> submit =
      request -> SubmitResponse.getDefaultInstance();
  Function<StreamObserver<SubmitStreamResponse>, StreamObserver<SubmitStreamRequest>> stream;
  BiConsumer<WatchBlocksRequest, StreamObserver<WatchBlocksResponse>> watch;
  GetStatusResponse status = GetStatusResponse.getDefaultInstance();

  /** ListBlocks pages through these, two at a time. */
  List<BlockView> blocks = List.of();

  List<StorageNodeStatus> nodes = List.of();
  List<RecordEntry> records = List.of();
  Receipt receipt = Receipt.getDefaultInstance();
  Settlement settlement = Settlement.getDefaultInstance();

  List<BindableService> services() {
    return List.of(new Broadcast(), new Query());
  }

  private static <T> void answer(StreamObserver<T> to, T message) {
    to.onNext(message);
    to.onCompleted();
  }

  private final class Broadcast extends BroadcastServiceGrpc.BroadcastServiceImplBase {
    @Override
    public void submit(SubmitRequest request, StreamObserver<SubmitResponse> to) {
      calls.incrementAndGet();
      try {
        answer(to, submit.apply(request));
      } catch (StatusRuntimeException refused) {
        to.onError(refused);
      }
    }

    @Override
    public StreamObserver<SubmitStreamRequest> submitStream(
        StreamObserver<SubmitStreamResponse> to) {
      calls.incrementAndGet();
      return stream.apply(to);
    }
  }

  private final class Query extends QueryServiceGrpc.QueryServiceImplBase {
    @Override
    public void watchBlocks(WatchBlocksRequest request, StreamObserver<WatchBlocksResponse> to) {
      watch.accept(request, to);
    }

    @Override
    public void getStatus(GetStatusRequest request, StreamObserver<GetStatusResponse> to) {
      answer(to, status);
    }

    @Override
    public void getRecord(GetRecordRequest request, StreamObserver<GetRecordResponse> to) {
      answer(to, GetRecordResponse.newBuilder().setEntry(records.get(0)).build());
    }

    @Override
    public void getRecordHistory(
        GetRecordHistoryRequest request, StreamObserver<GetRecordHistoryResponse> to) {
      answer(to, GetRecordHistoryResponse.newBuilder().addAllEntries(records).build());
    }

    @Override
    public void getReceipt(GetReceiptRequest request, StreamObserver<GetReceiptResponse> to) {
      answer(to, GetReceiptResponse.newBuilder().setReceipt(receipt).build());
    }

    @Override
    public void getSettlement(
        GetSettlementRequest request, StreamObserver<GetSettlementResponse> to) {
      answer(to, GetSettlementResponse.newBuilder().setSettlement(settlement).build());
    }

    @Override
    public void listStorageNodes(
        ListStorageNodesRequest request, StreamObserver<ListStorageNodesResponse> to) {
      answer(to, ListStorageNodesResponse.newBuilder().addAllNodes(nodes).build());
    }

    @Override
    public void listBlocks(ListBlocksRequest request, StreamObserver<ListBlocksResponse> to) {
      int skipped = (int) request.getFromHeight() - 1 + 2 * request.getPageToken().length();
      List<BlockView> left = blocks.subList(Math.min(skipped, blocks.size()), blocks.size());
      var page = ListBlocksResponse.newBuilder();
      page.addAllBlocks(left.subList(0, Math.min(2, left.size())));
      if (left.size() > 2) {
        page.setNextPageToken(request.getPageToken() + "x");
      }
      answer(to, page.build());
    }
  }
}
