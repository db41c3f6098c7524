import type { ModuleNode } from '../../model/model';

/** Scopes that are shown below each other; deeper ones are one node. */
const MAX_SCOPES = 64;

/** A hierarchy from the scopes in the names of variables, for models that keep no other. */
export function scopeTree(names: readonly string[], rootKind: string): ModuleNode {
  const root: ModuleNode = {
    path: '',
    name: '',
    kind: rootKind,
    attributes: [],
    parameters: [],
    children: [],
    inferredFrom: 'the names of the variables',
  };
  const byPath = new Map<string, ModuleNode>([['', root]]);
  for (const row of names) {
    let at = root;
    for (const scope of row.split('/').slice(0, -1).slice(0, MAX_SCOPES)) {
      const path = at.path === '' ? scope : `${at.path}.${scope}`;
      let next = byPath.get(path);
      if (!next) {
        next = {
          path,
          name: scope,
          kind: 'Scope',
          attributes: [],
          parameters: [],
          children: [],
          inferredFrom: 'the names of the variables',
        };
        byPath.set(path, next);
        at.children.push(next);
      }
      at = next;
    }
    at.parameters.push(row);
  }
  return root;
}
