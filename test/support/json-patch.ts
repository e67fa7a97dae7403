import type { PatchOperation } from '../../src/policy/review.ts';

/** Applies operations as RFC 6902 says; throws where it says that one fails. */
export function patched<T>(object: T, operations: readonly PatchOperation[]): T {
  const whole = structuredClone(object);
  for (const operation of operations) apply(whole, operation);
  return whole;
}

function apply(whole: unknown, { op, path, value }: PatchOperation): void {
  const keys = path
    .slice(1)
    .split('/')
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
  const last = keys.pop() ?? '';
  const parent = keys.reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], whole);
  if (typeof parent !== 'object' || parent === null)
    throw new Error(`${path}: there is nothing to put it into`);
  const fields = parent as Record<string, unknown>;
  if (op !== 'add' && !Object.hasOwn(fields, last)) throw new Error(`${path}: there is no such field`);
  if (op === 'remove') delete fields[last];
  else fields[last] = value;
}
