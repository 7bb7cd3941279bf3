/** The hosts that an authority may name in certificates: RFC 5280 §4.2.1.10. */
import "reflect-metadata";
import { isIP } from "node:net";
import * as x509 from "@peculiar/x509";

const nameConstraintsOid = "2.5.29.30";
const tags = { sequence: 0x30, permitted: 0xa0, dns: 0x82, ip: 0x87 };

/** Critical; at least one name and one address, as a kind that is not listed would be free. */
export function nameConstraints(hosts: readonly string[]): x509.Extension {
  const permitted = hosts.map((host) => der(tags.sequence, subtreeBase(host)));
  const value = der(tags.sequence, der(tags.permitted, Buffer.concat(permitted)));
  return new x509.Extension(nameConstraintsOid, true, new Uint8Array(value));
}

function subtreeBase(host: string): Buffer {
  const version = isIP(host);
  if (version === 0) return der(tags.dns, Buffer.from(host, "latin1"));
  const address = version === 4 ? bytesOfIpv4(host) : bytesOfIpv6(host);
  return der(tags.ip, Buffer.concat([address, Buffer.alloc(address.length, 0xff)]));
}

function bytesOfIpv4(text: string): Buffer {
  return Buffer.from(text.split(".").map(Number));
}

function bytesOfIpv6(text: string): Buffer {
  // The URL parser turns a dotted tail into two groups, and leaves at most one "::".
  const plain = new URL(`http://[${text}]`).hostname.slice(1, -1);
  const [head = "", tail] = plain.split("::");
  const groups = (part: string) => (part === "" ? [] : part.split(":"));
  const [first, last] = [groups(head), groups(tail ?? "")];
  const zeros = Array.from({ length: 8 - first.length - last.length }, () => "0");
  const bytes = Buffer.alloc(16);
  for (const [index, group] of [...first, ...zeros, ...last].entries()) {
    bytes.writeUInt16BE(Number.parseInt(group, 16), 2 * index);
  }
  return bytes;
}

/** One element; its length takes at most two bytes more than the short form. */
function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const long = length > 0xff ? [0x82, length >> 8, length & 0xff] : [0x81, length];
  return Buffer.concat([Buffer.from([tag, ...(length < 0x80 ? [length] : long)]), content]);
}
