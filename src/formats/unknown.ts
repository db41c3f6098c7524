import { ModelError } from '../bytes/errors';
import type { ModelInput } from './format';

/**
 * What a file is instead of a model, as a sentence that helps: an empty file, zeros, a Git LFS pointer, an HTML page, an XML or JSON
 * error answer, text. `undefined` if there is nothing better to say than "unknown".
 */
export function explainUnknown(head: Uint8Array, input: ModelInput): ModelError | undefined {
  const { name, source } = input;
  if (source.size === 0) {
    return new ModelError(
      'unsupported',
      `${name} is empty (0 bytes). If it should hold a model, download or save it again.`,
      { reason: 'empty', offset: 0 },
    );
  }
  if (head.every((byte) => byte === 0)) {
    return new ModelError(
      'malformed',
      `${name} starts with ${head.length} zero bytes: the download or copy was probably cut off. Fetch it again.`,
      {
        reason: 'zeros',
        offset: 0,
      },
    );
  }
  if (head.length >= 4 && /^ZF0[xX]$/.test(String.fromCharCode(...head.subarray(0, 4)))) {
    return new ModelError(
      'unsupported',
      `${name} holds the compressed elements of one array of a joblib file and no description of it. Open the file that it belongs to, beside it.`,
      { reason: 'side-file', offset: 0 },
    );
  }
  // The identifier of a FlatBuffer stands behind its first offset. Source: ExecuTorch `schema/program.fbs`.
  const identifier = head.length >= 8 ? String.fromCharCode(...head.subarray(4, 8)) : '';
  if (/^ET\d\d$/.test(identifier)) {
    return new ModelError(
      'unsupported',
      `${name} is a program for ExecuTorch (${identifier}), whose instructions Modelglass does not read. Open the model that it was made from: the exported program (.pt2) or its checkpoint.`,
      { reason: 'executorch', offset: 4 },
    );
  }
  // llama.cpp writes these little-endian: `GGUF`, and before 2023-08 numbers that read ggml, ggmf and ggjt. Source: ggml `docs/gguf.md`.
  const magic = head.length >= 4 ? String.fromCharCode(...head.subarray(0, 4)) : '';
  if (/^(GGUF|lmgg|fmgg|tjgg|algg)$/.test(magic)) {
    return new ModelError(
      'unsupported',
      `${name} is a ${magic === 'GGUF' ? 'GGUF' : 'GGML'} file of llama.cpp, which Modelglass does not read. Open the checkpoint (.safetensors, .pth) that it was converted from.`,
      { reason: 'ggml', offset: 0 },
    );
  }
  const text = looksLikeText(head) ? Buffer.from(head).toString('utf8') : undefined;
  if (text === undefined) return undefined;
  if (text.startsWith('version https://git-lfs.github.com/spec/')) {
    const size = /\nsize (\d+)/.exec(text)?.[1];
    return new ModelError(
      'unsupported',
      `${name} is a Git LFS pointer, not the model itself${size ? ` (the model has ${size} bytes)` : ''}. Run "git lfs pull" to fetch it.`,
      { reason: 'git-lfs', offset: 0 },
    );
  }
  const start = text
    .replace(/^\ufeff?\s+/, '')
    .slice(0, 200)
    .toLowerCase();
  if (start.startsWith('<!doctype html') || start.startsWith('<html') || start.startsWith('<head')) {
    return new ModelError(
      'unsupported',
      `${name} is an HTML page, not a model: probably a login or error page was saved in its place. Download it again.`,
      {
        reason: 'html',
        offset: 0,
      },
    );
  }
  if (start.startsWith('<?xml')) {
    return new ModelError(
      'unsupported',
      `${name} is an XML document, not a model: storage services send such a page when access is denied.`,
      {
        reason: 'xml',
        offset: 0,
      },
    );
  }
  return new ModelError('unsupported', `${name} is a text file, not a model.`, { reason: 'text', offset: 0 });
}

/** Whether bytes are UTF-8 text: no control characters but white space, valid sequences (one cut at the end is fine). */
export function looksLikeText(head: Uint8Array): boolean {
  if (head.length === 0) return false;
  for (const byte of head)
    if ((byte < 0x20 && byte !== 9 && byte !== 10 && byte !== 13 && byte !== 12 && byte !== 0x1b) || byte === 0x7f)
      return false;
  const text = new TextDecoder('utf-8').decode(head.subarray(0, Math.max(1, head.length - 3)), { stream: true });
  return !text.includes('\ufffd');
}
