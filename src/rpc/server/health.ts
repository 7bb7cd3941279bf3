/**
 * grpc.health.v1.Health for the node as a whole, under the empty name, and for each service. See
 * github.com/grpc/grpc/blob/master/doc/health-checking.md.
 */
import {
  type Health as HealthService,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from "../../gen/grpc/health/v1/health_pb.js";
import { RpcError } from "../rpc-error.js";
import type { CallContext, ServiceHandlers } from "./handlers.js";

type Request = { readonly service: string };

export class Health {
  readonly #serving = new Map<string, boolean>([["", false]]);
  #changed = signal();

  readonly handlers: ServiceHandlers<typeof HealthService> = {
    check: ({ service }) => {
      const status = this.#statusOf(service);
      if (status !== ServingStatus.SERVICE_UNKNOWN) return { status };
      throw new RpcError("SERVICE_UNKNOWN", `this node has no service ${service}`);
    },
    list: () => {
      const statuses: Record<string, { status: ServingStatus }> = {};
      for (const service of this.#serving.keys()) {
        statuses[service] = { status: this.#statusOf(service) };
      }
      return { statuses };
    },
    watch: (request, context) => this.#watch(request, context),
  };

  /** Adds a service, as not serving. */
  add(service: string): void {
    this.set(service, false);
  }

  set(service: string, serving: boolean): void {
    this.#serving.set(service, serving);
    const changed = this.#changed;
    this.#changed = signal();
    changed.resolve();
  }

  setAll(serving: boolean): void {
    for (const service of this.#serving.keys()) this.set(service, serving);
  }

  async *#watch({ service }: Request, context: CallContext) {
    const gone = signal();
    context.signal.addEventListener("abort", gone.resolve, { once: true });
    let last: ServingStatus | undefined;
    while (!context.signal.aborted) {
      const changed = this.#changed.promise;
      const status = this.#statusOf(service);
      if (status !== last) yield { status };
      last = status;
      await Promise.race([changed, gone.promise]);
    }
  }

  #statusOf(service: string): ServingStatus {
    const serving = this.#serving.get(service);
    if (serving === undefined) return ServingStatus.SERVICE_UNKNOWN;
    return serving ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
  }
}

function signal(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
