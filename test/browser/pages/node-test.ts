/** What tests take of node:test and node:assert/strict, for pages. */

type Body = () => unknown;
type Registered = { readonly title: string; readonly body: Body };

const registered: Registered[] = [];
const titles: string[] = [];

export function describe(title: string, body: () => void): void {
  titles.push(title);
  body();
  titles.pop();
}

export function test(title: string, body: Body): void {
  registered.push({ title: [...titles, title].join(" › "), body });
}

/** Runs all that was registered, in order. */
export async function runTests(): Promise<{ passed: number; failures: readonly string[] }> {
  const failures: string[] = [];
  for (const { title, body } of registered) {
    try {
      await body();
    } catch (error) {
      failures.push(`${title}: ${error instanceof Error ? error.stack : String(error)}`);
    }
  }
  return { passed: registered.length - failures.length, failures };
}

function check(holds: boolean, message: unknown, otherwise: () => string): void {
  if (!holds) throw new Error(message === undefined ? otherwise() : String(message));
}

function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  const [keys, others] = [Object.keys(a), Object.keys(b)];
  const member = (of: object, key: string) => (of as Record<string, unknown>)[key];
  return (
    keys.length === others.length &&
    keys.every((key) => Object.hasOwn(b, key) && isSame(member(a, key), member(b, key)))
  );
}

const assert = {
  ok(value: unknown, message?: unknown) {
    check(Boolean(value), message, () => "not true");
  },
  equal(actual: unknown, expected: unknown, message?: unknown) {
    check(Object.is(actual, expected), message, () => `${actual} is not ${expected}`);
  },
  notEqual(actual: unknown, expected: unknown, message?: unknown) {
    check(!Object.is(actual, expected), message, () => `it is ${expected}`);
  },
  deepEqual(actual: unknown, expected: unknown, message?: unknown) {
    check(isSame(actual, expected), message, () => `${actual} is not ${expected}`);
  },
  notDeepEqual(actual: unknown, expected: unknown, message?: unknown) {
    check(!isSame(actual, expected), message, () => `it is ${expected}`);
  },
  match(actual: string, expected: RegExp, message?: unknown) {
    check(expected.test(actual), message, () => `${actual} does not match ${expected}`);
  },
  throws(body: Body, expected?: unknown) {
    let thrown: unknown;
    try {
      body();
    } catch (error) {
      thrown = error;
    }
    check(thrown instanceof Error, undefined, () => "nothing was thrown");
    if (typeof expected === "function") {
      check(thrown instanceof expected, undefined, () => `thrown: ${thrown}`);
    } else if (expected instanceof RegExp) {
      check(expected.test(String(thrown)), undefined, () => `thrown: ${thrown}`);
    } else if (typeof expected === "object" && expected !== null) {
      const same = Object.entries(expected).every(([key, value]) => {
        return isSame((thrown as Error)[key as keyof Error], value);
      });
      check(same, undefined, () => `thrown: ${thrown}`);
    }
  },
};

// biome-ignore lint/style/noDefaultExport: tests import node:assert/strict so.
export { assert as default };
