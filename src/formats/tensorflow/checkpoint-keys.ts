import { tensorflow } from '../../../generated/tensorflow';
import { decodeMessage } from '../../bytes/protobuf';
import { escapeLocalName, type ObjectGraph, pathOf } from './object-graph';

/** One attribute of an object that the checkpoint holds: `VARIABLE_VALUE` of a variable, keys and values of a table. */
export interface SavedAttribute {
  attribute: string;
  key: string;
}

type Trackable = tensorflow.TrackableObjectGraph.TrackableObject.$Properties;

/** The object graph that a checkpoint keeps of itself. @throws ModelError when the bytes are no such message. */
export function decodeTrackables(stored: Uint8Array): readonly Trackable[] {
  return decodeMessage(tensorflow.TrackableObjectGraph, stored, 'The object graph of the checkpoint').nodes ?? [];
}

/**
 * Which checkpoint entries belong to which node of the object graph. The checkpoint holds its own object graph; the two are walked in
 * step from their roots, as node numbers need not agree. Iterative, so that cycles and depth do not matter.
 */
export function keysByWalking(graph: ObjectGraph, nodes: readonly Trackable[]): Map<number, SavedAttribute[]> {
  const keys = new Map<number, SavedAttribute[]>();
  if (nodes.length === 0 || graph.size === 0) return keys;
  const met = new Map<number, Set<number>>();
  const queue: [saved: number, tracked: number][] = [];
  const slotOwners: [saved: number, tracked: number][] = [];
  const push = (saved: number, tracked: number | undefined): void => {
    if (tracked === undefined || saved < 0 || saved >= graph.size || tracked < 0 || tracked >= nodes.length) return;
    const partners = met.get(saved) ?? new Set<number>();
    if (partners.has(tracked)) return;
    met.set(saved, partners.add(tracked));
    queue.push([saved, tracked]);
  };
  let head = 0;
  const drain = (): void => {
    for (; head < queue.length; head++) {
      const [saved, tracked] = queue[head]!;
      const node = nodes[tracked]!;
      const attributes = (node.attributes ?? []).map((a) => ({ attribute: a.name ?? '', key: a.checkpointKey ?? '' }));
      if (attributes.length > 0 && !keys.has(saved)) keys.set(saved, attributes);
      const byName = new Map((node.children ?? []).map((child) => [child.localName ?? '', child.nodeId ?? 0]));
      for (const child of graph.children(saved)) push(child.id, byName.get(child.name));
      if ((graph.nodes[saved]?.slotVariables ?? []).length > 0) slotOwners.push([saved, tracked]);
    }
  };
  push(0, 0);
  drain();
  // A slot is named by its optimizer, its slot name and the variable it goes with, so variables must have been met before.
  for (const [saved, tracked] of slotOwners.splice(0)) {
    const stored = new Map<string, number>();
    for (const slot of nodes[tracked]!.slotVariables ?? []) {
      stored.set(`${slot.originalVariableNodeId ?? 0}:${slot.slotName ?? ''}`, slot.slotVariableNodeId ?? 0);
    }
    for (const slot of graph.nodes[saved]!.slotVariables ?? []) {
      for (const original of met.get(slot.originalVariableNodeId ?? 0) ?? []) {
        push(slot.slotVariableNodeId ?? 0, stored.get(`${original}:${slot.slotName ?? ''}`));
      }
    }
  }
  drain();
  return keys;
}

/**
 * The same without the checkpoint's own graph: TensorFlow names a variable by the shortest path from the root, so the path along the
 * covering tree is tried among the keys at hand.
 */
export function keysByPath(graph: ObjectGraph, has: (key: string) => boolean): Map<number, SavedAttribute[]> {
  const places = graph.cover();
  const keys = new Map<number, SavedAttribute[]>();
  for (let id = 0; id < graph.size; id++) {
    if (graph.kind(id) !== 'variable') continue;
    const key = `${pathOf(places, id).map(escapeLocalName).join('/')}/.ATTRIBUTES/VARIABLE_VALUE`;
    if (has(key)) keys.set(id, [{ attribute: 'VARIABLE_VALUE', key }]);
  }
  return keys;
}
