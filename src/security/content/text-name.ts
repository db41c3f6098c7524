/** Text longer than this is looked into only if it is called like a text that a loader reads. */
export const LONG_TEXT = 4 * 1024 * 1024;

/** Names of texts, and names that say nothing. */
export const TEXT_NAME = /[.](ya?ml|pbtxt|py|txt|json|cfg|conf|model)$|^[^.]*$/i;
