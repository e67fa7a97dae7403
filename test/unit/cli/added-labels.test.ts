import { describe, expect, test } from '@jest/globals';

import { keepalive } from '../../support/command-line.ts';
import { deployment, policy, yaml } from './manifests.ts';

const { template } = deployment().spec;
const metadata = { name: 'dump', namespace: 'db' };
const of = (kind: string, spec: object = {}) => ({
  ...{ apiVersion: 'apps/v1', kind, metadata },
  spec: { template, ...spec },
});
const job = (spec: object = {}, named: object = metadata) => ({
  ...{ apiVersion: 'batch/v1', kind: 'Job', metadata: named },
  spec: { template, ...spec },
});
const cronJob = (spec: object = {}) => ({
  ...{ apiVersion: 'batch/v1', kind: 'CronJob', metadata },
  spec: { jobTemplate: { spec: { template, ...spec } } },
});
const indexed = { completionMode: 'Indexed' };
const index = 'batch.kubernetes.io/job-completion-index';
const podName = 'statefulset.kubernetes.io/pod-name';

const label = (key: string, value: string) => ({ matchLabels: { [key]: value } });
const asks = (key: string, operator: string, values?: string[]) => ({
  matchExpressions: [{ key, operator, ...(values === undefined ? {} : { values }) }],
});

type Selected = 'selected' | 'not selected' | 'unknown';

describe('a policy that asks for a label which a controller gives to pods', () => {
  test.each<[Selected, string, object, object]>([
    ['not selected', 'of a CronJob that job-name be away', cronJob(), asks('job-name', 'DoesNotExist')],
    ['selected', 'of a CronJob that it be there', cronJob(), asks('batch.kubernetes.io/job-name', 'Exists')],
    ['unknown', 'of a CronJob which it is', cronJob(), label('job-name', 'dump')],
    ['selected', 'of a Job its name', job(), label('job-name', 'dump')],
    ['not selected', 'of a Job another name', job(), label('batch.kubernetes.io/job-name', 'other')],
    [
      'unknown',
      'of a Job whose name is made',
      job({}, { generateName: 'dump-', namespace: 'db' }),
      label('job-name', 'dump'),
    ],
    ['not selected', 'of a Job no controller-uid', job(), asks('controller-uid', 'DoesNotExist')],
    [
      'not selected',
      'of a Job whose labels are its own',
      job({ manualSelector: true }),
      asks('job-name', 'Exists'),
    ],
    ['selected', 'of an indexed Job an index', job(indexed), asks(index, 'Exists')],
    ['not selected', 'of a Job without one an index', job(), asks(index, 'Exists')],
    ['unknown', 'of an indexed CronJob one index', cronJob(indexed), asks(index, 'NotIn', ['0'])],
    ['selected', 'of a Deployment a hash', of('Deployment'), asks('pod-template-hash', 'Exists')],
    ['unknown', 'of a Deployment one hash', of('Deployment'), asks('pod-template-hash', 'In', ['a'])],
    ['not selected', 'of a ReplicaSet a hash', of('ReplicaSet'), asks('pod-template-hash', 'Exists')],
    [
      'not selected',
      'of a DaemonSet none',
      of('DaemonSet'),
      asks('controller-revision-hash', 'DoesNotExist'),
    ],
    ['selected', 'of a DaemonSet a generation', of('DaemonSet'), asks('pod-template-generation', 'Exists')],
    ['unknown', 'of a StatefulSet one pod', of('StatefulSet'), label(podName, 'dump-0')],
    [
      'selected',
      'of a StatefulSet an index',
      of('StatefulSet'),
      asks('apps.kubernetes.io/pod-index', 'Exists'),
    ],
    [
      'not selected',
      'of other labels, whatever that one is',
      of('StatefulSet'),
      { matchLabels: { [podName]: 'dump-0', app: 'shop' } },
    ],
  ])('%s: %s', async (selected, _sentence, workload, podSelector) => {
    const stdin = yaml(policy({ podSelector }), workload);
    const rendered = await keepalive(['render'], { stdin });
    const { code, stdout } = await keepalive(['check', '-f', '-', '-o', 'json'], { stdin });
    expect([rendered.code, code]).toEqual([0, 0]);
    const rules = (JSON.parse(stdout) as { rule: string }[]).map(({ rule }) => rule);
    const wanted = { selected: [], 'not selected': ['selects-nothing'], unknown: ['unknown-label'] };
    expect({ rules, isRendered: rendered.stdout !== stdin }).toEqual({
      rules: wanted[selected],
      isRendered: selected === 'selected',
    });
    expect(rendered.stderr.includes('cannot be told')).toBe(selected === 'unknown');
  });
});
