import type { RawObject } from './record.ts';
import { oneLine, shortened } from './words.ts';

/** That a pod could not be made, because something else refuses the values: as the event of its owner says. */
export interface Refused {
  readonly namespace: string;
  /** By the clock of whoever was refused. */
  readonly atMs: number;
  readonly by: string;
  readonly words: string;
}

/** An event as it comes, in either of the two forms that the API server keeps. */
export interface RawEvent extends RawObject {
  readonly message?: unknown;
  readonly eventTime?: unknown;
  readonly lastTimestamp?: unknown;
  readonly series?: unknown;
}

/** What these words are about, or at least what a rule about them would name; not keepalived, which is something else. */
const ours = /sysctl|tcp_keepalive|\bkeepalive\b/i;
/** Quotas, accounts and images have names of all sorts. */
const oursByName = /sysctl|tcp_keepalive/i;
/** Pod Security names all that it minds; a sysctl of the pod's own is none of our business. */
const namesOurs = /tcp_keepalive_/;

interface Refuser {
  /** Who, where it names itself, and its words. */
  readonly pattern: RegExp;
  readonly by: (name: string) => string;
  readonly isAboutUs: RegExp;
}

/** In the words of Kubernetes 1.36 and 1.37, and of OpenShift; the last is whatever else the API server says no by. */
const refusers: readonly Refuser[] = [
  {
    pattern: /violates PodSecurity "([^"]*)": (.*)/,
    by: (level) => `PodSecurity ${level}`,
    isAboutUs: namesOurs,
  },
  {
    pattern: /ValidatingAdmissionPolicy '([^']*)'(?: with binding '[^']*')? denied request: (.*)/,
    by: (name) => `ValidatingAdmissionPolicy ${name}`,
    isAboutUs: ours,
  },
  {
    pattern: /admission webhook "([^"]*)" denied the request(?:: | without explanation)(.*)/,
    by: (name) => `webhook ${name}`,
    isAboutUs: ours,
  },
  {
    pattern: /()unable to validate against any security context constraint: (.*)/,
    by: () => 'SecurityContextConstraints',
    isAboutUs: ours,
  },
  { pattern: /() is (?:forbidden|invalid): (.*)/, by: () => 'the API server', isAboutUs: oursByName },
];

const longestName = 100;
const longestWords = 200;
/** Characters: Pod Security names all that it minds, of every container. A tenant's event may have 1.5 MiB, each time that he touches it. */
const longestMessage = 8192;

/**
 * What an event says of a refusal that the values may have caused; undefined for every other event. Whoever may edit a
 * namespace can write such events: it is a claim, about that namespace alone.
 */
export function refusedIn(event: RawEvent): Refused | undefined {
  const { namespace } = event.metadata;
  const message = typeof event.message === 'string' ? oneLine(event.message.slice(0, longestMessage)) : '';
  const atMs = timeOf(event);
  const said = namespace === undefined || atMs === undefined ? undefined : whoRefused(message);
  if (namespace === undefined || atMs === undefined || said === undefined) return undefined;
  return { namespace, atMs, ...said };
}

function whoRefused(message: string): Pick<Refused, 'by' | 'words'> | undefined {
  for (const { pattern, by, isAboutUs } of refusers) {
    const [, name = '', words = ''] = pattern.exec(message) ?? [];
    if (words === '' && name === '') continue;
    // A webhook that refuses without a word may have refused anything.
    if (!isAboutUs.test(`${name} ${words}`)) return undefined;
    return { by: by(quotable(name, longestName)), words: quotable(words, longestWords) };
  }
  return undefined;
}

/** They are quoted where they are told, and must not end the quotation. */
function quotable(text: string, longest: number): string {
  return shortened(text.replaceAll('"', "'"), longest);
}

/** Of one that is repeated, the last time. */
function timeOf({ metadata, series, lastTimestamp, eventTime }: RawEvent): number | undefined {
  const { lastObservedTime } = (series ?? {}) as { lastObservedTime?: unknown };
  const times = [lastObservedTime, lastTimestamp, eventTime, metadata.creationTimestamp];
  const at = Date.parse(times.filter((time) => typeof time === 'string')[0] ?? '');
  return Number.isNaN(at) ? undefined : at;
}
