/**
 * Notices a channel that does not come to connect. grpc-js sets no time limit on an attempt: when
 * the peer accepts the connection and then says nothing, or the connection breaks while TLS takes
 * it over, the attempt may neither succeed nor fail, and the channel never tries again
 * (github.com/grpc/grpc-node/issues/2785). All that helps is another channel.
 */
import { type Client, connectivityState } from "@grpc/grpc-js";

/**
 * Calls `onStuck` once when the client's channel has tried to connect for `timeoutMs` without
 * being ready in between. An idle channel is not stuck. Returns what ends the watch.
 */
export function watchConnection(
  client: Client,
  timeoutMs: number,
  onStuck: () => void,
): () => void {
  const channel = client.getChannel();
  let over = false;
  let timer: NodeJS.Timeout | undefined;
  const stop = () => {
    over = true;
    clearTimeout(timer);
  };
  const look = () => {
    if (over) return;
    const state = channel.getConnectivityState(false);
    if (state === connectivityState.SHUTDOWN) return stop();
    if (state === connectivityState.READY || state === connectivityState.IDLE) {
      clearTimeout(timer);
      timer = undefined;
    } else if (timer === undefined) {
      timer = setTimeout(() => {
        stop();
        onStuck();
      }, timeoutMs);
      // Whoever waits for a call keeps the process alive, the watch does not.
      timer.unref();
    }
    channel.watchConnectivityState(state, Number.POSITIVE_INFINITY, look);
  };
  look();
  return stop;
}
