/** Every bound the readers hold, by name, each with the reason for its value. */

/** Size of the window through which streams are read: large enough for few system calls, small enough to be cheap. */
export const WINDOW_BYTES = 256 * 1024;

/** Byte strings in a pickle longer than this stay in the file, as offset and length. */
export const INLINE_BYTES = 256;

/** Python-2 strings longer than this are not decoded while reading; they are usually array data. */
export const INLINE_PYTHON2_STRING = 4096;

/** One text or string opcode. Python's own limit is memory; half a gigabyte is V8's longest string. */
export const MAX_STRING_BYTES = 0x1fffffe8;

/** Opcodes in one file. A 1 GB list of floats has 120 million; beyond this the values no longer fit the engine's heap. */
export const MAX_OPCODES = 200_000_000;

/** Share of the heap that values of a file may fill, so that the engine reports rather than dies; the rest is for looking at them. */
export const HEAP_SHARE = 0.8;

/** Memory that the values of one file may take, roughly counted, however small it is. A forest of a million nodes takes a tenth. */
export const MIN_VALUE_BYTES = 256 * 1024 ** 2;

/** The same, for each byte of a larger file: lists of numbers take two to five times their bytes, empty containers fifty to two hundred. */
export const VALUE_BYTES_PER_BYTE = 5;

/** Share of the heap that the counted values may take at most: whatever looks at them needs room as well. */
export const VALUE_HEAP_SHARE = 0.4;

/** Opcodes between two looks at the heap: a power of two. Each can make some 200 bytes, so 13 MB at most go unseen. */
export const HEAP_CHECK_OPCODES = 0x10000;

/** Levels of nesting in one JSON text. Python's own parser gives up at a thousand, in some versions at some ten thousand. */
export const MAX_JSON_NESTING = 100_000;

/** Digits of one integer written as text; turning more into a number takes time that grows with their square. */
export const MAX_INTEGER_DIGITS = 0x40000;

/** Pickles in one file before the rest is reported as not read. CPython's loaders read as many as the program asks for. */
export const MAX_PICKLES = 100_000;

/** Bytes that may come out of one compressed stream. Larger models exist, compressed ones of that size do not. */
export const MAX_DECOMPRESSED_BYTES = 4 * 1024 ** 3;

/** Decompressed bytes kept in memory; above it the stream is refused rather than swapped. */
export const MAX_DECOMPRESSED_IN_MEMORY = 2 * 1024 ** 3 - 1;

/** Output to input ratio above which a compressed stream that is also large (64 MB) is called a bomb. zlib cannot pass 1,032. */
export const MAX_COMPRESSION_RATIO = 1100;

/** Archives inside archives that are opened. Deeper nesting has no honest use. */
export const MAX_ARCHIVE_DEPTH = 5;

/** Members of one archive. Large sharded checkpoints have some 100,000 storages. */
export const MAX_ARCHIVE_MEMBERS = 1_000_000;

/** Output below this size is never called a bomb, whatever its ratio: a small file of zeros is honest. */
export const BOMB_BYTES = 64 * 1024 ** 2;

/** Bytes outside every member of a zip that are searched for hidden members, before the rest is reported as not searched. */
export const MAX_GAP_SEARCH = 256 * 1024 ** 2;

/** Unpacked bytes of one block of a sorted string table. Writers aim at 4 to 256 kB; a block is longer only for one huge value. */
export const MAX_TABLE_BLOCK_BYTES = 256 * 1024 ** 2;

/** Keys of one sorted string table, spelled out. A checkpoint of 100,000 variables has some 20 MB. */
export const MAX_TABLE_KEY_BYTES = 256 * 1024 ** 2;
