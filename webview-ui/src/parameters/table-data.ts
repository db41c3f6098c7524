import { useEffect, useRef, useState } from 'preact/hooks';
import type { EngineFailure, ParameterRow, ParameterSlice } from '../../../src/engine/contract';
import { generation } from '../app/state';
import { failureOf, host } from '../rpc';
import { PagedRows } from '../shared/paged';
import { query } from './query';

const PAGE = 128;
const TYPING_MS = 120;

export interface TableData {
  rows?: PagedRows<ParameterRow>;
  total: number;
  matching: number;
  dtypes: string[];
  failure?: EngineFailure;
}

/** Rows for the present query. The old ones stay in sight until the first page of the new ones is here. */
export function useTableData(): TableData {
  const [data, setData] = useState<TableData>({ total: 0, matching: 0, dtypes: [] });
  const asked = query.value;
  const current = generation.value;
  const latest = useRef(0);
  useEffect(() => {
    const mine = ++latest.current;
    const ask = (): void => {
      host.parameters({ ...asked, start: 0, count: PAGE }).then(
        (slice: ParameterSlice) => {
          if (mine !== latest.current) return;
          const rows = new PagedRows<ParameterRow>(
            async (start, count) => (await host.parameters({ ...asked, start, count })).rows,
            failureOf,
            PAGE,
          );
          rows.put(0, slice.rows);
          setData((before) => {
            before.rows?.dispose();
            return { rows, total: slice.total, matching: slice.matching, dtypes: slice.dtypes };
          });
        },
        (error) => {
          if (mine === latest.current) setData((before) => ({ ...before, failure: failureOf(error) }));
        },
      );
    };
    if (mine === 1) {
      ask();
      return;
    }
    const timer = setTimeout(ask, TYPING_MS);
    return () => clearTimeout(timer);
  }, [JSON.stringify(asked), current]);
  useEffect(() => () => void latest.current++, []);
  return data;
}
