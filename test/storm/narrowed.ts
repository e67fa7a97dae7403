import type { ApiClient } from '../../src/kube/client.ts';

const writes = new Set<PropertyKey>(['apply', 'replaceStatus'] satisfies (keyof ApiClient)[]);

/** The same client, by which so many writes are under way at the same time, at most; the others wait for their turn. */
export function narrowed(client: ApiClient, width: number): ApiClient {
  const waiting: (() => void)[] = [];
  let underWay = 0;
  const inTurn = async (write: () => Promise<unknown>) => {
    if (underWay >= width) await new Promise<void>((resolve) => void waiting.push(resolve));
    else underWay += 1;
    try {
      return await write();
    } finally {
      const next = waiting.shift();
      if (next === undefined) underWay -= 1;
      else next();
    }
  };
  return new Proxy(client, {
    get(_, key) {
      const value: unknown = Reflect.get(client, key);
      if (typeof value !== 'function') return value;
      const call = (...args: unknown[]) => Reflect.apply(value, client, args) as Promise<unknown>;
      return writes.has(key) ? (...args: unknown[]) => inTurn(() => call(...args)) : call;
    },
  });
}
