/** What is counted and measured, for /metrics (Prometheus). Counting never waits and never fails. */
import { Count, EXPOSITION_TYPE, expose, type Series } from './exposition.ts'

export interface Metrics {
  /** Messages at the final dot: accepted, deferred or refused. */
  message(verdict: 'accepted' | 'deferred' | 'refused'): void
  /** Recipients settled, by outcome and transport. */
  recipient(outcome: string, transport: string): void
  /** A connection came to a listener. */
  connection(listener: string): void
  login(result: 'accepted' | 'denied' | 'unavailable'): void
  /** The exposition text; `more` stands behind what is counted here. */
  /** Who was turned away at the door, and why. */
  readonly turnedAway: Pick<Count, 'add'>
  text(more?: Iterable<Series>): string
  readonly contentType: string
}

export interface Gauges {
  connections(): number
  jobs(): number
  /** Destinations that are down, and suspended, as far as this node knows. */
  closed(): { readonly down: number; readonly suspended: number }
  /** Networks that are banned. */
  bans(): number
  /** What there is too much of. */
  overload(): readonly string[]
  /** Transactions of the store, and the writes that shared them. */
  commits(): number
  writes(): number
}

const LOADS = ['memory', 'heap', 'delay', 'disk']

export function metrics(gauges: Gauges): Metrics {
  const messages = new Count('postrider_messages_total', 'Messages at the final dot')
  const recipients = new Count('postrider_recipients_total', 'Recipients settled or deferred')
  const connections = new Count('postrider_connections_total', 'Connections taken')
  const logins = new Count('postrider_logins_total', 'Logins')
  const turnedAway = new Count('postrider_turned_away_total', 'Connections that were turned away')
  const now = (kind: Series['kind'], name: string, help: string, read: () => number): Series => ({
    kind,
    name: `postrider_${name}`,
    help,
    values: [['', read()]],
  })
  const read = () => [
    now('gauge', 'connections', 'Connections that stand', gauges.connections),
    now('gauge', 'jobs', 'Loads being carried', gauges.jobs),
    {
      kind: 'gauge' as const,
      name: 'postrider_destinations',
      help: 'Destinations that are down or suspended',
      values: Object.entries(gauges.closed()).map(([state, count]): [string, number] => [
        `state="${state}"`,
        count,
      ]),
    },
    now('gauge', 'bans', 'Networks that are banned', gauges.bans),
    {
      kind: 'gauge' as const,
      name: 'postrider_overload',
      help: 'Whether new work is turned away, by what there is too much of',
      values: LOADS.map((cause): [string, number] => [
        `cause="${cause}"`,
        gauges.overload().includes(cause) ? 1 : 0,
      ]),
    },
    now('counter', 'store_commits_total', 'Transactions made durable', gauges.commits),
    now('counter', 'store_writes_total', 'Writes that shared these', gauges.writes),
  ]
  return {
    message: verdict => messages.add(`verdict="${verdict}"`),
    recipient: (outcome, transport) =>
      recipients.add(`outcome="${outcome}",transport="${transport}"`),
    connection: listener => connections.add(`listener="${listener}"`),
    turnedAway,
    login: result => logins.add(`result="${result}"`),
    text: (more = []) =>
      expose([messages, recipients, connections, turnedAway, logins, ...read(), ...more]),
    contentType: EXPOSITION_TYPE,
  }
}
