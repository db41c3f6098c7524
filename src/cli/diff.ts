import { type Comparison, compareModels } from '../engine/compare';
import { ModelSession } from '../engine/session';
import type { Call, Command } from './arguments';
import { printable, printJson } from './output';

export const diffCommand: Command = {
  name: 'diff',
  operands: 'A B',
  minOperands: 2,
  maxOperands: 2,
  summary: 'Compares two model files: hyper-parameters, structure, parameters by name, shape, dtype and values.',
  options: { json: { kind: 'flag', help: 'print one JSON document' } },
  details: 'Exit codes: 0 equal, 1 they differ, 2 a file could not be read.',
  run: diff,
};

async function diff(call: Call): Promise<number> {
  const [fileA, fileB] = call.operands;
  const a = await ModelSession.open(fileA);
  try {
    const b = await ModelSession.open(fileB);
    try {
      const result = compareModels(a.model, b.model);
      if (call.flag('json')) printJson({ a: fileA, b: fileB, ...result });
      else process.stdout.write(text(fileA, fileB, result));
      return result.equal ? 0 : 1;
    } finally {
      b.close();
    }
  } finally {
    a.close();
  }
}

function text(a: string, b: string, result: Comparison): string {
  const out = [`--- ${printable(a)}`, `+++ ${printable(b)}`];
  for (const d of result.differences) {
    if (d.kind === 'removed') out.push(`- ${printable(d.what)}: ${printable(d.a ?? '')}`);
    else if (d.kind === 'added') out.push(`+ ${printable(d.what)}: ${printable(d.b ?? '')}`);
    else out.push(`~ ${printable(d.what)}: ${printable(d.a ?? '')} → ${printable(d.b ?? '')}`);
  }
  if (result.equal) out.push('equal');
  else out.push('', `${result.differences.length} differences`);
  return `${out.join('\n')}\n`;
}
