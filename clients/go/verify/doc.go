// Package verify checks what a consortium says, without asking anybody: all that is trusted is the
// genesis file, which names the managers and their keys.
//
//	genesis, err := verify.ParseGenesis(file)
//	receipt, err := verify.ReceiptFromJSON(text)
//	facts, err := verify.Receipt(receipt, genesis, record)
//
// What holds is returned as facts of types of this package, in which stands nothing that was not
// proven. What does not hold is a [*Problem]. The package opens no connection, reads no file and no
// clock, and may be used without the rest of the module.
//
// [Receipt] checks that a record is on the ledger, [Inclusion] and [Consistency] are RFC 9162's
// proofs, and a [Chain] follows the blocks from genesis on: who the members are, which committees
// were drawn, and the credit and reward of each storage node.
package verify
