import { expect } from '@jest/globals';

import type { Bench } from '../e2e/shared.ts';
import { sleeper } from '../e2e/shared.ts';
import type { LocatedPod } from './pod-on-node.ts';
import { locate, podsOnNodes, valuesOfPods } from './pod-on-node.ts';

export interface NodeUnderTest {
  readonly name: string;
  /** Its kernel and its runtime give a pod users of its own. */
  readonly hasUsers: boolean;
  /** Its kernel gives new connections their values, and counts them. Elsewhere they are looked for by descriptors. */
  readonly hasBpf: boolean;
  /** A systemd of its own, which a pod can run as well. */
  readonly hasSystemd: boolean;
  /** Its runtime gives containers a profile of AppArmor. */
  readonly hasAppArmor: boolean;
  /** Where programs of amd64 have their loader. */
  readonly hasLib64: boolean;
  /** Its containerd has gVisor as well. */
  readonly hasGvisor: boolean;
  /** The folder from which its kubelet runs pods without the API server. */
  readonly staticPods: () => string;
}

export const namespace = 'every-node';
/** A look at a node under emulation costs it as much as what is looked for. */
const everyMs = 1000;

export function pod(name: string, node: string, spec: object = {}) {
  // A token is a file of the node's in memory, which Linux gives to other users since 6.3.
  const own = { nodeName: node, automountServiceAccountToken: false, ...spec };
  return sleeper(name, namespace, { labels: { app: name.replace(/-.*/, '') }, spec: own });
}

/** A pod that runs `idle`, the client and server that keep silent. */
export function talker(name: string, node: string, args: readonly string[], spec: object = {}) {
  const whole = pod(name, node, spec);
  const containers = whole.spec.containers.map((one) => ({ ...one, command: ['idle', ...args] }));
  return { ...whole, spec: { ...whole.spec, containers } };
}

export function serviceOf(name: string, port: number) {
  const metadata = { name, namespace };
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata,
    spec: { selector: { app: name }, ports: [{ port }] },
  };
}

/** A pod that never gets further than its first container. */
export function initialising(name: string, node: string) {
  const whole = pod(name, node);
  const initContainers = whole.spec.containers.map((one) => ({ ...one, name: 'first' }));
  return { ...whole, spec: { ...whole.spec, initContainers } };
}

/** A pod whose first process is the systemd of its node, and what it is to start: it moves itself and its services into control groups below its own. */
export function withSystemd(podName: string, { name: node, hasLib64 }: NodeUnderTest): object[] {
  const units = {
    'default.target': '[Unit]\nDefaultDependencies=no\nWants=sleep.service\n',
    'sleep.service': '[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=/usr/bin/sleep infinity\n',
  };
  const folders = { '/usr': '/usr', '/lib': '/usr/lib', ...(hasLib64 && { '/lib64': '/usr/lib64' }) };
  const ofNode = Object.entries(folders).map(([mountPath, path], at) => ({
    mountPath,
    path,
    name: `v${at}`,
  }));
  const whole = pod(podName, node, {
    volumes: [
      ...ofNode.map(({ name: volume, path }) => ({ name: volume, hostPath: { path, type: 'Directory' } })),
      { name: 'units', configMap: { name: 'units' } },
      { name: 'run', emptyDir: { medium: 'Memory' } },
    ],
  });
  const containers = whole.spec.containers.map((one) => ({
    ...one,
    command: ['/usr/lib/systemd/systemd'],
    env: [{ name: 'container', value: 'oci' }],
    securityContext: { privileged: true },
    volumeMounts: [
      ...ofNode.map(({ name: volume, mountPath }) => ({ name: volume, mountPath, readOnly: true })),
      // One by one, since systemd 252 does not follow the symbolic links that a whole ConfigMap is mounted by.
      ...Object.keys(units).map((unit) => ({
        ...{ name: 'units', mountPath: `/etc/systemd/system/${unit}`, subPath: unit },
      })),
      { name: 'run', mountPath: '/run' },
    ],
  }));
  return [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'units', namespace }, data: units },
    { ...whole, spec: { ...whole.spec, containers } },
  ];
}

/** Pods of `namespace`, by their names, as the kernels of their nodes have them. */
export class PodsUnderTest {
  readonly #bench: Bench;

  constructor(bench: Bench) {
    this.#bench = bench;
  }

  async located(wanted: readonly string[]): Promise<LocatedPod[]> {
    const found = await podsOnNodes(this.#bench.cluster, namespace);
    expect(found.map(({ name }) => name)).toEqual(expect.arrayContaining([...wanted]));
    const pods = found.filter(({ name }) => wanted.includes(name));
    const byNode = Object.values(Object.groupBy(pods, ({ node }) => node));
    return (await Promise.all(byNode.map((some = []) => locate(this.#bench.cluster, some)))).flat();
  }

  async valuesOf(wanted: readonly string[]): Promise<Record<string, string>> {
    const byNode = Object.values(Object.groupBy(await this.located(wanted), ({ node }) => node));
    const looks = byNode.map((pods = []) => valuesOfPods(this.#bench.cluster, pods));
    return Object.assign({}, ...(await Promise.all(looks))) as Record<string, string>;
  }

  async untilAllHold(wanted: readonly string[], values: string): Promise<void> {
    const byNode = Object.values(Object.groupBy(await this.located(wanted), ({ node }) => node));
    await Promise.all(byNode.map((some = []) => this.#untilHold(some, values)));
  }

  async untilRestarted(app: string): Promise<void> {
    await this.#bench.until(
      'all of them run again',
      async () => {
        const path = 'jsonpath={.items[*].status.containerStatuses[0].restartCount}';
        const selected = ['-n', namespace, '-l', `app=${app}`];
        const counts = await this.#bench.cluster.kubectl('get', 'pods', ...selected, '-o', path);
        return counts.split(' ').every((count) => Number(count) > 0);
      },
      { everyMs },
    );
    await this.#bench.untilReady(namespace, '-l', `app=${app}`);
  }

  async sysctlsOf(name: string): Promise<readonly object[]> {
    const { spec } = await this.#bench.json<{ spec: { securityContext?: { sysctls?: object[] } } }>(
      ...['pod', name, '-n', namespace],
    );
    return spec.securityContext?.sysctls ?? [];
  }

  async phaseOf(name: string): Promise<string> {
    const { status } = await this.#bench.json<{ status: { phase: string } }>('pod', name, '-n', namespace);
    return status.phase;
  }

  async #untilHold(pods: readonly LocatedPod[], values: string): Promise<void> {
    const what = `${pods.map(({ name }) => name).join(', ')} hold ${values}`;
    let known = pods;
    const hold = async () => {
      const held = Object.values(await valuesOfPods(this.#bench.cluster, known));
      if (held.includes('')) known = await locate(this.#bench.cluster, pods);
      return held.every((one) => one === values);
    };
    await this.#bench.until(what, hold, { everyMs });
  }
}

/** What the networks of these pods are to hold, as `valuesOf` tells it. */
export function holding(pods: readonly string[], values: string): Record<string, string> {
  return Object.fromEntries(pods.map((name) => [name, values]));
}
