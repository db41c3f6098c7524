/**
 * The judge of pickles with its policy. A bundle of its own, which `scan` loads for files that the walk cannot vouch for.
 */
export { scanOrdinaryFile } from '../engine/scan-ordinary';
export { extendPolicy } from '../security/policy';
