/** Bytes that are looked at to tell what a piece of content is. */
export const HEAD_BYTES = 4096;
