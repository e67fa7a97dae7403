import { API_VERSION, CONTROLLER_NAME } from '../api/group.ts';
import { resourceOf } from '../api/resource.ts';
import type { PolicyStatus } from '../api/status.ts';
import type { ApiClient } from '../kube/client.ts';
import { ApiError, isAlreadyExists, isConflict, isForbidden, isNotFound } from '../kube/errors.ts';
import type { EventRecorder, Notice } from '../kube/events.ts';
import type { Log } from '../kube/log.ts';
import type { KubeManifest } from '../kube/resource.ts';
import { keyOf } from '../kube/resource.ts';
import { clusterBindingName } from '../policy/admission.ts';
import type { BindingStep } from '../policy/binding-step.ts';
import type { Circumstances, Plan } from '../policy/plan.ts';
import { setback } from '../policy/plan.ts';
import type { PolicyRecord } from '../policy/record.ts';
import { installPage } from '../policy/remedy.ts';
import { changeOf } from '../policy/status-change.ts';
import { unattendedStatus } from '../policy/unattended.ts';
import { newlyWithheld } from '../policy/withholding.ts';
import type { Pace } from './pace.ts';
import { resources } from './resource.ts';
import type { World } from './world.ts';

export interface ApplyOptions {
  readonly client: ApiClient;
  readonly events: EventRecorder;
  readonly log: Log;
  readonly world: World;
  readonly pace: Pace;
  /** Asked before each write: reading may have taken longer than the lead. */
  readonly isLeading: () => boolean;
}

/** Statuses that are written at the same time where all of them have to be, before the rights go. */
const atOnce = 16;

const bindings = resources.mutatingadmissionpolicybindings;

/** Carries out plans: the binding first, so that the status never speaks of one that is not there. */
export class Applier {
  readonly #options: ApplyOptions;

  constructor(options: ApplyOptions) {
    this.#options = options;
  }

  /** After so many milliseconds it is to be looked at again, to write what waits for its time; undefined: nothing does. */
  async apply(circumstances: Circumstances, planned: Plan): Promise<number | undefined> {
    const { record } = circumstances;
    try {
      await this.#applyBinding(record, planned.binding);
    } catch (error) {
      // Somebody wrote since we read: the next look sees it, and there is nothing to tell.
      if (!isConflict(error) && !isAlreadyExists(error)) {
        await this.#writeStatus(record, setback(circumstances, planned, setbackMessage(error)));
      }
      throw error;
    }
    const waitMs = this.#waitMs(record, planned.status);
    if (waitMs > 0) return waitMs;
    await this.#writeStatus(record, planned.status);
    this.#announce(record, planned);
    this.#announceRefusals(record, planned);
    return undefined;
  }

  /** What is only counted otherwise than before waits, the longer the more agents would have to hear of it. */
  #waitMs(record: PolicyRecord, status: PolicyStatus): number {
    const { pace, world } = this.#options;
    const change = changeOf(record.status, status);
    return pace.waitMs(keyOf(nameOf(record)), change, world.nodekeepalives.size);
  }

  /** Says of every policy that nobody looks after it any more, as far as the rights to say so are still there. */
  async leaveWord(records: readonly PolicyRecord[], now: Date): Promise<void> {
    const { log, world } = this.#options;
    for (let at = 0; at < records.length; at += atOnce) {
      const some = records.slice(at, at + atOnce);
      const written = some.map((record) =>
        this.#writeStatus(record, unattendedStatus(record, now, world.mode)),
      );
      const failure = (await Promise.allSettled(written)).find((one) => one.status === 'rejected');
      if (failure === undefined) continue;
      const reason = (failure.reason as Error).message;
      log.warn({ reason, untold: records.length - at }, 'policies keep a status that nobody keeps');
      return;
    }
  }

  /**
   * A binding goes with its policy by ownership. Where the garbage collector has not learned of the kind yet
   * (right after an installation) it would stay; asked for once more, since the watch of policies may be behind
   * that of bindings.
   */
  async clearOrphan(policy: string): Promise<void> {
    const { client, world, log } = this.#options;
    const name = clusterBindingName(policy);
    const orphan = world.mutatingadmissionpolicybindings.get(name);
    if (orphan === undefined || (await this.#isThere(policy))) return;
    this.#assertLeading();
    await client.delete({ ...bindings, name }, { uid: orphan.uid }).catch(unlessNotFound);
    log.info({ policy, binding: name, step: 'delete' }, 'binding without a policy removed');
  }

  async #isThere(name: string): Promise<boolean> {
    try {
      await this.#options.client.get({ ...resources.clusterkeepalivepolicies, name });
      return true;
    } catch (error) {
      unlessNotFound(error);
      return false;
    }
  }

  async #applyBinding(record: PolicyRecord, step: BindingStep): Promise<void> {
    if (step.do === 'keep') return;
    const { client, log } = this.#options;
    this.#assertLeading();
    const name = step.do === 'delete' ? step.present.name : step.binding.metadata.name;
    switch (step.do) {
      case 'create':
        await client.create(bindings, manifestOf(step));
        break;
      case 'replace':
        await client.update({ ...bindings, name }, manifestOf(step));
        break;
      case 'delete':
        await client.delete({ ...bindings, name }, { uid: step.present.uid }).catch(unlessNotFound);
        break;
    }
    log.info({ policy: record.name, binding: name, step: step.do }, 'binding written');
    if (step.do === 'replace' && record.status.observedGeneration === record.generation) {
      this.#record(record, {
        type: 'Warning',
        reason: 'BindingRepaired',
        note: `MutatingAdmissionPolicyBinding ${name} differed from what the policy asks and has been put right`,
      });
    }
  }

  async #writeStatus(record: PolicyRecord, status: PolicyStatus): Promise<void> {
    const change = changeOf(record.status, status);
    if (change === 'none') return;
    this.#assertLeading();
    const { client, world, log, pace } = this.#options;
    const { kind, uid } = record;
    const metadata = nameOf(record);
    const written = await client
      .replaceStatus({ ...resourceOf(kind), ...metadata, uid }, status, { fieldManager: CONTROLLER_NAME })
      .catch(unlessNotFound);
    if (written === undefined) return;
    pace.wrote(keyOf(metadata), change, world.nodekeepalives.size);
    // Ahead of the watch, so that a look in between does not write the same again. The status alone: what the answer says
    // of the spec would be held without a look at it, as fields that a watch of an older schema leaves out.
    const key = keyOf(metadata);
    const isSame = world.policy(key) === record && written.metadata.generation === record.generation;
    const { resourceVersion } = written.metadata;
    const held = (written.status ?? {}) as PolicyStatus;
    if (isSame) world.policiesLike(key).set(key, { ...record, status: held, resourceVersion });
    const [condition] = status.conditions ?? [];
    const { reason, message } = condition ?? {};
    log.info({ kind, ...metadata, reason, message, pods: status.pods?.summary }, 'status written');
  }

  /** The next leader may have begun, and knows better. */
  #assertLeading(): void {
    if (!this.#options.isLeading()) throw new Error('the lead is lost: nothing more is written');
  }

  /** Only what a reader of `kubectl describe` would call news. */
  #announce(record: PolicyRecord, { verdict }: Plan): void {
    if (verdict.kind === 'reconciling') return;
    // What was only under way, for the same reason, is news when it has stalled.
    const told = verdict.kind === 'ready' ? 'Ready' : 'Stalled';
    const before = record.status.conditions?.find(({ type }) => type === told);
    if (before?.status === 'True' && before.reason === verdict.reason) return;
    this.#record(record, {
      type: verdict.kind === 'ready' ? 'Normal' : 'Warning',
      reason: verdict.reason,
      note: verdict.message,
    });
  }

  #announceRefusals(record: PolicyRecord, { status: { refusals = [] } }: Plan): void {
    const { kind, name, namespace } = record;
    for (const { namespace: where, by, message } of newlyWithheld(record.status.refusals ?? [], refusals)) {
      this.#options.log.info({ kind, namespace, name, where, by, message }, 'admission gives way');
      const note = `${by} refuses pods with the values in namespace ${where}: "${message}". Admission leaves new pods there as they are for now`;
      this.#record(record, { type: 'Warning', reason: 'AdmissionRefused', note });
    }
  }

  #record(record: PolicyRecord, notice: Pick<Notice, 'type' | 'reason' | 'note'>): void {
    const { kind, namespace, name, uid } = record;
    const regarding = { apiVersion: API_VERSION, kind, namespace: namespace || undefined, name, uid };
    this.#options.events.record({ regarding, action: 'Reconcile', ...notice });
  }
}

/** Labels that others put on our binding stay. */
function manifestOf(step: BindingStep & { do: 'create' | 'replace' }): KubeManifest {
  const { apiVersion, kind, metadata, spec } = step.binding;
  if (step.do === 'create') return { apiVersion, kind, metadata, spec };
  const { resourceVersion, labels } = step.present;
  return {
    apiVersion,
    kind,
    spec,
    metadata: { ...metadata, resourceVersion, labels: { ...labels, ...metadata.labels } },
  };
}

function nameOf({ namespace, name }: PolicyRecord): { namespace?: string; name: string } {
  return namespace === '' ? { name } : { namespace, name };
}

/** What is gone needs nothing. */
function unlessNotFound(error: unknown): undefined {
  if (!isNotFound(error)) throw error;
  return undefined;
}

/** A refusal may quote who we are, token and all that is known of it: that is for the log alone. */
function setbackMessage(error: unknown): string {
  const what = error instanceof ApiError ? `${error.status} ${error.reason}` : 'an error';
  const remedy = isForbidden(error)
    ? `the rights of the controller were changed, so install the operator again (${installPage})`
    : 'the log of the controller says more';
  return `The binding could not be written (${what}) and will be tried again: ${remedy}`;
}
