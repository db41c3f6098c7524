import { useState } from 'preact/hooks';
import type { SecurityReport } from '../../../src/engine/contract';
import { t } from '../l10n';
import { Icon } from '../shared/icons';
import { Name } from '../shared/name';
import { exact, humanBytes } from '../shared/numbers';
import { visible } from '../shared/text';

const SHOWN = 500;

/** What was looked at and what was not; the latter is never hidden. */
export function Coverage({ coverage }: { coverage: SecurityReport['coverage'] }) {
  const skipped = coverage.filter((part) => !part.scanned);
  const scanned = coverage.filter((part) => part.scanned);
  const [open, setOpen] = useState(false);
  if (coverage.length === 0) return null;
  return (
    <section aria-labelledby="coverage">
      <h2 id="coverage">{t('What was looked at')}</h2>
      {skipped.length > 0 ? <Parts parts={skipped} label={t('Not looked at')} /> : null}
      <div class="disclosure">
        <button type="button" class="disclose" aria-expanded={open} onClick={() => setOpen(!open)}>
          <Icon name="chevron" />
          {t('Read in full')} <span class="count">{exact(scanned.length)}</span>
        </button>
        {open ? <Parts parts={scanned} label={t('Read in full')} /> : null}
      </div>
    </section>
  );
}

function Parts({ parts, label }: { parts: SecurityReport['coverage']; label: string }) {
  return (
    <div class="table-scroll" tabIndex={0} role="group" aria-label={label}>
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">{t('Part')}</th>
            <th scope="col">{t('Kind')}</th>
            <th scope="col" class="numeric">
              {t('Size')}
            </th>
            <th scope="col">{t('Looked at')}</th>
          </tr>
        </thead>
        <tbody>
          {parts.slice(0, SHOWN).map((part, i) => (
            <tr key={i}>
              <td>
                {part.member ? <Name text={part.member} mono /> : <span class="dim">{t('the file itself')}</span>}
              </td>
              <td>{visible(part.kind)}</td>
              <td class="numeric nowrap" title={exact(part.bytes)}>
                {humanBytes(part.bytes)}
              </td>
              <td>
                {part.scanned ? t('yes') : t('no')}
                {part.reason ? <span class="dim">: {visible(part.reason)}</span> : null}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {parts.length > SHOWN ? <p class="dim">{t('and {0} more', parts.length - SHOWN)}</p> : null}
    </div>
  );
}
