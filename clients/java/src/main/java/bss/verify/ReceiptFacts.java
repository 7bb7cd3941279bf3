package bss.verify;

import java.time.Instant;
import java.util.List;

/**
 * What a receipt proves, and nothing else: how many blocks came later and how many storage nodes
 * attested the block is only said by the node that answered.
 *
 * @param height that of the block that added the record
 * @param time the block's timestamp, by the clock of the manager that made it
 * @param position the index of the record's leaf in the Merkle log
 * @param treeSize counts the records on the ledger after the block
 * @param root the log's root then
 * @param previousTreeSize counts those before it: the block added the records from there on
 * @param signers the managers whose COMMIT was verified
 * @param recordChecked whether the content was held against the record hash, too
 */
public record ReceiptFacts(
    Hash recordHash,
    long height,
    Hash blockId,
    Instant time,
    long position,
    long treeSize,
    Hash root,
    long previousTreeSize,
    List<String> signers,
    boolean recordChecked) {}
