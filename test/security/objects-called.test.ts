import { describe, expect, it } from 'vitest';
import { call, global, int, type Piece, pickle, str, stream, tuple } from './assembler';
import { summary } from './scan';

const ARRAY = call('numpy', 'zeros', int(2));
const PATH = str('/tmp/written');

/** Calls of what a vetted name made, and of constructors that do more than a call graph sees (sections A1, B7, F). */
const DANGEROUS: Record<string, Piece[]> = {
  // Found by reading and tried in NumPy: `ndarray.dump` writes a pickle to any path.
  'a method of arrays by its name': [
    call('numpy.ma.core', '_frommethod', str('dump')),
    tuple(call('numpy.ma.core', 'MaskedArray', ARRAY), PATH),
    'REDUCE',
  ],
  'a function of the file’s choice, by numpy.ma': [
    call('numpy.ma.extras', '_fromnxfunction_single', global('numpy', 'savetxt'), PATH, ARRAY),
  ],
  'an object whose class is vetted': [
    global('sklearn.base', 'BaseEstimator'),
    'EMPTY_TUPLE',
    'NEWOBJ',
    tuple(int(1)),
    'REDUCE',
  ],
  'what a vetted function returned': [ARRAY, tuple(int(1)), 'REDUCE'],
  'an object with a list of its own': [
    stream(global('collections', 'deque'), 'EMPTY_TUPLE', 'REDUCE'),
    'EMPTY_TUPLE',
    'REDUCE',
  ],
  'a model by its path': [call('ultralytics.nn.backends.pytorch', 'PyTorchBackend', PATH)],
  'CLIP, which is downloaded': [call('ultralytics.nn.text_model', 'CLIP', PATH, str('cpu'))],
  'weights of a metric by their path': [call('torchmetrics.image.fid', 'NoTrainInceptionV3', str('a'), tuple(), PATH)],
  'a file of an evaluation': [call('gensim.models.poincare', 'ReconstructionEvaluation', PATH, ARRAY)],
  'a data set that is fetched': [
    call('sentence_transformers.cross_encoder.evaluation.nano_beir', 'CrossEncoderNanoBEIREvaluator', tuple(PATH)),
  ],
  'a loss that fetches its decoder': [
    call(
      'sentence_transformers.sentence_transformer.losses.denoising_auto_encoder',
      'DenoisingAutoEncoderLoss',
      'NONE',
      PATH,
    ),
  ],
  'an entry in the registry of torch': [
    call('torch.return_types', 'pytree_register_structseq', global('collections', 'OrderedDict')),
  ],
};

describe('objects and constructors that are called', () => {
  for (const [what, pieces] of Object.entries(DANGEROUS)) {
    it(`is dangerous with ${what}`, () => {
      expect(summary(pickle(...pieces)).verdict).toBe('dangerous');
    });
  }

  it('says what is called', () => {
    const { rules, names } = summary(
      pickle(global('sklearn.base', 'BaseEstimator'), 'EMPTY_TUPLE', 'NEWOBJ', 'EMPTY_TUPLE', 'REDUCE'),
    );
    expect(rules).toEqual(['object-called']);
    expect(names).toEqual(['sklearn.base.BaseEstimator']);
  });

  it('is not, where the same classes stand as objects', () => {
    const metric = stream(global('torchmetrics.image.fid', 'FrechetInceptionDistance'), 'EMPTY_TUPLE', 'NEWOBJ');
    expect(summary(pickle(metric, 'EMPTY_DICT', 'BUILD')).verdict).toBe('safe');
    const own = stream(global('my_models', 'Net'), 'EMPTY_TUPLE', 'NEWOBJ', 'EMPTY_TUPLE', 'REDUCE');
    expect(summary(pickle(own)).verdict).toBe('suspicious');
  });
});
