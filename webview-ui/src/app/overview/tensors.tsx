import type { ParameterRow } from '../../../../src/engine/contract';
import { t } from '../../l10n';
import { host } from '../../rpc';
import { LongName, Name } from '../../shared/name';
import { shapeText } from '../../shared/numbers';
import { OutlineTable } from './outline-table';

const SOURCE = {
  children: async (_: string | null, start: number, count: number) => {
    const { matching, rows } = await host.parameters({ start, count });
    return { total: matching, rows };
  },
  path: (row: ParameterRow) => String(row.index),
  childCount: () => 0,
};

/** The first rows of the parameter table. */
export function Tensors() {
  return (
    <OutlineTable
      id="tensors"
      title={t('Parameters')}
      source={SOURCE}
      columns={[t('Name'), t('Shape'), t('Type')]}
      cells={(row) => [
        <LongName key="name" text={row.name} />,
        <span key="shape" class="mono nowrap">
          {shapeText(row.shape)}
        </span>,
        <Name key="dtype" text={row.dtype} mono />,
      ]}
      tab="parameters"
      all={t('All parameters')}
    />
  );
}
