/** Whether the name of a file beside a model leads elsewhere: absolute, through a parent, a drive, an address, or cut off by a NUL. */
export function leavesFolder(location: string): boolean {
  return (
    /^[/\\~]|^[a-z]:|^[a-z][a-z0-9+.-]*:\/\//i.test(location) ||
    location.split(/[/\\]/).includes('..') ||
    location.includes('\0')
  );
}
