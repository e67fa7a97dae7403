import { Bench } from './shared.ts';
import { latePolicy, takeBackTests } from './take-back.ts';

const bench = new Bench();
takeBackTests(() => bench, 'e2e-take-back', latePolicy);
