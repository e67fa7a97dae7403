import { agreementTests } from './agreement.ts';
import { Bench } from './shared.ts';

/** The CEL in the API server has to say what policy/ says. */
const bench = new Bench();
agreementTests(() => bench);
