import { createTypeMetaGuard, Model } from '@kubernetes-models/base';
import type * as z from 'zod';

import type { PolicyKind } from './group.ts';
import { API_VERSION } from './group.ts';
import type { clusterKeepalivePolicySchema, keepalivePolicySchema, Metadata } from './object.ts';
import { fieldText, problemText } from './schema-node.ts';
import type { PolicyStatus } from './status.ts';
import { unknownFields, verdictOn } from './verdict.ts';

type KeepalivePolicyObject = z.input<typeof keepalivePolicySchema>;
type ClusterKeepalivePolicyObject = z.input<typeof clusterKeepalivePolicySchema>;

const keepalivePolicyMeta = { apiVersion: API_VERSION, kind: 'KeepalivePolicy' } as const;
const clusterKeepalivePolicyMeta = { apiVersion: API_VERSION, kind: 'ClusterKeepalivePolicy' } as const;

/** Not by the schemas of zod, which read what the API server has stored: of metadata they know less, and they take no null. */
function validateAs(kind: PolicyKind, model: Model<unknown>): void {
  const object = model.toJSON();
  const problems = [
    ...unknownFields(kind, object).map((path) => `unknown field "${fieldText(path)}"`),
    ...verdictOn(kind, object).map(problemText),
  ];
  if (problems.length > 0) throw new Error(problems.join('\n'));
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

  /** Throws an Error with one line for each field that the API server would refuse, or drop because no schema has it. */
  override validate(): void {
    validateAs('KeepalivePolicy', this);
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

  /** Throws an Error with one line for each field that the API server would refuse, or drop because no schema has it. */
  override validate(): void {
    validateAs('ClusterKeepalivePolicy', this);
  }
}
