import { ModelError } from '../bytes/errors';
import { type Command, commandHelp, parseArguments } from './arguments';
import { inlineAsUsual } from './inlining';
import { reportFailure } from './output';
import { scanCommand } from './scan';

declare const MODELGLASS_VERSION: string;

/** The command of a name. All but `scan` come with every reader, which a scan of pickles does not wait for. */
async function commandOf(name: string | undefined): Promise<Command | undefined> {
  if (name === scanCommand.name) return scanCommand;
  const { OTHER_COMMANDS } = await import('./commands');
  inlineAsUsual();
  return OTHER_COMMANDS.find((command) => command.name === name);
}

const HELP = `modelglass: what is inside a model file, is it safe to load, and what does it answer; without Python, without running anything from the file

  modelglass inspect FILE [--json] [--parameters GLOB] [--depth N]
  modelglass scan PATH… [--json | --sarif | --markdown] [--policy FILE] [--fail-on suspicious|dangerous]
  modelglass predict FILE [--signature NAME] [--input FILE|NAME=FILE|-]… [--method NAME] [--source DIR] [--json]
  modelglass export FILE --onnx OUT | --safetensors OUT | --npy DIR [--parameters GLOB] [--signature NAME] [--input-shape NAME=1,3,224,224]
  modelglass diff A B [--json]
  modelglass disassemble FILE [--member NAME] [--range A:B]

A PATH may be a file, a SavedModel folder, or a folder to walk (files are recognised by content; links are not followed).
FILE for a SavedModel is its folder or its saved_model.pb. "modelglass COMMAND --help" says more.

Results go to standard output, messages to standard error. With --json, standard output is one JSON document, also on failure:
{"error": {"code": "malformed|truncated|unsupported|limit|io|cancelled|usage", "message": "…", "file": "…", "offset": 123}}

Exit codes: 0 done (scan: nothing at or above --fail-on; diff: equal); 1 scan: something at or above --fail-on, diff: they differ;
2 the file could not be read, understood or predicted, or wrong usage.
`;

export { serveJudge } from './judge-thread';

/** Runs one command line, without the names of the runtime and the script. Resolves to the exit code. */
export function run(words: string[]): Promise<number> {
  return main(words).catch((error) => reportFailure(error, words.includes('--json')));
}

async function main(words: string[]): Promise<number> {
  const [name, ...rest] = words;
  const json = words.includes('--json');
  let known: Command | undefined;
  try {
    if (name === '--version' || name === '-V') {
      process.stdout.write(`${typeof MODELGLASS_VERSION === 'string' ? MODELGLASS_VERSION : 'development'}\n`);
      return 0;
    }
    if (name === undefined) throw new ModelError('usage', `A command is missing.\n\n${HELP}`);
    if (name === '--help' || name === '-h' || name === 'help') {
      const about = await commandOf(rest[0]);
      process.stdout.write(about ? commandHelp(about) : HELP);
      return 0;
    }
    const command = await commandOf(name);
    known = command;
    if (!command) throw new ModelError('usage', `"${name}" is not a command. See "modelglass --help".`);
    const end = rest.indexOf('--');
    if (rest.slice(0, end < 0 ? rest.length : end).some((word) => word === '--help' || word === '-h')) {
      process.stdout.write(commandHelp(command));
      return 0;
    }
    return await command.run(parseArguments(command, rest));
  } catch (error) {
    return reportFailure(error, json, known ? rest.find((word) => !word.startsWith('-')) : undefined);
  }
}
