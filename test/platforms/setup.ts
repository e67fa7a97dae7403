import { prepare } from '../cluster/prepare.ts';
import { usual } from './kinds.ts';

/** As for every cluster, and what guests are made of: on a new machine that takes minutes more. */
export default async function setup(): Promise<void> {
  await prepare({ kubernetes: undefined, guests: usual.map(({ spec }) => spec) });
}
