/**
 * What integrators import: connect with a profile, build records, submit, read, watch, and verify
 * receipts offline.
 *
 *     const client = await connect(readProfile("profile.yaml"));
 *     const record = meterReading({ ownerId: "home-1", meterId: "meter-1", ... });
 *     const submission = client.sign([record]);
 *     orThrow(await client.submit(submission));
 */

export { readGenesis } from "../config/genesis-file.js";
export type {
  BlockSummary,
  Objection,
  RecordOutcome,
  RecordPlace,
  SubmitResponse,
} from "../gen/bss/v1/broadcast_pb.js";
export { WaitFor } from "../gen/bss/v1/broadcast_pb.js";
export type {
  BlockView,
  GetConsistencyProofResponse,
  GetConsortiumResponse,
  GetStatusResponse,
  StorageNodeStatus,
} from "../gen/bss/v1/query_pb.js";
export { type Receipt, ReceiptSchema } from "../gen/bss/v1/query_pb.js";
export {
  type Record,
  RecordSchema,
  type Submission,
  SubmissionSchema,
} from "../gen/bss/v1/record_pb.js";
export { type GenesisState, parseGenesis } from "../ledger/genesis.js";
export { verifyConsistency, verifyInclusion } from "../ledger/merkle/verify.js";
export { recordHash } from "../ledger/records/record-hash.js";
export { RpcError } from "../rpc/rpc-error.js";
export {
  type BlockListOptions,
  BssClient,
  connect,
  connectToStorageNode,
  type RecordQuery,
  type SettlementQuery,
  type SubmitOptions,
} from "./bss-client.js";
export { type ClientProfile, readProfile } from "./client-profile.js";
export type { RetryOptions } from "./manager-connections.js";
export { readStatement, type StatementOptions } from "./read-statement.js";
export { orThrow, refusals } from "./refusals.js";
export {
  computeSettlement,
  type Settled,
  settlementDocument,
  statedDocument,
  tariffOf,
} from "./settlement.js";
export {
  buildSubmission,
  type SubmissionParts,
  submissionFromBinary,
  submissionToBinary,
} from "./signing.js";
export * from "./submit/records.js";
export type { SubmissionOutcome, SubmitStreamOptions } from "./submit/submit-stream.js";
export type { LedgerRecord, TreeHead } from "./verify/answers.js";
export { UntrueAnswer } from "./verify/answers.js";
export { Chain, type ChainBlock } from "./verify/chain.js";
export { Statement, type StatementEntry } from "./verify/credit-statement.js";
export {
  type EncodingProblem,
  type ReceiptAnchor,
  type ReceiptProblem,
  type ReceiptStep,
  receiptFromBinary,
  receiptFromJson,
  receiptSteps,
  receiptToBinary,
  receiptToJson,
  type VerifiedReceipt,
  verifyReceipt,
} from "./verify/receipt-check.js";
export type { WatchOptions } from "./watch-blocks.js";
