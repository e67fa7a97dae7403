/**
 * What names, labels and their keys have to look like: what is wrong with one, in the words of k8s.io/apimachinery 0.37
 * (util/validation/validation.go counts in characters, api/validate/content/kube.go in bytes).
 */

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const subdomain = `${label}(\\.${label})*`;
const part = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const partWords =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const partExamples = ['MyName', 'my.name', '123-abc'];

/** IsDNS1123Subdomain */
export function subdomainProblems(name: string, unit = 'characters'): string[] {
  const words =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
  return [...tooLong(name, 253, unit), ...unlike(name, subdomain, words, ['example.com'])];
}

/** IsDNS1123Label */
export function dnsLabelProblems(name: string): string[] {
  const words =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";
  const hasDots = matches(name, subdomain) && !matches(name, label);
  return [
    ...tooLong(name, 63, 'characters'),
    ...(hasDots ? ['must not contain dots'] : unlike(name, label, words, ['my-name', '123-abc'])),
  ];
}

/** IsLabelKey, which annotations and finalizers are asked for too. */
export function labelKeyProblems(key: string): string[] {
  const parts = key.split('/');
  const [name = '', prefix] = parts.reverse();
  if (parts.length > 2) {
    const words = regexWords(`a valid label key ${partWords}`, part, partExamples);
    return [`${words} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  const wrong = prefix === '' ? ['must be non-empty'] : subdomainProblems(prefix ?? 'a', 'bytes');
  const size = name === '' ? ['must be non-empty'] : tooLong(name, 63, 'bytes');
  return [
    ...wrong.map((words) => `prefix part ${words}`),
    ...[...size, ...unlike(name, part, partWords, partExamples)].map((words) => `name part ${words}`),
  ];
}

/** IsLabelValue */
export function labelValueProblems(value: string): string[] {
  const words = `a valid label must be an empty string or ${partWords.slice('must '.length)}`;
  return [
    ...tooLong(value, 63, 'bytes'),
    ...unlike(value, `(${part})?`, words, ['MyValue', 'my_value', '12345']),
  ];
}

/** In UTF-8, as Go counts. */
export function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

function tooLong(text: string, most: number, unit: string): string[] {
  return bytesOf(text) > most ? [`must be no more than ${most} ${unit}`] : [];
}

function matches(text: string, regex: string): boolean {
  return new RegExp(`^${regex}$`).test(text);
}

function unlike(text: string, regex: string, words: string, examples: readonly string[]): string[] {
  return matches(text, regex) ? [] : [regexWords(words, regex, examples)];
}

/** RegexError: the comma behind each example is Go's. */
function regexWords(words: string, regex: string, examples: readonly string[]): string {
  const shown = examples.map((example) => `'${example}', `).join(' or ');
  return `${words} (e.g. ${shown}regex used for validation is '${regex}')`;
}
