import type { Sysctl } from '../../src/policy/sysctl.ts';
import type { Scheduling } from '../../src/policy/scheduling.ts';
import { sysctls } from './builder.ts';

const os = (operator: string, ...values: string[]) => ({ key: 'kubernetes.io/os', operator, values });
const windowsBuild = 'node.kubernetes.io/windows-build';
const ssd = { key: 'disk', operator: 'In', values: ['ssd'] };
const tolerated = { key: 'os', value: 'windows', effect: 'NoSchedule' };
const named = { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n1'] }] };
interface Requirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}
/** A pod of which one of these terms must hold. */
const affine = (...terms: (readonly Requirement[] | typeof named)[]) => ({
  spec: {
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: terms.map((term) => ('matchFields' in term ? term : { matchExpressions: term })),
        },
      },
    },
  },
});

/** Where a pod may run, in all the ways in which people say it, and the sysctls that a policy gives it: none on Windows. */
export const placementCases: [sentence: string, pod: { readonly spec: Scheduling }, expected: Sysctl[]][] = [
  ['Windows by spec.os is left alone', { spec: { os: { name: 'windows' } } }, []],
  ['Windows by node selector, too', { spec: { nodeSelector: { 'kubernetes.io/os': 'windows' } } }, []],
  ['also by its old name', { spec: { nodeSelector: { 'beta.kubernetes.io/os': 'windows' } } }, []],
  [
    'or by the build of Windows',
    { spec: { nodeSelector: { 'node.kubernetes.io/windows-build': '10.0.20348' } } },
    [],
  ],
  ['Windows by affinity is left alone', affine([os('In', 'windows')]), []],
  ['by its old name, too', affine([{ ...os('In', 'windows'), key: 'beta.kubernetes.io/os' }]), []],
  ['so is whatever is not Linux', affine([os('NotIn', 'linux')]), []],
  ['or has a build of Windows', affine([{ key: windowsBuild, operator: 'Exists' }]), []],
  [
    'one of several builds',
    affine([{ key: windowsBuild, operator: 'In', values: ['10.0.17763', '10.0.20348'] }]),
    [],
  ],
  ['or a newer one', affine([{ key: windowsBuild, operator: 'Gt', values: ['1'] }]), []],
  ['Windows beside another requirement', affine([ssd, os('In', 'windows')]), []],
  ['Windows in each of two terms', affine([os('In', 'windows')], [ssd, os('NotIn', 'linux')]), []],
  ['Windows and a term that leads nowhere', affine([], [os('In', 'windows')]), []],
  ['what may go to either is changed', affine([os('In', 'windows', 'linux')]), sysctls()],
  ['so is what may go to either by one of two terms', affine([os('In', 'windows')], [ssd]), sysctls()],
  ['or to one named node by the second', affine([os('In', 'windows')], named), sysctls()],
  ['what only has the label of an os', affine([{ key: 'kubernetes.io/os', operator: 'Exists' }]), sysctls()],
  ['what has no build of Windows', affine([{ key: windowsBuild, operator: 'DoesNotExist' }]), sysctls()],
  ['what is not Windows', affine([os('NotIn', 'windows')]), sysctls()],
  ['Linux by affinity is changed', affine([os('In', 'linux')]), sysctls()],
  ['a term that leads nowhere alone means nothing', affine([]), sysctls()],
  [
    'what only prefers Windows is changed',
    {
      spec: {
        affinity: {
          nodeAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [
              { weight: 1, preference: { matchExpressions: [os('In', 'windows')] } },
            ],
          } as object,
        },
      },
    },
    sysctls(),
  ],
  [
    'a toleration of Windows on a named node is left alone',
    { spec: { nodeName: 'no-such-node', tolerations: [tolerated] } },
    [],
  ],
  [
    'so is one in the words of GKE',
    {
      spec: {
        nodeName: 'no-such-node',
        tolerations: [{ ...tolerated, key: 'node.kubernetes.io/os', operator: 'Equal' }],
      },
    },
    [],
  ],
  ['a toleration of Windows alone lets it go to either', { spec: { tolerations: [tolerated] } }, sysctls()],
  [
    'a toleration of everything on a named node means nothing',
    { spec: { nodeName: 'no-such-node', tolerations: [{ operator: 'Exists' }] } },
    sysctls(),
  ],
  [
    'nor does one of every os',
    { spec: { nodeName: 'no-such-node', tolerations: [{ key: 'os', operator: 'Exists' }] } },
    sysctls(),
  ],
  [
    'Linux by both is changed',
    { spec: { os: { name: 'linux' }, nodeSelector: { 'kubernetes.io/os': 'linux' } } },
    sysctls(),
  ],
  ['a node selector of other labels means nothing', { spec: { nodeSelector: { disk: 'ssd' } } }, sysctls()],
];
