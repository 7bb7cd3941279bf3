/**
 * RegistrationService: how storage nodes and participants join, renew their certificates and leave.
 *
 * Nothing here decides who may join: the consent goes on the chain, and every node checks it. A
 * manager signs a certificate only after that, for the key that the ledger then registers.
 */
import { create } from "@bufbuild/protobuf";
import { equalBytes } from "../../base/bytes.js";
import type { ParticipantState } from "../../gen/bss/store/v1/state_pb.js";
import {
  AdmitStorageNodeSchema,
  type Consent,
  type ControlOperation,
  ControlOperationSchema,
  RegisterParticipantSchema,
  type RetireStorageNode,
} from "../../gen/bss/v1/genesis_pb.js";
import type {
  RecordPayoutRequest,
  RegisterParticipantRequest,
  RegisterStorageNodeRequest,
  RegistrationService,
  RenewCertificateRequest,
  RetireStorageNodeRequest,
} from "../../gen/bss/v1/registration_pb.js";
import { parseInvitation } from "../../ledger/members/consent.js";
import type { Members } from "../../ledger/members/members.js";
import { RpcError } from "../../rpc/rpc-error.js";
import type { IdentityRegistry } from "../../rpc/server/authenticator.js";
import type { CallContext, ServiceHandlers } from "../../rpc/server/handlers.js";
import { callWait } from "../submissions/call-wait.js";
import { type Issuer, requestOf } from "./issuing.js";
import type { OperationExchange } from "./operation-exchange.js";

export type RegistrationPorts = {
  /** Absent where the manager was not given the key of its authority. */
  readonly issuer: Pick<Issuer, "issue"> | undefined;
  readonly operations: Pick<OperationExchange, "submit">;
  readonly members: () => Members;
  readonly participant: (id: string) => Promise<ParticipantState | undefined>;
  readonly registry: IdentityRegistry;
  /** The longest time that a call may wait for its block, even if its deadline is later. */
  readonly waitMaxMs: number;
};

/** How long a call waits for its block when its caller sets no deadline. */
const waitDefaultMs = 60_000;

type Operation = ControlOperation["operation"];
type Keys = { readonly signingKey: Uint8Array; readonly tlsSpkiSha256: Uint8Array };
type Joining = { readonly keys: Keys; readonly consent: Consent };

export function registrationService(
  ports: RegistrationPorts,
): ServiceHandlers<typeof RegistrationService> {
  const service = new Registration(ports);
  return {
    registerStorageNode: (request, context) => service.registerStorageNode(request, context),
    registerParticipant: (request, context) => service.registerParticipant(request, context),
    renewCertificate: (request, context) => service.renewCertificate(request, context),
    retireStorageNode: (request, context) => service.retireStorageNode(request, context),
    recordPayout: (request, context) => service.recordPayout(request, context),
  };
}

class Registration {
  readonly #ports: RegistrationPorts;

  constructor(ports: RegistrationPorts) {
    this.#ports = ports;
  }

  async registerStorageNode(request: RegisterStorageNodeRequest, context: CallContext) {
    const issuer = this.#issuer();
    const { nodeId } = request;
    const certificateRequest = await requestOf(request.certificateRequest);
    const { keys, consent } = joiningOf(request, certificateRequest.spkiSha256);
    const admitted = async () => {
      const node = this.#ports.members().storageNode(nodeId);
      if (node === undefined || !equalKeys(node, keys)) return undefined;
      const isGone = node.suspension !== undefined && node.suspension !== "unreachable";
      return isGone ? undefined : node.admittedHeight;
    };
    const admittedHeight = await this.#joined(admitted, context, () => {
      const value = { nodeId, ...keys, sponsorId: this.#sponsorOf(consent), consent };
      return { case: "admitStorageNode", value: create(AdmitStorageNodeSchema, value) };
    });
    const certificateChain = [
      ...(await issuer.issue({ role: "storage", id: nodeId }, certificateRequest)),
    ];
    return { certificateChain, admittedHeight: BigInt(admittedHeight) };
  }

  async registerParticipant(request: RegisterParticipantRequest, context: CallContext) {
    const issuer = this.#issuer();
    const { participantId } = request;
    const certificateRequest = await requestOf(request.certificateRequest);
    const { keys, consent } = joiningOf(request, certificateRequest.spkiSha256);
    const registered = async () => {
      const known = await this.#ports.participant(participantId);
      return known !== undefined && equalKeys(known, keys) ? Number(known.height) : undefined;
    };
    const admittedHeight = await this.#joined(registered, context, () => {
      const agentIds = parseInvitation(consent.invitation)?.agentIds ?? [];
      const value = create(RegisterParticipantSchema, {
        participantId,
        ...keys,
        agentIds,
        consent,
      });
      return { case: "registerParticipant", value };
    });
    const certificateChain = [
      ...(await issuer.issue({ role: "participant", id: participantId }, certificateRequest)),
    ];
    return { certificateChain, admittedHeight: BigInt(admittedHeight) };
  }

  async renewCertificate(request: RenewCertificateRequest, { identity }: CallContext) {
    const issuer = this.#issuer();
    const { role, id } = identity;
    if (role === "invited") throw new RpcError("ROLE_NOT_ALLOWED", "nobody has joined yet");
    const certificateRequest = await requestOf(request.certificateRequest);
    const registered = await this.#ports.registry.spkiOf(role, id);
    if (registered === undefined || !equalBytes(registered, certificateRequest.spkiSha256)) {
      const text = "the request is for another key than the registered one";
      throw new RpcError("CERTIFICATE_REQUEST_INVALID", text, { field: "certificate_request" });
    }
    return { certificateChain: [...(await issuer.issue(identity, certificateRequest))] };
  }

  async retireStorageNode({ retirement: value }: RetireStorageNodeRequest, context: CallContext) {
    if (value === undefined) throw missing("retirement");
    const { role, id } = context.identity;
    const isOwn =
      role === "storage" ? value.operatorId === "" && value.nodeId === id : value.operatorId === id;
    if (!isOwn) throw new RpcError("ROLE_NOT_ALLOWED", "the retirement is another party's");
    try {
      const height = await this.#submit({ case: "retireStorageNode", value }, context);
      return { height: BigInt(height) };
    } catch (error) {
      const height = retiredHeight(value, this.#ports.members());
      if (height === undefined || !isUnfit(error)) throw error;
      return { height: BigInt(height) };
    }
  }

  async recordPayout({ payout: value }: RecordPayoutRequest, context: CallContext) {
    if (value === undefined) throw missing("payout");
    if (value.operatorId !== context.identity.id) {
      throw new RpcError("ROLE_NOT_ALLOWED", "the payout is another operator's");
    }
    try {
      const height = await this.#submit({ case: "recordPayout", value }, context);
      return { height: BigInt(height) };
    } catch (error) {
      const { paid = 0n } = this.#ports.members().storageNode(value.nodeId) ?? {};
      if (!isUnfit(error) || paid < value.paidBefore + value.amount) throw error;
      const text =
        `${paid} units are paid by now, and this payout is on top of ${value.paidBefore}: ` +
        "it may be recorded already";
      throw new RpcError("PAYOUT_OUTDATED", text, { field: "payout.paid_before", cause: error });
    }
  }

  #issuer(): Pick<Issuer, "issue"> {
    const { issuer } = this.#ports;
    if (issuer !== undefined) return issuer;
    throw new RpcError("NOT_AN_ISSUER", "this manager has no certificate authority at hand");
  }

  #sponsorOf({ invitation }: Consent): string {
    const operatorId = parseInvitation(invitation)?.operatorId;
    const officer =
      operatorId === undefined ? undefined : this.#ports.members().officer(operatorId);
    if (officer !== undefined && officer.managerId !== "") return officer.managerId;
    throw new RpcError("INVITATION_INVALID", "not an invitation of an operator of this consortium");
  }

  /** The block by which somebody has joined with its keys; it joins if there is none. */
  async #joined(
    standing: () => Promise<number | undefined>,
    context: CallContext,
    operationOf: () => Operation,
  ): Promise<number> {
    const before = await standing();
    if (before !== undefined) return before;
    try {
      return await this.#submit(operationOf(), context);
    } catch (error) {
      // A block may have carried the same admission meanwhile.
      const since = await standing();
      if (since === undefined) throw error;
      return since;
    }
  }

  async #submit(operation: Operation, context: CallContext): Promise<number> {
    const { waitMaxMs: maxMs, operations } = this.#ports;
    const { ms } = callWait(context, { defaultMs: waitDefaultMs, maxMs, nowMs: Date.now() });
    const signal = AbortSignal.any([context.signal, AbortSignal.timeout(ms)]);
    const message = create(ControlOperationSchema, { operation });
    const settled = await operations.submit(message, signal);
    return settled.height;
  }
}

function joiningOf(
  request: RegisterStorageNodeRequest | RegisterParticipantRequest,
  tlsSpkiSha256: Uint8Array,
): Joining {
  const { consent, signingKey } = request;
  if (consent === undefined) throw missing("consent");
  return { keys: { signingKey, tlsSpkiSha256 }, consent };
}

/** Whether the chain has moved on, so that no block can carry the operation. */
function isUnfit(error: unknown): boolean {
  return error instanceof RpcError && error.reason === "OPERATION_INVALID";
}

/** The block that retired the node of this admission, if one of those who may has done it. */
function retiredHeight(
  { nodeId, admittedHeight, operatorId }: RetireStorageNode,
  members: Members,
): number | undefined {
  const node = members.storageNode(nodeId);
  const isRetired =
    node?.suspension === "retired" && BigInt(node.admittedHeight) === admittedHeight;
  const isTheirs = operatorId === "" || members.officer(operatorId)?.managerId === node?.sponsorId;
  return isRetired && isTheirs ? node.changedHeight : undefined;
}

function equalKeys(a: Keys, b: Keys): boolean {
  return equalBytes(a.signingKey, b.signingKey) && equalBytes(a.tlsSpkiSha256, b.tlsSpkiSha256);
}

function missing(field: string): RpcError {
  return new RpcError("FIELD_INVALID", `${field} is missing`, { field });
}
