import { useState } from 'preact/hooks';
import type { ImportRow } from '../../../src/engine/contract';
import type { ImportClass, ImportUseKind } from '../../../src/security/report';
import { t, tn } from '../l10n';
import { LinkButton } from '../shared/controls';
import { Icon } from '../shared/icons';
import { Name } from '../shared/name';
import { exact, hexOffset } from '../shared/numbers';
import { visible } from '../shared/text';
import type { Place } from './disassembly';

const CLASSES: ImportClass[] = ['dangerous', 'unknown', 'known'];
const SHOWN = 300;

/** Every name that the file imports, worst class first. */
export function Imports({ imports, onPlace }: { imports: ImportRow[]; onPlace: (place: Place) => void }) {
  if (imports.length === 0) return null;
  return (
    <section aria-labelledby="imports">
      <h2 id="imports">{tn(imports.length, '{0} import', '{0} imports')}</h2>
      {CLASSES.map((kind) => {
        const rows = imports.filter((row) => row.class === kind);
        return rows.length === 0 ? null : <Group key={kind} kind={kind} rows={rows} onPlace={onPlace} />;
      })}
    </section>
  );
}

function className(kind: ImportClass): string {
  return kind === 'dangerous' ? t('Dangerous') : kind === 'unknown' ? t('Not known') : t('Known');
}

function useName(use: ImportUseKind): string {
  switch (use) {
    case 'called':
      return t('called');
    case 'instantiated':
      return t('instantiated');
    case 'state-set':
      return t('state set');
    default:
      return t('imported only');
  }
}

function Group({ kind, rows, onPlace }: { kind: ImportClass; rows: ImportRow[]; onPlace: (place: Place) => void }) {
  const [open, setOpen] = useState(kind !== 'known' || rows.length <= 12);
  return (
    <div class="disclosure">
      <button type="button" class="disclose" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icon name="chevron" />
        <span class={`dot ${kind}`} aria-hidden="true" />
        {className(kind)} <span class="count">{exact(rows.length)}</span>
      </button>
      {open ? (
        <div class="table-scroll" tabIndex={0} role="group" aria-label={className(kind)}>
          <table class="plain imports">
            <thead>
              <tr>
                <th scope="col">{t('Name')}</th>
                <th scope="col">{t('Use')}</th>
                <th scope="col" class="numeric">
                  {t('Times')}
                </th>
                <th scope="col">{t('First at')}</th>
              </tr>
            </thead>
            <tbody>
              {rows.slice(0, SHOWN).map((row, i) => (
                <tr key={i} title={row.reason ? visible(row.reason) : undefined}>
                  <td class="mono">
                    <span class="dim">
                      <Name text={row.module} />.
                    </span>
                    <Name text={row.name} />
                    {row.reason && kind !== 'known' ? <small>{visible(row.reason)}</small> : null}
                  </td>
                  <td class="nowrap">{useName(row.use)}</td>
                  <td class="numeric">{exact(row.count)}</td>
                  <td class="nowrap">
                    <LinkButton
                      title={t('Show in the disassembly')}
                      onClick={() => onPlace({ member: row.member, offset: row.offset })}
                    >
                      <bdi class="mono">
                        {row.member ? `${visible(shortMember(row.member))} ` : ''}
                        {hexOffset(row.offset)}
                      </bdi>
                    </LinkButton>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
          {rows.length > SHOWN ? <p class="dim">{t('and {0} more', rows.length - SHOWN)}</p> : null}
        </div>
      ) : null}
    </div>
  );
}

/** The last part of a member's path; the tooltip of the disassembly says it all. */
function shortMember(member: string): string {
  return member.length > 28 ? `…${member.slice(-27)}` : member;
}
