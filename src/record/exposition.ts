/**
 * Numbers as Prometheus reads them (its text format, version 0.0.4). Written here rather than taken
 * from a package: it is a page, and counting is on the way of every message.
 */

/** Values by their labels as written: `verdict="accepted"`; '' where there are none. */
export interface Series {
  readonly name: string
  readonly help: string
  readonly kind: 'counter' | 'gauge'
  readonly values: Iterable<readonly [labels: string, value: number]>
}

export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** A counter with labels; to count is a look into a map. */
export class Count {
  readonly kind = 'counter'
  readonly name: string
  readonly help: string
  readonly values = new Map<string, number>()

  constructor(name: string, help: string) {
    this.name = name
    this.help = help
  }

  add(labels: string): void {
    this.values.set(labels, (this.values.get(labels) ?? 0) + 1)
  }
}

export function expose(series: Iterable<Series>): string {
  let text = ''
  for (const { name, help, kind, values } of series) {
    text += `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n`
    for (const [labels, value] of values) {
      text += labels === '' ? `${name} ${value}\n` : `${name}{${labels}} ${value}\n`
    }
  }
  return text
}
