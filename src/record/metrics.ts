/** What is counted and measured, for /metrics (Prometheus). Counting never waits and never fails. */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'

export interface Metrics {
  /** Messages at the final dot: accepted, deferred or refused. */
  message(verdict: 'accepted' | 'deferred' | 'refused'): void
  /** Recipients settled, by outcome and transport. */
  recipient(outcome: string, transport: string): void
  /** A connection came to a listener. */
  connection(listener: string): void
  login(result: 'accepted' | 'denied' | 'unavailable'): void
  /** The exposition text. */
  text(): Promise<string>
  readonly contentType: string
}

export interface Gauges {
  connections(): number
  jobs(): number
  /** Transactions of the store, and the writes that shared them. */
  commits(): number
  writes(): number
}

export function metrics(gauges: Gauges): Metrics {
  const register = new Registry()
  collectDefaultMetrics({ register, prefix: 'postrider_' })
  const counter = (name: string, help: string, labelNames: string[]) =>
    new Counter({ name: `postrider_${name}`, help, labelNames, registers: [register] })
  const messages = counter('messages_total', 'Messages at the final dot', ['verdict'])
  const recipients = counter('recipients_total', 'Recipients settled or deferred', [
    'outcome',
    'transport',
  ])
  const connections = counter('connections_total', 'Connections taken', ['listener'])
  const logins = counter('logins_total', 'Logins', ['result'])
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name: `postrider_${name}`,
      help,
      registers: [register],
      collect() {
        this.set(read())
      },
    })
  gauge('connections', 'Connections that stand', gauges.connections)
  gauge('jobs', 'Loads being carried', gauges.jobs)
  gauge('store_commits_total', 'Transactions made durable', gauges.commits)
  gauge('store_writes_total', 'Writes that shared these transactions', gauges.writes)
  return {
    message: verdict => messages.inc({ verdict }),
    recipient: (outcome, transport) => recipients.inc({ outcome, transport }),
    connection: listener => connections.inc({ listener }),
    login: result => logins.inc({ result }),
    text: () => register.metrics(),
    contentType: register.contentType,
  }
}
