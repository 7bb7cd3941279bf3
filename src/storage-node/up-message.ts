import type { MessageInitShape } from "@bufbuild/protobuf";
import type { VerifyIntegrityRequestSchema } from "../gen/bss/v1/verify_integrity_pb.js";

/** What a storage node says on its link to a manager: a message of the stream, not yet encoded. */
export type UpMessage = MessageInitShape<typeof VerifyIntegrityRequestSchema>;
