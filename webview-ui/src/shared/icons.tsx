/** Outlines on a 16 × 16 grid, drawn with the text colour. */
const PATHS = {
  check: 'M3 8.5l3.2 3.2L13 4.6',
  warning: 'M8 2.2L14.6 13.6H1.4ZM8 6.4v3.6M8 11.6v.4',
  danger: 'M5.2 1.7h5.6l3.5 3.5v5.6l-3.5 3.5H5.2L1.7 10.8V5.2ZM8 4.6v4.2M8 10.8v.5',
  info: 'M8 1.6a6.4 6.4 0 1 0 0 12.8A6.4 6.4 0 0 0 8 1.6ZM8 7.2v4M8 4.8v.4',
  chevron: 'M6 3.8L10.2 8 6 12.2',
  copy: 'M5.5 5.5h8v8h-8ZM10.5 5.5v-3h-8v8h3',
  close: 'M3.8 3.8l8.4 8.4M12.2 3.8l-8.4 8.4',
  reload: 'M13.2 8a5.2 5.2 0 1 1-1.6-3.7M13.4 1.9v3h-3',
  download: 'M8 2v8M4.6 7L8 10.3 11.4 7M2.5 13.5h11',
  play: 'M4.5 2.8v10.4L12.8 8Z',
  link: 'M6.6 9.4a2.6 2.6 0 0 0 3.7 0l2.3-2.3a2.6 2.6 0 0 0-3.7-3.7l-.9.9M9.4 6.6a2.6 2.6 0 0 0-3.7 0L3.4 8.9a2.6 2.6 0 0 0 3.7 3.7l.9-.9',
  cycle: 'M3 9.5a5 5 0 0 0 9.3 1M13 6.5a5 5 0 0 0-9.3-1M12.6 13.4v-3h-3M3.4 2.6v3h3',
  search: 'M6.8 2.2a4.6 4.6 0 1 0 0 9.2 4.6 4.6 0 0 0 0-9.2ZM10.2 10.2l3.8 3.8',
  sortUp: 'M8 12.5v-9M4.4 7L8 3.4 11.6 7',
  sortDown: 'M8 3.5v9M4.4 9L8 12.6 11.6 9',
  back: 'M13 8H3.5M7.4 4L3.4 8l4 4',
  list: 'M2.5 4h11M2.5 8h11M2.5 12h11',
  tree: 'M2.5 3h4M4.5 3v9.5h4M4.5 7.5h4M8.5 7.5h5M8.5 12.5h5',
  graph: 'M5.7 2h4.6v3.2H5.7ZM1.6 10.8h4.6V14H1.6ZM9.8 10.8h4.6V14H9.8ZM8 5.2v2.6M3.9 10.8V7.8h8.2v3',
  plus: 'M8 3v10M3 8h10',
  minus: 'M3 8h10',
  fit: 'M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10',
  shield: 'M8 1.6l5.4 2v4.2c0 3.2-2.2 5.5-5.4 6.6-3.2-1.1-5.4-3.4-5.4-6.6V3.6Z',
  code: 'M5.4 4.4L1.8 8l3.6 3.6M10.6 4.4L14.2 8l-3.6 3.6',
} as const;

export type IconName = keyof typeof PATHS;

/** Decoration: never read out. */
export function Icon({ name, class: className }: { name: IconName; class?: string }) {
  return (
    <svg class={`icon ${className ?? ''}`} viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
