import { ModelError } from '../bytes/errors';
import type { DisassemblyRow } from '../engine/contract';
import { disassemblySlice } from '../engine/disassembly';
import { ModelSession } from '../engine/session';
import type { Call, Command } from './arguments';
import { printable } from './output';

const PAGE = 2000;

export const disassembleCommand: Command = {
  name: 'disassemble',
  operands: 'FILE',
  minOperands: 1,
  maxOperands: 1,
  summary: 'Lists the opcodes of a pickle: offset, opcode, argument, and what it does.',
  options: {
    member: { kind: 'value', placeholder: 'NAME', help: 'pickle inside the archive (default: the first)' },
    range: { kind: 'value', placeholder: 'A:B', help: 'only opcodes with A <= offset < B' },
  },
  run,
};

async function run(call: Call): Promise<number> {
  const range = rangeOption(call.value('range'));
  const member = call.value('member');
  const session = await ModelSession.open(call.operands[0]);
  try {
    let request: { offset?: number; start?: number } = { offset: range.from };
    for (let first = true, more = true; more; first = false) {
      const slice = disassemblySlice(session, { count: PAGE, ...request, ...(member === undefined ? {} : { member }) });
      if (first && slice.members.length > 1 && member === undefined) {
        process.stderr.write(
          `pickles in this file: ${slice.members.map((m) => printable(m || '(the file)')).join(', ')}\n`,
        );
      }
      const rows = slice.rows.filter((row) => row.offset < range.to);
      const lines = rows.map(lineOf);
      if (lines.length > 0) process.stdout.write(`${lines.join('\n')}\n`);
      const next = slice.start + slice.rows.length;
      request = { start: next };
      more = rows.length > 0 && rows.length === slice.rows.length && next < slice.total;
    }
    return 0;
  } finally {
    session.close();
  }
}

function lineOf(row: DisassemblyRow): string {
  const indent = '  '.repeat(Math.min(row.depth, 20));
  return `${String(row.offset).padStart(9)}: ${indent}${row.opcode.padEnd(16)} ${printable(row.argument)}${row.comment ? `  # ${printable(row.comment)}` : ''}`.trimEnd();
}

function rangeOption(text: string | undefined): { from: number; to: number } {
  if (text === undefined) return { from: 0, to: Number.POSITIVE_INFINITY };
  const match = /^([0-9]*):([0-9]*)$/.exec(text);
  if (!match) throw new ModelError('usage', `--range takes A:B with byte offsets, not "${text}".`);
  return {
    from: match[1] === '' ? 0 : Number(match[1]),
    to: match[2] === '' ? Number.POSITIVE_INFINITY : Number(match[2]),
  };
}
