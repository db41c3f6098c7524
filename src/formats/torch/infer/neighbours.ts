import type { ModuleNode } from '../../../model/model';
import type { NamedTensors } from '../parameters';
import { type Own, ownTensors, weightOf } from './own';

/** The nodes beside a layer, from which follows what its own shapes leave open. */
export class Neighbours {
  constructor(
    private readonly parent: ModuleNode | undefined,
    private readonly index: number,
    private readonly tensors: NamedTensors,
  ) {}

  /** Own tensors of a sibling by its name. */
  sibling(name: string): Own | undefined {
    const node = this.parent?.children.find((child) => child.name === name);
    return node && ownTensors(node, this.tensors);
  }

  get parentName(): string {
    return this.parent?.name ?? '';
  }

  /** Spatial dimensions of the nearest convolution; 1 beside a Linear layer. */
  rank(): number | undefined {
    const siblings = this.parent?.children ?? [];
    for (let distance = 1; distance < 8 && distance < siblings.length; distance++) {
      for (const node of [siblings[this.index - distance], siblings[this.index + distance]]) {
        if (!node) continue;
        const first = node.children[0];
        const weight = weightOf(ownTensors(node, this.tensors)) ?? (first && weightOf(ownTensors(first, this.tensors)));
        if (!weight) continue;
        if (weight.shape.length >= 3 && weight.shape.length <= 5) return weight.shape.length - 2;
        if (weight.shape.length === 2) return 1;
      }
    }
    return undefined;
  }

  /**
   * Channels that come into a layer, where the layer before it is certain: siblings that are numbered on (`conv1`, `bn1`, `conv2`; `0`, `1`,
   * `3`). `undefined` if there is none, or if siblings may run beside each other.
   */
  channelsBefore(): number | undefined {
    const siblings = this.parent?.children ?? [];
    const self = siblings[this.index];
    for (let i = this.index - 1; i >= 0 && i > this.index - 4; i--) {
      const node = siblings[i];
      if (!isBefore(node.name, self.name)) return undefined;
      const own = ownTensors(node, this.tensors);
      const norm = own.get('running_mean') ?? (weightOf(own)?.shape.length === 1 ? weightOf(own) : undefined);
      if (norm) return norm.shape[0];
      const weight = weightOf(own);
      if (weight && weight.shape.length >= 3) return isAdjacent(node.name, self.name) ? undefined : weight.shape[0];
      if (node.children.length > 0) return undefined;
    }
    return undefined;
  }

  /** Size of the norm that follows directly; `undefined` if there is none. */
  channelsAfter(): number | undefined {
    const next = this.parent?.children[this.index + 1];
    const own = next && ownTensors(next, this.tensors);
    const norm = own?.get('running_mean') ?? (own && weightOf(own));
    return norm?.shape.length === 1 ? norm.shape[0] : undefined;
  }

  /** Whether nothing with tensors comes before the layer among its siblings. */
  get isFirst(): boolean {
    return this.index === 0;
  }
}

/** Convolutions `0` and `1` of a list may run beside each other; where one follows the other, an activation lies between. */
function isAdjacent(before: string, name: string): boolean {
  return /^\d+$/.test(before) && Number(before) + 1 === Number(name);
}

/** `conv1` and `bn1` come before `conv2`; `0` and `1` before `3`. */
function isBefore(before: string, name: string): boolean {
  const a = /^(\D*)(\d+)$/.exec(before);
  const b = /^(\D*)(\d+)$/.exec(name);
  if (!a || !b) return false;
  if (a[1] === '' || b[1] === '') return a[1] === b[1] && Number(a[2]) < Number(b[2]);
  const numbered = /^(conv|bn|norm|gn|in|ln)_?$/;
  return numbered.test(a[1]) && numbered.test(b[1]) && Number(a[2]) + 1 === Number(b[2]);
}
