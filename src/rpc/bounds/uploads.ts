/**
 * What callers make a server hold from the first byte of a message until it was handled. The length
 * that a message declares is checked against what the caller may send; what arrives of it is
 * counted for the caller and for all of its kind, before there is memory for it, and has to go on
 * arriving. When all of a kind hold as much as they may, whoever holds most gives way to one that
 * would hold less. Whoever calls without a certificate of a member shares the least.
 */
import { type HoldingRefusal, Holdings } from "../../base/holdings.js";
import { every, type Time, type Timer } from "../../base/time.js";
import { RpcError } from "../rpc-error.js";
import { causerOf, describeIdentity, type Identity, type Role } from "../tls/identity.js";
import { FrameReader } from "./frame-reader.js";
import type { CallInternals } from "./grpc-internals.js";
import type { RpcLimits, UploadClass } from "./limits.js";
import { requestBounds } from "./method-bounds.js";

type UploadOptions = {
  readonly identity: Identity;
  /** "bss.v1.QueryService/GetStatus". */
  readonly method: string;
  /** One message comes, and is handled until the call ends; those of a stream one by one. */
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
  | "uploadBytesPerSecondMin"
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
  /** Those that hold something, by whoever causes them. */
  readonly #holding = new Map<string, Set<Upload>>();
  /** Bytes that have arrived of a causer, while something of it is awaited. */
  readonly #arrived = new Map<string, number>();
  #timer: Timer | undefined;
  /** Messages that have begun. */
  #begun = 0;

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

  /** Bytes that are held for callers of a class. */
  held(kind: UploadClass): number {
    return this.#holdings[kind].total;
  }

  /** Takes over the data of an admitted call. */
  open(options: UploadOptions): Upload {
    const { role } = options.identity;
    const causer = causerOf(options.identity);
    const upload = new Upload(options, {
      bytesMax: Math.min(messageBytesMax(role, this.#limits), requestBounds(options.method).bytes),
      causer,
      turn: () => {
        this.#begun += 1;
        return this.#begun;
      },
      take: (bytes, toCome) => this.#take(upload, bytes, toCome),
      giveBack: (bytes, left) => this.#giveBack(upload, bytes, left),
      await: (awaited) => this.#await(upload, awaited),
      onArrived: (bytes) => this.#arrived.set(causer, this.arrivedOf(causer) + bytes),
    });
    options.internals.setDecoder(upload);
    if (options.single) this.#await(upload, true);
    return upload;
  }

  /** What a causer has sent since something of it has been awaited. */
  arrivedOf(causer: string): number {
    return this.#arrived.get(causer) ?? 0;
  }

  #take(upload: Upload, bytes: number, toCome: number): HoldingRefusal | undefined {
    const { causer, kind } = upload;
    const holdings = this.#holdings[kind];
    let refusal = holdings.take(causer, bytes);
    while (refusal !== undefined) {
      const other = this.#displaceable(upload, toCome, refusal);
      if (other === undefined) return refusal;
      other.giveWay();
      refusal = holdings.take(causer, bytes);
    }
    const holding = this.#holding.get(causer);
    if (holding === undefined) this.#holding.set(causer, new Set([upload]));
    else holding.add(upload);
    return undefined;
  }

  /**
   * The upload that waits longest of whoever holds most, if it holds more than this causer would.
   * All who are invited are one causer, and each gives way to the next.
   */
  #displaceable(upload: Upload, toCome: number, refusal: HoldingRefusal): Upload | undefined {
    const { causer, kind } = upload;
    const holdings = this.#holdings[kind];
    const most = holdings.most();
    const own = holdings.held(causer) + toCome;
    let whose: string | undefined;
    if (kind === "invited") whose = causer;
    else if (refusal === "total" && most !== undefined && most.held > own) whose = most.causer;
    if (whose === undefined) return undefined;
    let first: Upload | undefined;
    for (const each of this.#holding.get(whose) ?? []) {
      if (each !== upload && (first === undefined || each.waitsLongerThan(first))) first = each;
    }
    return first;
  }

  #giveBack(upload: Upload, bytes: number, left: number): void {
    const { causer, kind } = upload;
    this.#holdings[kind].giveBack(causer, bytes);
    if (left > 0) return;
    const holding = this.#holding.get(causer);
    holding?.delete(upload);
    if (holding?.size === 0) this.#holding.delete(causer);
  }

  #await(upload: Upload, awaited: boolean): void {
    if (awaited) {
      this.#awaited.add(upload);
      this.#timer ??= every(this.#time, tickMs, () => this.#tick());
    } else {
      this.#awaited.delete(upload);
      if (this.#awaited.size > 0) return;
      this.#arrived.clear();
      this.#timer?.cancel();
      this.#timer = undefined;
    }
  }

  #tick(): void {
    const { uploadMs, uploadBytesPerSecondMin } = this.#limits;
    const leastBytes = (uploadBytesPerSecondMin * uploadMs) / 1_000;
    for (const upload of [...this.#awaited]) {
      upload.tick(tickMs, {
        windowMs: uploadMs,
        leastBytes,
        arrived: this.arrivedOf(upload.causer),
      });
    }
  }
}

type UploadPorts = {
  readonly bytesMax: number;
  readonly causer: string;
  /** The place of a message that begins now, in the order of all. */
  readonly turn: () => number;
  /** `toCome`: these bytes and what the message announces besides. */
  readonly take: (bytes: number, toCome: number) => HoldingRefusal | undefined;
  /** `left`: what the upload holds after it. */
  readonly giveBack: (bytes: number, left: number) => void;
  readonly await: (awaited: boolean) => void;
  readonly onArrived: (bytes: number) => void;
};

/** Within a window the upload goes on, and its caller sends so many bytes in all of its uploads. */
type Pace = {
  readonly windowMs: number;
  readonly leastBytes: number;
  /** Of the caller, so far. */
  readonly arrived: number;
};

/** The messages of one call, from their first byte until they were handled. */
export class Upload {
  readonly kind: UploadClass;
  readonly causer: string;
  readonly #reader: FrameReader;
  readonly #options: UploadOptions;
  readonly #ports: UploadPorts;
  /** Bytes of the message that arrives, of those that are whole, and of the one that is handled. */
  #arriving = 0;
  #announced = 0;
  #whole: number[] = [];
  #handled = 0;
  #awaited = false;
  /** Since the window began: time, bytes of this upload, and what the caller had sent before. */
  #waitedMs = 0;
  #arrivedHere = 0;
  #arrivedBefore: number | undefined;
  /** The order in which uploads begin. */
  #turn = 0;
  #closed = false;

  constructor(options: UploadOptions, ports: UploadPorts) {
    this.#options = options;
    this.#ports = ports;
    this.kind = uploadClassOf(options.identity.role);
    this.causer = ports.causer;
    this.#awaited = options.single;
    this.#reader = new FrameReader({
      begin: (bytes, compressed) => this.#begin(bytes, compressed),
      grow: (bytes) => this.#grow(bytes),
      complete: () => {
        this.#whole.push(this.#arriving);
        this.#arriving = 0;
        // The handler of a single message starts when its caller has ended the request.
        if (!options.single) this.#await(false);
      },
    });
  }

  get #held(): number {
    return this.#whole.reduce((sum, bytes) => sum + bytes, this.#arriving + this.#handled);
  }

  /** Takes data, and returns the frames that it completes. */
  write(data: Buffer): Buffer[] {
    this.#arrivedHere += data.length;
    this.#ports.onArrived(data.length);
    return this.#reader.write(data);
  }

  /** The first message that is whole goes to its handler. */
  taken(): void {
    this.#handled += this.#whole.shift() ?? 0;
  }

  /** The handler is done with what it took, or its owner counts it from here. */
  handled(): void {
    const bytes = this.#handled;
    this.#handled = 0;
    this.#giveBack(bytes);
  }

  /** Nothing more comes. */
  ended(): void {
    this.#await(false);
  }

  /** The call is over. */
  close(): void {
    this.#closed = true;
    this.#reader.close();
    const bytes = this.#held;
    [this.#arriving, this.#whole, this.#handled] = [0, [], 0];
    this.#giveBack(bytes);
    this.#awaited = false;
    this.#ports.await(false);
  }

  /** Whoever waits for what is still to come goes before one that is being handled. */
  waitsLongerThan(other: Upload): boolean {
    if (this.#awaited !== other.#awaited) return this.#awaited;
    return this.#turn < other.#turn;
  }

  /** Another caller needs the room. */
  giveWay(): void {
    const who = describeIdentity(this.#options.identity);
    this.#refuse(
      new RpcError("UPLOADS_EXHAUSTED", `${who} sent most when another caller found no room`, {
        metadata: { bytes: String(this.#held), what: "most" },
      }),
    );
  }

  /** Time in which the server itself does not read is not the caller's. */
  tick(ms: number, { windowMs, leastBytes, arrived }: Pace): void {
    if (this.#options.internals.stream.isPaused()) return;
    this.#arrivedBefore ??= arrived - this.#arrivedHere;
    this.#waitedMs += ms;
    if (this.#waitedMs < windowMs) return;
    if (this.#arrivedHere > 0 && arrived - this.#arrivedBefore >= leastBytes) {
      this.#beginWindow(arrived);
      return;
    }
    const message =
      `within ${windowMs} ms neither the message came to its end ` +
      `nor ${leastBytes} bytes of what its caller sends`;
    this.#refuse(new RpcError("UPLOAD_TOO_SLOW", message, { metadata: { limit: `${windowMs}` } }));
  }

  #begin(bytes: number, compressed: boolean): boolean {
    const refusal = compressed ? compressionRefusal() : this.#refusalOf(bytes);
    if (refusal !== undefined) {
      this.#refuse(refusal);
      return false;
    }
    this.#turn = this.#ports.turn();
    this.#announced = messageBytes + bytes;
    if (!this.#grow(messageBytes)) return false;
    if (!this.#options.single) this.#await(true);
    return true;
  }

  #refusalOf(bytes: number): RpcError | undefined {
    const { bytesMax } = this.#ports;
    if (bytes <= bytesMax) return undefined;
    return new RpcError(
      "MESSAGE_TOO_LARGE",
      `the message has ${bytes} bytes, at most ${bytesMax} are allowed`,
      { metadata: { bytes: String(bytes), limit: String(bytesMax) } },
    );
  }

  #grow(bytes: number): boolean {
    const full = this.#ports.take(bytes, this.#announced - this.#arriving);
    if (full === undefined) {
      this.#arriving += bytes;
      return true;
    }
    const whose =
      full === "share" ? describeIdentity(this.#options.identity) : classText[this.kind];
    this.#refuse(
      new RpcError("UPLOADS_EXHAUSTED", `${whose} send as many bytes at once as they may`, {
        metadata: { bytes: String(bytes), what: full },
      }),
    );
    return false;
  }

  #refuse(error: RpcError): void {
    if (this.#closed) return;
    this.close();
    this.#options.refuse(error);
  }

  #await(awaited: boolean): void {
    this.#beginWindow(undefined);
    if (this.#closed) return;
    this.#awaited = awaited;
    this.#ports.await(awaited);
  }

  #beginWindow(arrived: number | undefined): void {
    this.#waitedMs = 0;
    this.#arrivedHere = 0;
    this.#arrivedBefore = arrived;
  }

  #giveBack(bytes: number): void {
    this.#ports.giveBack(bytes, this.#held);
  }
}

/** Of a message beside its own bytes: what knows of it until it was handled. */
const messageBytes = 256;

/** Who shares a total. */
const classText: Readonly<Record<UploadClass, string>> = {
  manager: "all managers together",
  storage: "all storage nodes together",
  member: "all participants, auditors and operators together",
  invited: "all holders of invitations together",
};

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
