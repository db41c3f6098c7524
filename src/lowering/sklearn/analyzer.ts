import { asArray, plain } from '../../formats/numpy/pickled';
import { asSequence, asText, Global, Instance, type Value as Pickled, PySet } from '../../pickle/values';
import type { Estimator } from './estimator';
import { PYTHON_SPACE, translatePattern, Untranslatable } from './python-regex';
import { ENGLISH_STOP_WORDS } from './stop-words';

/** From a text to its terms, in order. */
export type Analyzer = (text: string) => string[];

const SPACES = new RegExp(`[${PYTHON_SPACE}]{2,}`, 'gu');
const SPLIT = new RegExp(`[^${PYTHON_SPACE}]+`, 'gu');
const DEFAULT_PATTERN = /[\p{L}\p{N}_]{2,}/gu;

/**
 * What `build_analyzer()` builds: lower case, accents, tokens without stop words, n-grams. Source: sklearn
 * `feature_extraction/text.py` (`_VectorizerMixin`).
 * @throws ModelError `unsupported` that names a function of the user's own, or a pattern that cannot be translated
 */
export function buildAnalyzer(estimator: Estimator): Analyzer {
  const input = estimator.optionalText('input') ?? 'content';
  if (input !== 'content') throw estimator.unsupported(`it reads its texts from files (input="${input}")`);
  const kind = estimator.optionalText('analyzer');
  if (kind === undefined)
    throw estimator.unsupported(
      `its analyzer is the function ${nameOf(estimator.value('analyzer'))}, which is not in the file`,
    );
  const preprocess = buildPreprocessor(estimator);
  const [low, high] = ngramRange(estimator);
  if (kind === 'char') return (text) => charNgrams(preprocess(text), low, high);
  if (kind === 'char_wb') return (text) => boundedNgrams(preprocess(text), low, high);
  if (kind !== 'word') throw estimator.unsupported(`its analyzer "${kind}" is not known`);
  const tokenize = buildTokenizer(estimator);
  const stop = stopWords(estimator);
  return (text) => {
    const tokens = tokenize(preprocess(text));
    return wordNgrams(stop ? tokens.filter((token) => !stop.has(token)) : tokens, low, high);
  };
}

function buildPreprocessor(estimator: Estimator): (text: string) => string {
  const own = estimator.value('preprocessor');
  if (own !== undefined)
    throw estimator.unsupported(`its preprocessor is the function ${nameOf(own)}, which is not in the file`);
  const lower = estimator.flag('lowercase', true);
  const strip = accentStripper(estimator);
  return (text) => strip(lower ? text.toLowerCase() : text);
}

function accentStripper(estimator: Estimator): (text: string) => string {
  const value = estimator.value('strip_accents');
  const name = asText(value);
  if (value === undefined || name === '') return (text) => text;
  if (name === 'ascii') return (text) => text.normalize('NFKD').replace(/[^\0-\x7f]/g, '');
  // Before 0.22 a text that was decomposed already kept its accents.
  const always = estimator.since('0.22');
  if (name === 'unicode')
    return (text) => {
      const normal = text.normalize('NFKD');
      if (!always && normal === text) return text;
      return normal.replace(/\p{M}/gu, (mark) => (isCombining(mark) ? '' : mark));
    };
  throw estimator.unsupported(`its strip_accents is the function ${nameOf(value)}, which is not in the file`);
}

/** Whether the canonical combining class is not 0: such marks change places with one of another class. */
function isCombining(mark: string): boolean {
  const [lowest, highest] = ['\u0334', '\u0345'];
  return (mark + lowest).normalize('NFD') !== mark + lowest || (highest + mark).normalize('NFD') !== highest + mark;
}

function buildTokenizer(estimator: Estimator): (text: string) => string[] {
  const own = estimator.value('tokenizer');
  if (own !== undefined) {
    if (isStringSplit(own)) return (text) => text.match(SPLIT) ?? [];
    throw estimator.unsupported(`its tokenizer is the function ${nameOf(own)}, which is not in the file`);
  }
  const pattern = estimator.text('token_pattern');
  if (pattern === '(?u)\\b\\w\\w+\\b') return (text) => text.match(DEFAULT_PATTERN) ?? [];
  try {
    const { regex, groups } = translatePattern(pattern);
    if (groups > 1) throw new Untranslatable('it has more than one group');
    return (text) => Array.from(text.matchAll(regex), (match) => (groups === 1 ? (match[1] ?? '') : match[0]));
  } catch (error) {
    if (error instanceof Untranslatable)
      throw estimator.unsupported(`its token_pattern ${pattern} cannot be translated exactly: ${error.message}`);
    throw error;
  }
}

/** `str.split`, pickled as `getattr(str, "split")`. */
function isStringSplit(value: Pickled): boolean {
  if (!(value instanceof Instance) || !(value.callable instanceof Global) || value.callable.name !== 'getattr')
    return false;
  const [owner, name] = asSequence(value.args) ?? [];
  return owner instanceof Global && owner.name === 'str' && asText(name) === 'split';
}

function stopWords(estimator: Estimator): ReadonlySet<string> | undefined {
  const value = estimator.value('stop_words');
  if (value === undefined) return undefined;
  const name = asText(value);
  if (name === 'english') return ENGLISH_STOP_WORDS;
  const items =
    value instanceof PySet ? value.items : (asSequence(value) ?? asArray(value)?.toList() ?? frozenItems(value));
  if (name !== undefined || !items)
    throw estimator.unsupported(`its stop words ${name === undefined ? '' : `"${name}" `}are not a list`);
  return new Set(items.map((item) => asText(plain(item)) ?? ''));
}

/** `frozenset([…])` and `set([…])` where they were pickled as calls. */
function frozenItems(value: Pickled): Pickled[] | undefined {
  if (
    !(value instanceof Instance) ||
    !(value.callable instanceof Global) ||
    !/^(frozen)?set$/.test(value.callable.name)
  )
    return undefined;
  return asSequence(asSequence(value.args)?.[0]);
}

function ngramRange(estimator: Estimator): [number, number] {
  const [low, high] = (estimator.items('ngram_range') ?? []).map((item) => Number(plain(item)));
  if (!Number.isInteger(low) || !Number.isInteger(high))
    throw estimator.unsupported('its ngram_range is not a pair of whole numbers');
  return [low!, high!];
}

function wordNgrams(tokens: string[], low: number, high: number): string[] {
  if (high === 1) return tokens;
  const out = low === 1 ? [...tokens] : [];
  for (let n = low === 1 ? 2 : low; n <= Math.min(high, tokens.length); n++) {
    for (let i = 0; i + n <= tokens.length; i++) out.push(tokens.slice(i, i + n).join(' '));
  }
  return out;
}

function charNgrams(text: string, low: number, high: number): string[] {
  const chars = Array.from(text.replace(SPACES, ' '));
  const out = low === 1 ? [...chars] : [];
  for (let n = low === 1 ? 2 : low; n <= Math.min(high, chars.length); n++) {
    for (let i = 0; i + n <= chars.length; i++) out.push(chars.slice(i, i + n).join(''));
  }
  return out;
}

/** n-grams inside words, which get a space on either side; a word shorter than n counts once. */
function boundedNgrams(text: string, low: number, high: number): string[] {
  const out: string[] = [];
  for (const word of text.replace(SPACES, ' ').match(SPLIT) ?? []) {
    const chars = [' ', ...word, ' '];
    for (let n = low; n <= high; n++) {
      out.push(chars.slice(0, n).join(''));
      let offset = 0;
      while (offset + n < chars.length) {
        offset++;
        out.push(chars.slice(offset, offset + n).join(''));
      }
      if (offset === 0) break;
    }
  }
  return out;
}

/** A function as it is named in the file. */
export function nameOf(value: Pickled | undefined): string {
  if (value instanceof Global) return value.path;
  if (value instanceof Instance && value.callable instanceof Global) {
    const named = (asSequence(value.args) ?? []).find((item): item is Global => item instanceof Global);
    return named ? named.path : value.callable.path;
  }
  return 'of its own';
}
