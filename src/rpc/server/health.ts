/**
 * grpc.health.v1.Health for the node as a whole, under the empty name, and for each service; all
 * of them serve, or none does. See github.com/grpc/grpc/blob/master/doc/health-checking.md.
 */
import {
  type Health as HealthService,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from "../../gen/grpc/health/v1/health_pb.js";
import { RpcError } from "../rpc-error.js";
import type { CallContext, ServiceHandlers } from "./handlers.js";

type Request = { readonly service: string };

export class Health {
  readonly #services = new Set([""]);
  #isServing = false;
  #changed = signal();

  readonly handlers: ServiceHandlers<typeof HealthService> = {
    check: ({ service }) => {
      const status = this.#statusOf(service);
      if (status !== ServingStatus.SERVICE_UNKNOWN) return { status };
      throw new RpcError("SERVICE_UNKNOWN", `this node has no service ${service}`);
    },
    list: () => {
      const statuses: Record<string, { status: ServingStatus }> = {};
      for (const service of this.#services) {
        statuses[service] = { status: this.#statusOf(service) };
      }
      return { statuses };
    },
    watch: (request, context) => this.#watch(request, context),
  };

  /** Adds a service by its full name, before anybody can ask. */
  add(service: string): void {
    this.#services.add(service);
  }

  /** Whether all services serve; false at first. */
  set isServing(isServing: boolean) {
    this.#isServing = isServing;
    const changed = this.#changed;
    this.#changed = signal();
    changed.resolve();
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
    if (!this.#services.has(service)) return ServingStatus.SERVICE_UNKNOWN;
    return this.#isServing ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
  }
}

function signal(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
