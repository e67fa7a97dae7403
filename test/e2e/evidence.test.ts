import { join } from 'node:path';

import { afterAll, beforeAll } from '@jest/globals';

import { repository } from '../cluster/place.ts';
import { readyMomentTests, refusedQuestionTests } from './ready-moment.ts';
import { rightToAskTests } from './right-to-ask.ts';
import { Bench } from './shared.ts';

const bench = new Bench();
const namespace = 'e2e-evidence';

beforeAll(() => bench.namespace(namespace));
afterAll(() => bench.cluster.kubectl('delete', 'namespace', namespace, '--wait=false'));

readyMomentTests(() => bench, namespace);

rightToAskTests(
  () => bench,
  namespace,
  () => bench.cluster.kubectl('apply', '-f', join(repository, 'deploy/witness.yaml')),
);

refusedQuestionTests(() => bench, namespace);
