import { resources } from '../../src/controller/resource.ts';
import type { ApiClient } from '../../src/kube/client.ts';
import type { Log } from '../../src/kube/log.ts';
import { keyOf } from '../../src/kube/resource.ts';
import { Store } from '../../src/kube/store.ts';
import { watcher } from '../../src/kube/watched.ts';
import type { PolicyRecord } from '../../src/policy/record.ts';
import { policyRecord } from '../../src/policy/record.ts';
import type { StatusChange } from '../../src/policy/status-change.ts';
import { changeOf } from '../../src/policy/status-change.ts';
import { isTold } from './expected.ts';

/** What is no matter of a status is looked at so often: no request is made for it. */
const lookMs = 1000;

/** Of every policy what the API server has, by one watch for each kind: asking for it all the time would be a part of what is measured. */
export class Statuses {
  readonly #kinds = {
    keepalivepolicies: new Store<PolicyRecord>(),
    clusterkeepalivepolicies: new Store<PolicyRecord>(),
  };
  readonly #waiting = new Set<(changed?: PolicyRecord) => void>();
  readonly #life = new AbortController();
  #writes = new Map<StatusChange, number>();
  #lastWriteAt = -Infinity;

  /** Resolves once all of them are known. */
  async follow(client: ApiClient, log: Log): Promise<void> {
    const watched = watcher({
      ...{ client, log },
      onChange: (_, key, before) => {
        this.#heard(this.#record(key), before as PolicyRecord | undefined);
      },
    });
    const of = (resource: 'keepalivepolicies' | 'clusterkeepalivepolicies', kind: PolicyRecord['kind']) =>
      watched<PolicyRecord>({
        ...{ resource, target: resources[resource], store: this.#kinds[resource] },
        trim: (object) => policyRecord(kind, object),
      }).reflector;
    const both = [
      of('keepalivepolicies', 'KeepalivePolicy'),
      of('clusterkeepalivepolicies', 'ClusterKeepalivePolicy'),
    ];
    for (const reflector of both) void reflector.run(this.#life.signal);
    await Promise.all(both.map(({ whenSynced }) => whenSynced));
  }

  close(): void {
    this.#life.abort();
  }

  get count(): number {
    return Object.values(this.#kinds).reduce((sum, { size }) => sum + size, 0);
  }

  /** When the last one was written, as the watch told of it. */
  get lastWriteAt(): number {
    return this.#lastWriteAt;
  }

  of({ namespace, name }: { readonly namespace?: string; readonly name: string }): PolicyRecord | undefined {
    return this.#record(keyOf({ namespace, name }));
  }

  /** How many were written since this was asked last, by what set each apart from the one before it. */
  takeWrites(): ReadonlyMap<StatusChange, number> {
    const writes = this.#writes;
    this.#writes = new Map();
    return writes;
  }

  /** Asked with each change of a policy, and once a second; what it throws is thrown. */
  until(
    what: string,
    isSo: (changed: PolicyRecord | undefined) => boolean,
    timeoutMs: number,
  ): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const deadline = performance.now() + timeoutMs;
    const look = (changed?: PolicyRecord) => {
      try {
        if (isSo(changed)) resolve();
        else if (performance.now() > deadline)
          reject(new Error(`waited ${timeoutMs / 1000} s in vain for: ${what}`));
      } catch (error) {
        reject(error);
      }
    };
    this.#waiting.add(look);
    const timer = setInterval(() => {
      look();
    }, lookMs);
    look();
    return promise.finally(() => {
      clearInterval(timer);
      this.#waiting.delete(look);
    });
  }

  /** Every status is that. */
  untilAre(due: ReadonlyMap<string, object>, timeoutMs: number): Promise<void> {
    const isRight = (record: PolicyRecord | undefined) => record !== undefined && isTold(record, due);
    const left = new Set([...due.keys()].filter((key) => !isRight(this.#record(key))));
    const note = (changed: PolicyRecord) => {
      const key = keyOf({ name: changed.name, namespace: changed.namespace || undefined });
      if (isRight(changed)) left.delete(key);
      else left.add(key);
    };
    return this.until(
      'every status equals the plain count',
      (changed) => {
        if (changed !== undefined) note(changed);
        return left.size === 0;
      },
      timeoutMs,
    );
  }

  #record(key: string): PolicyRecord | undefined {
    return this.#kinds.keepalivepolicies.get(key) ?? this.#kinds.clusterkeepalivepolicies.get(key);
  }

  #heard(now: PolicyRecord | undefined, before: PolicyRecord | undefined): void {
    if (now !== undefined && before !== undefined) this.#count(changeOf(before.status, now.status));
    for (const look of this.#waiting) look(now);
  }

  #count(change: StatusChange): void {
    if (change === 'none') return;
    this.#lastWriteAt = performance.now();
    this.#writes.set(change, (this.#writes.get(change) ?? 0) + 1);
  }
}
