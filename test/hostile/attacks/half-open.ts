/** Connections of nobody that send nothing, or the beginning of a handshake. */
import { connect, type Socket } from "node:net";
import { type Attack, Counts } from "../attack.js";
import { every } from "../pace.js";

/** A first record of TLS whose end never comes. */
const beginning = Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03]);
const connectionsMax = 1_200;
const perTurn = 100;
const intervalMs = 200;
/** Loopback has many addresses, as a stranger may have. */
const addressesMax = 8;

export const halfOpen: Attack = {
  name: "half-open",
  role: "stranger",
  about: `${connectionsMax} connections to one manager that never become one`,
  run: async (target, signal) => {
    const counts = new Counts();
    const [host = "", port = ""] = (target.managers[0] ?? "").split(":");
    const open = new Set<Socket>();
    await every(intervalMs, signal, (turn) => {
      for (let i = 0; i < perTurn && open.size < connectionsMax; i++) {
        const localAddress = `127.0.0.${2 + ((turn * perTurn + i) % addressesMax)}`;
        const socket = connect({ host, port: Number(port), localAddress });
        open.add(socket);
        counts.add("opened");
        socket.on("connect", () => void (i % 2 === 0 && socket.write(beginning)));
        socket.on("error", () => {});
        socket.on("close", () => {
          open.delete(socket);
          counts.add("closed");
        });
      }
    });
    for (const socket of open) socket.destroy();
    return counts.tally;
  },
};
