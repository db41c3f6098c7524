import type { ModuleRow } from '../../../../src/engine/contract';
import { ModuleName } from '../../architecture/module-name';
import { t } from '../../l10n';
import { host } from '../../rpc';
import { Name } from '../../shared/name';
import { exact, humanCount } from '../../shared/numbers';
import { OutlineTable } from './outline-table';
import { Tensors } from './tensors';

const SOURCE = {
  children: async (path: string | null, start: number, count: number) => {
    const slice = await host.modules(path, start, count);
    // A root without anything below says no more than the title, and one empty module no more than that.
    const said =
      slice.total > 1 || slice.rows.some((row) => (path === null ? row.childCount > 0 : row.parameterCount > 0));
    return said ? slice : { total: 0, rows: [] };
  },
  path: (row: ModuleRow) => row.path,
  childCount: (row: ModuleRow) => row.childCount,
};

/**
 * The first levels of the hierarchy: what the model is made of, before anybody looks for it. Several tensors without a hierarchy are
 * named instead.
 */
export function Layers({ tensors }: { tensors: number }) {
  return (
    <OutlineTable
      id="layers"
      title={t('Structure')}
      source={SOURCE}
      columns={[t('Module'), t('Shapes'), t('Params')]}
      cells={(row) => [
        <ModuleName key="name" row={row} />,
        row.summary ? <Name key="summary" text={row.summary} /> : '',
        row.parameterCount > 0 ? (
          <span key="count" title={exact(row.parameterCount)}>
            {humanCount(row.parameterCount)}
          </span>
        ) : (
          ''
        ),
      ]}
      tab="architecture"
      all={t('Whole architecture')}
      otherwise={tensors > 1 ? <Tensors /> : null}
    />
  );
}
