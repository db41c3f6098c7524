import type { EngineFailure } from '../../../src/engine/contract';
import { t } from '../l10n';
import { Button } from './controls';
import { Icon } from './icons';
import { visible } from './text';

/** Where it went wrong, unless the message says so itself. */
export function placeOf({ message, member, offset }: EngineFailure): string {
  const exactOffset = offset?.toLocaleString('en-US') ?? '';
  const said = offset !== undefined && (message.includes(exactOffset) || message.includes(String(offset)));
  return [
    member && !message.includes(member) ? t('in {0}', visible(member)) : '',
    offset === undefined || said || (offset === 0 && !member) ? '' : t('at byte {0}', exactOffset),
  ]
    .filter(Boolean)
    .join(', ');
}

/** What went wrong, in place of what could not be shown. */
export function ErrorNote({
  failure,
  retry,
  inline = false,
}: {
  failure: EngineFailure;
  retry?: () => void;
  inline?: boolean;
}) {
  const place = placeOf(failure);
  return (
    <div class={`note error ${inline ? 'inline' : ''}`} role="alert">
      <Icon name="danger" class="error-mark" />
      <div class="note-body">
        <p>{visible(failure.message)}</p>
        {place ? <p class="dim">{place}</p> : null}
        {retry ? <Button onClick={retry}>{t('Try again')}</Button> : null}
      </div>
    </div>
  );
}
