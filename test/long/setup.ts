import { prepare } from '../cluster/prepare.ts';

/** What every cluster is made of, before the first test has a time limit: on a new machine, programs are built for minutes. */
export default async function setup(): Promise<void> {
  await prepare({ kubernetes: undefined });
}
