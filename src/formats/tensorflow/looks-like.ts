import { BYTES, WireReader } from '../../bytes/wire';

/** Whether bytes start like a GraphDef: a node with a name, an operator and attributes. An ONNX model never has text there. */
export function looksLikeGraphDef(head: Uint8Array): boolean {
  const fields = new WireReader(head, 0, head.length, 'The head');
  while (fields.nextTolerant()) {
    if (fields.wire !== BYTES) {
      if (fields.field !== 3) return false;
      continue;
    }
    if (fields.field === 1) return looksLikeNode(head, fields.from, fields.to);
    if (fields.field !== 2 && fields.field !== 4) return false;
    if (fields.error) return fields.field === 2 && looksLikeLibrary(head, fields.from, fields.to);
  }
  return false;
}

/** A NodeDef: name, operator, then inputs, device and attributes. The end may be cut off. */
function looksLikeNode(bytes: Uint8Array, from: number, to: number): boolean {
  const fields = new WireReader(bytes, from, to, 'The head');
  let name = false;
  let op = false;
  while (fields.nextTolerant()) {
    if (fields.wire !== BYTES || fields.field > 7) return false;
    if (fields.error) break;
    if (fields.field === 1) name = /^[A-Za-z0-9.>_][\w.\\/>-]*$/.test(fields.text());
    else if (fields.field === 2) op = /^[A-Za-z_][\w>]*$/.test(fields.text());
  }
  return name && op;
}

/** A library whose first function has a signature. */
function looksLikeLibrary(bytes: Uint8Array, from: number, to: number): boolean {
  const fields = new WireReader(bytes, from, to, 'The head');
  if (!fields.nextTolerant() || fields.field !== 1 || fields.wire !== BYTES) return false;
  const f = new WireReader(bytes, fields.from, fields.to, 'The head');
  return f.nextTolerant() && f.field === 1 && f.wire === BYTES;
}

/** Whether bytes start like a MetaGraphDef: the list of operators that TensorFlow 1 puts first, or tags and a version. */
export function looksLikeMetaGraph(head: Uint8Array): boolean {
  const fields = new WireReader(head, 0, head.length, 'The head');
  if (!fields.nextTolerant() || fields.field !== 1 || fields.wire !== BYTES) return false;
  const info = new WireReader(head, fields.from, fields.to, 'The head');
  while (info.nextTolerant()) {
    if (info.field === 2 && info.wire === BYTES) {
      const list = new WireReader(head, info.from, info.to, 'The head');
      if (!list.nextTolerant() || list.field !== 1 || list.wire !== BYTES) return false;
      const op = new WireReader(head, list.from, list.to, 'The head');
      // An OpDef has its arguments, which are messages, right after its name; a NodeDef has text there.
      if (!op.nextTolerant() || op.field !== 1 || op.wire !== BYTES || !/^[A-Z]\w*$/.test(op.text())) return false;
      return true;
    }
    if (info.field !== 1 || info.wire !== BYTES) return false;
  }
  return false;
}
