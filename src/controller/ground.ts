import type { PolicyKind } from '../api/group.ts';
import type { ApiClient } from '../kube/client.ts';
import type { Clock } from '../kube/clock.ts';
import { isForbidden, isNotFound } from '../kube/errors.ts';
import type { KubeObject } from '../kube/resource.ts';
import type { AdmissionDifference } from '../policy/installation.ts';
import { admissionDifference, fenceAround, fenceFault, witnessFault } from '../policy/installation.ts';
import { resources } from './resource.ts';
import type { World } from './world.ts';

export interface GroundOptions {
  readonly client: ApiClient;
  readonly world: World;
  readonly clock: Clock;
  /** Where this process runs. */
  readonly namespace: string;
}

/** How long what was read is trusted: an installation does not change often. */
const trustedMs = 60_000;

/** By the kind of each object that it is made of. */
type Fence = Map<string, { readonly differs: AdmissionDifference | undefined }>;

interface Slice {
  readonly endpoints?: readonly {
    readonly addresses: readonly string[];
    readonly conditions?: { readonly ready?: boolean };
  }[];
}

/** What the asking stands on: whether it is fenced in, and how many there are that could be asked. */
export class Ground {
  readonly #options: GroundOptions;
  #fence: Fence = new Map();
  #servers: number | undefined;
  #readAt = -Infinity;

  constructor(options: GroundOptions) {
    this.#options = options;
  }

  /** API servers, or replicas that serve a webhook, beside the one that answers, or so it may be. */
  get hasOthers(): boolean {
    return this.#servers !== 1 || this.#options.world.mode === 'webhook';
  }

  /** What is missing for these kinds to be asked about, for a person; undefined: nothing. */
  async fault(asked: readonly PolicyKind[], signal: AbortSignal): Promise<string | undefined> {
    const { clock } = this.#options;
    if (clock.now() - this.#readAt > trustedMs) await this.#read(signal);
    const fault = this.#faultOf(asked);
    if (fault !== undefined) this.#readAt = -Infinity;
    return fault;
  }

  #faultOf(asked: readonly PolicyKind[]): string | undefined {
    const { world } = this.#options;
    // Where its configuration is missing or edited, that is told instead.
    if (world.mode === 'webhook') return fenceFault(this.#fence);
    const installed = { policies: world.mutatingadmissionpolicies, fence: this.#fence };
    return asked.map((kind) => witnessFault(kind, installed)).find((one) => one !== undefined);
  }

  async #read(signal: AbortSignal): Promise<void> {
    const { client, clock, namespace } = this.#options;
    const { validatingadmissionpolicies, validatingadmissionpolicybindings } = resources;
    const fence: Fence = new Map();
    for (const wanted of fenceAround(namespace)) {
      const { kind, metadata } = wanted;
      const isPolicy = kind === 'ValidatingAdmissionPolicy';
      const resource = isPolicy ? validatingadmissionpolicies : validatingadmissionpolicybindings;
      const target = { ...resource, name: metadata.name };
      const found = await client.get(target, { signal }).catch(unless(isNotFound));
      if (found !== undefined) fence.set(kind, { differs: admissionDifference(found, [wanted]) });
    }
    this.#servers = await this.#countServers(signal);
    this.#fence = fence;
    this.#readAt = clock.now();
  }

  /** Undefined where nobody can tell: there may be an API server that tells of itself elsewhere, or this may not be read. */
  async #countServers(signal: AbortSignal): Promise<number | undefined> {
    const addresses = await this.#countAddresses(signal);
    // Before several of a managed control plane there is often one address, which is all that this names.
    return addresses === 1 ? this.#countIdentities(signal) : addresses;
  }

  async #countAddresses(signal: AbortSignal): Promise<number | undefined> {
    const target = { ...resources.endpointslices, namespace: 'default', name: 'kubernetes' };
    const slice = await this.#options.client.get<KubeObject & Slice>(target, { signal }).catch(unreadable);
    const ready = slice?.endpoints?.filter(({ conditions }) => conditions?.ready !== false);
    return ready?.flatMap(({ addresses }) => addresses).length;
  }

  /** Of the Lease that each API server renews; that of one which went stays for an hour. More than two say no more than two. */
  async #countIdentities(signal: AbortSignal): Promise<number | undefined> {
    const target = { ...resources.leases, namespace: 'kube-system' };
    const query = { labelSelector: 'apiserver.kubernetes.io/identity=kube-apiserver', limit: 2 };
    const page = await this.#options.client.listPage(target, query, { signal }).catch(unreadable);
    return page?.items.length;
  }
}

const unreadable = unless((error) => isNotFound(error) || isForbidden(error));

function unless(isExpected: (error: unknown) => boolean): (error: unknown) => undefined {
  return (error) => {
    if (!isExpected(error)) throw error;
    return undefined;
  };
}
