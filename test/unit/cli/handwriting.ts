import fc from 'fast-check';

/** A sysctl as somebody has it, in the order in which they wrote its two fields. */
type Written = readonly (readonly [field: 'name' | 'value', text: string])[];

const comments = ['keep-alive of the NAT - ours', '- name: x', '"a", b: [c', "it's | not - {", '-', ': # :'];
const own: readonly Written[] = [
  [
    ['name', 'net.ipv4.tcp_keepalive_time'],
    ['value', '7200'],
  ],
  [
    ['value', '600'],
    ['name', 'net/ipv4/tcp_keepalive_time'],
  ],
  [
    ['name', 'net.ipv4.tcp_keepalive_probes'],
    ['value', '9'],
  ],
  [
    ['name', 'kernel.x'],
    ['value', '1'],
  ],
];

/** A manifest of a Pod as no program writes it: comments wherever YAML has room for one, block scalars, either line end. */
export const handwritten: fc.Arbitrary<string> = fc.gen().map((draw) => new Handwriting(draw).pod());

class Handwriting {
  readonly #draw: fc.GeneratorValue;
  #comments = 0;

  constructor(draw: fc.GeneratorValue) {
    this.#draw = draw;
  }

  pod(): string {
    const step = this.#one([1, 2, 4]);
    const head = ['apiVersion: v1', 'kind: Pod', `metadata: { name: a, namespace: db }${this.#behind()}`];
    const containers = ['containers:', ...this.#item(['name: a'], this.#one([0, 2]))];
    const fields = this.#flip()
      ? [...this.#context(step), ...containers]
      : [...containers, ...this.#context(step)];
    const lines = [...head, ...this.#between(0), `spec:${this.#behind()}`, ...indented(fields, step)];
    const text = `${lines.join('\n')}${this.#one(['', '\n', '\n\n', `\n# ${this.#comment()}\n`])}`;
    return this.#flip() ? text.replaceAll('\n', '\r\n') : text;
  }

  #context(step: number): string[] {
    const empty = this.#one(['', ' ~', ' null', ' {}', ' { }']);
    return this.#one<() => string[]>([
      () => this.#between(0),
      () => [`securityContext:${empty}${this.#behind()}`, ...this.#between(0)],
      () => [`securityContext: {${this.#behind()}`, ...this.#between(2), `}${this.#behind()}`],
      () => [`securityContext:${this.#behind()}`, ...indented(['runAsUser: 1', ...this.#between(2)], step)],
      ...Array.from({ length: 5 }, () => () => [
        `securityContext:${this.#behind()}`,
        ...indented(this.#sysctls(), step),
      ]),
      () => [`securityContext: { fsGroup: 1, sysctls: ${this.#flowList()} }${this.#behind()}`],
    ])();
  }

  #sysctls(): string[] {
    const empty = this.#one(['', ' ~', ' null', ' []', ' [ ]']);
    const before = this.#flip() ? ['fsGroup: 1'] : [];
    const after = this.#flip() ? [...this.#between(0), 'runAsUser: 1'] : [];
    const dash = this.#one([0, 2, 3]);
    const list = this.#flip()
      ? [`sysctls:${empty}${this.#behind()}`]
      : this.#flip()
        ? [`sysctls: ${this.#flowList()}${this.#behind()}`]
        : [`sysctls:${this.#behind()}`, ...this.#entries().flatMap((entry) => this.#entry(entry, dash))];
    return [...before, ...list, ...after];
  }

  #entries(): readonly Written[] {
    const count = this.#one([1, 2, 3]);
    const start = this.#one([0, 1, 2]);
    // Both spellings of the time never stand beside one another: the first two are the same key.
    return own.filter((_, at) => at !== this.#one([0, 1])).slice(start, start + count);
  }

  #entry(entry: Written, dash: number): string[] {
    if (this.#one([true, false, false]))
      return [...this.#between(dash), `${' '.repeat(dash)}- ${this.#flow(entry)}${this.#behind()}`];
    const lines = entry.flatMap(([field, text], at) => [
      ...(at === 0 ? [] : this.#between(0)),
      ...this.#scalar(`${field}:`, text),
    ]);
    return [...this.#between(dash), ...this.#item(lines, dash)];
  }

  /** Lines of a map behind a dash, or below it where a comment stands there. */
  #item([first = '', ...others]: readonly string[], dash: number): string[] {
    const margin = ' '.repeat(dash);
    const wide = this.#one([1, 1, 3]);
    const below = indented(others, dash + 1 + wide);
    if (this.#flip()) return [`${margin}-${' '.repeat(wide)}${first}`, ...below];
    return [
      `${margin}-${this.#behind()}`,
      ...this.#between(dash),
      ...indented([first], dash + 1 + wide),
      ...below,
    ];
  }

  #scalar(key: string, text: string): string[] {
    const style = this.#one(['plain', "'", '"', '|', '|-', '>-', '|+', '|2-', '>1', 'below']);
    if (style === 'below') return [`${key}${this.#behind()}`, `  "${text}"${this.#behind()}`];
    if (!/^[|>]/.test(style)) {
      const quote = style === 'plain' ? (/^\d/.test(text) ? '"' : '') : style;
      return [`${key} ${quote}${text}${quote}${this.#behind()}`];
    }
    const indent = Number(/\d/.exec(style)?.[0] ?? this.#one([1, 2, 3]));
    const empty = this.#one([[], [], [''], ['', '']]);
    return [`${key} ${style}${this.#behind()}`, `${' '.repeat(indent)}${text}`, ...empty];
  }

  #flowList(): string {
    const [first, ...others] = this.#entries().map((entry) => this.#flow(entry));
    if (first === undefined) return '[]';
    const gap = () => this.#one(['', ' ', ` # ${this.#comment()}\n            `]);
    return `[${gap()}${[first, ...others].join(`${gap()},${this.#one([' ', '\n            '])}`)}${this.#one(['', ',', ' '])}]`;
  }

  #flow(entry: Written): string {
    return `{ ${entry.map(([field, text]) => `${field}: "${text}"`).join(', ')} }`;
  }

  /** What may stand between two lines. */
  #between(indent: number): string[] {
    return this.#one([
      [],
      [],
      [''],
      [`${' '.repeat(indent)}# ${this.#comment()}`],
      [`# ${this.#comment()}`, ''],
    ]);
  }

  /** What may stand at the end of a line. */
  #behind(): string {
    return this.#one(['', ' ', ` # ${this.#comment()}`, `   # ${this.#comment()}`]);
  }

  /** Each can be told from every other. */
  #comment(): string {
    this.#comments += 1;
    return `c${this.#comments}. ${this.#one(comments)}`;
  }

  #flip(): boolean {
    return this.#one([true, false]);
  }

  #one<T>(values: readonly T[]): T {
    return this.#draw(() => fc.constantFrom(...values));
  }
}

function indented(lines: readonly string[], indent: number): string[] {
  return lines.map((line) => (line === '' ? '' : `${' '.repeat(indent)}${line}`));
}
