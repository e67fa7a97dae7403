import { refusalTests } from './refusal.ts';
import { Bench } from './shared.ts';

const bench = new Bench();
refusalTests(() => bench);
