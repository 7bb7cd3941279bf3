/**
 * Checks what a consortium says, without asking anybody: all that is trusted is the genesis file,
 * which names the managers and their keys.
 *
 * <pre>
 * Genesis genesis = Genesis.parse(Files.readAllBytes(Path.of("genesis.json")));
 * Receipt receipt = Receipts.fromJson(Files.readString(Path.of("receipt.json")));
 * ReceiptFacts facts = Receipts.verify(receipt, genesis, record);
 * </pre>
 *
 * <p>What holds is returned as facts, in which stands nothing that was not proven. What does not
 * hold is a {@link bss.verify.NotProvenException}. The package opens no connection and reads no
 * file and no clock. {@link bss.chain.Chain} follows the blocks from genesis on.
 */
package bss.verify;
