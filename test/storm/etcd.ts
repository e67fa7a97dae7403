/** Objects by the thousand, written where the API server keeps them: through it, 150,000 pods take a quarter of an hour. */
import type { KubeManifest } from '../../src/kube/resource.ts';

const gateway = 'http://127.0.0.1:2379/v3/kv/txn';
/** etcd takes 128 in one step. */
const atOnce = 100;
const base64 = (text: string) => Buffer.from(text).toString('base64');

/** `pods/NAMESPACE/NAME`, or `minions/NAME`: the keys of nodes have kept their first name. */
function keyOf({ kind, metadata: { namespace, name } }: KubeManifest): string {
  const plural = kind === 'Node' ? 'minions' : `${kind.toLowerCase()}s`;
  return `/registry/${plural}/${namespace === undefined ? '' : `${namespace}/`}${name}`;
}

/** Whole objects, status, uid and time of creation included; watches tell of them as of any other. */
export async function store(objects: Iterable<KubeManifest>): Promise<void> {
  let some: KubeManifest[] = [];
  for (const object of objects) {
    some.push(object);
    if (some.length < atOnce) continue;
    await put(some);
    some = [];
  }
  if (some.length > 0) await put(some);
}

async function put(objects: readonly KubeManifest[]): Promise<void> {
  const success = objects.map((object) => ({
    requestPut: { key: base64(keyOf(object)), value: base64(JSON.stringify(object)) },
  }));
  const response = await fetch(gateway, { method: 'POST', body: JSON.stringify({ success }) });
  if (!response.ok) throw new Error(`etcd refuses objects: ${response.status} ${await response.text()}`);
}
