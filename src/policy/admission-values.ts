import { OWN_VALUES_ANNOTATION, REQUIREMENT_ANNOTATION } from '../api/group.ts';
import { kernelDefaults } from '../api/triple.ts';
import { ownValuesPattern, requirementPattern } from './admitted.ts';
import { enforceLabel, enforceVersionLabel, pinnedVersionPattern, restrictingLevels } from './skip.ts';
import { plainInteger, sysctlNames } from './sysctl.ts';

/**
 * admit() once more, in CEL: what policies ask for together, what is derived from it, whether a pod's own values are
 * enough, and what becomes of them. Each variable is one step of a rule that has a function in TypeScript, named beside
 * it. Variables are worked out when they are first used, once for each policy and pod.
 */
export interface Expression {
  readonly name: string;
  readonly expression: string;
}

const names = [sysctlNames.timeSeconds, sysctlNames.intervalSeconds, sysctlNames.probes];
const { timeSeconds: longestTime, intervalSeconds: longestInterval, probes: mostProbes } = kernelDefaults;
/** Larger than anything that can be declared: nobody declared it. */
const none = 1_000_000;
const annotation = (name: string) => `object.metadata.?annotations[?'${name}'].orValue('')`;
const escaped = (name: string) => name.replaceAll('/', '~1');
const v = (name: string) => `variables.${name}`;

/** CEL: what policies declare of one key, in `params`. */
const declared = (field: string) => `params.status.effective.?declared.?${field}.orValue(${none})`;

/** enough.ts, meets(). `t`, `i` and `p` are CEL of a time, an interval and a count. */
const meets = (t: string, i: string, p: string) =>
  `${t} >= 1 && ${i} >= 1 && ${p} >= 2 && ` +
  `${t} + ${i} <= ${v('latest')} && ` +
  `${t} <= ${v('boundTime')} && ${i} <= ${v('boundInterval')} && ${p} <= ${v('boundProbes')}`;

/** A value as its text says; `-`: the kernel's default; `?`: only the kernel can read it, so it is taken to be ours. */
const valueOf = (text: string, byDefault: number, ours: string) =>
  `${text} == '-' ? ${byDefault} : ${text} == '?' ? ${ours} : int(${text})`;

/** derive.ts, patientProbes(). */
const patient = (time: string, interval: string) =>
  `[2, [${mostProbes}, (${v('timeout')} - ${time} + ${interval} - 1) / ${interval}].min()].max()`;

/** namespaceObject has no metadata in match conditions, so the Pod Security pin is looked at here. */
const pinned =
  `namespaceObject.metadata.?labels[?'${enforceLabel}'].orValue('') in ['${restrictingLevels.join("', '")}'] && ` +
  `namespaceObject.metadata.?labels[?'${enforceVersionLabel}'].orValue('latest').matches('${pinnedVersionPattern}')`;

export const variables: readonly Expression[] = [
  { name: 'pinned', expression: pinned },
  { name: 'names', expression: `['${names.join("', '")}']` },
  { name: 'have', expression: 'object.spec.?securityContext.?sysctls.orValue([])' },

  // requirement.ts, together(): timeout, time, interval and probes that this policy asks for, and earlier ones did.
  {
    name: 'asked',
    expression: `[int(params.status.effective.idleTimeoutSeconds), int(${declared('timeSeconds')}), int(${declared('intervalSeconds')}), int(${declared('probes')})]`,
  },
  { name: 'noted', expression: annotation(REQUIREMENT_ANNOTATION) },
  {
    name: 'earlier',
    expression: `${v('noted')}.matches('${requirementPattern.source}') ? ${v('noted')}.split('/').map(x, x == '-' ? ${none} : int(x)) : ${v('asked')}`,
  },
  {
    name: 'required',
    expression: `[0, 1, 2, 3].map(k, [${v('asked')}[k], ${v('earlier')}[k]].min())`,
  },
  { name: 'timeout', expression: `${v('required')}[0]` },

  // triple.ts, latestSecondProbe(); derive.ts, fittingBounds().
  { name: 'latest', expression: `[2, (8 * ${v('timeout')} + 8) / 9 - 1].max()` },
  {
    name: 'boundTime',
    expression: `${v('required')}[1] < ${v('latest')} ? ${v('required')}[1] : ${none}`,
  },
  {
    name: 'boundInterval',
    expression: `${v('required')}[2] + (${v('boundTime')} == ${none} ? 1 : ${v('boundTime')}) <= ${v('latest')} ? ${v('required')}[2] : ${none}`,
  },
  { name: 'boundProbes', expression: `${v('required')}[3]` },

  // derive.ts, derive().
  {
    name: 'time',
    expression:
      `${v('boundTime')} != ${none} ? ${v('boundTime')} : ` +
      `[1, [${v('timeout')} / 3, ${longestTime}, ${v('latest')} - (${v('boundInterval')} == ${none} ? 1 : ${v('boundInterval')})].min()].max()`,
  },
  { name: 'parts', expression: `${v('boundProbes')} == ${none} ? 6 : ${v('boundProbes')}` },
  {
    name: 'interval',
    expression:
      `${v('boundInterval')} != ${none} ? ${v('boundInterval')} : ` +
      `[1, [(${v('timeout')} - ${v('time')} + ${v('parts')} - 1) / ${v('parts')}, ${longestInterval}, ${v('latest')} - ${v('time')}].min()].max()`,
  },
  {
    name: 'probes',
    expression:
      `${v('boundProbes')} != ${none} ? ${v('boundProbes')} : ` +
      `[${v('timeout')} > 6 ? 6 : 2, ${patient(v('time'), v('interval'))}].max()`,
  },

  // sysctl.ts, valuesOf(): of a key that is named twice the kubelet takes the last.
  {
    name: 'current',
    expression:
      `${v('names')}.map(n, ${v('have')}.filter(h, h.name.replace('/', '.') == n)).map(l, ` +
      `size(l) == 0 ? '-' : l[size(l) - 1].value.matches('${plainInteger.source}') ? l[size(l) - 1].value : '?')`,
  },
  { name: 'currentTime', expression: valueOf(`${v('current')}[0]`, longestTime, v('time')) },
  { name: 'currentInterval', expression: valueOf(`${v('current')}[1]`, longestInterval, v('interval')) },
  { name: 'currentProbes', expression: valueOf(`${v('current')}[2]`, mostProbes, v('probes')) },

  // admit.ts: own values as noted by an earlier policy, where they can be what it changed the pod from.
  { name: 'notedOwn', expression: annotation(OWN_VALUES_ANNOTATION) },
  {
    name: 'notedTexts',
    expression: `${v('notedOwn')}.matches('${ownValuesPattern.source}') ? ${v('notedOwn')}.split('/') : ${v('current')}`,
  },
  { name: 'notedTime', expression: valueOf(`${v('notedTexts')}[0]`, longestTime, v('time')) },
  { name: 'notedInterval', expression: valueOf(`${v('notedTexts')}[1]`, longestInterval, v('interval')) },
  { name: 'notedProbes', expression: valueOf(`${v('notedTexts')}[2]`, mostProbes, v('probes')) },
  {
    name: 'isPlausible',
    expression: `!(${meets(v('notedTime'), v('notedInterval'), v('notedProbes'))})`,
  },
  { name: 'texts', expression: `${v('isPlausible')} ? ${v('notedTexts')} : ${v('current')}` },
  { name: 'ownTime', expression: `${v('isPlausible')} ? ${v('notedTime')} : ${v('currentTime')}` },
  {
    name: 'ownInterval',
    expression: `${v('isPlausible')} ? ${v('notedInterval')} : ${v('currentInterval')}`,
  },
  { name: 'ownProbes', expression: `${v('isPlausible')} ? ${v('notedProbes')} : ${v('currentProbes')}` },

  // enough.ts, amend().
  { name: 'isEnough', expression: meets(v('ownTime'), v('ownInterval'), v('ownProbes')) },
  {
    name: 'newTime',
    expression: `${v('ownTime')} == 0 ? ${v('time')} : [${v('ownTime')}, ${v('time')}].min()`,
  },
  {
    name: 'newInterval',
    expression: `${v('ownInterval')} == 0 ? ${v('interval')} : [${v('ownInterval')}, ${v('interval')}].min()`,
  },
  {
    name: 'newProbes',
    expression:
      `[[${v('ownProbes')} == ${mostProbes} ? ${v('probes')} : ${v('ownProbes')}, ` +
      `${patient(v('newTime'), v('newInterval'))}].max(), ${v('boundProbes')}].min()`,
  },
  {
    name: 'amended',
    expression: `{${['newTime', 'newInterval', 'newProbes'].map((name, at) => `'${names[at]}': string(${v(name)})`).join(', ')}}`,
  },

  // sysctl.ts, mergeSysctls().
  {
    name: 'merged',
    expression:
      `${v('have')}.map(h, {'name': dyn(h.name), 'value': dyn(h.name.replace('/', '.') in ${v('amended')} && ` +
      `h.value.matches('${plainInteger.source}') ? ${v('amended')}[h.name.replace('/', '.')] : h.value)}) + ` +
      `${v('names')}.filter(n, !${v('have')}.exists(h, h.name.replace('/', '.') == n)).map(n, {'name': dyn(n), 'value': dyn(${v('amended')}[n])})`,
  },
  // admitted.ts, requirementText() and ownValuesText().
  {
    name: 'requirementText',
    expression: `${v('required')}.map(x, x == ${none} ? '-' : string(x)).join('/')`,
  },
  { name: 'ownText', expression: `${v('texts')}.join('/')` },

  // take-back.ts, takenBack().
  {
    name: 'given',
    expression: `{${names.map((name, at) => `'${name}': ${v('notedTexts')}[${at}]`).join(', ')}}`,
  },
  {
    name: 'isAsWritten',
    expression:
      `${v('noted')}.matches('${requirementPattern.source}') && ${v('notedOwn')}.matches('${ownValuesPattern.source}') && ` +
      `${v('isPlausible')} && ${v('names')}.all(n, ${v('have')}.exists(h, h.name.replace('/', '.') == n)) && ` +
      `${v('have')}.all(h, !(h.name.replace('/', '.') in ${v('amended')}) || ` +
      `h.value == ${v('amended')}[h.name.replace('/', '.')] || !h.value.matches('${plainInteger.source}'))`,
  },
  {
    name: 'returned',
    expression:
      `${v('have')}.filter(h, ${v('given')}[?h.name.replace('/', '.')].orValue('') != '-').map(h, {'name': dyn(h.name), 'value': dyn(` +
      `${v('given')}[?h.name.replace('/', '.')].orValue('?') == '?' ? h.value : ${v('given')}[h.name.replace('/', '.')])})`,
  },
];

const requirementNote = `'${REQUIREMENT_ANNOTATION}': ${v('requirementText')}`;
const ownNote = `'${OWN_VALUES_ANNOTATION}': ${v('ownText')}`;
const note = (name: string, text: string) =>
  `[JSONPatch{op: 'add', path: '/metadata/annotations/${escaped(name)}', value: ${v(text)}}]`;

const takeBack =
  `[JSONPatch{op: 'replace', path: '/spec/securityContext/sysctls', value: ${v('returned')}}, ` +
  [REQUIREMENT_ANNOTATION, OWN_VALUES_ANNOTATION]
    .map((name) => `JSONPatch{op: 'remove', path: '/metadata/annotations/${escaped(name)}'}`)
    .join(', ') +
  ']';

export const mutation = [
  `!${v('mayChange')} ? (${v('isAsWritten')} ? ${takeBack} : []) :`,
  `${v('pinned')} ? [] :`,
  // What is enough is only noted: a policy that comes after this one has to know what this one asks.
  `(${v('isEnough')} ? [] :`,
  "(has(object.spec.securityContext) ? [] : [JSONPatch{op: 'add', path: '/spec/securityContext', value: Object.spec.securityContext{}}]) +",
  `[JSONPatch{op: 'add', path: '/spec/securityContext/sysctls', value: ${v('merged')}}]) +`,
  `(!has(object.metadata.annotations) ? [JSONPatch{op: 'add', path: '/metadata/annotations', value: ${v('isEnough')} ? {${requirementNote}} : {${requirementNote}, ${ownNote}}}] :`,
  `${note(REQUIREMENT_ANNOTATION, 'requirementText')} + (${v('isEnough')} ? [] : ${note(OWN_VALUES_ANNOTATION, 'ownText')}))`,
].join('\n');
