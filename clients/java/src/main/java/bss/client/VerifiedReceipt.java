package bss.client;

import bss.v1.Receipt;
import bss.verify.ReceiptFacts;

/**
 * A receipt and what it proves.
 *
 * @param receipt what to keep ({@link bss.verify.Receipts#toJson}): {@link bss.verify.Receipts}
 *     checks it at any time without a connection
 */
public record VerifiedReceipt(Receipt receipt, ReceiptFacts facts) {}
