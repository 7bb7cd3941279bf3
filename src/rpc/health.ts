/** grpc.health.v1.Health: the node as a whole (""), and each of its services by name. */
import type { Server } from "@grpc/grpc-js";
import { HealthImplementation } from "grpc-health-check";

export class Health {
  readonly #implementation = new HealthImplementation();
  readonly #services = new Set<string>([""]);

  addToServer(server: Server): void {
    this.#implementation.addToServer(server);
  }

  /** Adds a service, as not serving. */
  add(service: string): void {
    this.#services.add(service);
    this.set(service, false);
  }

  set(service: string, serving: boolean): void {
    this.#implementation.setStatus(service, serving ? "SERVING" : "NOT_SERVING");
  }

  setAll(serving: boolean): void {
    for (const service of this.#services) this.set(service, serving);
  }
}
