import type { ObjectRow } from '../../../../src/engine/contract';
import { t } from '../../l10n';
import { host } from '../../rpc';
import { Name } from '../../shared/name';
import { OutlineTable } from './outline-table';

const SOURCE = {
  children: (path: string | null, start: number, count: number) => host.objects(path, start, count),
  path: (row: ObjectRow) => row.path,
  childCount: (row: ObjectRow) => (row.cyclic ? 0 : row.childCount),
};

/** The first objects of a file that holds neither a model nor one array. */
export function Contents() {
  return (
    <OutlineTable
      id="contents"
      title={t('Contents')}
      source={SOURCE}
      columns={[t('Name'), t('Type'), t('Value')]}
      cells={(row) => [
        <Name key="label" text={row.label} mono />,
        <Name key="type" text={row.type} mono />,
        <Name key="preview" text={row.preview} mono />,
      ]}
      tab="objects"
      all={t('All objects')}
    />
  );
}
