/** The words in which the policy speaks about an imported name. */

export type PolicyClass = 'known' | 'unknown' | 'dangerous';

/**
 * What a pickle does with an imported name: merely refers to it, makes an instance without calling it (NEWOBJ, `copyreg._reconstructor`,
 * and the state that BUILD gives it), or calls it with arguments of the file's choice (REDUCE, OBJ or INST with arguments).
 */
export type PolicyUse = 'reference' | 'instantiate' | 'call';

/** What a dangerous name can do to whoever loads the file. */
export type DangerCategory =
  | 'exec'
  | 'process'
  | 'import'
  | 'native'
  | 'deserialise'
  | 'network'
  | 'file-write'
  | 'file-read'
  | 'attribute-escape'
  | 'indirect-call'
  | 'deferred-call'
  | 'dynamic-class'
  | 'environment'
  | 'thread'
  | 'dos'
  | 'codec'
  | 'scanner-tamper'
  | 'unvetted';

/**
 * Which evidence about the arguments decides on a use. On a dangerous name it can clear the use, on a known name it can convict it.
 *
 * - `attribute`: names of attributes are constants and harmless, and the object is not an import (`getattr`, `attrgetter`)
 * - `holds`: every callable among the arguments is itself known (`partial`, `defaultdict`, `_reconstructor`)
 * - `pickle`: the bytes among the arguments are a pickle or torch file that is safe itself
 * - `import`: module and name among the arguments are constants that are known themselves
 * - `type-name`: the argument is the name of a harmless built-in type
 * - `class`: no function of the file ends up as a method that runs by itself
 * - `code`: bytecode that is kept, not called
 * - `codec`: a pure decoder (base64, hex, zlib, rot13, text encodings)
 * - `key`: keys are plain data
 * - `subscript`: the object is a type of `typing`
 * - `word`: text among the arguments is a single name or number (sympy evaluates any other)
 * - `size`: sizes are not absurd
 * - `blank`: the class is not called; an array of it is made empty by `_reconstruct`, or joblib notes it beside the numbers of one
 * - `state`: source text in the state is the one that the package itself writes (scipy's distributions)
 */
export type Judge =
  | 'attribute'
  | 'holds'
  | 'pickle'
  | 'import'
  | 'type-name'
  | 'class'
  | 'code'
  | 'codec'
  | 'key'
  | 'subscript'
  | 'word'
  | 'size'
  | 'blank'
  | 'state';

/** What the policy knows about one name. */
export interface Classification {
  /** The class of the mere appearance of the name. */
  class: PolicyClass;
  /** Of a known name: the uses that were vetted. */
  uses?: PolicyUse[];
  /** The class of any other use of a known name, and of a call of an unknown one. */
  otherwise?: PolicyClass;
  category?: DangerCategory;
  judge?: Judge;
  /** Advisory that describes this name as an attack, such as `GHSA-…` or `CVE-…`. */
  advisory?: string;
  /** A few words why, for lists. */
  reason?: string;
  /** What would happen on load, in plain words; set when the name is dangerous, or would be when called. */
  sentence?: string;
  /** The name that a re-export, an alias or an attribute chain leads to, when it is another one: `torch.serialization.load`. */
  resolved?: string;
}

/** The class of one use of a classified name. */
export function classOfUse(classification: Classification, use: PolicyUse): PolicyClass {
  switch (classification.class) {
    case 'dangerous':
      return 'dangerous';
    case 'known':
      return classification.uses?.includes(use) ? 'known' : (classification.otherwise ?? 'unknown');
    case 'unknown':
      return use === 'call' ? (classification.otherwise ?? 'unknown') : 'unknown';
  }
}
