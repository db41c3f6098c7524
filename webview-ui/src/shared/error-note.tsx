import type { EngineFailure } from '../../../src/engine/contract';
import { t } from '../l10n';
import { Button } from './controls';
import { Icon } from './icons';
import { visible } from './text';

/** What went wrong, in place of what could not be shown. */
export function ErrorNote({ failure, retry, inline = false }: { failure: EngineFailure; retry?: () => void; inline?: boolean }) {
  const place = [
    failure.member ? t('in {0}', visible(failure.member)) : '',
    failure.offset === undefined ? '' : t('at byte {0}', failure.offset.toLocaleString('en-US')),
  ].filter(Boolean);
  return (
    <div class={`note error ${inline ? 'inline' : ''}`} role="alert">
      <Icon name="danger" class="error-mark" />
      <div class="note-body">
        <p>{visible(failure.message)}</p>
        {place.length > 0 ? <p class="dim">{place.join(', ')}</p> : null}
        {retry ? <Button onClick={retry}>{t('Try again')}</Button> : null}
      </div>
    </div>
  );
}
