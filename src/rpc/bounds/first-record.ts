/**
 * Waits for a connection's first TLS record, before TLS is set up for it. Setting it up takes far
 * more of a server's thread than accepting the connection does, and whoever sends nothing, or half
 * of a greeting, has not earned it.
 */
import type { Socket } from "node:net";

type FirstRecordOptions = {
  /** The longest silence of the other end. */
  readonly timeoutMs: number;
  /** The record is there; the socket gives out all of it once more. */
  readonly onCome: () => void;
  readonly onSilent: () => void;
};

/** RFC 8446 §5.1: the type, two bytes of an old version, two of the length. */
const headerBytes = 5;
const handshakeType = 22;
const recordBytesMax = 2 ** 14;

export function awaitFirstRecord(socket: Socket, options: FirstRecordOptions): void {
  const { timeoutMs, onCome, onSilent } = options;
  let arrived: Buffer = Buffer.alloc(0);
  const stop = () => {
    socket.setTimeout(0);
    socket.off("timeout", onTimeout);
    socket.off("readable", look);
  };
  const onTimeout = () => {
    stop();
    onSilent();
  };
  const look = () => {
    const data: Buffer | null = socket.read();
    if (data === null) return;
    arrived = arrived.length === 0 ? data : Buffer.concat([arrived, data]);
    if (!isWhole(arrived)) return;
    stop();
    socket.unshift(arrived);
    onCome();
  };
  // A connection that is reset must not end the process; that it closes is heard elsewhere.
  socket.on("error", () => {});
  socket.setTimeout(timeoutMs, onTimeout);
  socket.on("readable", look);
}

/** What is no handshake counts as whole: TLS says best what is wrong with it. */
function isWhole(arrived: Buffer): boolean {
  if (arrived[0] !== handshakeType) return true;
  if (arrived.length < headerBytes) return false;
  const bytes = arrived.readUInt16BE(headerBytes - 2);
  return bytes > recordBytesMax || arrived.length >= headerBytes + bytes;
}
