/**
 * What callers make a server hold while their messages arrive. The length that a message declares
 * is checked against what the caller may send, counted for it and for all of its kind, and then
 * waited for only so long. Whoever calls without a certificate of a member shares the least.
 */
import { Holdings } from "../base/holdings.js";
import { every, type Time, type Timer } from "../base/time.js";
import { FrameReader } from "./frame-reader.js";
import type { CallInternals } from "./grpc-internals.js";
import { describeIdentity, type Identity, type Role } from "./identity.js";
import type { RpcLimits, UploadClass } from "./limits.js";
import { requestBounds } from "./method-bounds.js";
import { RpcError } from "./rpc-error.js";

export type UploadOptions = {
  readonly identity: Identity;
  /** "bss.v1.QueryService/GetStatus". */
  readonly method: string;
  /** One message comes, and is held until the call ends; in a stream each until it is taken. */
  readonly single: boolean;
  readonly internals: Pick<CallInternals, "stream" | "setDecoder">;
  /** Ends the call. */
  readonly refuse: (error: RpcError) => void;
};

type UploadsLimits = Pick<
  RpcLimits,
  | "participantMessageBytesMax"
  | "peerMessageBytesMax"
  | "invitedMessageBytesMax"
  | "uploadMs"
  | "uploads"
>;

/** How often uploads are looked at. */
const tickMs = 1_000;

export class Uploads {
  readonly #limits: UploadsLimits;
  readonly #holdings: Readonly<Record<UploadClass, Holdings>>;
  readonly #time: Pick<Time, "after">;
  /** Those of which something is still to come. */
  readonly #awaited = new Set<Upload>();
  #timer: Timer | undefined;

  constructor(limits: UploadsLimits, time: Pick<Time, "after">) {
    this.#limits = limits;
    this.#time = time;
    const { manager, storage, member, invited } = limits.uploads;
    this.#holdings = {
      manager: new Holdings(manager),
      storage: new Holdings(storage),
      member: new Holdings(member),
      invited: new Holdings(invited),
    };
  }

  /** Bytes that are held or expected for callers of a class. */
  held(kind: UploadClass): number {
    return this.#holdings[kind].total;
  }

  /** Takes over the data of an admitted call. */
  open(options: UploadOptions): Upload {
    const { role } = options.identity;
    const upload = new Upload(options, {
      bytesMax: Math.min(messageBytesMax(role, this.#limits), requestBounds(options.method).bytes),
      holdings: this.#holdings[uploadClassOf(role)],
      await: (awaited) => this.#await(upload, awaited),
    });
    options.internals.setDecoder(upload.reader);
    if (options.single) this.#await(upload, true);
    return upload;
  }

  #await(upload: Upload, awaited: boolean): void {
    if (awaited) {
      this.#awaited.add(upload);
      this.#timer ??= every(this.#time as Time, tickMs, () => this.#tick());
    } else {
      this.#awaited.delete(upload);
      if (this.#awaited.size > 0) return;
      this.#timer?.cancel();
      this.#timer = undefined;
    }
  }

  #tick(): void {
    for (const upload of [...this.#awaited]) upload.tick(tickMs, this.#limits.uploadMs);
  }
}

type UploadPorts = {
  readonly bytesMax: number;
  readonly holdings: Holdings;
  readonly await: (awaited: boolean) => void;
};

export class Upload {
  readonly reader: FrameReader;
  readonly #options: UploadOptions;
  readonly #ports: UploadPorts;
  readonly #causer: string;
  /** Bytes of the messages that are not taken yet, and of those the one that is arriving. */
  #held = 0;
  #arriving = 0;
  #waitedMs = 0;
  #closed = false;

  constructor(options: UploadOptions, ports: UploadPorts) {
    this.#options = options;
    this.#ports = ports;
    const { role, id } = options.identity;
    this.#causer = `${role}/${id}`;
    this.reader = new FrameReader({
      begin: (bytes, compressed) => this.#begin(bytes, compressed),
      complete: () => {
        this.#arriving = 0;
        // The handler of a single message starts when its caller has ended the request.
        if (!options.single) this.#await(false);
      },
    });
  }

  /** A message of a stream was handed on: its owner counts it from here. */
  taken(): void {
    if (!this.#options.single) this.#giveBack(this.#held - this.#arriving);
  }

  /** Nothing more comes. */
  ended(): void {
    this.#await(false);
  }

  /** The call is over. */
  close(): void {
    this.#closed = true;
    this.reader.close();
    this.#giveBack(this.#held);
    this.#ports.await(false);
  }

  /** Time in which the server itself does not read is not the caller's. */
  tick(ms: number, uploadMs: number): void {
    if (this.#options.internals.stream.isPaused()) return;
    this.#waitedMs += ms;
    if (this.#waitedMs < uploadMs) return;
    const message = `the message did not arrive whole within ${uploadMs} ms`;
    this.#refuse(new RpcError("UPLOAD_TOO_SLOW", message, { metadata: { limit: `${uploadMs}` } }));
  }

  #begin(bytes: number, compressed: boolean): boolean {
    const refusal = compressed ? compressionRefusal() : this.#refusalOf(bytes);
    if (refusal !== undefined) {
      this.#refuse(refusal);
      return false;
    }
    this.#held += bytes;
    this.#arriving = bytes;
    if (!this.#options.single) this.#await(true);
    return true;
  }

  #refusalOf(bytes: number): RpcError | undefined {
    const { bytesMax, holdings } = this.#ports;
    if (bytes > bytesMax) {
      return new RpcError(
        "MESSAGE_TOO_LARGE",
        `the message has ${bytes} bytes, at most ${bytesMax} are allowed`,
        { metadata: { bytes: String(bytes), limit: String(bytesMax) } },
      );
    }
    const full = holdings.take(this.#causer, bytes);
    if (full === undefined) return undefined;
    const whose = full === "share" ? describeIdentity(this.#options.identity) : "all callers";
    return new RpcError("UPLOADS_EXHAUSTED", `${whose} send as many bytes at once as they may`, {
      metadata: { bytes: String(bytes), what: full },
    });
  }

  #refuse(error: RpcError): void {
    if (this.#closed) return;
    this.close();
    this.#options.refuse(error);
  }

  #await(awaited: boolean): void {
    this.#waitedMs = 0;
    if (!this.#closed) this.#ports.await(awaited);
  }

  #giveBack(bytes: number): void {
    this.#ports.holdings.giveBack(this.#causer, bytes);
    this.#held -= bytes;
  }
}

export function compressionRefusal(): RpcError {
  return new RpcError("COMPRESSION_UNSUPPORTED", "send the message without compression");
}

function uploadClassOf(role: Role): UploadClass {
  return role === "manager" || role === "storage" || role === "invited" ? role : "member";
}

function messageBytesMax(role: Role, limits: UploadsLimits): number {
  switch (uploadClassOf(role)) {
    case "manager":
    case "storage":
      return limits.peerMessageBytesMax;
    case "member":
      return limits.participantMessageBytesMax;
    case "invited":
      return Math.min(limits.invitedMessageBytesMax, limits.participantMessageBytesMax);
  }
}
