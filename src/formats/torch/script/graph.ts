import { asModelError } from '../../../bytes/errors';
import type { GraphLevel, GraphSource } from '../../../model/model';
import type { Value } from '../../../pickle/values';
import type { TensorReader } from '../pickled-tensor';
import { classGlobal } from '../python-class';
import type { FunctionDefinition, Statement } from './ast';
import type { ScriptCode } from './code';
import { stateEntry } from './graph-expressions';
import { type Place, parsePlace } from './graph-place';
import { LevelBuilder } from './level-builder';

/**
 * The graph of TorchScript code, one method at a time: operators are nodes, calls of submodules and functions are groups to open, and so
 * are the arms of `if` and the bodies of loops. Paths: `layer1.0:forward`, `fn:__torch__.torch.nn.functional.relu`, `:forward@120t`.
 */
export class ScriptGraph implements GraphSource {
  constructor(
    private readonly code: ScriptCode,
    private readonly root: Value,
    private readonly reader: TensorReader,
  ) {}

  roots(): { id: string; label: string }[] {
    const cls = classGlobal(this.root);
    if (!cls) return [];
    try {
      const methods = this.code.methods(cls.path).filter((m) => !/^__\w+__$/.test(m.name));
      const names = methods.map((m) => m.name);
      return [...names.filter((n) => n === 'forward'), ...names.filter((n) => n !== 'forward')].map((id) => ({
        id,
        label: id,
      }));
    } catch {
      return [];
    }
  }

  /** One level. Code that cannot be parsed gives an empty level with a node that says so. */
  level(root: string, path: string): GraphLevel {
    try {
      const place = parsePlace(path === '' ? `:${root}` : path);
      const body = this.body(place);
      return body
        ? new LevelBuilder(this.code, this.reader, place, this.moduleAt(place.module)).build(body)
        : { nodes: [], edges: [] };
    } catch (error) {
      return { nodes: [{ id: 'error', kind: 'op', label: asModelError(error).message }], edges: [] };
    }
  }

  private body(place: Place): { definition: FunctionDefinition; statements: Statement[] } | undefined {
    const definition = place.isFunction
      ? this.code.functionOf(place.callable)?.definition
      : this.code.methods(classGlobal(this.moduleAt(place.module))?.path ?? '').find((m) => m.name === place.callable);
    if (!definition) return undefined;
    let statements = definition.body;
    for (const { offset, arm } of place.blocks) {
      const owner = statements.find((s) => s.offset === offset);
      if (!owner) return undefined;
      if (owner.kind === 'if') statements = arm === 'then' ? owner.body : owner.otherwise;
      else if (owner.kind === 'for' || owner.kind === 'while' || owner.kind === 'with') statements = owner.body;
      else return undefined;
    }
    return { definition, statements };
  }

  private moduleAt(path: string): Value {
    let value = this.root;
    if (path === '') return value;
    for (const name of path.split('.')) value = stateEntry(value, name) ?? null;
    return value;
  }
}
