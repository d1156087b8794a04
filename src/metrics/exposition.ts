/** One sample line. Histograms append `suffix` to their name. */
export type Sample = {
  value: number;
  labels?: Readonly<Record<string, string>>;
  suffix?: '_bucket' | '_sum' | '_count';
};
export type Family = {
  name: string;
  help: string;
  type: 'gauge' | 'counter' | 'histogram';
  samples: readonly Sample[];
};

export function gauge(name: string, help: string, samples: readonly Sample[]): Family {
  return { name, help, type: 'gauge', samples };
}

export function counter(name: string, help: string, samples: readonly Sample[]): Family {
  return { name, help, type: 'counter', samples };
}

/** Writes the Prometheus text format, version 0.0.4. Families without samples are left out. */
export function exposition(families: readonly Family[]): string {
  return families
    .filter(({ samples }) => samples.length > 0)
    .map(({ name, help, type, samples }) =>
      [`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${type}`, ...samples.map((one) => line(name, one))].join(
        '\n',
      ),
    )
    .join('\n')
    .concat('\n');
}

/**
 * Merges several expositions into one. The format allows help and type of a metric only once, and wants its samples
 * together.
 */
export function merged(expositions: readonly string[]): string {
  const heads = new Map<string, string>();
  const samples = new Map<string, string[]>();
  for (const text of expositions.flatMap((one) => one.split('\n'))) {
    const head = /^# (?:HELP|TYPE) (\S+)/.exec(text);
    const name = head?.[1] ?? /^[a-zA-Z_:][\w:]*/.exec(text)?.[0];
    if (name === undefined) continue;
    if (head) heads.set(text, name);
    else samples.set(name, [...(samples.get(name) ?? []), text]);
  }
  const headsOf = (name: string) => [...heads].flatMap(([text, of]) => (of === name ? [text] : []));
  return [...samples]
    .flatMap(([name, lines]) => [...headsOf(name), ...lines])
    .join('\n')
    .concat('\n');
}

function line(name: string, { value, labels = {}, suffix }: Sample): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
  return `${name}${suffix ?? ''}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}`;
}

const escapeHelp = (text: string) => text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');
const escapeLabel = (text: string) => escapeHelp(text).replace(/"/g, '\\"');
