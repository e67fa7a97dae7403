import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';

import type { Family } from './addresses.ts';
import { removeCgroups } from './cgroups.ts';
import { describeGuest } from './guest-node/guest-spec.ts';
import type { GuestSpec } from './guest-node/guest-spec.ts';
import { Host, hostsOf } from './host.ts';
import { requireVisible, stateRoot } from './place.ts';
import type { ProcessId } from './process.ts';
import { isAlive, self } from './process.ts';
import { guestsOf } from './roster.ts';
import { all, until } from './wait.ts';

/** What a lab's folder says about it, so that another process can find it and end it. */
export interface LabState {
  /** Who made it. An owned lab lives as long as that process. */
  readonly maker: ProcessId;
  readonly owned: boolean;
  readonly ready: boolean;
  readonly kubernetes: string;
  /** Those that are namespaces of this machine. */
  readonly nodes: readonly string[];
  /** Those that are machines of their own. */
  readonly guests?: readonly GuestSpec[];
  readonly family: Family;
  readonly hasAdmissionFile?: boolean;
  /** Folders of the programs it runs, for PATH. */
  readonly programs: readonly string[];
}

export interface Traces {
  readonly state: LabState | undefined;
  readonly makerAlive: boolean;
  readonly hosts: number;
  readonly ageSeconds: number;
}

/**
 * Whether what is left of a lab is nobody's any more: its owner died, or its maker died half way, or the machine
 * was restarted under it. A folder that says nothing yet is being made this very moment, unless it is old.
 */
export function isAbandoned({ state, makerAlive, hosts, ageSeconds }: Traces): boolean {
  if (state === undefined) return ageSeconds > 10;
  if (makerAlive) return false;
  return state.owned || !state.ready || hosts === 0;
}

/** Several hosts that belong together, and their folder. */
export class Lab {
  readonly name: string;
  readonly folder: string;
  #state: LabState;
  readonly #started = new Map<string, Host>();

  private constructor(name: string, state: LabState) {
    this.name = name;
    this.folder = folderOf(name);
    this.#state = state;
  }

  static create(name: string, facts: Omit<LabState, 'maker' | 'ready'>): Lab {
    if (!/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/.test(name))
      throw new Error(`"${name}" cannot name a cluster: use up to 32 lower-case letters, digits and hyphens`);
    for (const folder of [folderOf(name), ...facts.programs]) requireVisible(folder);
    mkdirSync(stateRoot(), { recursive: true, mode: 0o755 });
    try {
      // The one step that two who want the same name cannot both do.
      mkdirSync(folderOf(name), { mode: 0o711 });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      throw new Error(`there is a cluster "${name}" already: take it down first, or choose another --name`);
    }
    const lab = new Lab(name, { ...facts, maker: self(), ready: false });
    lab.#save();
    return lab;
  }

  static find(name: string): Lab | undefined {
    const state = readState(name);
    return state && new Lab(name, state);
  }

  get state(): LabState {
    return this.#state;
  }

  markReady(): void {
    this.#state = { ...this.#state, ready: true };
    this.#save();
  }

  hosts(): Host[] {
    return hostsOf(this.folder, this.environment());
  }

  /** This process's own environment, with the lab's programs first in PATH. */
  environment(): NodeJS.ProcessEnv {
    // No proxy can be reached from inside.
    const own = Object.entries(process.env).filter(([key]) => !/_proxy$/i.test(key));
    const path = [...this.#state.programs, process.env.PATH, '/usr/sbin', '/sbin'].join(':');
    return { ...Object.fromEntries(own), PATH: path };
  }

  /** The host of that name; a new one, with no link to any other, if there is none. */
  async host(name: string, setUp = ''): Promise<Host> {
    const known = this.#started.get(name);
    if (known?.alive === true) return known;
    const found = this.hosts().find((host) => host.name === name);
    const host =
      found ??
      (await Host.start({
        folder: this.folder,
        name,
        owned: this.#state.owned,
        setUp,
        env: this.environment(),
      }));
    this.#started.set(name, host);
    return host;
  }

  /** A cable between two hosts, laid inside them: the machine's own network never sees an end of it. */
  async link(from: End, to: End): Promise<void> {
    const { host, device, addresses } = from;
    await host.ip(`link add ${device} type veth peer name ${to.device} netns ${to.host.id.pid}`);
    await all([host.ip(...upWith(device, addresses)), to.host.ip(...upWith(to.device, to.addresses))]);
  }

  /** Removes a cable, from an end that still has a host: the kernel clears up after a dead host at its leisure. */
  async unlink(host: Host, device: string): Promise<void> {
    await host.exec(['ip', 'link', 'delete', device], { cwd: '/' });
    await until(`${device} of ${host.name} is gone`, async () => {
      const { code } = await host.exec(['ip', 'link', 'show', device], { cwd: '/' });
      return code !== 0;
    });
  }

  /** Ends every host and removes every trace. May be called at any moment, and again. */
  async down(): Promise<void> {
    await removeLab(this.name);
  }

  #save(): void {
    const file = join(this.folder, 'lab.json');
    // Whole or not at all: others may read it at any moment.
    writeFileSync(`${file}.new`, JSON.stringify(this.#state, undefined, 2));
    renameSync(`${file}.new`, file);
  }
}

/** One end of a cable. */
export interface End {
  readonly host: Host;
  readonly device: string;
  /** With their prefix lengths, of either family. */
  readonly addresses: readonly string[];
}

function upWith(device: string, addresses: readonly string[]): string[] {
  const lines = addresses.map((one) => `addr add ${one} dev ${device}${one.includes(':') ? ' nodad' : ''}`);
  return [...lines, `link set ${device} up`];
}

function labNames(): string[] {
  try {
    return readdirSync(stateRoot()).sort();
  } catch {
    return [];
  }
}

interface Description {
  readonly name: string;
  readonly standing: 'running' | 'starting' | 'abandoned';
  readonly detail: string;
}

export function describeLabs(): Description[] {
  return labNames().map((name) => {
    const traces = tracesOf(name);
    const { state } = traces;
    const standing = isAbandoned(traces) ? 'abandoned' : state?.ready === true ? 'running' : 'starting';
    const detail =
      state === undefined
        ? ''
        : `, Kubernetes ${state.kubernetes}, nodes ${nodesIn(state)}, in ${folderOf(name)}`;
    return { name, standing, detail };
  });
}

function nodesIn(state: LabState): string {
  const guests = guestsOf(state).map(({ name, spec }) => `${name} (${describeGuest(spec)})`);
  return [...state.nodes, ...guests].join(' ');
}

/** Ends what is left of labs that are nobody's any more; returns their names. */
export async function clearAbandoned(): Promise<string[]> {
  const abandoned = labNames().filter((name) => isAbandoned(tracesOf(name)));
  for (const name of abandoned) await removeLab(name);
  return abandoned;
}

export async function removeLab(name: string): Promise<void> {
  const folder = folderOf(name);
  await all(hostsOf(folder).map((host) => host.stop()));
  await removeCgroups(name);
  rmSync(folder, { recursive: true, force: true });
  try {
    rmdirSync(stateRoot());
  } catch {
    // Another cluster lives there, or it is gone already.
  }
}

function tracesOf(name: string): Traces {
  const state = readState(name);
  return {
    state,
    makerAlive: state !== undefined && isAlive(state.maker),
    hosts: hostsOf(folderOf(name)).length,
    ageSeconds: (Date.now() - (statSync(folderOf(name), { throwIfNoEntry: false })?.mtimeMs ?? 0)) / 1000,
  };
}

function folderOf(name: string): string {
  return join(resolve(stateRoot()), name);
}

function readState(name: string): LabState | undefined {
  try {
    return JSON.parse(readFileSync(join(folderOf(name), 'lab.json'), 'utf8')) as LabState;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return undefined;
  }
}
