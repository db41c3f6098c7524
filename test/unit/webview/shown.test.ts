import { afterEach, describe, expect, it } from 'vitest';
import { rangeName } from '../../../webview-ui/src/architecture/range-name';
import { boxOf, curve, fitView, nearest, zoomAt } from '../../../webview-ui/src/graph/geometry';
import { strings, t, tn } from '../../../webview-ui/src/l10n';
import { Tiles } from '../../../webview-ui/src/parameters/tiles';
import {
  duration,
  hexOffset,
  humanBytes,
  humanCount,
  measure,
  percent,
  shapeText,
} from '../../../webview-ui/src/shared/numbers';
import { PagedRows } from '../../../webview-ui/src/shared/paged';
import { tokenize } from '../../../webview-ui/src/shared/python-tokens';
import { visible, visibleLines, visibleParts } from '../../../webview-ui/src/shared/text';

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

describe('numbers', () => {
  it('counts', () => {
    expect([0, 999, 9999, 10_000, 61_706, 999_949, 999_960, 25_557_032, 7_241_732_096, 1.5e15].map(humanCount)).toEqual(
      ['0', '999', '9,999', '10K', '61.7K', '1M', '1M', '25.6M', '7.24B', '1500T'],
    );
  });

  it('bytes, shares, shapes, times, offsets', () => {
    expect([0, 999, 1000, 183_412, 4_310_226_944].map(humanBytes)).toEqual([
      '0 B',
      '999 B',
      '1\u00a0kB',
      '183\u00a0kB',
      '4.31\u00a0GB',
    ]);
    expect([0, 0.0004, 0.5, 0.99999, Number.NaN].map(percent)).toEqual(['0.0%', '<0.1%', '50.0%', '100%', '?']);
    expect(shapeText([null, 3, 7])).toBe('? × 3 × 7');
    expect(shapeText([])).toBe('()');
    expect([0.42, 8.04, 86.2, 1403].map(duration)).toEqual(['0.42 ms', '8 ms', '86 ms', '1.4 s']);
    expect(hexOffset(17)).toBe('0x0011');
  });

  it('measured values', () => {
    expect(
      [0, -3.91234567, 1e-5, 123456789, 0.1 + 0.2, Number.NaN, Number.NEGATIVE_INFINITY, undefined, null].map(measure),
    ).toEqual(['0', '-3.91235', '1e-5', '1.2346e8', '0.3', 'NaN', '-Infinity', '–', '–']);
  });
});

describe('text from files', () => {
  it('makes visible what would hide or reorder', () => {
    expect(visible('a\u202eb\u0000c\n\u200b\u2066\ufeff')).toBe('a\\u202eb\\x00c\\n\\u200b\\u2066\\ufeff');
    expect(visible('\ud800x\u{e0041}')).toBe('\\ud800x\\U000e0041');
    expect(visible('héllo 模型 🙂 عربي')).toBe('héllo 模型 🙂 عربي');
    expect(visibleParts('a\u202e\u202db')).toEqual([
      { text: 'a', escaped: false },
      { text: '\\u202e\\u202d', escaped: true },
      { text: 'b', escaped: false },
    ]);
  });

  it('keeps lines, whichever way they end', () => {
    expect(visibleLines('a\r\nb\rc\n\td\u202e')).toBe('a\nb\nc\n\td\\u202e');
  });

  it('cuts what is endless and says so', () => {
    expect(visible('x'.repeat(5000))).toMatch(/x… \(\+1,000\)$/);
  });
});

describe('colours of code', () => {
  const kinds = (source: string, language = 'python'): string[][] =>
    tokenize(source, language).map((line) => line.map(({ kind, text }) => `${kind}:${text}`));

  it('keeps every character', () => {
    const source =
      '@torch.jit\nclass A(B):\n  def f(self, x=1_0.5e-3):  # "c"\n    """two\n    lines""" + r\'\\\'\' + f"{x}"\n\treturn x.is_ok() != None\n"open\nnext';
    expect(
      tokenize(source, 'python')
        .map((line) => line.map((token) => token.text).join(''))
        .join('\n'),
    ).toBe(source);
  });

  it('tells kinds apart', () => {
    expect(kinds('def f(x): return None  # n')[0]).toEqual([
      'keyword:def',
      'text: ',
      'definition:f',
      'text:(x): ',
      'keyword:return',
      'text: ',
      'constant:None',
      'text:  ',
      'comment:# n',
    ]);
    expect(kinds('a = """x\ny""" + 1')).toEqual([
      ['text:a = ', 'string:"""x'],
      ['string:y"""', 'text: + ', 'number:1'],
    ]);
    expect(kinds('torch.add(a, 1.5e-3)')[0]).toEqual([
      'text:torch.',
      'call:add',
      'text:(a, ',
      'number:1.5e-3',
      'text:)',
    ]);
    expect(kinds('plain # text', 'text')).toEqual([['text:plain # text']]);
  });
});

describe('localised strings', () => {
  afterEach(() => {
    strings.value = {};
  });

  it('fall back to English, take arguments and counts', () => {
    expect(t('{0} of {1}', 3, '7')).toBe('3 of 7');
    expect(tn(1, '{0} row', '{0} rows')).toBe('1 row');
    expect(tn(2000, '{0} row', '{0} rows')).toBe('2,000 rows');
    strings.value = { '{0} of {1}': '{0} von {1}' };
    expect(t('{0} of {1}', 3, 7)).toBe('3 von 7');
    expect(t('constructor')).toBe('constructor');
  });
});

describe('pages and tiles', () => {
  it('asks for a page once and forgets the oldest', async () => {
    const asked: number[] = [];
    const rows = new PagedRows<number>(
      async (start, count) => {
        asked.push(start);
        return Array.from({ length: count }, (_, i) => start + i);
      },
      () => ({ code: 'io', message: '' }),
      10,
    );
    rows.need(5, 25);
    rows.need(5, 25);
    expect(rows.row(7)).toBeUndefined();
    await settle();
    expect([rows.row(7), rows.row(24)]).toEqual([7, 24]);
    expect(asked).toEqual([0, 10, 20]);
    for (let page = 3; page < 60; page++) rows.need(page * 10, page * 10 + 1);
    await settle();
    expect(rows.row(7)).toBeUndefined();
    expect(rows.row(599)).toBe(599);
  });

  it('loads the tiles of a window', async () => {
    const asked: string[] = [];
    const tiles = new Tiles(
      async (rowStart, rowCount, columnStart, columnCount) => {
        asked.push(`${rowStart},${columnStart}`);
        const rows = Array.from({ length: rowCount }, (_, r) =>
          Array.from({ length: columnCount }, (_, c) => `${rowStart + r}:${columnStart + c}`),
        );
        return { shape: [], dtype: '', rows, rowStart, columnStart, totalRows: 1000, totalColumns: 1000, leading: [] };
      },
      () => ({ code: 'io', message: '' }),
    );
    tiles.need(60, 70, 0, 10);
    await settle();
    expect(asked).toEqual(['0,0', '64,0']);
    expect(tiles.cell(65, 3)).toBe('65:3');
    expect(tiles.cell(65, 40)).toBeUndefined();
  });
});

describe('graphs', () => {
  const layout = {
    width: 400,
    height: 2000,
    nodes: {
      a: { x: 50, y: 20, width: 80, height: 30 },
      b: { x: 50, y: 120, width: 80, height: 30 },
      c: { x: 250, y: 120, width: 80, height: 30 },
    },
    edges: [],
  };

  it('centres become corners; inherited names are no nodes', () => {
    expect(boxOf(layout, 'a')).toEqual({ x: 10, y: 5, width: 80, height: 30 });
    expect(boxOf(layout, 'constructor')).toBeUndefined();
  });

  it('walks to the nearest node in a direction', () => {
    const boxes = new Map(Object.keys(layout.nodes).map((id) => [id, boxOf(layout, id)]));
    expect(nearest(boxes, 'a', [0, 1])).toBe('b');
    expect(nearest(boxes, 'b', [1, 0])).toBe('c');
    expect(nearest(boxes, 'a', [0, -1])).toBeUndefined();
  });

  it('starts readable, zooms around a point, draws curves', () => {
    const start = fitView(layout, { width: 800, height: 600 });
    expect(start.k).toBe(1);
    expect(start.y).toBe(20);
    const zoomed = zoomAt(start, 2, 400, 300);
    expect((400 - zoomed.x) / zoomed.k).toBeCloseTo((400 - start.x) / start.k);
    expect(
      curve([
        { x: 0, y: 0 },
        { x: 10, y: 10 },
        { x: 10, y: 20 },
      ]),
    ).toBe('M0 0Q10 10 10 15L10 20');
    expect(curve([])).toBe('');
  });
});

describe('names of repeated modules', () => {
  it('say the range', () => {
    expect(rangeName('estimators_[0]', 'estimators_[99]', '?')).toBe('estimators_[0–99]');
    expect(rangeName('model.layer.0', 'model.layer.31', '?')).toBe('0–31');
    expect(rangeName('left', 'right', '?')).toBe('?');
  });
});
