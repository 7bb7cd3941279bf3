/**
 * Outcomes as values. A misbehaving peer or a wrong input is normal, so the core returns it;
 * exceptions are for our own bugs and for I/O that fails.
 */
export type Result<T, E> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: E };

export function ok<T>(value: T): Result<T, never> {
  return { ok: true, value };
}

export function err<E>(error: E): Result<never, E> {
  return { ok: false, error };
}
