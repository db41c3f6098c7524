import { ModelError } from '../bytes/errors';

/** How an option is written: `flag` alone, `value` with one value, `list` any number of times. */
export type OptionKind = 'flag' | 'value' | 'list';

export interface Command {
  name: string;
  /** `FILE`, `PATH…`, `A B` as the help shows them. */
  operands: string;
  minOperands: number;
  maxOperands: number;
  summary: string;
  options: Record<string, { kind: OptionKind; placeholder?: string; help: string }>;
  /** Further help text below the options. */
  details?: string;
  run(call: Call): Promise<number>;
}

export interface Call {
  operands: string[];
  flag(name: string): boolean;
  value(name: string): string | undefined;
  list(name: string): string[];
}

/**
 * Reads the arguments of one command. `--name=value` and `--name value` are the same, `--` ends the options, a lone `-` is an operand or value.
 * @throws ModelError `usage`
 */
export function parseArguments(command: Command, words: string[]): Call {
  const operands: string[] = [];
  const values = new Map<string, string[]>();
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    if (word === '--') {
      operands.push(...words.slice(i + 1));
      break;
    }
    if (!word.startsWith('-') || word === '-') {
      operands.push(word);
      continue;
    }
    const equals = word.indexOf('=');
    const name = (equals > 0 ? word.slice(0, equals) : word).replace(/^--/, '');
    const option = word.startsWith('--') ? command.options[name] : undefined;
    if (!option) throw usage(command, `${word} is not an option of "${command.name}".`);
    const known = values.get(name) ?? [];
    if (option.kind === 'flag') {
      if (equals > 0) throw usage(command, `--${name} takes no value.`);
      known.push('');
    } else {
      const value = equals > 0 ? word.slice(equals + 1) : words[++i];
      if (value === undefined) throw usage(command, `--${name} needs a value (${option.placeholder ?? 'VALUE'}).`);
      if (option.kind === 'value' && known.length > 0) throw usage(command, `--${name} is given twice.`);
      known.push(value);
    }
    values.set(name, known);
  }
  if (operands.length < command.minOperands) throw usage(command, `"${command.name}" needs ${command.operands}.`);
  if (operands.length > command.maxOperands)
    throw usage(
      command,
      `"${command.name}" takes ${command.operands}, but "${operands[command.maxOperands]}" is left over.`,
    );
  return {
    operands,
    flag: (name) => values.has(name),
    value: (name) => values.get(name)?.[0],
    list: (name) => values.get(name) ?? [],
  };
}

function usage(command: Command, problem: string): ModelError {
  return new ModelError('usage', `${problem} See "modelglass ${command.name} --help".`);
}

/** `modelglass COMMAND --help`. */
export function commandHelp(command: Command): string {
  const rows = Object.entries(command.options).map(([name, option]) => [
    `  --${name}${option.kind === 'flag' ? '' : ` ${option.placeholder ?? 'VALUE'}`}`,
    option.help,
  ]);
  const width = Math.max(10, ...rows.map(([left]) => left.length)) + 2;
  return [
    `modelglass ${command.name} ${command.operands} [options]`,
    '',
    command.summary,
    '',
    'Options:',
    ...rows.map(([left, right]) => left.padEnd(width) + right),
    `${'  --help'.padEnd(width)}this text`,
    ...(command.details ? ['', command.details] : []),
    '',
  ].join('\n');
}
