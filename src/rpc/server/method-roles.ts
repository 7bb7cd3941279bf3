/**
 * Who may call what: the whole of the API's authorization, in one table. A method that is not in it
 * can be called by nobody. What a caller may see in an answer (a record's content, for instance) is
 * decided by the handler, which gets the caller's identity.
 */
import { RpcError } from "../rpc-error.js";
import { type Identity, memberRoles, type Role, roles } from "../tls/tls-identity.js";

const anyRole: readonly Role[] = memberRoles;
const supervisors: readonly Role[] = ["operator", "manager", "auditor"];

/** By "<package>.<Service>/<Method>". */
export const methodRoles: Readonly<Record<string, readonly Role[]>> = {
  "bss.v1.BroadcastService/Submit": ["participant"],
  "bss.v1.BroadcastService/SubmitStream": ["participant"],
  "bss.v1.BroadcastService/Broadcast": ["manager"],

  "bss.v1.VoteService/Vote": ["manager"],

  "bss.v1.VerifyIntegrityService/VerifyIntegrity": ["storage"],

  "bss.v1.QueryService/GetStatus": anyRole,
  "bss.v1.QueryService/GetRecord": anyRole,
  "bss.v1.QueryService/GetReceipt": anyRole,
  "bss.v1.QueryService/GetRecordHistory": anyRole,
  "bss.v1.QueryService/ListRecords": anyRole,
  "bss.v1.QueryService/GetSettlement": anyRole,
  "bss.v1.QueryService/GetBlock": anyRole,
  "bss.v1.QueryService/ListBlocks": anyRole,
  "bss.v1.QueryService/GetConsistencyProof": anyRole,
  "bss.v1.QueryService/WatchBlocks": anyRole,
  "bss.v1.QueryService/GetConsortium": anyRole,
  "bss.v1.QueryService/ListStorageNodes": anyRole,
  "bss.v1.QueryService/GetFork": anyRole,

  // The invitation in the request admits, and anybody may hand one in for somebody else.
  "bss.v1.RegistrationService/RegisterStorageNode": roles,
  "bss.v1.RegistrationService/RegisterParticipant": roles,
  "bss.v1.RegistrationService/RenewCertificate": anyRole,
  "bss.v1.RegistrationService/RetireStorageNode": ["storage", "operator"],
  "bss.v1.RegistrationService/RecordPayout": ["operator"],

  "bss.v1.GovernanceService/Propose": ["operator"],
  "bss.v1.GovernanceService/Approve": ["operator"],
  "bss.v1.GovernanceService/GetProposal": supervisors,
  "bss.v1.GovernanceService/ListProposals": supervisors,

  "grpc.health.v1.Health/Check": anyRole,
  "grpc.health.v1.Health/Watch": anyRole,
  "grpc.health.v1.Health/List": anyRole,
  "grpc.reflection.v1.ServerReflection/ServerReflectionInfo": anyRole,
  "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": anyRole,
};

/** @throws RpcError ROLE_NOT_ALLOWED unless the caller's role may call the method */
export function authorize({ role }: Identity, method: string): void {
  if (Object.hasOwn(methodRoles, method) && methodRoles[method]?.includes(role)) return;
  const message = `${role} may not call ${method}`;
  throw new RpcError("ROLE_NOT_ALLOWED", message, { metadata: { role, method } });
}
