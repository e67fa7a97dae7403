/** One kind of the API server, by the names its paths are made of. The core group is `''`; without a plural, all kinds; without a version, a path of the server's own. */
export interface Resource {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
}

/** A place in the API: all objects of a kind, those of one namespace, one object, or a part of one. */
export interface Target extends Resource {
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  /** `status`, `scale`… */
  readonly subresource?: string | undefined;
}

/** The metadata we rely on, as the server sends it: JSON, so times are RFC 3339 strings. */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Any object as it comes over the wire. What it holds beyond this is for the reader to parse. */
export interface KubeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
  readonly [field: string]: unknown;
}

/** What identifies an object in a write: the server fills in the rest of its metadata. */
export interface KubeManifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Partial<ObjectMeta> & {
    readonly ownerReferences?: readonly unknown[];
    readonly finalizers?: readonly string[];
  };
  readonly [field: string]: unknown;
}

export function pathOf({ group, version, plural, namespace, name, subresource }: Target): string {
  const parts = version === '' ? [] : group === '' ? ['api', version] : ['apis', group, version];
  if (namespace !== undefined) parts.push('namespaces', namespace);
  if (plural !== '') parts.push(plural);
  if (name !== undefined) parts.push(name);
  if (subresource !== undefined) parts.push(subresource);
  return '/' + parts.map(encodeURIComponent).join('/');
}

/** `namespace/name`, or `name` for an object of cluster scope. */
export function keyOf({ namespace, name }: { namespace?: string | undefined; name: string }): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

/** The inverse of {@link keyOf}; a name never holds a slash. */
export function parseKey(key: string): { namespace?: string; name: string } {
  const slash = key.indexOf('/');
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
