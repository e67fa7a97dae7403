import type { Log, ReportingDescriptor, Result } from 'sarif';

import type { Remark, RemarkKind } from './remark.ts';
import { remarkKinds, severityOf } from './remark.ts';
import { stdinName } from './input.ts';

const kinds = Object.keys(remarkKinds) as RemarkKind[];
const page = 'https://github.com/keepalive-operator/keepalive-operator/blob/main/docs/cli.md';

/** SARIF 2.1.0, which forges and editors read; the multitool of its authors validates it in a test. */
export function sarif(remarks: readonly Remark[], version: string): Log {
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'keepalive',
            semanticVersion: /^\d/.test(version) ? version : '0.0.0',
            informationUri: page,
            rules: kinds.map(ruleOf),
          },
        },
        columnKind: 'utf16CodeUnits',
        results: remarks.map(resultOf),
      },
    ],
  };
}

function ruleOf(kind: RemarkKind): ReportingDescriptor {
  const [level, text] = remarkKinds[kind];
  return {
    id: kind,
    shortDescription: { text },
    fullDescription: { text },
    help: { text: `${text} docs/cli.md tells what to do.` },
    helpUri: `${page}#remarks`,
    defaultConfiguration: { level },
  };
}

function resultOf(one: Remark): Result {
  const { kind, file, place, object, message } = one;
  const region = { startLine: place.line, startColumn: place.column };
  return {
    ruleId: kind,
    ruleIndex: kinds.indexOf(kind),
    level: severityOf(one),
    message: { text: `${object === '' ? '' : `${object}: `}${message}` },
    locations: [{ physicalLocation: { artifactLocation: { uri: uriOf(file) }, region } }],
  };
}

function uriOf(file: string): string {
  return file === stdinName ? 'stdin' : file.split(/[\\/]/).map(encodeURIComponent).join('/');
}
