import type { ByteSource } from '../../bytes/byte-source';
import { asModelError, type ModelError } from '../../bytes/errors';
import type { GraphFunctionDef, GraphNodeDef } from '../../formats/tensorflow/graph-def';
import { type MetaGraph, readMetaGraphs } from '../../formats/tensorflow/meta-graph';
import { graphDefOperators, type OperatorUse, savedModelOperators } from '../../formats/tensorflow/operators';
import type { Scanner } from '../scanner';
import operatorText from './operators.tsv';
import { leavesFolder } from './paths';

/** Bytes of a graph that are read whole. */
const MAX_GRAPH = 2 ** 31;

/** Nodes with the same operator that are listed; the finding says how many there are. */
const SHOWN = 3;

type Condition = 'always' | 'checkpoint' | 'stream' | 'filename' | 'assets' | 'never';

interface OperatorRule {
  condition: Condition;
  severity: 'info' | 'suspicious' | 'dangerous';
  does: string;
}

let rules: Map<string, OperatorRule> | undefined;

function ruleOf(op: string): OperatorRule | undefined {
  rules ??= new Map(
    operatorText
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => {
        const [name, condition, severity, does] = line.split('\t');
        return [
          name,
          { condition: condition as Condition, severity: severity as OperatorRule['severity'], does },
        ] as const;
      }),
  );
  // Operators of tensorflow-io carry a prefix and exist to reach files and hosts.
  if (/^(IO|S3|Kafka|Azfs|HDFS|Oss)>/.test(op))
    return { condition: 'always', severity: 'dangerous', does: 'reaches files or the network' };
  return rules.get(op);
}

/** Judges every operator of a SavedModel or GraphDef, the function library and graphs in its strings included. */
export function scanGraphs(
  scanner: Scanner,
  source: ByteSource,
  kind: 'saved-model' | 'meta-graph' | 'graph-def',
  member: string,
): void {
  if (source.size > MAX_GRAPH) {
    scanner.cover(member, source.size, 'TensorFlow graph', `larger than ${MAX_GRAPH} bytes`);
    return;
  }
  scanGraphBytes(scanner, source.read(0, source.size), kind, member);
}

export function scanGraphBytes(
  scanner: Scanner,
  file: Uint8Array,
  kind: 'saved-model' | 'meta-graph' | 'graph-def',
  member: string,
): void {
  const bytes = kind === 'meta-graph' ? asSavedModel(file) : file;
  const problems: ModelError[] = [];
  const graphs = kind === 'graph-def' ? [] : readMetaGraphs(bytes).graphs;
  const plumbing = new SaverFunctions(graphs);
  const assets = graphs.some(
    (graph) =>
      graph.assets.length > 0 ||
      graph.collections.has('saved_model_assets') ||
      graph.collections.has('asset_filepaths') ||
      graph.objects.nodes.some((node) => node.asset),
  );
  for (const graph of graphs) assetNames(scanner, graph, member);
  const found = new Map<string, { rule: OperatorRule; uses: OperatorUse[]; detail: string }>();
  let operators = 0;
  try {
    for (const use of kind === 'graph-def'
      ? graphDefOperators(bytes, problems)
      : savedModelOperators(bytes, problems)) {
      operators++;
      const rule = ruleOf(use.op);
      if (!rule) continue;
      let detail: string | undefined;
      try {
        detail = applies(rule.condition, use, plumbing, assets);
      } catch (error) {
        problems.push(asModelError(error, use.name));
        detail = '';
      }
      if (detail === undefined) continue;
      const key = `${use.op}\n${detail}`;
      const entry = found.get(key) ?? { rule, uses: [], detail };
      entry.uses.push(use);
      found.set(key, entry);
    }
  } catch (error) {
    problems.push(asModelError(error, member || 'The graph'));
  }
  for (const [key, { rule, uses, detail }] of found) {
    const op = key.slice(0, key.indexOf('\n'));
    const places = uses.slice(0, SHOWN).map((use) => `${use.name} in ${use.location}`);
    scanner.finding({
      rule: `${rule.severity === 'dangerous' ? 'dangerous' : 'notable'}-operator`,
      severity: rule.severity,
      member,
      offset: uses[0].offset,
      name: op,
      call: `${op}(${detail})`,
      message: `The operator ${op} ${rule.does} when the graph runs: ${places.join(', ')}${uses.length > SHOWN ? `, and ${uses.length - SHOWN} more` : ''}.`,
      advice: 'Do not run this model unless you know why it does that; a model for prediction needs no such operator.',
    });
  }
  for (const [i, problem] of problems.entries()) {
    if (i > 20) break;
    scanner.finding({ rule: 'damaged-graph', severity: 'suspicious', member, message: problem.message });
  }
  scanner.cover(member, file.length, `TensorFlow graph with ${operators} operators`);
}

/** Assets are files of the folder `assets`; a name that leads elsewhere makes the model read another file of this computer. */
function assetNames(scanner: Scanner, graph: MetaGraph, member: string): void {
  for (const { filename } of graph.assets) {
    if (typeof filename !== 'string' || !leavesFolder(filename)) continue;
    scanner.finding({
      rule: 'external-data-path',
      severity: 'dangerous',
      member,
      call: `asset ${JSON.stringify(filename.slice(0, 300))}`,
      message: `The model names ${JSON.stringify(filename.slice(0, 300))} as one of its assets, which lies outside of its folder: loading it reads that file of this computer.`,
      advice: 'Do not load it; assets belong into the folder of the model.',
    });
  }
}

/** Text that shows why a rule applies, `undefined` if it does not. */
function applies(
  condition: Condition,
  use: OperatorUse,
  plumbing: SaverFunctions,
  assets: boolean,
): string | undefined {
  switch (condition) {
    case 'never':
      return undefined;
    case 'always':
      return '';
    case 'checkpoint':
      return plumbing.isSaver(use) ? undefined : '';
    case 'assets':
      return assets ? undefined : '';
    case 'filename': {
      const name = textAttribute(use, ['filename', 'memory_region_name', 'path']);
      return name === undefined || name === '' ? undefined : JSON.stringify(name);
    }
    case 'stream': {
      const text = textAttribute(use, [
        'output_stream',
        'debug_urls',
        'gated_grpc',
        'descriptor_source',
        'tfdbg_run_id',
      ]);
      if (text === undefined || text === '' || /^(stdout|stderr|log\(\w+\)|local:\/\/|bytes:\/\/.*)$/.test(text))
        return undefined;
      return /:\/\/|[/\\]/.test(text) ? JSON.stringify(text.slice(0, 200)) : undefined;
    }
  }
}

/** The first non-empty text of some attributes; lists give their first entry that is a place. */
function textAttribute(use: OperatorUse, names: string[]): string | undefined {
  const attributes = use.attributes();
  for (const name of names) {
    const value = attributes.get(name);
    if (!value) continue;
    const texts = [value.s, ...(value.list?.s ?? [])].filter(
      (bytes): bytes is Uint8Array => bytes instanceof Uint8Array && bytes.length > 0,
    );
    if (texts.length > 0) return Buffer.from(texts[0]).toString('utf8');
  }
  return undefined;
}

/** Names under which TensorFlow itself writes the functions that save and restore variables. */
const SAVER_FUNCTION = /^(__inference_)?_*traced_(save|restore)(_fn)?(_\d+)*$/;
/** Nodes of TensorFlow 1's saver. */
const SAVER_NODE = /(^|\/)save(_\d+)?\//;

/**
 * The functions and nodes by which every SavedModel saves and restores its variables. They take the path as an argument and run when the
 * loader asks; a function of that name that anything else calls, or a node that a signature needs, is no such thing.
 */
class SaverFunctions {
  private readonly called = new Set<string>();
  private readonly reached = new Set<string>();

  constructor(graphs: readonly MetaGraph[]) {
    for (const meta of graphs) this.trace(meta);
  }

  isSaver(use: OperatorUse): boolean {
    const inside = /^function (.*?)( in .*)?$/.exec(use.location);
    if (inside) return inside[2] === undefined && SAVER_FUNCTION.test(inside[1]) && !this.called.has(inside[1]);
    return use.location.startsWith('meta graph') && SAVER_NODE.test(use.name) && !this.reached.has(use.name);
  }

  private trace(meta: MetaGraph): void {
    const { graph } = meta;
    for (const f of graph.functions.values()) {
      if (SAVER_FUNCTION.test(f.name)) continue;
      for (const node of nodesOf(f)) this.callsOf(node);
    }
    // What signatures compute, except TensorFlow's own that initialise.
    const pending: string[] = [];
    for (const [key, signature] of meta.signatures) {
      if (key.startsWith('__saved_model_')) continue;
      for (const output of Object.values(signature.outputs ?? {})) {
        const name = output?.name;
        if (name) pending.push(name.split(':')[0]);
      }
    }
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      if (this.reached.has(name)) continue;
      this.reached.add(name);
      const node = graph.node(name);
      if (!node) continue;
      this.callsOf(node);
      for (const input of node.inputs) pending.push(input.replace(/^\^/, '').split(':')[0]);
    }
  }

  private callsOf(node: GraphNodeDef): void {
    if (!/Call|If|While|Case|Map|Function|Reduce|Filter|Dataset/.test(node.op)) return;
    try {
      for (const value of node.attr.values()) {
        if (value.func?.name) this.called.add(value.func.name);
        for (const f of value.list?.func ?? []) if (f.name) this.called.add(f.name);
      }
    } catch {
      // Reported where the operator itself is judged.
    }
  }
}

function nodesOf(f: GraphFunctionDef): readonly GraphNodeDef[] {
  try {
    return f.nodes;
  } catch {
    return [];
  }
}

/** A MetaGraphDef as the only one of a SavedModel. */
function asSavedModel(meta: Uint8Array): Uint8Array {
  const head = [0x12];
  let length = meta.length;
  for (; length > 127; length = Math.floor(length / 128)) head.push((length % 128) | 128);
  head.push(length);
  const out = new Uint8Array(head.length + meta.length);
  out.set(head);
  out.set(meta, head.length);
  return out;
}
