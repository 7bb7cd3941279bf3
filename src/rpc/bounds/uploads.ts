/**
 * What callers make a server hold, from the first byte of a message until it was handled. The
 * messages of one call are an `Upload`; `Uploads` are those of all calls. Three things can refuse
 * one:
 *
 * - the length that it declares is more than the caller or the method allows (MESSAGE_TOO_LARGE);
 * - its bytes, counted before there is memory for them, are more than the caller may have here at a
 *   time, or than all of its class may have (UPLOADS_EXHAUSTED). If it is the class that is full,
 *   the caller that holds most gives way to one that would hold less;
 * - it does not go on arriving (UPLOAD_TOO_SLOW).
 *
 * All callers that hold an invitation, and are no members yet, share the smallest total.
 */
import { type HoldingRefusal, Holdings } from "../../base/holdings.js";
import { every, type Time, type Timer } from "../../base/time.js";
import { RpcError } from "../rpc-error.js";
import { causerOf, describeIdentity, type Identity, type Role } from "../tls/tls-identity.js";
import { FrameReader } from "./frame-reader.js";
import type { CallInternals, CallStream } from "./grpc-internals.js";
import { requestBounds } from "./method-bounds.js";
import type { RpcLimits, UploadClass } from "./server-limits.js";

type UploadOptions = {
  readonly identity: Identity;
  /** "bss.v1.QueryService/GetStatus". */
  readonly method: string;
  /** The call carries one message, which counts as handled when the call ends. */
  readonly single: boolean;
  readonly internals: Pick<CallInternals, "setDecoder"> & {
    readonly stream: Pick<CallStream, "isPaused">;
  };
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
  /** Uploads of which something is still to come. */
  readonly #awaited = new Set<Upload>();
  /** Uploads that hold something, by their causer. */
  readonly #holding = new Map<string, Set<Upload>>();
  /** Bytes that have arrived from a causer, while something from it is awaited. */
  readonly #arrived = new Map<string, number>();
  #timer: Timer | undefined;
  /** Messages that have begun so far. */
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
    const roleMax = messageBytesMax(role, this.#limits);
    const bytesMax = Math.min(roleMax, requestBounds(options.method).bytes);
    const upload = new Upload(this, options, bytesMax);
    options.internals.setDecoder(upload);
    if (options.single) this.await(upload, true);
    return upload;
  }

  // What follows up to `#displaceable` is for `Upload` alone.

  /** A message begins: its place in the order of all. */
  begun(): number {
    this.#begun += 1;
    return this.#begun;
  }

  arrived(causer: string, bytes: number): void {
    if (this.#awaited.size === 0) return;
    this.#arrived.set(causer, this.#arrivedFrom(causer) + bytes);
  }

  /** @param toCome these bytes and what the message has announced besides */
  take(upload: Upload, bytes: number, toCome: number): HoldingRefusal | undefined {
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

  /** @param left what the upload still holds */
  giveBack(upload: Upload, bytes: number, left: number): void {
    const { causer, kind } = upload;
    this.#holdings[kind].giveBack(causer, bytes);
    if (left > 0) return;
    const holding = this.#holding.get(causer);
    holding?.delete(upload);
    if (holding?.size === 0) this.#holding.delete(causer);
  }

  /** Whether something of an upload is still to come. */
  await(upload: Upload, awaited: boolean): void {
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

  /**
   * Which upload gives way: of the causer that holds most, if that is more than this one would
   * hold, the upload that waits longest. Those who are invited are one causer: there the oldest
   * gives way.
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

  #tick(): void {
    const { uploadMs, uploadBytesPerSecondMin } = this.#limits;
    const leastBytes = (uploadBytesPerSecondMin * uploadMs) / 1_000;
    for (const upload of [...this.#awaited]) {
      upload.tick(tickMs, {
        windowMs: uploadMs,
        leastBytes,
        arrived: this.#arrivedFrom(upload.causer),
      });
    }
  }

  /** What a causer has sent since something from it has been awaited. */
  #arrivedFrom(causer: string): number {
    return this.#arrived.get(causer) ?? 0;
  }
}

/**
 * In each window the upload must go on, and its caller must send `leastBytes` in all its uploads.
 */
type Pace = {
  readonly windowMs: number;
  readonly leastBytes: number;
  /** What the caller has sent so far. */
  readonly arrived: number;
};

/** The messages of one call, from their first byte until they were handled. */
export class Upload {
  readonly kind: UploadClass;
  readonly causer: string;
  readonly #reader: FrameReader;
  readonly #options: UploadOptions;
  readonly #uploads: Uploads;
  readonly #bytesMax: number;
  /** Bytes of the message that is arriving: so far, and in all. */
  #arriving = 0;
  #announced = 0;
  /** Bytes of each message that has arrived and waits for its handler. */
  #whole: number[] = [];
  /** Bytes of the messages that are being handled. */
  #handled = 0;
  #awaited = false;
  /** The window: how long it has lasted, bytes of this upload, and what the caller sent before. */
  #waitedMs = 0;
  #arrivedHere = 0;
  #arrivedBefore: number | undefined;
  /** The order in which uploads begin. */
  #turn = 0;
  #closed = false;

  constructor(uploads: Uploads, options: UploadOptions, bytesMax: number) {
    this.#uploads = uploads;
    this.#options = options;
    this.#bytesMax = bytesMax;
    this.kind = uploadClassOf(options.identity.role);
    this.causer = causerOf(options.identity);
    this.#awaited = options.single;
    this.#reader = new FrameReader({
      begin: (bytes, compressed) => this.#begin(bytes, compressed),
      grow: (bytes) => this.#grow(bytes),
      complete: () => {
        this.#whole.push(this.#arriving);
        this.#arriving = 0;
        // The handler of a single message starts when its caller has ended the request.
        if (!options.single && this.#awaited) this.#await(false);
      },
    });
  }

  get #held(): number {
    return this.#whole.reduce((sum, bytes) => sum + bytes, this.#arriving + this.#handled);
  }

  /** Takes data, and returns the frames that it completes. */
  write(data: Buffer): Buffer[] {
    this.#arrivedHere += data.length;
    this.#uploads.arrived(this.causer, data.length);
    const frames = this.#reader.write(data);
    // Most messages come whole, and nothing is awaited of these.
    const isAmid = this.#reader.isAmid && !this.#closed;
    if (isAmid && !this.#options.single && !this.#awaited) this.#await(true);
    return frames;
  }

  /** The first message that has arrived goes to its handler. */
  taken(): void {
    this.#handled += this.#whole.shift() ?? 0;
  }

  /** The handler is done with its messages, or they are counted elsewhere from now on. */
  handled(): void {
    const bytes = this.#handled;
    this.#handled = 0;
    this.#giveBack(bytes);
  }

  /** The caller has ended its request. */
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
    this.#uploads.await(this, false);
  }

  /** An upload that is still awaited counts as waiting longer than one that is being handled. */
  waitsLongerThan(other: Upload): boolean {
    if (this.#awaited !== other.#awaited) return this.#awaited;
    return this.#turn < other.#turn;
  }

  /** Another caller needs the room. */
  giveWay(): void {
    const who = describeIdentity(this.#options.identity);
    this.#refuse(
      new RpcError("UPLOADS_EXHAUSTED", `${who} was sending most when another caller needed room`, {
        metadata: { bytes: String(this.#held), what: "most" },
      }),
    );
  }

  /** Time passes; not counted while the server itself does not read. */
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
      `the message did not end within ${windowMs} ms, and did not go on, ` +
      `or its caller sent less than ${leastBytes} bytes`;
    this.#refuse(new RpcError("UPLOAD_TOO_SLOW", message, { metadata: { limit: `${windowMs}` } }));
  }

  #begin(bytes: number, compressed: boolean): boolean {
    const refusal = compressed ? compressionRefusal() : this.#refusalOf(bytes);
    if (refusal !== undefined) {
      this.#refuse(refusal);
      return false;
    }
    this.#turn = this.#uploads.begun();
    this.#announced = messageBytes + bytes;
    return this.#grow(messageBytes);
  }

  #refusalOf(bytes: number): RpcError | undefined {
    const bytesMax = this.#bytesMax;
    if (bytes <= bytesMax) return undefined;
    return new RpcError(
      "MESSAGE_TOO_LARGE",
      `the message has ${bytes} bytes, at most ${bytesMax} are allowed`,
      { metadata: { bytes: String(bytes), limit: String(bytesMax) } },
    );
  }

  #grow(bytes: number): boolean {
    const full = this.#uploads.take(this, bytes, this.#announced - this.#arriving);
    if (full === undefined) {
      this.#arriving += bytes;
      return true;
    }
    const whose =
      full === "share" ? describeIdentity(this.#options.identity) : classText[this.kind];
    this.#refuse(
      new RpcError(
        "UPLOADS_EXHAUSTED",
        `as many bytes as allowed are already being sent by ${whose}`,
        {
          metadata: { bytes: String(bytes), what: full },
        },
      ),
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
    this.#uploads.await(this, awaited);
  }

  #beginWindow(arrived: number | undefined): void {
    this.#waitedMs = 0;
    this.#arrivedHere = 0;
    this.#arrivedBefore = arrived;
  }

  #giveBack(bytes: number): void {
    this.#uploads.giveBack(this, bytes, this.#held);
  }
}

/** What a message costs besides its own bytes, until it was handled. */
const messageBytes = 256;

/** Who shares each total, for messages. */
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
