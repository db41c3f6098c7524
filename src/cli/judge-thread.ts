import { availableParallelism } from 'node:os';
import * as path from 'node:path';
import { type MessagePort, Worker } from 'node:worker_threads';
import type { ScannedFile } from '../engine/walk';
import type { FileScan } from '../security/report';
import { Scanners } from './scanners';

/** Files that are handed over together. */
const BATCH = 8;

/** Batches of which the first thread may take some back; those behind them wait for the second one. */
const MAX_CLAIMS = 1 << 16;

/** So many batches must be left for the first thread to load a judge of its own. */
const WORTH_LOADING = 32;

interface Batch {
  readonly files: ScannedFile[];
  /** The result of each file that was scanned. */
  readonly results: (FileScan | undefined)[];
}

/** What a second thread is started with. */
export interface JudgeThreadData {
  policy: unknown;
  /** For each batch 1 if a thread has taken it. */
  claims: SharedArrayBuffer;
}

interface Job {
  id: number;
  files: ScannedFile[];
}

interface Answer {
  id: number;
  results: FileScan[];
}

/**
 * Files that the walk cannot vouch for. From the first full batch on a second thread judges them, while the first one walks over others; a few
 * files do not wait for a thread to start. What the second thread fails to do, for whatever reason, is left to the first.
 */
export class JudgedFiles {
  private batches: Batch[] = [];
  /** Batches that the second thread still has to answer. */
  private readonly waiting = new Map<number, Batch>();
  private readonly claims = new Int32Array(new SharedArrayBuffer(MAX_CLAIMS * 4));
  private handed = 0;
  private worker: Worker | undefined;
  private possible = availableParallelism() > 1;
  private answered: () => void = () => {};

  /** @param entry the script of the second thread */
  constructor(
    private readonly scanners: Pick<Scanners, 'judge'>,
    private readonly policy: unknown,
    private readonly entry = path.join(__dirname, 'cli.js'),
  ) {}

  /** Takes a file; what is returned gives its result after `settle`. */
  add(file: ScannedFile): () => Promise<FileScan> {
    let batch = this.batches.at(-1);
    if (!batch || batch.files.length === BATCH) {
      batch = { files: [], results: [] };
      this.batches.push(batch);
    }
    const { files, results } = batch;
    const at = files.push(file) - 1;
    if (files.length === BATCH) this.hand(batch);
    return async () => results[at] ?? this.scanners.judge(file);
  }

  /** Waits for the second thread, if there is one, and takes work from it if there is much. Never rejects. */
  async settle(): Promise<void> {
    const last = this.batches.at(-1);
    if (this.worker && last && last.files.length < BATCH) this.hand(last);
    this.batches = [];
    const left = [...this.waiting];
    if (left.length >= WORTH_LOADING) {
      for (const [id, batch] of left.reverse()) if (this.take(id)) await this.scan(batch, id);
    }
    while (this.waiting.size > 0) {
      await new Promise<void>((resolve) => {
        this.answered = resolve;
      });
    }
  }

  async end(): Promise<void> {
    this.possible = false;
    await this.worker?.terminate();
  }

  private hand(batch: Batch): void {
    if (!this.possible) return;
    this.worker ??= this.start();
    const id = this.handed++;
    this.waiting.set(id, batch);
    this.worker.postMessage({ id, files: batch.files } satisfies Job);
  }

  private start(): Worker {
    const workerData: JudgeThreadData = { policy: this.policy, claims: this.claims.buffer as SharedArrayBuffer };
    const worker = new Worker(this.entry, { workerData, stdout: true, stderr: true });
    worker.on('message', ({ id, results }: Answer) => {
      this.waiting.get(id)?.results.push(...results);
      this.waiting.delete(id);
      this.answered();
    });
    const gone = () => {
      this.possible = false;
      this.waiting.clear();
      this.answered();
    };
    worker.on('error', gone);
    worker.on('messageerror', gone);
    worker.on('exit', gone);
    return worker;
  }

  /** Whether a batch of the second thread is now this one's. */
  private take(id: number): boolean {
    return id < MAX_CLAIMS && Atomics.compareExchange(this.claims, id, 0, 1) === 0;
  }

  private async scan(batch: Batch, id: number): Promise<void> {
    this.waiting.delete(id);
    try {
      for (const file of batch.files) batch.results.push(await this.scanners.judge(file));
    } catch {
      // Whoever asks for the result meets it again.
    }
  }
}

/** The second thread. */
export function serveJudge(port: MessagePort, data: JudgeThreadData): void {
  const scanners = new Scanners(data.policy, false);
  const claims = new Int32Array(data.claims);
  let last = Promise.resolve();
  const scan = async ({ id, files }: Job): Promise<void> => {
    if (id < claims.length && Atomics.compareExchange(claims, id, 0, 1) !== 0) return;
    const results: FileScan[] = [];
    for (const file of files) results.push(await scanners.judge(file));
    port.postMessage({ id, results } satisfies Answer);
  };
  port.on('message', (job: Job) => {
    last = last.then(() => scan(job));
  });
}
