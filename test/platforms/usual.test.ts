import { describeKinds } from './describe-kinds.ts';
import { usual } from './kinds.ts';

describeKinds(usual, { isWhole: false });
