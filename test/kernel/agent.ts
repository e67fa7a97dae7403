import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

import type { SocketReading } from '../../src/policy/connection.ts';
import { until } from '../cluster/wait.ts';
import { behind } from '../support/builder.ts';
import type { Command, Said } from './looker.ts';
import type { Machine, Pod } from './machine.ts';
import { script } from './script.ts';
import type { SweepWire } from './wire.ts';

/** looker.ts inside a machine, with what it said. */
export class Agent {
  readonly process: ChildProcess;
  readonly said: Said[] = [];

  /** `launcher` prepares the ground and ends by exec of what follows it. */
  constructor(on: Machine, patienceMs: number, launcher: readonly string[] = []) {
    const program = [...script('looker.ts'), on.ledgerFile, String(patienceMs)];
    this.process = on.host.spawn([...launcher, ...program], { cwd: '/' });
    if (this.process.stdout === null) throw new Error('no output');
    createInterface({ input: this.process.stdout }).on('line', (line) => {
      this.said.push(JSON.parse(line) as Said);
    });
  }

  tell(command: Command): void {
    this.process.stdin?.write(`${JSON.stringify(command)}\n`);
  }

  /** All sockets of these pods, given keepalive where they need it; each of a namespace of its own. */
  look(...pods: readonly Pod[]): void {
    this.lookIn((pod) => pod.uid, pods);
  }

  lookIn(namespaceOf: (pod: Pod) => string, pods: readonly Pod[]): void {
    const targets = pods.map((pod) => ({
      ...{ place: pod.place, namespace: namespaceOf(pod) },
      ...{ timeouts: [90], wanted: behind(90), everySocket: true },
    }));
    this.tell({ look: { targets, hostPods: [] } });
  }

  /** Of one network; what came of it. */
  async sweep(wire: SweepWire): Promise<Said['swept']> {
    const before = this.said.length;
    this.tell({ sweep: wire });
    return until('a sweep is told', () => this.said.slice(before).find(({ swept }) => swept)?.swept);
  }

  /** What it said of a pod, in the order in which it did. */
  of(pod: Pod): SocketReading[] {
    return this.said.flatMap(({ looked }) => (looked?.reading.place === pod.place ? [looked.reading] : []));
  }

  readings(pod: Pod, count: number): Promise<SocketReading[]> {
    return until(`${count} readings of a pod`, () => {
      const readings = this.of(pod);
      return readings.length >= count ? readings : undefined;
    });
  }

  /** The last that was said of its processes. */
  get abandoned(): number {
    return this.said.findLast(({ abandoned }) => abandoned !== undefined)?.abandoned ?? 0;
  }
}
