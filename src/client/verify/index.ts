/**
 * The verifier, which needs no connection, no file and no Node.js: what browsers import as
 * "bss-node/verify". scripts/verifier bundles it into one file.
 */

export type { Result } from "../../base/result.js";
export type { BlockView, Receipt } from "../../gen/bss/v1/query_pb.js";
export type { Record } from "../../gen/bss/v1/record_pb.js";
export { type GenesisState, parseGenesis } from "../../ledger/genesis.js";
export { verifyConsistency, verifyInclusion } from "../../ledger/merkle/verify.js";
export { recordHash } from "../../ledger/records/record-hash.js";
export { UntrueAnswer } from "./answers.js";
export { Chain, type ChainBlock } from "./chain.js";
export { Statement, type StatementEntry } from "./credit-statement.js";
export { blockFromBinary, Ledger, type ProvenRecord, type Refusal } from "./ledger.js";
export {
  type EncodingProblem,
  type ReceiptAnchor,
  type ReceiptCheckOptions,
  type ReceiptProblem,
  type ReceiptStep,
  receiptFromBinary,
  receiptFromJson,
  receiptSteps,
  type VerifiedReceipt,
  verifyReceipt,
} from "./receipt-check.js";
