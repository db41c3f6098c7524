import type { Format } from '../format';
import { kerasFormat } from './archive';
import { hdf5Format } from './hdf5-file';
import { kerasPickleFormat } from './in-pickle';

/** The readers of this folder. */
export const KERAS_FORMATS: Format[] = [kerasFormat, hdf5Format, kerasPickleFormat];
