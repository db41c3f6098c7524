import { useEffect, useState } from 'preact/hooks';
import type { ParameterRow } from '../../../src/engine/contract';
import { actionFailure, generation } from '../app/state';
import { t } from '../l10n';
import { failureOf, host } from '../rpc';
import { Button, IconButton, Select, TextField } from '../shared/controls';
import { CopyButton } from '../shared/copy';
import { ErrorNote } from '../shared/error-note';
import { Menu } from '../shared/menu';
import { LongName, Name } from '../shared/name';
import { exact } from '../shared/numbers';
import { Split } from '../shared/split';
import { visible } from '../shared/text';
import { persisted } from '../vscode';
import { Grid } from './grid';
import { Grouped } from './grouped';
import { ParameterDetail } from './parameter-detail';
import { dtype, filter, openRow, query, rewind, scroll, under } from './query';
import { type TableData, useTableData } from './table-data';

const share = persisted('parameters.share', 0.42);
const grouped = persisted('parameters.grouped', false);

/** The table of every tensor and array. */
export function Parameters() {
  const data = useTableData();
  const [row, setRow] = useState<ParameterRow | undefined>(undefined);
  const wanted = openRow.value;

  // The open row may come from a state that was saved, or from another tab. Unfiltered and unsorted, its index is its position.
  useEffect(() => {
    if (wanted < 0) {
      setRow(undefined);
      return;
    }
    let ended = false;
    host.parameters({ start: wanted, count: 1 }).then(
      (slice) => {
        if (!ended) setRow(slice.rows.find((candidate) => candidate.index === wanted));
      },
      () => undefined, // The table itself says what is wrong.
    );
    return () => {
      ended = true;
    };
  }, [wanted, generation.value]);

  // A filter asks for rows wherever they are, so what it finds is shown flat.
  const isGrouped = grouped.value && !filtered() && data.total > 0;
  return (
    <div class="parameters">
      <Toolbar data={data} />
      {data.failure && data.failure.code !== 'usage' ? <ErrorNote failure={data.failure} /> : null}
      <Split
        share={share}
        detailLabel={t('Details of the parameter')}
        detailTitle={
          row ? (
            <>
              <LongName text={row.name} />
              <CopyButton text={row.name} label={t('Copy the name')} />
            </>
          ) : undefined
        }
        detail={row ? <ParameterDetail key={row.index} row={row} /> : undefined}
        onClose={() => {
          openRow.value = -1;
        }}
      >
        {isGrouped ? (
          <Grouped
            onOpen={(next) => {
              openRow.value = next.index;
              setRow(next);
            }}
          />
        ) : data.rows ? (
          <Grid
            rows={data.rows}
            count={data.matching}
            empty={data.total === 0 ? t('This file holds no tensors or arrays.') : t('No parameter matches.')}
            openIndex={row?.index ?? -1}
            onOpen={(next) => {
              openRow.value = next.index;
              setRow(next);
            }}
          />
        ) : null}
      </Split>
    </div>
  );
}

function filtered(): boolean {
  return filter.value !== '' || dtype.value !== '' || under.value !== '';
}

function Toolbar({ data }: { data: TableData }) {
  const invalid = data.failure?.code === 'usage' ? data.failure.message : undefined;
  const change = (): void => {
    scroll.value = 0;
    rewind.value++;
  };
  return (
    <div class="toolbar">
      <div class="filter">
        <TextField
          value={filter.value}
          ariaLabel={t('Filter by name')}
          placeholder={t('Filter: word, glob* or /regex/')}
          startIcon="search"
          invalid={invalid !== undefined}
          describedBy={invalid ? 'filter-problem' : undefined}
          onInput={(value) => {
            filter.value = value;
            change();
          }}
        />
        {invalid ? (
          <p class="field-problem" id="filter-problem" role="alert">
            {visible(invalid)}
          </p>
        ) : null}
      </div>
      <Select
        ariaLabel={t('Element type')}
        value={dtype.value}
        options={[
          { value: '', label: t('All types') },
          // The saved choice may not be among this file's types.
          ...[...new Set([...data.dtypes, ...(dtype.value ? [dtype.value] : [])])].map((name) => ({
            value: name,
            label: visible(name),
          })),
        ]}
        onChange={(value) => {
          dtype.value = value;
          change();
        }}
      />
      {under.value ? (
        <span class="chip">
          {t('below')} <Name text={under.value} mono title />
          <IconButton
            icon="close"
            label={t('Show all modules')}
            onClick={() => {
              under.value = '';
              change();
            }}
          />
        </span>
      ) : null}
      <span class="matching" role="status">
        {filtered() ? t('{0} of {1}', exact(data.matching), exact(data.total)) : exact(data.total)}
      </span>
      {filtered() ? (
        <Button
          onClick={() => {
            filter.value = '';
            dtype.value = '';
            under.value = '';
            change();
          }}
        >
          {t('Clear')}
        </Button>
      ) : null}
      <span class="spring" />
      <IconButton
        icon={grouped.value ? 'list' : 'tree'}
        label={grouped.value ? t('Show as one list') : t('Group by module')}
        disabled={filtered()}
        onClick={() => {
          grouped.value = !grouped.value;
        }}
      />
      <Menu
        label={t('Copy')}
        icon="copy"
        disabled={data.matching === 0}
        items={[
          { label: t('Copy as CSV'), run: () => copyAs('csv') },
          { label: t('Copy as JSON'), run: () => copyAs('json') },
          { label: t('Copy as Markdown'), run: () => copyAs('markdown') },
          { label: t('Save as CSV…'), run: () => saveCsv() },
        ]}
      />
      <Menu
        label={t('Export')}
        icon="download"
        disabled={data.matching === 0}
        items={[
          { label: t('Export values as .safetensors…'), run: () => exportValues('safetensors') },
          { label: t('Export values as .npy files…'), run: () => exportValues('npy') },
        ]}
      />
    </div>
  );
}

function report(error: unknown): void {
  const failure = failureOf(error);
  if (failure.code !== 'cancelled') actionFailure.value = failure;
}

/** The whole matching table, whatever is in sight. */
function all(): Parameters<typeof host.parametersAs>[0] {
  return { ...query.value, start: 0, count: 0 };
}

function copyAs(style: 'csv' | 'json' | 'markdown'): void {
  host
    .parametersAs(all(), style)
    .then((text) => host.copy(text))
    .catch(report);
}

function saveCsv(): void {
  host
    .parametersAs(all(), 'csv')
    .then((text) => host.saveText('parameters.csv', text))
    .catch(report);
}

function exportValues(kind: 'safetensors' | 'npy'): void {
  host.exportModel(kind, filter.value.trim() || undefined).catch(report);
}
