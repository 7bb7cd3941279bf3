/**
 * What integrators import: connect with a profile, build records, submit, read, watch, and verify
 * receipts offline.
 *
 *     const client = await connect(readProfile("profile.yaml"));
 *     const record = meterReading({ ownerId: "home-1", meterId: "meter-1", ... });
 *     const { outcomes } = await client.submit(client.sign([record]));
 */

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
export { recordHash } from "../ledger/records/records.js";
export { RpcError } from "../rpc/rpc-error.js";
export {
  type BlockListOptions,
  BssClient,
  connect,
  connectToStorageNode,
  type RecordQuery,
  type SubmitOptions,
} from "./client.js";
export { UntrueAnswer } from "./client-error.js";
export type { RetryOptions } from "./connections.js";
export { type ClientProfile, readGenesis, readProfile } from "./profile.js";
export * from "./submit/records.js";
export { buildSubmission, type SubmissionParts } from "./submit/submissions.js";
export type { SubmissionOutcome, SubmitStreamOptions } from "./submit/submit-stream.js";
export type { LedgerRecord, TreeHead } from "./verify/answers.js";
export {
  type ReceiptAnchor,
  type ReceiptProblem,
  type ReceiptStep,
  receiptSteps,
  type VerifiedReceipt,
  verifyReceipt,
} from "./verify/receipt-check.js";
export { receiptFromJson, receiptToJson } from "./verify/receipt-json.js";
export {
  readStatement,
  Statement,
  type StatementEntry,
  type StatementOptions,
} from "./verify/statement.js";
export type { WatchOptions } from "./watch-blocks.js";
