import type { ComponentChildren } from 'preact';
import type { ParameterRow } from '../../../src/engine/contract';
import { t } from '../l10n';
import { Icon } from '../shared/icons';
import { LongName, Name } from '../shared/name';
import { exact, humanBytes, humanCount, percent, shapeText } from '../shared/numbers';
import { visible } from '../shared/text';
import type { SortKey } from './query';

export interface Column {
  key: SortKey | 'share';
  title: string;
  sort?: SortKey;
  /** Starting width in pixels; the name takes what is left. */
  width: number;
  numeric?: boolean;
  /** Narrowest table, in pixels, that still shows this column. */
  from: number;
  cell(row: ParameterRow): ComponentChildren;
}

export function columns(): Column[] {
  return [
    { key: 'name', title: t('Name'), sort: 'name', width: 0, from: 0, cell: (row) => <NameCell row={row} /> },
    {
      key: 'shape',
      title: t('Shape'),
      sort: 'shape',
      width: 132,
      from: 0,
      cell: (row) => <span title={shapeText(row.shape)}>{shapeText(row.shape)}</span>,
    },
    { key: 'dtype', title: t('Type'), sort: 'dtype', width: 82, from: 440, cell: (row) => visible(row.dtype) },
    {
      key: 'count',
      title: t('Elements'),
      sort: 'count',
      width: 82,
      numeric: true,
      from: 540,
      cell: (row) => <span title={exact(row.count)}>{humanCount(row.count)}</span>,
    },
    {
      key: 'bytes',
      title: t('Size'),
      sort: 'bytes',
      width: 82,
      numeric: true,
      from: 620,
      cell: (row) => <span title={`${exact(row.bytes)} B`}>{humanBytes(row.bytes)}</span>,
    },
    {
      key: 'share',
      title: t('Share'),
      width: 96,
      from: 740,
      cell: (row) => (
        <span class="share-bar" title={percent(row.share)}>
          <span style={{ width: `${Math.min(1, Math.max(0, row.share)) * 100}%` }} />
        </span>
      ),
    },
    { key: 'kind', title: t('Kind'), sort: 'kind', width: 92, from: 820, cell: (row) => kindName(row.kind) },
    {
      key: 'storage',
      title: t('Storage'),
      sort: 'storage',
      width: 100,
      from: 920,
      cell: (row) => <Name text={row.storage} title />,
    },
    {
      key: 'device',
      title: t('Device'),
      sort: 'device',
      width: 76,
      from: 1060,
      cell: (row) => (row.device ? visible(row.device) : ''),
    },
  ];
}

export function kindName(kind: ParameterRow['kind']): string {
  return kind === 'parameter' ? t('parameter') : kind === 'buffer' ? t('buffer') : t('attribute');
}

function NameCell({ row }: { row: ParameterRow }) {
  return (
    <>
      <LongName text={row.name} />
      {row.tiedTo === undefined ? null : (
        <span class="mark" title={t('Shares its values with {0}', visible(row.tiedTo))}>
          <Icon name="link" />
          <span class="sr-only">{t('tied')}</span>
        </span>
      )}
      {row.note ? (
        <span class="mark" title={visible(row.note)}>
          <Icon name="info" />
        </span>
      ) : null}
    </>
  );
}
