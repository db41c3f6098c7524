import { ModelError } from '../bytes/errors';
import { nameFilter } from '../engine/name-filter';
import { ModelSession } from '../engine/session';
import type { Attribute, Model, ModuleNode, Parameter } from '../model/model';
import { cut } from '../pickle/print';
import type { Call, Command } from './arguments';
import { columns, humanBytes, humanCount, printable, printJson } from './output';

/** Rows of the parameter table in text output; a screenful or two. */
const MAX_TEXT_ROWS = 60;

/** Files up to this size are hashed for `sha256`; larger ones only on request, as hashing would read every byte of them. */
const HASH_WITHOUT_ASKING = 256 * 1024 * 1024;

export const inspectCommand: Command = {
  name: 'inspect',
  operands: 'FILE',
  minOperands: 1,
  maxOperands: 1,
  summary:
    'Shows what a model file holds: kind, producer, layers, parameters, what can be asked of it, and whether it is safe to load.',
  options: {
    json: { kind: 'flag', help: 'print one JSON document' },
    parameters: { kind: 'value', placeholder: 'GLOB', help: 'only parameters whose name matches (also /regex/)' },
    depth: {
      kind: 'value',
      placeholder: 'N',
      help: 'levels of the hierarchy below the root (default: all in JSON, 3 in text)',
    },
    sha256: { kind: 'flag', help: 'hash the file even if it is larger than 256 MiB' },
  },
  details: 'FILE may be a SavedModel folder. Exit code 2 if the file cannot be read or understood.',
  run: inspect,
};

async function inspect(call: Call): Promise<number> {
  const file = call.operands[0];
  const depth = depthOption(call.value('depth'));
  const session = await ModelSession.open(file);
  try {
    const { model } = session;
    const rows = matching(model, nameFilter(call.value('parameters')));
    const report = await session.security();
    if (call.flag('json')) {
      const sha256 = session.size <= HASH_WITHOUT_ASKING || call.flag('sha256') ? await session.hash() : null;
      printJson({
        file,
        bytes: session.size,
        sha256,
        format: model.format,
        title: model.summary.title,
        subtitle: model.summary.subtitle,
        producer: model.summary.producer ?? null,
        facts: model.summary.facts,
        totals: model.summary.totals,
        modules: moduleJson(model.root, depth ?? Number.POSITIVE_INFINITY),
        parameters: rows.map((row) => parameterJson(model.parameters.at(row)!)),
        signatures: model.signatures,
        verdict: report.verdict,
        warnings: warningsOf(model, report.sentence, report.verdict),
        ...(model.error
          ? { error: { code: model.error.code, message: model.error.message, file, offset: model.error.offset } }
          : {}),
      });
    } else {
      process.stdout.write(text(session, rows, depth ?? 3, report.verdict, report.sentence));
    }
    return model.error ? 2 : 0;
  } finally {
    session.close();
  }
}

/** Places of the rows whose name matches. */
function matching({ parameters }: Model, matches: (name: string) => boolean): number[] {
  const rows: number[] = [];
  for (let i = 0; i < parameters.length; i++) if (matches(parameters.name(i))) rows.push(i);
  return rows;
}

function depthOption(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[0-9]+$/.test(text)) throw new ModelError('usage', `--depth needs a whole number, not "${text}".`);
  return Number(text);
}

function warningsOf(model: Model, sentence: string, verdict: string): unknown[] {
  const warnings: unknown[] = [...model.warnings];
  if (model.error)
    warnings.unshift({
      rule: model.error.code,
      severity: 'suspicious',
      message: model.error.message,
      offset: model.error.offset,
    });
  if (verdict !== 'safe') warnings.push({ rule: 'verdict', severity: verdict, message: sentence });
  return warnings;
}

/** A node as the contract has it. Iterative: a hierarchy may be deeper than the call stack. */
function moduleJson(root: ModuleNode, depth: number): unknown {
  interface Made {
    children: unknown[];
    [field: string]: unknown;
  }
  const make = (node: ModuleNode, sameAs?: string): Made => ({
    path: node.path,
    name: node.name,
    kind: node.kind,
    ...(node.inferredFrom === undefined ? {} : { inferredFrom: node.inferredFrom }),
    ...(node.summary === undefined ? {} : { summary: node.summary }),
    ...(node.repeated === undefined ? {} : { repeated: repeatedJson(node.repeated) }),
    ...(sameAs === undefined ? {} : { sameAs }),
    attributes: Object.fromEntries(node.attributes.map((a) => [a.name, attributeValue(a)])),
    parameters: node.parameters,
    children: [],
  });
  const result = make(root);
  const pending: { node: ModuleNode; made: Made; level: number }[] = [{ node: root, made: result, level: 0 }];
  for (let next = pending.pop(); next; next = pending.pop()) {
    if (next.level >= depth) continue;
    for (const child of next.node.children) {
      const add = (node: ModuleNode, sameAs?: string) => {
        const made = make(node, sameAs);
        next.made.children.push(made);
        pending.push({ node, made, level: next.level + 1 });
      };
      add(child);
      // Every block keeps its place in the JSON; those that another one stands for say which.
      for (const other of child.repeated?.others ?? []) add(other, child.path);
    }
  }
  return result;
}

function repeatedJson(repeated: NonNullable<ModuleNode['repeated']>): unknown {
  const { count, first, last } = repeated;
  return { count, first, last };
}

function attributeValue(attribute: Attribute): unknown {
  return attribute.value === undefined ? attribute.text : attribute.value;
}

function parameterJson(p: Parameter): unknown {
  const { tensor: _, dtypeDetail, ...rest } = p;
  return { ...rest, dtype: p.dtype, ...(dtypeDetail && dtypeDetail !== p.dtype ? { dtypeDetail } : {}) };
}

function text(
  session: ModelSession,
  matched: readonly number[],
  depth: number,
  verdict: string,
  sentence: string,
): string {
  const { model } = session;
  const { summary } = model;
  const out: string[] = [];
  out.push(`${printable(summary.title)}${summary.subtitle ? ` — ${printable(summary.subtitle)}` : ''}`);
  const rows: string[][] = [['File', `${printable(session.name)} (${humanBytes(session.size)}, ${model.format})`]];
  if (summary.producer)
    rows.push(['Producer', printable(`${summary.producer.name} ${summary.producer.version ?? ''}`.trim())]);
  for (const fact of summary.facts) rows.push([printable(fact.label), printable(fact.value)]);
  const byDtype = Object.entries(summary.totals.byDtype).map(([dtype, count]) => `${humanCount(count)} ${dtype}`);
  rows.push([
    'Parameters',
    `${humanCount(summary.totals.parameters)} (${humanBytes(summary.totals.bytes)}${byDtype.length ? `; ${byDtype.join(', ')}` : ''})`,
  ]);
  rows.push(['Verdict', `${verdict.toUpperCase()}: ${sentence}`]);
  out.push(columns(rows));
  if (model.error) out.push('', `Read in part: ${printable(model.error.message)}`);
  for (const warning of model.warnings) out.push(`${warning.severity}: ${printable(warning.message)}`);
  out.push('', 'Architecture', treeText(model.root, depth));
  const { parameters } = model;
  if (matched.length > 0) {
    out.push(
      '',
      `Parameters (${matched.length}${matched.length === parameters.length ? '' : ` of ${parameters.length}`})`,
    );
    const shown = matched.slice(0, MAX_TEXT_ROWS);
    out.push(
      columns(
        shown.map((row) => {
          const tiedTo = parameters.tiedTo(row);
          return [
            printable(parameters.name(row)),
            cut(parameters.dtypeText(row), 28),
            `(${parameters.shape(row).join(', ')})`,
            String(parameters.count(row)),
            humanBytes(parameters.bytes(row)),
            tiedTo ? `= ${printable(tiedTo)}` : '',
          ];
        }),
        [3, 4],
      ),
    );
    if (shown.length < matched.length)
      out.push(`  … ${matched.length - shown.length} more; narrow them with --parameters GLOB or use --json`);
  }
  if (model.signatures.length > 0) {
    out.push('', 'Signatures');
    for (const s of model.signatures) {
      const io = (list: typeof s.inputs): string =>
        list
          .map(
            (t) =>
              `${printable(t.name)}: ${t.dtype}[${t.shape === null ? '…' : t.shape.map((d) => d ?? '?').join(', ')}]`,
          )
          .join(', ');
      out.push(`  ${printable(s.name)}(${io(s.inputs)}) → ${io(s.outputs)}`);
    }
  } else if (model.noPrediction) out.push('', `No prediction: ${printable(model.noPrediction)}`);
  return `${out.join('\n')}\n`;
}

function treeText(root: ModuleNode, depth: number): string {
  const lines: string[] = [];
  const pending: { node: ModuleNode; level: number }[] = [{ node: root, level: 0 }];
  for (let next = pending.pop(); next && lines.length < 500; next = pending.pop()) {
    const { node, level } = next;
    const repeat = node.repeated ? ` ×${node.repeated.count}` : '';
    const label = node.name && node.name !== node.kind ? `${node.name}: ` : '';
    lines.push(
      `  ${'  '.repeat(level)}${printable(label + node.kind)}${repeat}${node.summary ? ` (${printable(node.summary)})` : ''}`,
    );
    if (level < depth)
      for (let i = node.children.length - 1; i >= 0; i--) pending.push({ node: node.children[i], level: level + 1 });
    else if (node.children.length > 0) lines.push(`  ${'  '.repeat(level + 1)}… ${node.children.length} below`);
  }
  if (lines.length >= 500) lines.push('  … more; use --depth or --json');
  return lines.join('\n');
}
