import { isObject } from '../api/schema-node.ts';
import type { Scheduling } from '../policy/scheduling.ts';
import type { Manifest } from './manifest.ts';
import { fitted } from './pod-shape.ts';
import type { Workload } from './workload.ts';

/** Where a RuntimeClass sends pods: the API server writes it into each of them before anybody else is asked. */
export class RuntimeClasses {
  readonly #scheduling = new Map<string, Scheduling>();

  constructor(manifests: readonly Manifest[]) {
    for (const { kind, apiVersion, name, object } of manifests) {
      if (kind !== 'RuntimeClass' || !apiVersion.startsWith('node.k8s.io/')) continue;
      const { scheduling } = object;
      const { value } = fitted({ spec: isObject(scheduling) ? scheduling : {} }, []);
      this.#scheduling.set(name, (value as { readonly spec: Scheduling }).spec);
    }
  }

  /** The workload, with pods as they are after that (k8s.io/kubernetes, plugin/pkg/admission/runtimeclass). */
  applied(workload: Workload): Workload {
    const { spec = {}, ...pod } = workload.pod;
    const scheduling = this.#scheduling.get(spec.runtimeClassName ?? '');
    if (scheduling === undefined) return workload;
    const nodeSelector = { ...scheduling.nodeSelector, ...spec.nodeSelector };
    const tolerations = [...(spec.tolerations ?? []), ...(scheduling.tolerations ?? [])];
    return { ...workload, pod: { ...pod, spec: { ...spec, nodeSelector, tolerations } } };
  }

  isKnown(name: string): boolean {
    return this.#scheduling.has(name);
  }
}
