/** What an administrator sets for the whole cluster: the data of one ConfigMap, which only administrators may write. */
export const SETTINGS_NAME = 'keepalive-settings';
/** Where the manifests put it. */
export const SETTINGS_NAMESPACE = 'keepalive-system';
/** What it said holds on for so long once it is gone, which it also is where everything is taken away, one object after the other. */
export const SETTINGS_LINGER_MS = 60_000;

/**
 * Whether policies act. `Audit`: nothing is changed any more, and what was set before stays. `AuditAndRestore`: what
 * agents changed in running pods and nodes goes back first.
 */
export const actings = ['Enforce', 'Audit', 'AuditAndRestore'] as const;
export type Acting = (typeof actings)[number];

export interface Settings {
  readonly acting: Acting;
  /** The shortest idle timeout that a namespaced policy may declare. */
  readonly smallestIdleTimeoutSeconds: number;
  /** The smallest timeSeconds and intervalSeconds that a namespaced policy may declare. */
  readonly smallestIntervalSeconds: number;
  /** The most that a namespaced policy may ask for. */
  readonly openConnections: 'Repair' | 'Observe';
  readonly policiesPerNamespace: number;
}

export type SettingName = keyof Settings;

/** How the text of one key is read; `undefined` where it cannot be. */
interface Field<T> {
  readonly byDefault: T;
  /** Reads on after "expected". */
  readonly expected: string;
  readonly read: (text: string) => T | undefined;
  /** CEL: whether the text `text` can be read. */
  readonly isReadableCel: (text: string) => string;
}

/** No sign, no leading zero, so that int() of CEL and Number() agree. */
const plainNumber = /^(0|[1-9][0-9]{0,5})$/;

function wholeNumber(min: number, max: number, byDefault: number): Field<number> {
  return {
    byDefault,
    expected: `a whole number from ${min} to ${max}`,
    read: (text) => {
      const number = plainNumber.test(text) ? Number(text) : NaN;
      return number >= min && number <= max ? number : undefined;
    },
    isReadableCel: (text) =>
      `(${text}.matches('${plainNumber.source}') && int(${text}) >= ${min} && int(${text}) <= ${max})`,
  };
}

function oneOf<const T extends string>(names: readonly T[], byDefault: T): Field<T> {
  return {
    byDefault,
    expected: names.join(' or '),
    read: (text) => names.find((name) => name === text),
    isReadableCel: (text) => `(${text} in ['${names.join("', '")}'])`,
  };
}

export const settingFields: { readonly [N in SettingName]: Field<Settings[N]> } = {
  acting: oneOf(actings, 'Enforce'),
  smallestIdleTimeoutSeconds: wholeNumber(2, 432_000, 10),
  smallestIntervalSeconds: wholeNumber(1, 75, 1),
  openConnections: oneOf(['Repair', 'Observe'], 'Repair'),
  policiesPerNamespace: wholeNumber(0, 10_000, 50),
};

export const settingNames = Object.keys(settingFields) as SettingName[];

export interface SettingsReading {
  readonly settings: Settings;
  /** What could not be read, and what holds instead; for a person. */
  readonly problems: readonly string[];
}

/**
 * What holds: of a key that is missing or cannot be read, the default. So a slip of the pen neither lifts a limit
 * nor stops the product. `undefined`: there is no such ConfigMap.
 */
export function readSettings(data: Readonly<Record<string, string>> | undefined): SettingsReading {
  const problems = data === undefined ? ['it is not there: the defaults hold'] : strangers(data);
  const settings = Object.fromEntries(
    settingNames.map((name) => {
      const { byDefault, expected, read } = settingFields[name];
      const text = data?.[name];
      const value = text === undefined ? byDefault : read(text);
      if (value === undefined)
        problems.push(
          `${name}: expected ${expected}, got ${JSON.stringify(startOf(text))}: ${byDefault}, the default, holds`,
        );
      return [name, value ?? byDefault];
    }),
  ) as unknown as Settings;
  return { settings, problems };
}

/** A name that is spelled wrong would else be a limit that somebody believes in. */
function strangers(data: Readonly<Record<string, string>>): string[] {
  const names = Object.keys(data)
    .filter((name) => !Object.hasOwn(settingFields, name))
    .sort();
  const [first] = names;
  if (first === undefined) return [];
  const others = names.length === 1 ? 'is not a setting' : `and ${names.length - 1} more are no settings`;
  return [`${startOf(first)} ${others}: there are ${settingNames.join(', ')}`];
}

const longestQuoted = 40;

/** What is wrong goes into the status of every policy. */
function startOf(text: string | undefined): string {
  return text === undefined || text.length <= longestQuoted
    ? (text ?? '')
    : `${text.slice(0, longestQuoted)}…`;
}

export const defaultSettings: Settings = readSettings({}).settings;
