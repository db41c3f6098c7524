import { ModelError } from '../../bytes/errors';
import { type Booster, type BoosterTree, countedParallel, evenRounds } from './model';

/** Sizes of the fixed records, reserved fields included. */
const LEARNER_PARAM = 136;
const GBTREE_PARAM = 160;
const GBLINEAR_PARAM = 136;
const TREE_PARAM = 148;
const NODE = 20;
const NODE_STATISTICS = 16;

/**
 * The binary form that xgboost wrote before UBJSON (little-endian, no magic of its own; the `binf` before it is cut off).
 * Layout: learner parameters, name of the objective, name of the booster, booster parameters, trees (parameters, nodes,
 * statistics), output of each tree, dart's weights, attributes.
 * Source: xgboost `learner.cc` (`LearnerModelParamLegacy`), `gbtree_model.h`, `tree_model.h`.
 */
export function parseLegacy(bytes: Uint8Array): Booster {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const take = (count: number): number => {
    const start = at;
    if (!(count >= 0 && start + count <= bytes.length)) {
      throw new ModelError(
        'truncated',
        `The xgboost model ends at byte ${bytes.length}, inside a record at byte ${start}.`,
        { offset: start },
      );
    }
    at += count;
    return start;
  };
  const int = (offset: number) => view.getInt32(offset, true);
  const text = (): string => {
    const length = Number(view.getBigUint64(take(8), true));
    const start = take(length);
    return new TextDecoder('latin1').decode(bytes.subarray(start, start + length));
  };

  const learner = take(LEARNER_PARAM);
  const objective = text();
  const booster = text();
  if (!/^[a-z:]+$/.test(objective) || !['gbtree', 'dart', 'gblinear'].includes(booster)) {
    throw new ModelError(
      'unsupported',
      'The xgboost model is in no form that is known (UBJSON, JSON or the binary form of version 1 and before).',
    );
  }
  const [major, minor] = [int(learner + 20), int(learner + 24)];
  const common = {
    ...(major >= 1 ? { version: [major, minor] } : {}),
    booster: booster as Booster['booster'],
    objective,
    features: int(learner + 4),
    classes: int(learner + 8),
    // The field was among the reserved ones before 1.6.
    targets: major > 1 || minor >= 6 ? Math.max(1, int(learner + 28)) : 1,
    baseScore: [view.getFloat32(learner, true)],
    baseIsRaw: major < 1,
    featureNames: [],
    featureTypes: [],
    categories: new Map(),
    levels: 0,
  };
  const rest = () => (int(learner + 12) !== 0 ? attributes(view, take, text) : new Map<string, string>());
  if (booster === 'gblinear') {
    take(GBLINEAR_PARAM);
    const weights = floats(view, take, Number(view.getBigUint64(take(8), true)));
    return { ...common, trees: [], rounds: [0], weights, attributes: rest() };
  }
  const param = take(GBTREE_PARAM);
  const count = int(param);
  const trees: Omit<BoosterTree, 'group' | 'weight'>[] = [];
  for (let i = 0; i < count; i++) {
    const head = take(TREE_PARAM);
    const nodes = int(head + 4);
    const start = take(nodes * NODE);
    take(nodes * NODE_STATISTICS);
    trees.push({ ...readNodes(view, start, nodes), leafSize: Math.max(1, int(head + 20)) });
  }
  const info = Array.from({ length: count }, () => int(take(4)));
  const drops = booster === 'dart' ? floats(view, take, Number(view.getBigUint64(take(8), true))) : [];
  const found = rest();
  const parallel = countedParallel(found) ?? Math.max(1, int(param + 4));
  return {
    ...common,
    trees: trees.map((tree, i) => ({ ...tree, group: info[i]!, weight: drops[i] ?? 1 })),
    rounds: evenRounds(count, Math.max(1, common.classes, common.targets) * parallel),
    attributes: found,
  };
}

/** Node: parent, left, right, feature (top bit: missing goes left), condition or leaf value. */
function readNodes(view: DataView, start: number, count: number): Omit<BoosterTree, 'group' | 'weight' | 'leafSize'> {
  const left = new Int32Array(count);
  const right = new Int32Array(count);
  const feature = new Int32Array(count);
  const condition = new Float32Array(count);
  const defaultLeft = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const node = start + i * NODE;
    left[i] = view.getInt32(node + 4, true);
    right[i] = view.getInt32(node + 8, true);
    const split = view.getUint32(node + 12, true);
    feature[i] = split & 0x7fffffff;
    defaultLeft[i] = split >>> 31;
    condition[i] = view.getFloat32(node + 16, true);
  }
  return { left, right, feature, condition, defaultLeft };
}

function floats(view: DataView, take: (count: number) => number, count: number): number[] {
  const start = take(count * 4);
  return Array.from({ length: count }, (_, i) => view.getFloat32(start + i * 4, true));
}

function attributes(view: DataView, take: (count: number) => number, text: () => string): Map<string, string> {
  const count = Number(view.getBigUint64(take(8), true));
  const found = new Map<string, string>();
  for (let i = 0; i < count; i++) found.set(text(), text());
  return found;
}
