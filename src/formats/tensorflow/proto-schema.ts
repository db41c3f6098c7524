import source from '../../../proto/tensorflow.proto';

/** A field of a message as the text of the schema declares it. */
export interface ProtoField {
  number: number;
  /** Scalar type, or the full name of a message or enum. */
  type: string;
  repeated: boolean;
  map: boolean;
}

export interface ProtoSchema {
  messages: Map<string, Map<string, ProtoField>>;
  enums: Map<string, Map<string, number>>;
}

const SCALARS = new Set([
  'double',
  'float',
  'int32',
  'int64',
  'uint32',
  'uint64',
  'sint32',
  'sint64',
  'fixed32',
  'fixed64',
  'sfixed32',
  'sfixed64',
  'bool',
  'string',
  'bytes',
]);

export function isScalar(type: string): boolean {
  return SCALARS.has(type);
}

let parsed: ProtoSchema | undefined;

/** The schema of proto/tensorflow.proto by field names, which the compiled modules do not keep and the text form needs. */
export function tensorflowSchema(): ProtoSchema {
  parsed ??= parseSchema(source);
  return parsed;
}

/** Reads the subset of the schema language that our own files use. */
export function parseSchema(text: string): ProtoSchema {
  const tokens = text.replace(/\/\/[^\n]*/g, '').match(/"[^"]*"|[\w.]+|[{}=;<>,]/g) ?? [];
  const messages: ProtoSchema['messages'] = new Map();
  const enums: ProtoSchema['enums'] = new Map();
  const raw: { owner: string; field: ProtoField }[] = [];
  const scope: { kind: 'message' | 'enum' | 'oneof'; name: string }[] = [];
  const path = (): string =>
    scope
      .filter((s) => s.kind !== 'oneof')
      .map((s) => s.name)
      .join('.');
  let i = 0;
  const skipStatement = (): void => {
    while (i < tokens.length && tokens[i] !== ';') i++;
    i++;
  };
  while (i < tokens.length) {
    const token = tokens[i]!;
    if (token === '}') {
      scope.pop();
      i++;
    } else if (token === ';') i++;
    else if ((token === 'message' || token === 'enum' || token === 'oneof') && tokens[i + 2] === '{') {
      scope.push({ kind: token, name: tokens[i + 1]! });
      if (token === 'message') messages.set(path(), new Map());
      if (token === 'enum') enums.set(path(), new Map());
      i += 3;
    } else if (scope.length === 0 || token === 'option' || token === 'reserved') skipStatement();
    else if (scope.at(-1)!.kind === 'enum') {
      enums.get(path())!.set(token, Number(tokens[i + 2]));
      skipStatement();
    } else {
      const owner = path();
      let type = token;
      let repeated = false;
      let map = false;
      if (token === 'repeated') {
        repeated = true;
        type = tokens[++i]!;
      } else if (token === 'map') {
        // map < key , value >
        map = true;
        const entry = `${owner}.${tokens[i + 6]!}Entry`;
        const key: ProtoField = { number: 1, type: tokens[i + 2]!, repeated: false, map: false };
        const value: ProtoField = { number: 2, type: tokens[i + 4]!, repeated: false, map: false };
        messages.set(
          entry,
          new Map([
            ['key', key],
            ['value', value],
          ]),
        );
        raw.push({ owner, field: value });
        type = entry;
        i += 5;
      }
      const field: ProtoField = { number: Number(tokens[i + 3]), type, repeated, map };
      messages.get(owner)!.set(tokens[i + 1]!, field);
      raw.push({ owner, field });
      skipStatement();
    }
  }
  // Names are looked up from the innermost scope outwards.
  for (const { owner, field } of raw) {
    if (SCALARS.has(field.type) || field.map) continue;
    for (let at = owner; ; at = at.slice(0, Math.max(0, at.lastIndexOf('.')))) {
      const name = at === '' ? field.type : `${at}.${field.type}`;
      if (messages.has(name) || enums.has(name)) {
        field.type = name;
        break;
      }
      if (at === '') break;
    }
  }
  return { messages, enums };
}
