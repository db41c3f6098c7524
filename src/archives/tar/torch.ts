import type { TarArchive } from './archive';

/**
 * Whether a tar is a model of PyTorch before 0.1.2 (2016–17): the members `sys_info`, `pickle`, `tensors` and `storages`, where
 * `tensors` may be missing in what other programs write.
 */
export function isTorchTar(archive: TarArchive): boolean {
  const has = (name: string): boolean => archive.get(name) !== undefined || archive.get(`./${name}`) !== undefined;
  return has('pickle') && has('storages');
}
