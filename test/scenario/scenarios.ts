import { dnat } from './dnat.ts';
import { imap } from './imap.ts';
import { ipvs } from './ipvs.ts';
import { mongodb } from './mongodb.ts';
import { proxy } from './proxy.ts';
import type { Scenario } from './scenario.ts';
import { silentDrop } from './silent-drop.ts';
import { snat } from './snat.ts';
import { twoNats } from './two-nats.ts';

/** In the order in which they are told. */
export const scenarios: readonly Scenario[] = [snat, silentDrop, dnat, twoNats, mongodb, imap, ipvs, proxy];
