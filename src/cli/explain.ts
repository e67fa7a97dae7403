import { Argument, Command, Option } from 'commander';

import type { ClusterOptions } from './cluster-option.ts';
import { addClusterOptions } from './cluster-option.ts';
import type { ExplanationFormat } from './explain-output.ts';
import { formatNames } from './format.ts';
import type { Terminal } from './terminal.ts';
import { CommandError, exitCodes } from './terminal.ts';

interface Options extends ClusterOptions {
  readonly output: ExplanationFormat;
}

const examples = `
Examples:
  keepalive explain pod/mongo-0 -n db    which policies are for it, which hop binds, and how it stands
  keepalive explain mongo-0              the same, in the namespace of the context
  keepalive explain node/worker-1        the own network of a node
  keepalive explain mongo-0 -o json | jq .todo
`;

export function explainCommand(terminal: Terminal, version: string): Command {
  const command = new Command('explain')
    .summary('why a pod, or a node, has the keepalive values that it has')
    .description(
      'Why a pod has the keepalive values that it has: which policies select it and which hop binds, what was changed at its creation or not and why, ' +
        'what its kernel holds and which connections are exposed, as far as the report of its node tells; and what to do. ' +
        'What nobody tells is called unknown. ' +
        'Exit codes: 0 nothing is wrong as far as is known, 1 something is, 2 called wrongly or the cluster cannot be read.',
    )
    .addArgument(new Argument('<pod...>', 'pod/NAME, NAME or node/NAME'));
  return addClusterOptions(command, 'of the pod (default: of the context)')
    .addOption(
      new Option('-o, --output <format>', 'how to write it').choices(formatNames.explanation).default('text'),
    )
    .addHelpText('after', examples)
    .action((words: string[], options: Options) => explain(words, options, { terminal, version }));
}

interface Subject {
  readonly kind: 'pod' | 'node';
  readonly name: string;
}

const kinds: Readonly<Record<string, Subject['kind']>> = {
  ...{ pod: 'pod', pods: 'pod', po: 'pod' },
  ...{ node: 'node', nodes: 'node', no: 'node' },
};

/** `pod/mongo-0`, `pod mongo-0`, `mongo-0`. */
export function subjectOf(words: readonly string[]): Subject {
  const [first = '', second, ...others] = words.flatMap((word) => word.split('/'));
  const [kind, name] = second === undefined ? ['pod', first] : [first.toLowerCase(), second];
  const known = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
  if (known !== undefined && name !== '' && others.length === 0) return { kind: known, name };
  throw new CommandError(
    `${words.join(' ')}: it explains one pod or one node: \`keepalive explain pod/NAME -n NAMESPACE\`, or \`keepalive explain node/NAME\`. ` +
      'Of a Deployment or another workload name one of its pods: `kubectl get pods`',
  );
}

async function explain(
  words: readonly string[],
  options: Options,
  { terminal, version }: { readonly terminal: Terminal; readonly version: string },
): Promise<void> {
  const subject = subjectOf(words);
  const [
    { openCluster },
    { factsOfNode, podFacts },
    { explainNode },
    { explainPod },
    { explanationWriters },
  ] = await Promise.all([
    import('./cluster.ts'),
    import('./explain-facts.ts'),
    import('./explain-node.ts'),
    import('./explain-pod.ts'),
    import('./explain-output.ts'),
  ]);
  const cluster = await openCluster(options, version);
  try {
    const explanation =
      subject.kind === 'pod'
        ? explainPod(await podFacts(cluster, subject.name))
        : explainNode(await factsOfNode(cluster, subject.name));
    terminal.out(explanationWriters[options.output](explanation, terminal.style));
    if (explanation.standing === 'NotCovered') throw new CommandError('', exitCodes.found);
  } finally {
    await cluster.client.close();
  }
}
