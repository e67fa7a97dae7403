import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import * as z from 'zod';

import type { Architecture } from './architecture.ts';
import { architectures } from './architecture.ts';

export const lockFile = join(import.meta.dirname, 'lock.json');
export const renewal = 'npm run release -- --renew-lock';

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const each = <T extends z.ZodType>(of: T) => z.record(z.enum(architectures), of);
const lockedPackage = z.strictObject({ name: z.string(), version: z.string(), digest });
const lockSchema = z.strictObject({
  /** The release of Debian. */
  debian: z.string(),
  packages: each(z.array(lockedPackage)),
  /** Of the layer that is made of the packages, before it is compressed. */
  base: each(digest),
  node: z.strictObject({ version: z.string(), integrity: each(z.string().startsWith('sha512-')) }),
});

export type LockedPackage = z.infer<typeof lockedPackage>;
/** What an image is made of beside this repository and package-lock.json. */
export type Lock = z.infer<typeof lockSchema>;

export function readLock(text: string = readFileSync(lockFile, 'utf8')): Lock {
  return lockSchema.parse(JSON.parse(text));
}

/** Throws where the layer is not the one that the lock was written for. */
export function holdBase(lock: Lock, architecture: Architecture, found: string): void {
  if (lock.base[architecture] === found) return;
  throw new Error(
    `the base of ${architecture} is ${found} and not ${lock.base[architecture]}: what it is made of has changed; look at it, then ${renewal}`,
  );
}

/** Throws where Node is not the one that everything is tested with. */
export function holdNode(lock: Lock, tested: string): void {
  if (lock.node.version === tested) return;
  throw new Error(`package.json has Node ${tested}, the lock of the image ${lock.node.version}: ${renewal}`);
}
