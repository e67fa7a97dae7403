import { kernelDefaults } from '../api/triple.ts';
import { sysctlNames } from './sysctl.ts';

/** A step of what is said in CEL: a variable. */
export interface Expression {
  readonly name: string;
  readonly expression: string;
}

/** Of which requirement and of which own values, by the names of variables; each has variables of its own, which begin alike. */
interface Derivation {
  readonly of: string;
  readonly required: string;
  /** Time, interval and probes as texts, as an annotation has them. */
  readonly texts: string;
}

export const names = [sysctlNames.timeSeconds, sysctlNames.intervalSeconds, sysctlNames.probes] as const;
const { timeSeconds: longestTime, intervalSeconds: longestInterval, probes: mostProbes } = kernelDefaults;
/** Larger than anything that can be declared: nobody declared it. */
export const undeclared = 1_000_000;

/** A value as its text says; `-`: the kernel's default; `?`: only the kernel can read it, so it is taken to be ours. */
const valueOf = (text: string, byDefault: number, ours: string) =>
  `${text} == '-' ? ${byDefault} : ${text} == '?' ? ${ours} : int(${text})`;

/** What amend() of enough.ts writes for a requirement where a pod itself had such values, in CEL, step by step. */
export function derivation({ of, required: requiredName, texts: textsName }: Derivation): Expression[] {
  const own = (name: string) => `${of}${name}`;
  const v = (name: string) => `variables.${own(name)}`;
  const [required, texts] = [`variables.${requiredName}`, `variables.${textsName}`];
  /** derive.ts, patientProbes(). */
  const patient = (time: string, interval: string) =>
    `[2, [${mostProbes}, (${v('Timeout')} - ${time} + ${interval} - 1) / ${interval}].min()].max()`;
  const steps: Record<string, string> = {
    Timeout: `${required}[0]`,

    // triple.ts, latestSecondProbe(); derive.ts, fittingBounds().
    Latest: `[2, (8 * ${v('Timeout')} + 8) / 9 - 1].max()`,
    BoundTime: `${required}[1] < ${v('Latest')} ? ${required}[1] : ${undeclared}`,
    BoundInterval: `${required}[2] + (${v('BoundTime')} == ${undeclared} ? 1 : ${v('BoundTime')}) <= ${v('Latest')} ? ${required}[2] : ${undeclared}`,
    BoundProbes: `${required}[3]`,

    // derive.ts, derive().
    Time:
      `${v('BoundTime')} != ${undeclared} ? ${v('BoundTime')} : ` +
      `[1, [${v('Timeout')} / 3, ${longestTime}, ${v('Latest')} - (${v('BoundInterval')} == ${undeclared} ? 1 : ${v('BoundInterval')})].min()].max()`,
    Parts: `${v('BoundProbes')} == ${undeclared} ? 6 : ${v('BoundProbes')}`,
    Interval:
      `${v('BoundInterval')} != ${undeclared} ? ${v('BoundInterval')} : ` +
      `[1, [(${v('Timeout')} - ${v('Time')} + ${v('Parts')} - 1) / ${v('Parts')}, ${longestInterval}, ${v('Latest')} - ${v('Time')}].min()].max()`,
    Probes:
      `${v('BoundProbes')} != ${undeclared} ? ${v('BoundProbes')} : ` +
      `[${v('Timeout')} > 6 ? 6 : 2, ${patient(v('Time'), v('Interval'))}].max()`,

    OwnTime: valueOf(`${texts}[0]`, longestTime, v('Time')),
    OwnInterval: valueOf(`${texts}[1]`, longestInterval, v('Interval')),
    OwnProbes: valueOf(`${texts}[2]`, mostProbes, v('Probes')),

    // enough.ts, meets().
    IsEnough:
      `${v('OwnTime')} >= 1 && ${v('OwnInterval')} >= 1 && ${v('OwnProbes')} >= 2 && ` +
      `${v('OwnTime')} + ${v('OwnInterval')} <= ${v('Latest')} && ` +
      `${v('OwnTime')} <= ${v('BoundTime')} && ${v('OwnInterval')} <= ${v('BoundInterval')} && ${v('OwnProbes')} <= ${v('BoundProbes')}`,

    // enough.ts, amend().
    AmendedTime: `${v('OwnTime')} == 0 ? ${v('Time')} : [${v('OwnTime')}, ${v('Time')}].min()`,
    AmendedInterval: `${v('OwnInterval')} == 0 ? ${v('Interval')} : [${v('OwnInterval')}, ${v('Interval')}].min()`,
    AmendedProbes:
      `[[${v('OwnProbes')} == ${mostProbes} ? ${v('Probes')} : ${v('OwnProbes')}, ` +
      `${patient(v('AmendedTime'), v('AmendedInterval'))}].max(), ${v('BoundProbes')}].min()`,
    Values: `{${['AmendedTime', 'AmendedInterval', 'AmendedProbes'].map((name, at) => `'${names[at]}': string(${v(name)})`).join(', ')}}`,
  };
  return Object.entries(steps).map(([name, expression]) => ({ name: own(name), expression }));
}
