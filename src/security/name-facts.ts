import type { Global } from '../pickle/values';
import type { Callee } from './callee';
import { mayAllocate, returnsShared, saysNothing, setsClassState } from './evidence/by-name';
import { type Classification, classify, type Judge, policyRevision } from './policy';

/** What follows from an imported name alone, worked out once for all files. */
export interface NameFacts {
  callee: Callee & { kind: 'name' };
  classification: Classification;
  /** The path that the name leads to, re-exports followed. */
  path: string;
  /** No argument changes what the name says about a call. */
  noEvidence: boolean;
  /** It may allocate what it is asked for. */
  allocates: boolean;
  /** It fills classes that the file defines. */
  setsClassState: boolean;
  /** What it returns is an object of the loading program. */
  shared: boolean;
  /** What it returns may be an import: an attribute, a module, a type. */
  fetches: boolean;
  /** It makes an instance of its first argument. */
  makesFirst: boolean;
  /** Objects of it note down the class of an array. */
  notesClass: boolean;
  /** It makes a class, or fills one. */
  definesClass: boolean;
}

/** Names that are remembered; a stream can have any number of them. */
const MAX_REMEMBERED = 20_000;

/** Module → name → facts. */
const remembered = new Map<string, Map<string, NameFacts>>();
let count = 0;
let revision = -1;

/** The facts about a name that is written out in the file. Shared: do not change them. */
export function factsOf(global: Global): NameFacts {
  if (revision !== policyRevision() || count >= MAX_REMEMBERED) {
    remembered.clear();
    count = 0;
    revision = policyRevision();
  }
  const { module, name } = global;
  let names = remembered.get(module);
  if (!names) {
    names = new Map();
    remembered.set(module, names);
  }
  let facts = names.get(name);
  if (!facts) {
    facts = workOut(module, name);
    names.set(name, facts);
    count++;
  }
  return facts;
}

const FETCHING: readonly (Judge | undefined)[] = ['attribute', 'import', 'type-name'];

function workOut(module: string, name: string): NameFacts {
  const classification = classify(module, name);
  const path = classification.resolved ?? `${module}.${name}`;
  const { judge } = classification;
  return {
    callee: { kind: 'name', module, name },
    classification,
    path,
    noEvidence: saysNothing(path, classification),
    allocates: mayAllocate(path),
    setsClassState: setsClassState(path),
    shared: returnsShared(path),
    fetches: FETCHING.includes(judge),
    makesFirst: judge === 'holds' && MAKES_FIRST.test(name),
    notesClass: /numpy_pickle\.NumpyArrayWrapper$/.test(path),
    definesClass: judge === 'class' || FILLS_CLASS.test(name),
  };
}

/** Functions that are given a class and make an instance of it without calling it by name. */
export const MAKES_FIRST =
  /^(_reconstructor|__newobj__|__newobj_ex__|newObj|_reconstruct|_new_\w*Index|__pyx_unpickle_\w+)$/;

/** Functions that give a class its methods after it was made. */
export const FILLS_CLASS = /(_class_setstate|_rehydrate_skeleton_class)$/;
