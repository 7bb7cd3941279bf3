package bss.client;

import bss.chain.Chain;
import bss.chain.ChainBlock;
import bss.profile.Profile;
import bss.records.Submissions;
import bss.v1.BlockView;
import bss.v1.BroadcastServiceGrpc;
import bss.v1.GetBlockRequest;
import bss.v1.GetConsistencyProofRequest;
import bss.v1.GetConsistencyProofResponse;
import bss.v1.GetConsortiumRequest;
import bss.v1.GetConsortiumResponse;
import bss.v1.GetReceiptRequest;
import bss.v1.GetRecordHistoryRequest;
import bss.v1.GetRecordRequest;
import bss.v1.GetSettlementRequest;
import bss.v1.GetStatusRequest;
import bss.v1.GetStatusResponse;
import bss.v1.ListBlocksRequest;
import bss.v1.ListRecordsRequest;
import bss.v1.ListStorageNodesRequest;
import bss.v1.QueryServiceGrpc;
import bss.v1.Receipt;
import bss.v1.RecordEntry;
import bss.v1.Records.Submission;
import bss.v1.Settlement;
import bss.v1.StorageNodeStatus;
import bss.v1.SubmitRequest;
import bss.v1.SubmitResponse;
import bss.v1.WaitFor;
import bss.verify.Block;
import bss.verify.Digests;
import bss.verify.Genesis;
import bss.verify.Hash;
import bss.verify.Merkle;
import bss.verify.NotProvenException;
import bss.verify.Receipts;
import java.time.Duration;
import java.time.Instant;
import java.util.Iterator;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Function;

/**
 * Talks to a consortium through any manager that answers. Many threads may use one client.
 *
 * <pre>
 * Profile profile = Profile.read(Path.of("profile.yaml"));
 * try (Client client = new Client(profile)) {
 *   byte[] reading =
 *       new MeterReading(profile.id(), "meter-1", start, hour).importedWh(412).toBytes();
 *   BssException.orThrow(client.submit(client.sign(reading)));
 *   VerifiedReceipt receipt = client.getReceipt(client.recordHash(reading));
 * }
 * </pre>
 *
 * <p>If a manager cannot be reached, is stopping or lacks peers, the client goes on to the next one
 * with the same bytes. That is safe: a record that is on the ledger already gets its first place.
 * So keep the submission until the receipts are there ({@code toByteArray}, {@code
 * Submission.parseFrom}) and submit the same one again after a failure; a record that is built anew
 * has another salt and is another record.
 *
 * <p>A call throws a {@link BssException} with the stable reason that docs/errors.md explains, or
 * an {@link UntrueAnswerException} if a manager's answer does not prove what it claims. The
 * interruption of the calling thread ends a call.
 */
public final class Client implements AutoCloseable {
  private static final int BLOCKS_PER_PAGE = 100;

  private final Profile profile;
  private final Connections connections;
  private final Duration timeout;

  /** Opens no connection before the first call. */
  public Client(Profile profile) {
    this(profile, new Connections(profile), null);
  }

  Client(Profile profile, Connections connections, Duration timeout) {
    this.profile = profile;
    this.connections = connections;
    this.timeout = timeout;
  }

  /**
   * The same client, whose calls may take so long each. Without that a call takes up to half a
   * minute, a submission up to a minute, and 3 s if no manager can be reached at all.
   */
  public Client withTimeout(Duration each) {
    return new Client(profile, connections, each);
  }

  /** Ends all connections, and every call, watch and stream, which throw with reason CANCELLED. */
  @Override
  public void close() {
    connections.close();
  }

  /** What the consortium started from, and what receipts are checked against. */
  public Genesis genesis() {
    return profile.genesis();
  }

  /** The "data hash" under which a record's exact bytes stand on the ledger. */
  public Hash recordHash(byte[] record) {
    return Digests.record(genesis().consortiumId(), record);
  }

  /**
   * Signs records for submission in the profile's name. The same records always give the same
   * submission.
   */
  public Submission sign(byte[]... records) {
    return Submissions.sign(
        genesis().consortiumId(), profile.id(), profile.signingKey(), List.of(records));
  }

  /**
   * Submits and waits until every record's outcome is final: its place on the ledger, or why it was
   * refused. If every record was refused, the call throws the first one's refusal; if at least one
   * was taken it returns: {@link BssException#orThrow} throws if any was refused, {@link
   * BssException#refusals} lists them.
   *
   * <p>Time that runs out loses nothing: the same submission again gets the same places.
   */
  public SubmitResponse submit(Submission submission) {
    return submit(submission, WaitFor.WAIT_FOR_COMMITTED);
  }

  /** Like submit, but waits only until a manager has checked and safely kept the records. */
  public SubmitResponse submitAccepted(Submission submission) {
    return submit(submission, WaitFor.WAIT_FOR_ACCEPTED);
  }

  private SubmitResponse submit(Submission submission, WaitFor waitFor) {
    var request =
        SubmitRequest.newBuilder().setSubmission(submission).setWaitFor(waitFor).build();
    return connections.ask(
        Connections.FINAL,
        timeout,
        (channel, deadline) ->
            BroadcastServiceGrpc.newBlockingStub(channel).withDeadline(deadline).submit(request));
  }

  /**
   * Submits many, with several in flight over one stream, which survives the loss of the stream.
   * The source is read no faster than outcomes are taken: at most inFlightMax submissions are
   * without one, and while the caller's loop works on an outcome nothing piles up.
   *
   * <p>Each submission gets exactly one outcome. After a reconnect, to the same manager or the next
   * one, all submissions without an outcome are sent again, the same bytes; records that got onto
   * the ledger meanwhile are answered with their first place. If a refusal says when to try again,
   * that is done here. A manager that gives no outcomes is left if another one is better. An
   * exception ends the loop: the managers cannot or will not go on, or the
   * feed or the client was closed (CANCELLED).
   *
   * <pre>
   * try (var outcomes = client.submitStream(source, StreamOptions.DEFAULT)) {
   *   for (SubmissionOutcome outcome : outcomes) outcome.orThrow();
   * }
   * </pre>
   *
   * <p>The source is read in a thread of its own, which closing the feed interrupts.
   */
  public Feed<SubmissionOutcome> submitStream(
      Iterator<Submission> source, StreamOptions options) {
    return new SubmitStream(connections, source, options);
  }

  /**
   * Gives every block from a height on, once and in order, for as long as the caller reads; with 0
   * from the first block after the head, for which this call asks a manager: of what you submit
   * after it nothing is missed. If the stream is lost, another one continues after the last block
   * that was given, at another manager if need be. Each block is verified: Q managers
   * made it final, it is whole, and it follows the block before it.
   *
   * <p>Before the first block the feed throws NODE_UNREACHABLE, like a call, when no manager can be
   * reached for 3 s. From then on it waits for managers and tries on without end; {@code
   * onReconnect} of the other method says so, and closing the feed from another thread ends it.
   * {@code withTimeout} does not bound it.
   */
  public Feed<Block> watchBlocks(long fromHeight) {
    return watchBlocks(fromHeight, (failure, nextHeight) -> {});
  }

  /**
   * Watches, and says after each loss of the stream, and each attempt to get it back that fails,
   * why (the exception names the manager) and which block is next.
   */
  public Feed<Block> watchBlocks(long fromHeight, BiConsumer<BssException, Long> onReconnect) {
    // Fixed before the first stream: "after the head" would skip blocks when a later one begins.
    long from = fromHeight == 0 ? getStatus().getHeight() + 1 : fromHeight;
    return new BlockWatch(connections, genesis(), from, onReconnect);
  }

  /** What the manager that is asked says about itself. */
  public GetStatusResponse getStatus() {
    return query(stub -> stub.getStatus(GetStatusRequest.getDefaultInstance()));
  }

  /** Reads one record. The reason is RECORD_UNKNOWN if it is not on the ledger. */
  public LedgerRecord getRecord(Hash hash) {
    var request = GetRecordRequest.newBuilder().setRecordHash(hash.toByteString()).build();
    LedgerRecord record = checked(query(stub -> stub.getRecord(request)).getEntry());
    if (!record.hash().equals(hash)) {
      throw new UntrueAnswerException("the manager answered with another record");
    }
    return record;
  }

  private LedgerRecord checked(RecordEntry entry) {
    return LedgerRecord.checked(entry, genesis().consortiumId());
  }

  /**
   * Reads every version of a record, oldest first, by the hash of any of them, page by page as the
   * caller reads on. Throws if a version does not update the one before it, or if the one that was
   * asked for is not among them.
   */
  public Iterable<LedgerRecord> getRecordHistory(Hash hash) {
    var request = GetRecordHistoryRequest.newBuilder().setRecordHash(hash.toByteString());
    return () ->
        new History(
            records(
                token -> {
                  var asked = request.clone().setPageToken(token).build();
                  var page = query(stub -> stub.getRecordHistory(asked));
                  return new Pages.Page<>(page.getEntriesList(), page.getNextPageToken());
                }),
            hash);
  }

  /**
   * Reads records by participant or meter, ascending by their time, page by page as the caller
   * reads on.
   */
  public Iterable<LedgerRecord> listRecords(LedgerRecord.Query wanted) {
    var request =
        ListRecordsRequest.newBuilder()
            .setParticipantId(wanted.participantId())
            .setMeterId(wanted.meterId())
            .setFromUnixMs(unixMs(wanted.from()))
            .setToUnixMs(unixMs(wanted.to()));
    return () ->
        records(
            token -> {
              var asked = request.clone().setPageToken(token).build();
              var page = query(stub -> stub.listRecords(asked));
              return new Pages.Page<>(page.getEntriesList(), page.getNextPageToken());
            });
  }

  private static long unixMs(Instant at) {
    return at == null ? 0 : at.toEpochMilli();
  }

  private Iterator<LedgerRecord> records(Function<String, Pages.Page<RecordEntry>> fetch) {
    return new Pages<>(
        token -> {
          Pages.Page<RecordEntry> page = fetch.apply(token);
          List<LedgerRecord> records = page.items().stream().map(this::checked).toList();
          return new Pages.Page<>(records, page.nextToken());
        });
  }

  /** Reads the receipt of a record and verifies it against genesis. */
  public VerifiedReceipt getReceipt(Hash hash) {
    var request = GetReceiptRequest.newBuilder().setRecordHash(hash.toByteString()).build();
    Receipt receipt = query(stub -> stub.getReceipt(request)).getReceipt();
    if (!hash.is(receipt.getRecordHash())) {
      throw new UntrueAnswerException("the answer holds no receipt for this record");
    }
    try {
      return new VerifiedReceipt(receipt, Receipts.verify(receipt, genesis()));
    } catch (NotProvenException wrong) {
      throw new UntrueAnswerException("the receipt proves nothing", wrong);
    }
  }

  /**
   * Reads one block by its height, and verifies that it is final. The reason is BLOCK_UNKNOWN if
   * there is none.
   */
  public Block getBlock(long height) {
    var request = GetBlockRequest.newBuilder().setHeight(height).build();
    BlockView view = query(stub -> stub.getBlock(request)).getBlock();
    Block block;
    try {
      block = Block.verify(view, genesis());
    } catch (NotProvenException wrong) {
      throw new UntrueAnswerException("the block does not hold", wrong);
    }
    if (block.height() != height) {
      throw new UntrueAnswerException(
          "asked for block " + height + ", got block " + block.height());
    }
    return block;
  }

  /**
   * Which participant's period is settled, at which tariff.
   *
   * @param from the start of a delivery interval
   * @param to exclusive: the start of a delivery interval, at most 366 days after from
   * @param tariff the hash of the tariff's record
   * @param height the block after which the ledger counts; 0 for the head
   */
  public record SettlementQuery(
      String participantId, Instant from, Instant to, Hash tariff, long height) {}

  /**
   * Reads what a period comes to, as one manager says: for the participant itself and for managers.
   * docs/settlement.md says how it is computed; only the TypeScript client recomputes it.
   */
  public Settlement getSettlement(SettlementQuery wanted) {
    var request =
        GetSettlementRequest.newBuilder()
            .setParticipantId(wanted.participantId())
            .setFromUnixS(wanted.from().getEpochSecond())
            .setToUnixS(wanted.to().getEpochSecond())
            .setTariffHash(wanted.tariff().toByteString())
            .setHeight(wanted.height())
            .build();
    Settlement said = query(stub -> stub.getSettlement(request)).getSettlement();
    boolean isAnswer =
        said.getParticipantId().equals(request.getParticipantId())
            && said.getFromUnixS() == request.getFromUnixS()
            && said.getToUnixS() == request.getToUnixS()
            && wanted.tariff().is(said.getTariffHash())
            && (wanted.height() == 0 || said.getHeight() == wanted.height());
    if (!isAnswer) {
      throw new UntrueAnswerException("the manager answered with another settlement");
    }
    return said;
  }

  /**
   * A size of the Merkle log, and its root if the caller holds it, from the facts of a receipt or
   * from a block; else null.
   */
  public record TreeHead(long treeSize, Hash root) {
    /** The ledger's present size. */
    public static final TreeHead PRESENT = new TreeHead(0, null);

    boolean fits(long size, Hash proven) {
      return (treeSize == 0 || treeSize == size) && (root == null || root.equals(proven));
    }
  }

  /**
   * Proves that the ledger has only grown between two sizes. The roots that the caller holds have
   * to be those of the proof. An {@link UntrueAnswerException} says that the ledger was rewritten.
   */
  public GetConsistencyProofResponse getConsistencyProof(TreeHead from, TreeHead to) {
    var request =
        GetConsistencyProofRequest.newBuilder()
            .setFromTreeSize(from.treeSize())
            .setToTreeSize(to.treeSize())
            .build();
    GetConsistencyProofResponse proof = query(stub -> stub.getConsistencyProof(request));
    if (!Hash.isHash(proof.getFromRoot()) || !Hash.isHash(proof.getToRoot())) {
      throw new UntrueAnswerException("the proof holds no roots");
    }
    var claim =
        new Merkle.Consistency(
            proof.getFromTreeSize(),
            proof.getToTreeSize(),
            Hash.of(proof.getFromRoot()),
            Hash.of(proof.getToRoot()),
            proof.getProofList());
    boolean isAsked =
        claim.fromSize() == from.treeSize()
            && from.fits(claim.fromSize(), claim.fromRoot())
            && to.fits(claim.toSize(), claim.toRoot());
    if (!isAsked) {
      throw new UntrueAnswerException(
          "the proof is about other sizes or roots than those that were asked for");
    }
    if (!claim.holds()) {
      throw new UntrueAnswerException(
          ("the proof between " + claim.fromSize() + " and " + claim.toSize())
              + " records does not hold");
    }
    return proof;
  }

  /**
   * Reads the managers, the policy and the rules in force, as one manager says. Changes of
   * membership that are proven come from {@link #follow}.
   */
  public GetConsortiumResponse getConsortium() {
    var request = GetConsortiumRequest.newBuilder().setHistoryPageSize(1).build();
    return query(stub -> stub.getConsortium(request));
  }

  /**
   * Reads the storage nodes ascending by id, as one manager says. What is proven of one comes from
   * {@link #getStatement}.
   */
  public Iterable<StorageNodeStatus> listStorageNodes() {
    return () ->
        new Pages<>(
            token -> {
              var request = ListStorageNodesRequest.newBuilder().setPageToken(token).build();
              var page = query(stub -> stub.listStorageNodes(request));
              return new Pages.Page<>(page.getNodesList(), page.getNextPageToken());
            });
  }

  /**
   * Gives the blocks that come after a chain's last one, up to the present head, and adds each to
   * the chain. So a new chain gives all blocks from genesis on, with every change of membership and
   * of the storage nodes' standings, believed of nobody. An {@link UntrueAnswerException} says that
   * a block does not follow; the chain then stands before it.
   */
  public Iterable<ChainBlock> follow(Chain chain) {
    return () -> {
      long from = chain.height() + 1;
      var views =
          new Pages<>(
              token -> {
                var request =
                    ListBlocksRequest.newBuilder()
                        .setFromHeight(from)
                        .setPageSize(BLOCKS_PER_PAGE)
                        .setPageToken(token)
                        .build();
                var page = query(stub -> stub.listBlocks(request));
                return new Pages.Page<>(page.getBlocksList(), page.getNextPageToken());
              });
      return new Following(chain, views);
    };
  }

  private record Following(Chain chain, Iterator<BlockView> views)
      implements Iterator<ChainBlock> {
    @Override
    public boolean hasNext() {
      return views.hasNext();
    }

    @Override
    public ChainBlock next() {
      try {
        return chain.add(views.next());
      } catch (NotProvenException wrong) {
        throw new UntrueAnswerException("the chain does not hold", wrong);
      }
    }
  }

  /**
   * Recomputes a storage node's standing from the public chain, from genesis on, and compares it
   * with what a manager says. An {@link UntrueAnswerException} says that the chain does not hold,
   * or that the manager says something else about the node.
   */
  public Statement getStatement(String nodeId) {
    return Statement.recompute(this, nodeId);
  }

  private <T> T query(Function<QueryServiceGrpc.QueryServiceBlockingStub, T> call) {
    return connections.ask(
        Connections.READING,
        timeout,
        (channel, deadline) ->
            call.apply(QueryServiceGrpc.newBlockingStub(channel).withDeadline(deadline)));
  }
}
