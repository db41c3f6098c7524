import { ObjectTreeView } from '../formats/pickle/object-tree';
import type { Model } from '../model/model';
import type { ObjectRow } from './contract';

/** The object tree of the open file, a slice at a time. */
export class ObjectIndex {
  private readonly tree: ObjectTreeView | undefined;

  constructor(model: Model) {
    this.tree = model.objects && new ObjectTreeView(model.objects.root, model.objects.parameters);
  }

  children(path: string | null, start: number, count: number): { total: number; rows: ObjectRow[] } {
    return this.tree?.children(path, start, count) ?? { total: 0, rows: [] };
  }
}
