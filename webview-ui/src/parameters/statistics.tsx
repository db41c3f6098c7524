import { useEffect, useRef, useState } from 'preact/hooks';
import type { EngineFailure, ParameterRow, TensorStatistics } from '../../../src/engine/contract';
import { t } from '../l10n';
import { failureOf, host } from '../rpc';
import { Button, Spinner } from '../shared/controls';
import { ErrorNote } from '../shared/error-note';
import { exact, humanBytes, measure, percent } from '../shared/numbers';
import { useRemote } from '../shared/remote';
import { Histogram } from './histogram';

/** Statistics of a sample at once, of every value on request. */
export function Statistics({ row }: { row: ParameterRow }) {
  const sample = useRemote(() => host.statistics(row.index, false), [row.index]);
  const [full, setFull] = useState<TensorStatistics | undefined>(undefined);
  const [failure, setFailure] = useState<EngineFailure | undefined>(undefined);
  const [running, setRunning] = useState(false);
  const run = useRef(0);
  useEffect(() => () => void run.current++, []);

  const askExact = (): void => {
    const mine = ++run.current;
    setRunning(true);
    setFailure(undefined);
    host.statistics(row.index, true).then(
      (found) => {
        if (mine !== run.current) return;
        setFull(found);
        setRunning(false);
      },
      (error) => {
        if (mine !== run.current) return;
        setFailure(failureOf(error));
        setRunning(false);
      },
    );
  };
  const cancel = (): void => {
    run.current++;
    setRunning(false);
    host.cancelStatistics().catch(() => undefined);
  };

  const shown = full ?? sample.value;
  // What has no numbers has no statistics; the values say why, if they cannot be shown either.
  if (sample.failure?.code === 'unsupported') return null;
  return (
    <section aria-labelledby="statistics">
      <div class="section-head">
        <h3 id="statistics">{t('Statistics')}</h3>
        {shown && !shown.exact ? (
          running ? (
            <>
              <Spinner label={t('Reading {0}…', humanBytes(row.bytes))} />
              <Button onClick={cancel}>{t('Cancel')}</Button>
            </>
          ) : (
            <>
              <span class="dim">
                {t('from a sample of {0} ({1})', exact(shown.seen), percent(shown.seen / Math.max(1, shown.total)))}
              </span>
              <Button onClick={askExact}>{t('Exact')}</Button>
            </>
          )
        ) : shown ? (
          <span class="dim">{t('from all {0}', exact(shown.total))}</span>
        ) : null}
      </div>
      {sample.failure && !full ? <ErrorNote failure={sample.failure} retry={sample.retry} inline /> : null}
      {failure ? <ErrorNote failure={failure} inline /> : null}
      {shown ? <Numbers shown={shown} /> : sample.pending ? <Spinner label={t('Reading a sample…')} /> : null}
    </section>
  );
}

function Numbers({ shown }: { shown: TensorStatistics }) {
  const entries: [string, string, string?][] = [
    [t('min'), measure(shown.min)],
    [t('max'), measure(shown.max)],
    [t('mean'), measure(shown.mean)],
    [t('std'), measure(shown.std)],
    [t('zeros'), exact(shown.zeros), shown.seen > 0 ? percent(shown.zeros / shown.seen) : undefined],
    [t('NaN'), exact(shown.nans)],
    [t('infinite'), exact(shown.infinities)],
  ];
  return (
    <>
      <dl class="numbers">
        {entries.map(([name, value, note]) => (
          <div key={name} class={(name === t('NaN') || name === t('infinite')) && value !== '0' ? 'attention' : ''}>
            <dt>{name}</dt>
            <dd>
              {value} {note && value !== '0' ? <span class="dim">{note}</span> : null}
            </dd>
          </div>
        ))}
      </dl>
      {shown.histogram && shown.histogram.counts.length > 0 ? <Histogram histogram={shown.histogram} /> : null}
    </>
  );
}
