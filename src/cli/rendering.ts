import { isDeepStrictEqual } from 'node:util';

import { isMap } from 'yaml';

import { admit } from '../policy/admit.ts';
import { podView } from '../policy/pod.ts';
import { skipOf } from '../policy/skip.ts';
import type { Sysctl } from '../policy/sysctl.ts';
import type { Source } from './input.ts';
import { isPassedOver, nodeAt } from './manifest.ts';
import type { Remark } from './remark.ts';
import { faultyOf } from './reread.ts';
import type { Review } from './review.ts';
import { isSelected } from './selection.ts';
import type { Edit } from './splice.ts';
import { applyEdits, NotEditable, sysctlEdits } from './splice.ts';
import { exitCodes } from './terminal.ts';
import type { Workload } from './workload.ts';

/** What becomes of one pod template. */
export interface Rendered {
  readonly workload: Workload;
  readonly before: readonly Sysctl[];
  readonly after: readonly Sysctl[];
  /** Why it could not be put into the text; says what to do. */
  readonly problem?: string;
}

/** One text with what its policies mean put into it. */
export interface RenderedSource {
  readonly source: Source;
  readonly text: string;
  readonly rendered: readonly Rendered[];
}

/** What the sysctls of a template have to be so that admission changes no pod of it any more, as far as the input tells. */
function sysctlsFor(workload: Workload, { policies, namespaces }: Review): readonly Sysctl[] {
  const { pod, namespace } = workload;
  const view = namespaces.view(namespace);
  const { sysctls = [] } = pod.spec?.securityContext ?? {};
  // What a note of admission in a template says is not taken back here: the template is the user's own.
  if (skipOf(podView(pod), view) !== undefined) return sysctls;
  return admit(
    pod,
    view,
    policies.filter((one) => isSelected(one, workload, namespaces)).map(({ policy }) => policy),
  ).sysctls;
}

export function renderSources(sources: readonly Source[], review: Review): RenderedSource[] {
  const bySource = Map.groupBy(review.workloads, ({ manifest }) => manifest.source);
  for (const source of bySource.keys()) if (isPassedOver(source)) bySource.delete(source);
  return sources.map((source) => {
    const rendered = (bySource.get(source) ?? []).map((workload): Rendered => {
      const before = workload.pod.spec?.securityContext?.sysctls ?? [];
      return { workload, before, after: sysctlsFor(workload, review) };
    });
    const changed = rendered.filter(
      ({ before, after }) => before !== after && !isDeepStrictEqual(before, after),
    );
    return { source, ...put(source, changed) };
  });
}

/** All changes of one text, but for those that cannot be made. */
function put(source: Source, changed: readonly Rendered[]): Omit<RenderedSource, 'source'> {
  const tried = changed.map((one) => ({ one, ...editsFor(source, one) }));
  const rendered = tried.map(({ one, problem }) => (problem === undefined ? one : { ...one, problem }));
  const done = tried.filter(({ problem }) => problem === undefined);
  const failed = new Set(faultyOf(source, done).map(({ one }) => one));
  if (failed.size === 0) {
    const edits = done.flatMap((one) => one.edits);
    return { text: applyEdits(source.text, edits), rendered };
  }
  return {
    text: source.text,
    rendered: rendered.map((one) => (failed.has(one) ? { ...one, problem: notMeant(one) } : one)),
  };
}

function notMeant({ after }: Rendered): string {
  const list = after.map(({ name, value }) => `${name}=${value}`).join(', ');
  return `it shares text with something else (an anchor), or is written in a way that nothing can be put into: write its securityContext out, with the sysctls ${list}`;
}

function editsFor(source: Source, { workload, after }: Rendered): { edits: Edit[]; problem?: string } {
  const { manifest, template } = workload;
  const [misfit] = workload.misfits;
  if (misfit !== undefined) return { edits: [], problem: misfit.message };
  const parent = nodeAt(manifest.node, template);
  try {
    if (!isMap(parent))
      throw new NotEditable('its template is an alias or comes from a merge key (<<): write it out');
    return { edits: sysctlEdits({ text: source.text, document: manifest.document }, parent, after) };
  } catch (error) {
    if (!(error instanceof NotEditable)) throw error;
    return { edits: [], problem: error.message };
  }
}

const blocking = ['refused', 'unknown-field', 'beyond-limits', 'duplicate-policy', 'unreadable'];

/** Remarks on policies that the API server would not take as they are: what they mean is not known. */
export function blockingRemarks({ remarks }: Review): Remark[] {
  return remarks.filter(({ kind }) => blocking.includes(kind));
}

/** Where something cannot be read that comes first, as in `check`. */
export function blockedExitCode(blocking: readonly Remark[]): number {
  return blocking.some(({ kind }) => kind === 'unreadable') ? exitCodes.wrong : exitCodes.found;
}
