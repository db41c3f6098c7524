import type { ComponentChildren, Ref } from 'preact';
import { h } from 'preact';
import { Icon, type IconName } from './icons';

interface ButtonProps {
  onClick: () => void;
  children: ComponentChildren;
  kind?: 'primary' | 'secondary';
  disabled?: boolean;
  title?: string;
}

export function Button({ kind = 'secondary', onClick, children, disabled = false, title }: ButtonProps) {
  return h('vscode-button', { appearance: kind, onClick: disabled ? undefined : onClick, disabled, title }, children);
}

interface IconButtonProps {
  icon: IconName;
  label: string;
  onClick: () => void;
  disabled?: boolean;
  pressed?: boolean;
  buttonRef?: Ref<HTMLButtonElement>;
}

/** A borderless button with an icon; `label` is its accessible name and tooltip. */
export function IconButton({ icon, label, onClick, disabled, pressed, buttonRef }: IconButtonProps) {
  return (
    <button
      type="button"
      class="icon-button"
      ref={buttonRef}
      title={label}
      aria-label={label}
      aria-pressed={pressed}
      disabled={disabled}
      onClick={onClick}
    >
      <Icon name={icon} />
    </button>
  );
}

/** A button that looks like a link: it goes somewhere inside the view. */
export function LinkButton({
  onClick,
  children,
  title,
}: {
  onClick: () => void;
  children: ComponentChildren;
  title?: string;
}) {
  return (
    <button type="button" class="link" onClick={onClick} title={title}>
      {children}
    </button>
  );
}

interface TextFieldProps {
  value: string;
  onInput: (value: string) => void;
  /** Visible label; use `ariaLabel` where none shows. */
  label?: ComponentChildren;
  ariaLabel?: string;
  placeholder?: string;
  invalid?: boolean;
  describedBy?: string;
  onKeyDown?: (event: KeyboardEvent) => void;
  startIcon?: IconName;
  class?: string;
  id?: string;
}

const textIn = (event: Event): string => (event.currentTarget as HTMLInputElement).value;

export function TextField({
  label,
  ariaLabel,
  onInput,
  invalid,
  describedBy,
  startIcon,
  class: className,
  ...rest
}: TextFieldProps) {
  return h(
    'vscode-text-field',
    {
      ...rest,
      class: `field ${invalid ? 'invalid' : ''} ${className ?? ''}`,
      'aria-label': ariaLabel,
      'aria-invalid': invalid ? 'true' : undefined,
      'aria-describedby': describedBy,
      onInput: (event: Event) => onInput(textIn(event)),
    },
    label,
    startIcon ? h('span', { slot: 'start' }, <Icon name={startIcon} />) : null,
  );
}

export function TextArea({
  label,
  ariaLabel,
  onInput,
  invalid,
  describedBy,
  rows = 6,
  class: className,
  ...rest
}: TextFieldProps & { rows?: number }) {
  return h(
    'vscode-text-area',
    {
      ...rest,
      rows,
      resize: 'vertical',
      class: `field ${invalid ? 'invalid' : ''} ${className ?? ''}`,
      'aria-label': ariaLabel,
      'aria-invalid': invalid ? 'true' : undefined,
      'aria-describedby': describedBy,
      onInput: (event: Event) => onInput(textIn(event)),
    },
    label,
  );
}

export function Checkbox({
  checked,
  onChange,
  children,
}: {
  checked: boolean;
  onChange: (checked: boolean) => void;
  children: ComponentChildren;
}) {
  return h(
    'vscode-checkbox',
    { checked, onChange: (event: Event) => onChange((event.currentTarget as HTMLInputElement).checked) },
    children,
  );
}

/** The native list: its popup is never clipped by a scrolling pane. */
export function Select({
  value,
  options,
  onChange,
  ariaLabel,
  id,
}: {
  value: string;
  options: { value: string; label: string }[];
  onChange: (value: string) => void;
  ariaLabel?: string;
  id?: string;
}) {
  return (
    <span class="select">
      <select id={id} value={value} aria-label={ariaLabel} onChange={(event) => onChange(event.currentTarget.value)}>
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
      <Icon name="chevron" />
    </span>
  );
}

export function Spinner({ label }: { label: string }) {
  return (
    <div class="spinner" role="status">
      {h('vscode-progress-ring', { 'aria-label': label })}
      <span>{label}</span>
    </div>
  );
}
