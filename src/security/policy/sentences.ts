import type { DangerCategory } from './types';

/** What a name of each category does on load: the end of a sentence that starts with the name. */
export const DOES: Record<DangerCategory, string> = {
  exec: 'runs Python code that the file brings along',
  process: 'starts or controls other programs',
  import: 'imports modules of the file’s choice, which runs their code',
  native: 'loads or calls native code',
  deserialise: 'loads another pickle or model, which can run code',
  network: 'opens a network connection or fetches something from it',
  'file-write': 'creates, changes or deletes files',
  'file-read': 'reads files of this computer',
  'attribute-escape': 'reaches attributes by name, and through them anything in Python',
  'indirect-call': 'calls whatever function it is given',
  'deferred-call': 'arranges for a function to be called later',
  'dynamic-class': 'creates a class whose methods can run by themselves',
  environment: 'reads or changes the state of the Python process',
  thread: 'starts a thread',
  dos: 'stops, blocks or crashes the Python process',
  codec: 'converts text or bytes, which hides what they say',
  'scanner-tamper': 'tampers with a scanner or with the safe loading of pickles',
  unvetted: 'does something that nobody has vetted for use in model files',
};

/** The same in two or three words, for lists. */
export const REASONS: Record<DangerCategory, string> = {
  exec: 'runs code',
  process: 'starts programs',
  import: 'imports modules',
  native: 'native code',
  deserialise: 'loads pickles',
  network: 'network',
  'file-write': 'writes files',
  'file-read': 'reads files',
  'attribute-escape': 'reaches attributes by name',
  'indirect-call': 'calls what it is given',
  'deferred-call': 'calls something later',
  'dynamic-class': 'creates classes',
  environment: 'state of the process',
  thread: 'starts threads',
  dos: 'stops or blocks Python',
  codec: 'hides text',
  'scanner-tamper': 'tampers with scanners',
  unvetted: 'not vetted',
};
