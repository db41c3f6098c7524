import type { Attribute, GraphLevel } from '../../../model/model';
import type { Expression, FunctionDefinition, Statement } from './ast';
import { ExpressionGraph } from './graph-expressions';
import { type Flow, merge, NOTHING } from './graph-flow';
import { placePath } from './graph-place';
import { expressionText } from './text';
import { assignedIn, countWork, hasWork, namesIn, readIn } from './visit';

/** The statements of one body as a level: what they assign and return, and their blocks as groups to open. */
export class LevelBuilder extends ExpressionGraph {
  build({ definition, statements }: { definition: FunctionDefinition; statements: Statement[] }): GraphLevel {
    const inBlock = this.place.blocks.length > 0;
    definition.parameters.forEach((parameter, i) => {
      if (i === 0 && !this.place.isFunction && parameter.name === 'self') {
        this.names.set('self', { kind: 'module', path: this.place.module, value: this.self });
      } else if (!inBlock) {
        const detail: Attribute[] = parameter.annotation
          ? [{ name: 'type', text: expressionText(parameter.annotation) }]
          : [];
        this.names.set(parameter.name, {
          kind: 'values',
          sources: [this.add({ id: `in:${parameter.name}`, label: parameter.name, kind: 'input', attributes: detail })],
          parameters: [],
        });
      }
    });
    if (inBlock) this.bindModules(definition.body);
    this.statements(statements);
    if (inBlock) {
      for (const name of assignedIn(statements)) {
        const flow = this.names.get(name);
        if (flow?.kind === 'values' && flow.sources.length > 0) this.output(name, flow);
      }
    }
    const level: GraphLevel = { nodes: this.nodes, edges: this.edges };
    if (this.omitted > 0) level.omitted = this.omitted;
    return level;
  }

  /** Names that stand for submodules (`conv1 = self.conv1`) in the code around a block. */
  private bindModules(statements: readonly Statement[]): void {
    for (const statement of statements) {
      if (statement.kind !== 'assign' || !statement.value || statement.targets.length !== 1) continue;
      const [target] = statement.targets;
      if (target.kind !== 'name') continue;
      const module = this.moduleOf(statement.value);
      if (module) this.names.set(target.id, module);
    }
  }

  private statements(statements: readonly Statement[]): void {
    for (const statement of statements) this.statement(statement);
  }

  private statement(s: Statement): void {
    switch (s.kind) {
      case 'assign':
        if (s.value) this.assign(s.targets, s.value);
        return;
      case 'augmented':
        this.bind(s.target, merge([this.evaluate(s.target), this.evaluate(s.value)]));
        return;
      case 'expression':
        this.evaluate(s.value);
        return;
      case 'return': {
        if (!s.value) return;
        const items = s.value.kind === 'tuple' ? s.value.items : [s.value];
        for (const [i, item] of items.entries())
          this.output(items.length > 1 ? `output ${i}` : 'output', this.evaluate(item));
        return;
      }
      case 'raise':
        this.operator('raise', s.value ? [this.evaluate(s.value)] : [], [], s.offset);
        return;
      case 'if':
        // Both arms bind the same names; each arm with something in it can be opened.
        this.block(
          s,
          'if',
          [s.test],
          [
            { arm: 'then', body: s.body, label: `if ${clip(expressionText(s.test))}` },
            { arm: 'otherwise', body: s.otherwise, label: 'else' },
          ],
        );
        return;
      case 'for':
        this.block(
          s,
          'for',
          [s.iterable],
          [
            {
              arm: 'body',
              body: s.body,
              label: `for ${clip(expressionText(s.target))} in ${clip(expressionText(s.iterable))}`,
            },
          ],
        );
        return;
      case 'while':
        this.block(
          s,
          'while',
          [s.test],
          [{ arm: 'body', body: s.body, label: `while ${clip(expressionText(s.test))}` }],
        );
        return;
      case 'with':
        this.statements(s.body);
        return;
    }
  }

  private block(
    s: Statement,
    op: string,
    heads: Expression[],
    arms: { arm: 'then' | 'otherwise' | 'body'; body: Statement[]; label: string }[],
  ): void {
    const head = merge(heads.map((e) => this.evaluate(e)));
    const results = new Map<string, Flow[]>();
    for (const { arm, body, label } of arms) {
      const written = assignedIn(body);
      if (!hasWork(body)) {
        // An arm that only renames or passes is no node: its values flow through.
        for (const statement of body) {
          if (statement.kind !== 'assign' || !statement.value) continue;
          const flow = this.evaluate(statement.value);
          for (const name of namesIn(statement.targets)) results.set(name, [...(results.get(name) ?? []), flow]);
        }
        continue;
      }
      const path = placePath({ ...this.place, blocks: [...this.place.blocks, { offset: s.offset, arm }] });
      const id = this.add({ id: `b:${s.offset}:${arm}`, label, kind: 'group', op, path, size: countWork(body) });
      this.connect(head, id);
      const own = new Set(written);
      for (const name of readIn(body)) {
        const flow = this.names.get(name);
        if (flow?.kind === 'values') this.connect(flow, id, own.has(name) ? name : undefined);
      }
      for (const name of written)
        results.set(name, [...(results.get(name) ?? []), { kind: 'values', sources: [id], parameters: [] }]);
    }
    for (const [name, flows] of results) this.names.set(name, merge(flows));
  }

  /** `a, b = x, y` binds each name to its own value; everything is evaluated once, before anything is bound. */
  private assign(targets: readonly Expression[], value: Expression): void {
    const [target] = targets;
    const pairwise =
      targets.length === 1 &&
      target.kind === 'tuple' &&
      value.kind === 'tuple' &&
      target.items.length === value.items.length;
    if (!pairwise) {
      const flow = this.evaluate(value);
      for (const each of targets) this.bind(each, flow);
      return;
    }
    const flows = value.items.map((item) => this.evaluate(item));
    for (const [i, item] of target.items.entries()) this.bind(item, flows[i]);
  }

  private bind(target: Expression, flow: Flow): void {
    if (target.kind === 'name') this.names.set(target.id, flow);
    else if (target.kind === 'tuple' || target.kind === 'list') for (const item of target.items) this.bind(item, flow);
    else if (target.kind === 'subscript') {
      const name = target.value.kind === 'name' ? target.value.id : undefined;
      if (name !== undefined) this.names.set(name, merge([this.names.get(name) ?? NOTHING, flow]));
    }
  }
}

function clip(text: string): string {
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}
