import { ownResources } from '../api/resource.ts';
import { builtIn } from '../kube/built-in.ts';

/** Every kind that a command may read. */
export const resources = { ...ownResources, ...builtIn } as const;
