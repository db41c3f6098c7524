/** The number that begins every file of `torch.save` from 0.1.10 to 1.5. */
const LEGACY_MAGIC = 0x1950a86a20f9469cfc6cn;
const MAGIC_LONG1 = Buffer.from([0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e]);
const TORCH = Buffer.from('torch');
const MAGIC_TEXT = Buffer.from(`L${LEGACY_MAGIC}`, 'latin1');

/** Whether bytes begin a legacy stream: the magic number as a pickle of any protocol. */
export function isLegacy(head: Uint8Array): boolean {
  const start = Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, 48));
  const at = start.indexOf(MAGIC_LONG1);
  return (at >= 0 && at <= 12) || start.indexOf(MAGIC_TEXT) === 0;
}

/** Whether the first bytes of a pickle import something of torch, so that reading on is worth it. */
export function mentionsTorch(head: Uint8Array): boolean {
  return head[0] === 0x80 && Buffer.from(head.buffer, head.byteOffset, head.length).includes(TORCH);
}
