import type { tensorflow } from '../../../generated/tensorflow';
import { utf8 } from '../../bytes/wire';
import type { Attribute } from '../../model/model';
import { constantText } from './constants';
import { dtypeName } from './dtypes';
import type { AttrValue, GraphNodeDef } from './graph-def';
import { shapeOf } from './structured';

/** Attributes that the runtime keeps for itself. */
const HIDDEN = new Set([
  '_class',
  '_output_shapes',
  'container',
  'shared_name',
  '_has_manual_control_dependencies',
  '_collective_manager_ids',
  '_read_only_resource_inputs',
  'config',
  'config_proto',
  'executor_type',
  '_XlaMustCompile',
  'use_cudnn_on_gpu',
  '_disable_call_shape_inference',
  'allowed_devices',
  '_acd_function_control_output',
]);
const MAX_LIST = 16;
const MAX_TEXT = 200;

/** The attributes of an operator worth showing, and the output shapes where they are known. */
export function nodeAttributes(node: GraphNodeDef): Attribute[] {
  const out: Attribute[] = [];
  for (const [name, value] of node.attr) {
    if (!HIDDEN.has(name)) out.push({ name, text: attrValueText(value) });
  }
  const shapes = node.attr.get('_output_shapes')?.list?.shape;
  if (shapes && shapes.length > 0)
    out.push({ name: 'output shape', text: shapes.slice(0, 4).map(shapeText).join(', ') });
  return out;
}

export function attrValueText(value: AttrValue): string {
  if (value.s) return JSON.stringify(utf8(value.s, 0, Math.min(value.s.length, MAX_TEXT)));
  if (value.i != null) return String(value.i);
  if (value.f != null) return String(Number(value.f.toPrecision(7)));
  if (value.b != null) return value.b ? 'True' : 'False';
  if (value.type != null) return dtypeName(value.type);
  if (value.shape) return shapeText(value.shape);
  if (value.tensor) return constantText(value.tensor);
  if (value.func) return value.func.name ?? '';
  if (value.placeholder != null) return value.placeholder;
  const list = value.list;
  if (!list) return '';
  const items = [
    ...(list.s ?? []).slice(0, MAX_LIST).map((s) => JSON.stringify(utf8(s, 0, Math.min(s.length, MAX_TEXT)))),
    ...(list.i ?? []).slice(0, MAX_LIST).map(String),
    ...(list.f ?? []).slice(0, MAX_LIST).map(String),
    ...(list.b ?? []).slice(0, MAX_LIST).map((b) => (b ? 'True' : 'False')),
    ...(list.type ?? []).slice(0, MAX_LIST).map(dtypeName),
    ...(list.shape ?? []).slice(0, MAX_LIST).map(shapeText),
    ...(list.func ?? []).slice(0, MAX_LIST).map((f) => f.name ?? ''),
    ...(list.tensor ?? []).slice(0, MAX_LIST).map(constantText),
  ];
  return `[${items.join(', ')}${items.length >= MAX_LIST ? ', …' : ''}]`;
}

export function shapeText(shape: tensorflow.TensorShapeProto.$Properties): string {
  const dims = shapeOf(shape);
  return dims === null ? 'unknown shape' : `(${dims.map((d) => d ?? '?').join(', ')})`;
}
