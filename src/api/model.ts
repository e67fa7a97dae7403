import { createTypeMetaGuard, Model } from '@kubernetes-models/base';
import type * as z from 'zod';

import { API_VERSION } from './group.ts';
import type { Metadata } from './object.ts';
import { clusterKeepalivePolicySchema, describeProblems, keepalivePolicySchema } from './object.ts';
import type { PolicyStatus } from './status.ts';

type KeepalivePolicyObject = z.input<typeof keepalivePolicySchema>;
type ClusterKeepalivePolicyObject = z.input<typeof clusterKeepalivePolicySchema>;

const keepalivePolicyMeta = { apiVersion: API_VERSION, kind: 'KeepalivePolicy' } as const;
const clusterKeepalivePolicyMeta = { apiVersion: API_VERSION, kind: 'ClusterKeepalivePolicy' } as const;

function validateWith(schema: z.ZodType, model: Model<unknown>): void {
  const result = schema.safeParse(model.toJSON());
  if (!result.success) throw new Error(describeProblems(result.error));
}

/** A policy as tools construct it: `new KeepalivePolicy({ metadata, spec })`. */
export class KeepalivePolicy extends Model<KeepalivePolicyObject> {
  declare apiVersion: typeof API_VERSION;
  declare kind: 'KeepalivePolicy';
  declare metadata: Metadata;
  declare spec: KeepalivePolicyObject['spec'];
  declare status?: PolicyStatus;
  static readonly is = createTypeMetaGuard<KeepalivePolicyObject>(keepalivePolicyMeta);

  constructor(data?: Omit<KeepalivePolicyObject, 'apiVersion' | 'kind'>) {
    super({ ...keepalivePolicyMeta, ...data } as KeepalivePolicyObject);
  }

  /** Throws an Error with one line for each field that the API server would refuse. */
  override validate(): void {
    validateWith(keepalivePolicySchema, this);
  }
}

export class ClusterKeepalivePolicy extends Model<ClusterKeepalivePolicyObject> {
  declare apiVersion: typeof API_VERSION;
  declare kind: 'ClusterKeepalivePolicy';
  declare metadata: Metadata;
  declare spec: ClusterKeepalivePolicyObject['spec'];
  declare status?: PolicyStatus;
  static readonly is = createTypeMetaGuard<ClusterKeepalivePolicyObject>(clusterKeepalivePolicyMeta);

  constructor(data?: Omit<ClusterKeepalivePolicyObject, 'apiVersion' | 'kind'>) {
    super({ ...clusterKeepalivePolicyMeta, ...data } as ClusterKeepalivePolicyObject);
  }

  /** Throws an Error with one line for each field that the API server would refuse. */
  override validate(): void {
    validateWith(clusterKeepalivePolicySchema, this);
  }
}
