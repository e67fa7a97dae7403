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
  /** Timeout, time, interval and declared probes. */
  readonly required: string;
  /** Time, interval and probes as texts, as an annotation has them. */
  readonly texts: string;
}

export const names = [sysctlNames.timeSeconds, sysctlNames.intervalSeconds, sysctlNames.probes] as const;
const { timeSeconds: longestTime, intervalSeconds: longestInterval, probes: mostProbes } = kernelDefaults;
/** Nobody declared it. Larger than anything that can be declared, and than what a pod may have of its own, which is bounded by it. */
export const undeclared = 10_000_000_000;

/** A value as its text says; `-`: the kernel's default; `?`: only the kernel can read it, so it is taken to be ours. */
const valueOf = (text: string, byDefault: number, ours: string) =>
  `${text} == '-' ? ${byDefault} : ${text} == '?' ? ${ours} : int(${text})`;

/** What amended() of enough.ts gives for a requirement where a pod itself had such values, in CEL, step by step. */
export function derivation({ of, required: requiredName, texts: textsName }: Derivation): Expression[] {
  const own = (name: string) => `${of}${name}`;
  const v = (name: string) => `variables.${own(name)}`;
  const [required, texts] = [`variables.${requiredName}`, `variables.${textsName}`];
  const [timeout, time, interval, most] = [0, 1, 2, 3].map((at) => `${required}[${at}]`) as [
    ...[string, string, string, string],
  ];
  /** derive.ts, patientProbes(). */
  const patient = (first: string, between: string) =>
    `[2, [${mostProbes}, (${timeout} - ${first} + ${between} - 1) / ${between}].min()].max()`;
  const steps: Record<string, string> = {
    // requirement.ts, valuesFor(); derive.ts, probesFor().
    Probes: `${most} != ${undeclared} ? ${most} : [${timeout} > 6 ? 6 : 2, ${patient(time, interval)}].max()`,

    OwnTime: valueOf(`${texts}[0]`, longestTime, time),
    OwnInterval: valueOf(`${texts}[1]`, longestInterval, interval),
    OwnProbes: valueOf(`${texts}[2]`, mostProbes, v('Probes')),

    // enough.ts, amended().
    AmendedTime: `${v('OwnTime')} == 0 ? ${time} : [${v('OwnTime')}, ${time}].min()`,
    AmendedInterval: `${v('OwnInterval')} == 0 ? ${interval} : [${v('OwnInterval')}, ${interval}].min()`,
    AmendedProbes:
      `[[${v('OwnProbes')} == ${mostProbes} ? ${v('Probes')} : ${v('OwnProbes')}, ` +
      `${patient(v('AmendedTime'), v('AmendedInterval'))}].max(), ${most}].min()`,
    Values: `{${['AmendedTime', 'AmendedInterval', 'AmendedProbes'].map((name, at) => `'${names[at]}': string(${v(name)})`).join(', ')}}`,
  };
  return Object.entries(steps).map(([name, expression]) => ({ name: own(name), expression }));
}
