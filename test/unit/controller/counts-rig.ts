import type { NodePolicyReport } from '../../../src/api/node-keepalive.ts';
import type { ResourceName } from '../../../src/controller/resource.ts';
import { Triggers } from '../../../src/controller/trigger.ts';
import { World } from '../../../src/controller/world.ts';
import type { KubeObject } from '../../../src/kube/resource.ts';
import { keyOf, parseKey } from '../../../src/kube/resource.ts';
import type { Identified, Store } from '../../../src/kube/store.ts';
import { assess } from '../../../src/policy/assess.ts';
import { awaited } from '../../../src/policy/evidence.ts';
import type { EffectivePolicy } from '../../../src/policy/policy.ts';
import { editionOf } from '../../../src/policy/policy-digest.ts';
import { thoseThatMayAct } from '../../../src/policy/withheld.ts';
import { givenSince } from '../../../src/policy/withholding.ts';
import { recount } from '../../support/recount.ts';

export const home = 'keepalive-agent';
export const namespaces = ['db', 'web'] as const;
export const nodes = ['n1', 'n2', 'n3'] as const;
export const names = ['a', 'b', 'c', 'd'] as const;

/** One controller's world, with what NodeKeepalives say beside it: the controller itself forgets it. */
export class Rig {
  readonly world: World;
  readonly woken = new Set<string>();
  readonly reports = new Map<string, readonly NodePolicyReport[]>();
  readonly #triggers: Triggers;
  #version = 0;

  /** `sliceMs`: 0 counts one step at a time. */
  constructor({ sliceMs = 5 } = {}) {
    this.world = new World(home, { sliceMs });
    // All policies are known: from here on no word is kept for one that may come.
    Array.from(this.world.keepalivepolicies.replacement().commit());
    Array.from(this.world.clusterkeepalivepolicies.replacement().commit());
    const queue = {
      add: (key: string) => void this.woken.add(key),
      addAfter: (key: string) => this.woken.add(key),
    };
    this.#triggers = new Triggers(this.world, queue);
    this.#triggers.start();
  }

  put<T extends Identified>(
    resource: Exclude<ResourceName, 'configmaps'>,
    key: string,
    value: T | undefined,
  ): void {
    const store = this.world[resource as 'pods'] as unknown as Store<T, string>;
    const before = store.get(key);
    if (value === undefined ? store.delete(key) : store.set(key, value))
      this.#triggers.changed(resource, key, before);
  }

  report(node: string, policies: readonly NodePolicyReport[] | undefined): void {
    if (policies === undefined) this.reports.delete(node);
    else this.reports.set(node, policies);
    const object = policies && this.#object(node, policies);
    this.put('nodekeepalives', node, object && this.world.reportRecord(object));
  }

  limit(policiesPerNamespace: string): void {
    this.world.configmaps.set('settings', { uid: '1', data: { policiesPerNamespace } });
    this.#triggers.settingsChanged();
  }

  #object(node: string, policies: readonly NodePolicyReport[]): KubeObject {
    const metadata = { name: node, uid: node, resourceVersion: String((this.#version += 1)) };
    return { metadata, status: { policies } };
  }

  /** What is told of a policy from what was kept up. */
  async kept(key: string) {
    await this.world.counts.settle(key, () => true);
    const words = { asked: new Set<string>(), missing: new Set<string>(), read: new Set<string>() };
    const gather = () =>
      this.world.gather(key, { now: new Date(), activatingForMs: undefined, evidence: awaited }, words);
    const look = () => {
      const seen = gather();
      const policy = this.world.acting.of(key) as EffectivePolicy;
      return (
        seen?.counted &&
        assess(policy, {
          edition: editionOf(seen.record, policy.effective),
          ...{ counted: seen.counted, facts: seen.facts },
        })
      );
    };
    look();
    this.world.told.needs(key, words.asked);
    // As the controller reads them once more.
    for (const node of words.missing) {
      const version = this.world.nodekeepalives.get(node)?.version ?? '';
      const object = this.#object(node, this.reports.get(node) ?? []);
      this.world.reportRecord({ ...object, metadata: { ...object.metadata, resourceVersion: version } }, key);
    }
    return look();
  }

  /** The same from all that is there. */
  plain(key: string) {
    const { world } = this;
    const record = world.policy(key);
    const policy = world.acting.of(key);
    const seen = world.gather(key, { now: new Date(), activatingForMs: undefined, evidence: awaited });
    if (record === undefined || policy?.effective === undefined || seen === undefined) return undefined;
    const { namespace } = parseKey(key);
    const all = [...world.keepalivepolicies.list(), ...world.clusterkeepalivepolicies.list()].filter(
      (other) => namespace === undefined || other.namespace === '' || other.namespace === namespace,
    );
    const views = [...world.namespaces.list()];
    if (namespace !== undefined && !views.some(({ name }) => name === namespace))
      views.push({ uid: '', name: namespace, labels: {} });
    return recount(policy as EffectivePolicy, {
      ...{ generation: record.generation, givenSince: givenSince(record) },
      neighbourhoods: views.map((view) => ({
        namespace: view,
        pods: world.pods.listBy('namespace', view.name),
      })),
      others: thoseThatMayAct(all, world.settings.settings)
        .filter((other) => keyOf({ ...other, namespace: other.namespace || undefined }) !== key)
        .map((other) => other.policy),
      facts: {
        ...seen.facts,
        reportOf: (node) =>
          this.reports.get(node)?.find((one) => keyOf({ name: one.name, namespace: one.namespace }) === key),
      },
    });
  }

  keys(): string[] {
    return [...this.world.keepalivepolicies.keys(), ...this.world.clusterkeepalivepolicies.keys()];
  }
}
