import { asModelError, type ModelError } from '../../../bytes/errors';
import type { SourceText } from '../../../model/model';
import type { TorchArchive } from '../archive';
import type { ClassDefinition, FunctionDefinition, Module } from './ast';
import { parseScript } from './parser';

/** A class of the archive's code with where it stands. */
export interface ScriptClass {
  qualified: string;
  file: string;
  definition: ClassDefinition;
}

/** The TorchScript code of an archive: files read and parsed when they are needed, classes and functions by qualified name. */
export class ScriptCode {
  private readonly parsed = new Map<string, Module | ModelError>();
  private readonly texts = new Map<string, string | undefined>();
  private readonly classes = new Map<string, ScriptClass | null>();
  private readonly classLists = new Map<string, { parameters: Set<string>; buffers: Set<string> } | null>();

  constructor(private readonly archive: TorchArchive) {}

  /** Paths of the code files. */
  files(): string[] {
    return this.archive.paths('code/').filter((path) => path.endsWith('.py'));
  }

  text(file: string): string | undefined {
    if (!this.texts.has(file)) this.texts.set(file, this.archive.text(file));
    return this.texts.get(file);
  }

  sources(): SourceText[] {
    return this.files()
      .filter((file) => this.archive.size(file) > 0)
      .map((file) => ({ path: file, language: 'python', text: () => this.text(file) ?? '' }));
  }

  /** The syntax tree of a file; `undefined` if there is no such file. @throws ModelError if it cannot be parsed. */
  parse(file: string): Module | undefined {
    let known = this.parsed.get(file);
    if (!known) {
      const text = this.text(file);
      if (text === undefined) return undefined;
      try {
        known = parseScript(text, file);
      } catch (error) {
        known = asModelError(error, file);
      }
      this.parsed.set(file, known);
    }
    if (known instanceof Error) throw known;
    return known;
  }

  /** The class of a qualified name such as `__torch__.net.___torch_mangle_1.Net`. @throws ModelError if its file cannot be parsed. */
  classOf(qualified: string): ScriptClass | undefined {
    const known = this.classes.get(qualified);
    if (known !== undefined) return known ?? undefined;
    const { file, name } = place(qualified);
    const definition = this.parse(file)?.body.find((s): s is ClassDefinition => s.kind === 'class' && s.name === name);
    const found = definition ? { qualified, file, definition } : null;
    this.classes.set(qualified, found);
    return found ?? undefined;
  }

  /** A free function such as `__torch__.torch.nn.functional.relu`. */
  functionOf(qualified: string): { file: string; definition: FunctionDefinition } | undefined {
    const { file, name } = place(qualified);
    const definition = this.parse(file)?.body.find(
      (s): s is FunctionDefinition => s.kind === 'function' && s.name === name,
    );
    return definition && { file, definition };
  }

  /** Methods of a class in the order of the code. */
  methods(qualified: string): FunctionDefinition[] {
    return this.classOf(qualified)?.definition.body.filter((s): s is FunctionDefinition => s.kind === 'function') ?? [];
  }

  /** What a class declares in `__parameters__` and `__buffers__`, found without parsing its methods. */
  declared(qualified: string): { parameters: Set<string>; buffers: Set<string> } | undefined {
    const known = this.classLists.get(qualified);
    if (known !== undefined) return known ?? undefined;
    const { file, name } = place(qualified);
    const text = this.text(file);
    const start = text === undefined ? -1 : text.search(new RegExp(`^class ${name.replace(/\W/g, '')}\\(`, 'm'));
    let lists: { parameters: Set<string>; buffers: Set<string> } | null = null;
    if (text !== undefined && start >= 0) {
      const head = text.slice(start, start + 65536);
      lists = { parameters: listOf(head, '__parameters__'), buffers: listOf(head, '__buffers__') };
    }
    this.classLists.set(qualified, lists);
    return lists ?? undefined;
  }
}

/** The names in `__parameters__ = ["weight", "bias", ]`, before the first method. */
function listOf(text: string, name: string): Set<string> {
  const match = new RegExp(`^  ${name} = \\[([^\\]]*)\\]`, 'm').exec(text);
  return new Set([...(match?.[1] ?? '').matchAll(/"((?:[^"\\]|\\.)*)"/g)].map((m) => m[1]));
}

/** The file that holds a qualified name, and the name inside it. */
function place(qualified: string): { file: string; name: string } {
  const parts = qualified.split('.');
  const name = parts.pop() as string;
  return { file: `code/${parts.join('/')}.py`, name };
}

/** `__torch__.net.___torch_mangle_3.Net` → `net.Net`: the class as it was written. */
export function unmangled(qualified: string): string {
  return qualified
    .replace(/^__torch__\.?/, '')
    .replace(/\.?___torch_mangle_\d+(?=\.)/g, '')
    .replace(/^\./, '');
}
