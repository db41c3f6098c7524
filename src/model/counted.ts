/** `1 tensor`, `62 tensors`: a number of things that English puts an s behind. */
export function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}
