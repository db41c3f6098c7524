/** The words of a verdict, shared by the engine, the command line and the view (CLI.md, `scan --json`). */

export type Verdict = 'safe' | 'suspicious' | 'dangerous';
export type ImportClass = 'known' | 'unknown' | 'dangerous';
export type ImportUseKind = 'imported' | 'called' | 'instantiated' | 'state-set';

export interface SecurityFinding {
  /** Stable rule name, such as `dangerous-import`. */
  rule: string;
  severity: 'info' | 'suspicious' | 'dangerous';
  member: string;
  offset?: number;
  opcode?: string;
  module?: string;
  name?: string;
  use?: ImportUseKind;
  /** The call as Python-like text. */
  call?: string;
  message: string;
  advice?: string;
  advisory?: string;
}

export interface ImportUse {
  module: string;
  name: string;
  class: ImportClass;
  use: ImportUseKind;
  offset: number;
  member: string;
  /** How often the stream imports it. */
  count: number;
  reason?: string;
}

/** What a scan looked at, and what it could not look into. */
export interface Coverage {
  member: string;
  bytes: number;
  /** `pickle`, `zip`, `text`, `array data`, `7z archive`… */
  kind: string;
  scanned: boolean;
  reason?: string;
}

export interface ScanReport {
  verdict: Verdict;
  sentence: string;
  findings: SecurityFinding[];
  imports: ImportUse[];
  coverage: Coverage[];
}

/** One file of a scan, as `scan --json` prints it. */
export interface FileScan extends ScanReport {
  file: string;
  format: string;
  /** Set for a file met on the way through a folder that is no model by content or name; reports leave it out. */
  skipped?: true;
  /** Set when the file could not be read at all; it then counts as unreadable, whatever `verdict` says. */
  error?: { code: string; message: string; reason?: string; offset?: number; member?: string };
}
