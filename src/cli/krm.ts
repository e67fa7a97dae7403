import { isMap, isScalar, stringify } from 'yaml';

import { fieldText, isObject } from '../api/schema-node.ts';
import type { Sysctl } from '../policy/sysctl.ts';
import type { Source } from './input.ts';
import { manifestsOf } from './manifest.ts';
import { columnOf, endOf, startOf } from './node-place.ts';
import { printable } from './printable.ts';
import type { Remark, Severity } from './remark.ts';
import { severityOf } from './remark.ts';
import { remarkLine } from './remark-output.ts';
import type { Rendered } from './rendering.ts';
import { blockedExitCode, blockingRemarks, renderSources } from './rendering.ts';
import { review as judge } from './review.ts';
import { applyEdits, linesBehind } from './splice.ts';
import { CommandError } from './terminal.ts';
import { templatesOf } from './workload.ts';
import { parseYaml, plainOf } from './yaml-text.ts';

/** What kustomize and others hand to a function, and take back: kustomize's functions-spec. */
interface ResourceList {
  readonly source: Source;
  readonly functionConfig: Readonly<Record<string, unknown>>;
  readonly hasResults: boolean;
}

interface Settings {
  readonly namespace: string;
  readonly templates: readonly string[] | undefined;
}

/** One entry of `results`; none says more than is known. */
interface Result {
  readonly message: string;
  readonly severity: 'error' | 'warning' | 'info';
  readonly resourceRef?: object;
  readonly field?: object;
  readonly file?: object;
}

/** `undefined` where the text is something else. */
export function resourceListIn(source: Source): ResourceList | undefined {
  if (!/\bResourceList\b/.test(source.text)) return undefined;
  const [document] = manifestsOf(source).documents;
  const { object } = document === undefined ? {} : plainOf(document);
  if (!isObject(object) || object.kind !== 'ResourceList') return undefined;
  if (!String(object.apiVersion).startsWith('config.kubernetes.io/')) return undefined;
  return {
    source,
    functionConfig: isObject(object.functionConfig) ? object.functionConfig : {},
    hasResults: !isEmpty(object.results),
  };
}

/**
 * The ResourceList as it came, spliced like any other text, so that annotations, comments and order are untouched; with
 * what was done as `results`. Where a policy would be refused it comes back as it was, and `failed` says why.
 */
export function renderResourceList(
  { source, functionConfig, hasResults }: ResourceList,
  others: readonly Source[],
  settings: Settings,
): { readonly text: string; readonly failed: string; readonly exitCode: number } {
  const { namespace, templates } = withConfig(settings, functionConfig);
  const review = judge([source, ...others], { namespace, templates: templatesOf(templates) });
  const refused = blockingRemarks(review);
  const [rendered] = refused.length === 0 ? renderSources([source], review) : [];
  const list = rendered?.rendered ?? [];
  const results = [...review.remarks.map(resultOf), ...list.map(resultOfChange)];
  const text = rendered?.text ?? source.text;
  const failures = [
    ...refused.map((one) => remarkLine(one)),
    ...list.flatMap(({ problem }) => (problem === undefined ? [] : [printable(problem)])),
  ];
  return {
    text: hasResults ? text : withResults(text, results),
    failed: failures.join('\n  '),
    exitCode: blockedExitCode(refused),
  };
}

/**
 * `data` of a ConfigMap as functionConfig, or the same fields in a `spec`: namespace, and templates, a list or apart by spaces.
 * A slip is refused: what it was meant for would be left as it is, and nobody would be told.
 */
function withConfig(
  settings: Settings,
  { data = {}, spec = {}, ...rest }: Readonly<Record<string, unknown>>,
): Settings {
  onlyKeys('', rest, ['apiVersion', 'kind', 'metadata']);
  const given = { ...fieldsOf('spec', spec), ...fieldsOf('data', data) };
  const { namespace = settings.namespace, templates = [] } = given;
  const list = typeof templates === 'string' ? templates.split(/\s+/).filter((one) => one !== '') : templates;
  if (typeof namespace !== 'string') throw new CommandError('functionConfig: namespace has to be a text');
  if (!Array.isArray(list) || !list.every((one) => typeof one === 'string'))
    throw new CommandError(
      'functionConfig: templates has to be a list of texts, or a text of them apart by spaces',
    );
  return { namespace, templates: [...(settings.templates ?? []), ...list] };
}

function fieldsOf(name: string, fields: unknown): Readonly<Record<string, unknown>> {
  if (!isObject(fields)) throw new CommandError(`functionConfig: ${name} has to be a map`);
  onlyKeys(`${name}.`, fields, ['namespace', 'templates']);
  return fields;
}

function onlyKeys(where: string, fields: object, names: readonly string[]): void {
  const other = Object.keys(fields).find((key) => !names.includes(key));
  if (other !== undefined)
    throw new CommandError(
      `functionConfig: nothing is known of ${where}${printable(other)}: data, or spec, takes namespace and templates`,
    );
}

const severities: Readonly<Record<Severity, Result['severity']>> = {
  error: 'error',
  warning: 'warning',
  note: 'info',
};

function resultOf(one: Remark): Result {
  return {
    message: `${one.object === '' ? '' : `${one.object}: `}${one.message}`,
    severity: severities[severityOf(one)],
    ...(one.manifest === undefined ? {} : referenceTo(one.manifest.object)),
  };
}

function resultOfChange({ workload, before, after, problem }: Rendered): Result {
  const { manifest, template } = workload;
  const path = fieldText([...template, 'spec', 'securityContext', 'sysctls']);
  return {
    message: problem ?? `sysctls for the policies that select its pods: ${textOf(after)}`,
    severity: problem === undefined ? 'info' : 'error',
    ...referenceTo(manifest.object),
    field: { path, ...(before.length === 0 ? {} : { currentValue: before }), proposedValue: after },
  };
}

function textOf(sysctls: readonly Sysctl[]): string {
  return sysctls.map(({ name, value }) => `${name}=${value}`).join(', ');
}

/** The object and, where whoever made the list says so, its file. */
function referenceTo({
  apiVersion,
  kind,
  metadata,
}: Readonly<Record<string, unknown>>): Pick<Result, 'resourceRef' | 'file'> {
  const { name, namespace, annotations } = isObject(metadata) ? metadata : {};
  const notes = isObject(annotations) ? annotations : {};
  const noted = (what: string) =>
    notes[`internal.config.kubernetes.io/${what}`] ?? notes[`config.kubernetes.io/${what}`];
  const [path, index] = [noted('path'), noted('index')];
  return {
    resourceRef: { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) },
    ...(path === undefined
      ? {}
      : { file: { path, ...(index === undefined ? {} : { index: Number(index) }) } }),
  };
}

/** Who wrote an empty list, or none, has said nothing that would be lost. */
function isEmpty(results: unknown): boolean {
  return results === undefined || results === null || (Array.isArray(results) && results.length === 0);
}

/** As the last field of the list: as far in as its others, and before whatever ends it. */
function withResults(text: string, results: readonly Result[]): string {
  const root = parseYaml(text).documents[0]?.contents;
  if (results.length === 0 || !isMap(root)) return text;
  const empty = root.items.find(({ key }) => isScalar(key) && key.value === 'results');
  if (empty !== undefined) {
    const [start, end] = [endOf(empty.key), Math.max(endOf(empty.key), endOf(empty.value))];
    return applyEdits(text, [{ start, end, text: `: ${JSON.stringify(results)}` }]);
  }
  if (root.flow) {
    const end = endOf(root.items.at(-1)?.value);
    return applyEdits(text, [{ start: end, end, text: `, "results": ${JSON.stringify(results)}` }]);
  }
  const margin = ' '.repeat(columnOf(text, startOf(root.items[0]?.key)));
  const field = stringify({ results }, { lineWidth: 0, version: '1.1', aliasDuplicateObjects: false });
  const lines = field.trimEnd().split('\n');
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  return applyEdits(text, [
    linesBehind(
      text,
      root,
      lines.map((line) => margin + line),
      newline,
    ),
  ]);
}
