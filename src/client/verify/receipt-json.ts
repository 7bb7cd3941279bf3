/** Receipts as files: the protobuf JSON of bss.v1.Receipt, readable by any protobuf library. */
import { fromJsonString, toJsonString } from "@bufbuild/protobuf";
import { err, ok, type Result } from "../../base/result.js";
import { type Receipt, ReceiptSchema } from "../../gen/bss/v1/query_pb.js";

/**
 * Largest receipt that is read, characters: 100 managers' signatures and a proof of 54 hashes have
 * under 30,000.
 */
const receiptCharsMax = 1024 * 1024;

/** A receipt as JSON, on one line unless `pretty`. */
export function receiptToJson(
  receipt: Receipt,
  options: { readonly pretty?: boolean } = {},
): string {
  const spaces = options.pretty === true ? { prettySpaces: 2 } : {};
  return toJsonString(ReceiptSchema, receipt, { alwaysEmitImplicit: true, ...spaces });
}

/** Reads a receipt; the error says what is wrong with the text. */
export function receiptFromJson(text: string): Result<Receipt, string> {
  if (text.length > receiptCharsMax) return err(`longer than ${receiptCharsMax} characters`);
  try {
    return ok(fromJsonString(ReceiptSchema, text));
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
}
