import { chmodSync, cpSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const samples = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../media/samples');

/** A folder of models to open: the samples, and files that are wrong in the ways that files are wrong. */
export function makeWorkspace(folder) {
  mkdirSync(folder, { recursive: true });
  cpSync(samples, folder, { recursive: true });
  const write = (name, content) => writeFileSync(path.join(folder, name), content);
  const forest = readFileSync(path.join(samples, 'random_forest_model.pkl'));
  write('empty.pkl', '');
  write('truncated.pkl', forest.subarray(0, Math.floor(forest.length / 2)));
  write('config.pkl', 'name = "Swallow"\n\njob {\n  title = "Sr. Nest Maker"\n  company = "Nests R Us"\n}\n');
  write(
    'login_page.pt',
    '<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Sign in to continue</body></html>\n',
  );
  write('notes.pth', 'Remember to upload the real checkpoint.\n');
  write(
    'pointer.joblib',
    'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 123456789\n',
  );
  write('zeros.pkl', '');
  truncateSync(path.join(folder, 'zeros.pkl'), 4 * 1024 ** 3); // sparse
  mkdirSync(path.join(folder, 'folder.pkl'), { recursive: true });
  write('unreadable.pkl', forest);
  chmodSync(path.join(folder, 'unreadable.pkl'), 0);
  write('changing.pkl', forest);
}
