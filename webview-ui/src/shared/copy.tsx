import { useRef, useState } from 'preact/hooks';
import { t } from '../l10n';
import { host } from '../rpc';
import { Icon } from './icons';

/** Copies through the host: a webview may not reach the clipboard in every place that VS Code runs in. */
export function CopyButton({ text, label }: { text: string | (() => Promise<string>); label: string }) {
  const [done, setDone] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const copy = async (): Promise<void> => {
    await host.copy(typeof text === 'string' ? text : await text());
    setDone(true);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setDone(false), 1500);
  };
  return (
    <button
      type="button"
      class="icon-button copy"
      title={label}
      aria-label={done ? t('Copied') : label}
      onClick={() => void copy()}
    >
      <Icon name={done ? 'check' : 'copy'} />
    </button>
  );
}
