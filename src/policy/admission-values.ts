import { OWN_VALUES_ANNOTATION, REQUIREMENT_ANNOTATION } from '../api/group.ts';
import type { Expression } from './admission-derivation.ts';
import { derivation, names, undeclared } from './admission-derivation.ts';
import { ownValuesPattern, requirementPattern } from './admitted.ts';
import { annotationBytes } from './annotation-room.ts';
import { enforceLabel, enforceVersionLabel, pinnedVersionPattern, restrictingLevels } from './skip.ts';
import { plainInteger } from './sysctl.ts';

const annotation = (name: string) => `object.metadata.?annotations[?'${name}'].orValue('')`;
const escaped = (name: string) => name.replaceAll('/', '~1');
const v = (name: string) => `variables.${name}`;

/** CEL: what follows from the policy by itself, as the controller derived it. */
const effective = (field: string) => `int(params.status.effective.${field})`;
/** CEL: what the policy declares of one key. */
const declared = (field: string) => `int(params.status.effective.?declared.?${field}.orValue(${undeclared}))`;

/** namespaceObject has no metadata in match conditions, so the Pod Security pin is looked at here. */
const pinned =
  `namespaceObject.metadata.?labels[?'${enforceLabel}'].orValue('') in ['${restrictingLevels.join("', '")}'] && ` +
  `namespaceObject.metadata.?labels[?'${enforceVersionLabel}'].orValue('latest').matches('${pinnedVersionPattern}')`;

/**
 * admit() once more, in CEL: what policies ask for together, what is derived from it, whether a pod's own values are
 * enough, and what becomes of them. Each variable is one step of a rule that has a function in TypeScript, named beside
 * it. Variables are worked out when they are first used, once for each policy and pod.
 */
export const variables: readonly Expression[] = [
  { name: 'pinned', expression: pinned },
  { name: 'names', expression: `['${names.join("', '")}']` },
  { name: 'have', expression: 'object.spec.?securityContext.?sysctls.orValue([])' },

  // requirement.ts, together(): timeout, time, interval and declared probes that this policy asks for, and earlier ones did.
  {
    name: 'asked',
    expression: `[${effective('idleTimeoutSeconds')}, ${effective('timeSeconds')}, ${effective('intervalSeconds')}, ${declared('probes')}]`,
  },
  { name: 'noted', expression: annotation(REQUIREMENT_ANNOTATION) },
  {
    name: 'earlier',
    expression: `${v('noted')}.matches('${requirementPattern.source}') ? ${v('noted')}.split('/').map(x, x == '-' ? ${undeclared} : int(x)) : ${v('asked')}`,
  },
  {
    name: 'required',
    expression: `[0, 1, 2, 3].map(k, [${v('asked')}[k], ${v('earlier')}[k]].min())`,
  },

  // sysctl.ts, valuesOf(): of a key that is named twice the kubelet takes the last.
  {
    name: 'current',
    expression:
      `${v('names')}.map(n, ${v('have')}.filter(h, h.name.replace('/', '.') == n)).map(l, ` +
      `size(l) == 0 ? '-' : l[size(l) - 1].value.matches('${plainInteger.source}') ? l[size(l) - 1].value : '?')`,
  },

  // written.ts, ownBefore(): what an earlier policy noted of the pod's own values, while the sysctls are what was written from them.
  { name: 'notedOwn', expression: annotation(OWN_VALUES_ANNOTATION) },
  { name: 'notedTexts', expression: `${v('notedOwn')}.split('/')` },
  ...derivation({ of: 'noted', required: 'earlier', texts: 'notedTexts' }),
  {
    name: 'isAsWritten',
    expression:
      `${v('noted')}.matches('${requirementPattern.source}') && ${v('notedOwn')}.matches('${ownValuesPattern.source}') && ` +
      `[0, 1, 2].all(k, ${v('current')}[k] == (${v('notedTexts')}[k] == '?' ? '?' : ${v('notedValues')}[${v('names')}[k]])) && ` +
      `${v('current')} != ${v('notedTexts')} && ` +
      `${v('have')}.all(h, !(h.name.replace('/', '.') in ${v('notedValues')}) || ` +
      `h.value == ${v('notedValues')}[h.name.replace('/', '.')] || !h.value.matches('${plainInteger.source}'))`,
  },
  { name: 'texts', expression: `${v('isAsWritten')} ? ${v('notedTexts')} : ${v('current')}` },
  ...derivation({ of: 'whole', required: 'required', texts: 'texts' }),

  // triple.ts, latestSecondProbe(); enough.ts, meets(). What was changed once was not enough for one of those that asked before.
  { name: 'latest', expression: `[2, (8 * ${v('required')}[0] + 8) / 9 - 1].max()` },
  {
    name: 'isEnough',
    expression:
      `!${v('isAsWritten')} && ` +
      `${v('wholeOwnTime')} >= 1 && ${v('wholeOwnInterval')} >= 1 && ${v('wholeOwnProbes')} >= 2 && ` +
      `${v('wholeOwnTime')} + ${v('wholeOwnInterval')} <= ${v('latest')} && ` +
      `${v('wholeOwnTime')} <= ${declared('timeSeconds')} && ${v('wholeOwnInterval')} <= ${declared('intervalSeconds')} && ` +
      `${v('wholeOwnProbes')} <= ${v('required')}[3]`,
  },

  // sysctl.ts, mergeSysctls().
  {
    name: 'merged',
    expression:
      `${v('have')}.map(h, {'name': dyn(h.name), 'value': dyn(h.name.replace('/', '.') in ${v('wholeValues')} && ` +
      `h.value.matches('${plainInteger.source}') ? ${v('wholeValues')}[h.name.replace('/', '.')] : h.value)}) + ` +
      `${v('names')}.filter(n, !${v('have')}.exists(h, h.name.replace('/', '.') == n)).map(n, {'name': dyn(n), 'value': dyn(${v('wholeValues')}[n])})`,
  },
  // admitted.ts, requirementText() and ownValuesText().
  {
    name: 'requirementText',
    expression: `${v('required')}.map(x, x == ${undeclared} ? '-' : string(x)).join('/')`,
  },
  { name: 'ownText', expression: `${v('texts')}.join('/')` },

  // annotation-room.ts, hasRoom(): of everybody else's annotations, in bytes, and of ours as they will be.
  {
    name: 'others',
    expression:
      `object.metadata.?annotations.orValue({}).map(k, k in ['${REQUIREMENT_ANNOTATION}', '${OWN_VALUES_ANNOTATION}'] ? 0 : ` +
      'size(bytes(k)) + size(bytes(object.metadata.annotations[k]))).sum()',
  },
  {
    name: 'hasRoom',
    expression:
      `${v('others')} + ${REQUIREMENT_ANNOTATION.length} + size(${v('requirementText')}) + ` +
      `(${v('isEnough')} ? 0 : ${OWN_VALUES_ANNOTATION.length} + size(${v('ownText')})) <= ${annotationBytes}`,
  },

  // take-back.ts, takenBack().
  {
    name: 'given',
    expression: `{${names.map((name, at) => `'${name}': ${v('notedTexts')}[${at}]`).join(', ')}}`,
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
const removal = (name: string) => `JSONPatch{op: 'remove', path: '/metadata/annotations/${escaped(name)}'}`;

const takeBack =
  `[JSONPatch{op: 'replace', path: '/spec/securityContext/sysctls', value: ${v('returned')}}, ` +
  [REQUIREMENT_ANNOTATION, OWN_VALUES_ANNOTATION].map(removal).join(', ') +
  ']';

export const mutation = [
  `!${v('mayChange')} ? (${v('isAsWritten')} ? ${takeBack} : []) :`,
  `${v('pinned')} || !${v('hasRoom')} ? [] :`,
  // What is enough is only noted: a policy that comes after this one has to know what this one asks.
  `(${v('isEnough')} ? [] :`,
  "(has(object.spec.securityContext) ? [] : [JSONPatch{op: 'add', path: '/spec/securityContext', value: Object.spec.securityContext{}}]) +",
  `[JSONPatch{op: 'add', path: '/spec/securityContext/sysctls', value: ${v('merged')}}]) +`,
  `(!has(object.metadata.annotations) ? [JSONPatch{op: 'add', path: '/metadata/annotations', value: ${v('isEnough')} ? {${requirementNote}} : {${requirementNote}, ${ownNote}}}] :`,
  `${note(REQUIREMENT_ANNOTATION, 'requirementText')} + (!${v('isEnough')} ? ${note(OWN_VALUES_ANNOTATION, 'ownText')} :`,
  `'${OWN_VALUES_ANNOTATION}' in object.metadata.annotations ? [${removal(OWN_VALUES_ANNOTATION)}] : []))`,
].join('\n');
