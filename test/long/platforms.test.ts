import { describeKinds } from '../platforms/describe-kinds.ts';
import { further, usual } from '../platforms/kinds.ts';

describeKinds([...usual, ...further], { isWhole: true });
