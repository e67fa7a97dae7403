import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect } from '@jest/globals';

import type { Cluster } from '../../cluster/cluster.ts';
import { repository } from '../../cluster/place.ts';
import { filesOf } from '../../unit/docs/console.ts';
import { Page } from '../../unit/docs/page.ts';
import { gitServer } from '../git/served.ts';
import { argoProgram, argoServer } from './argocd.ts';

const page = new Page('docs/argocd.md');
const under = (heading: string) => page.blocks('sh', heading);
const chart = under('With the chart');
const inOne = under('All in one Application');
const usual = page.blocks('sh').filter((block) => ![...chart, ...inOne].includes(block));
/** Commands of the page, in its order. The chart and all in one have a cluster of their own, with what has to be there before. */
export const commandsOf = {
  usual,
  chart: [...usual.slice(0, usual.findIndex((block) => block.includes('team.yaml')) + 1), ...chart],
  inOne: [...under('Health'), ...inOne],
};

/** The registry and the repository of the page are those of the lab. */
const asHere = (text: string) =>
  text
    .replaceAll('https://git.example.org/fleet.git', `${gitServer}/fleet`)
    .replaceAll('REGISTRY/keepalive-operator', 'keepalive.dev/keepalive-operator')
    .replaceAll('REGISTRY', 'keepalive.dev');

const files = [...filesOf(page)].map(([name, text]) => [name, asHere(text)] as const);
/** Files of the page that are for Git; the others are whoever's who applies them. */
export const inGit = Object.fromEntries(files.filter(([name]) => name.includes('/')));

/** Where somebody reads the page, and does what it says in this order. */
export class Desk {
  readonly #cluster: Cluster;
  readonly #commands: readonly string[];
  readonly #folder: string;
  #next = 0;

  constructor(cluster: Cluster, commands: readonly string[]) {
    this.#cluster = cluster;
    this.#commands = commands;
    this.#folder = join(cluster.lab.folder, 'desk');
    mkdirSync(this.#folder);
    symlinkSync(join(repository, 'deploy'), join(this.#folder, 'deploy'));
    for (const [name, text] of files) if (!name.includes('/')) writeFileSync(join(this.#folder, name), text);
  }

  get isAtEnd(): boolean {
    return this.#next === this.#commands.length;
  }

  /** Runs the next block of the page, which has to be the one with this in it; gives back what it prints. */
  readOn(mark: string): Promise<string> {
    const block = this.#commands[this.#next] ?? '';
    expect(block).toContain(mark);
    this.#next += 1;
    return this.run(block);
  }

  async run(lines: string): Promise<string> {
    const env = {
      HOME: this.#folder,
      PATH: `${argoProgram.place}:${this.#cluster.environment().PATH}`,
      ...{ ARGOCD_SERVER: argoServer, ARGOCD_OPTS: '--plaintext' },
    };
    const script = ['sh', '-ec', `cd ${this.#folder}\n${lines}`];
    const { stdout, stderr, code } = await this.#cluster.exec(script, { env });
    if (code !== 0) throw new Error(`${lines}ended with status ${code}: ${stderr}`);
    return stdout;
  }
}
