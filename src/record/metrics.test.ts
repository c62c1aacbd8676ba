/** The counters as Prometheus reads them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { metrics } from './metrics.ts'

const gauges = {
  connections: () => 3,
  closed: () => ({ down: 1, suspended: 0 }),
  jobs: () => 0,
  commits: () => 2,
  writes: () => 7,
  bans: () => 4,
  overload: () => ['delay'],
}

test('each series has its help, its type and a line for each of its labels', () => {
  const counters = metrics(gauges)
  counters.recipient('delivered', 'local')
  counters.recipient('delivered', 'local')
  counters.recipient('failed', 'smtp')
  const text = counters.text()
  assert.match(
    text,
    /# HELP postrider_recipients_total .+\n# TYPE postrider_recipients_total counter\npostrider_recipients_total\{outcome="delivered",transport="local"\} 2\npostrider_recipients_total\{outcome="failed",transport="smtp"\} 1\n/,
  )
  assert.match(text, /^# TYPE postrider_connections gauge\npostrider_connections 3$/m)
  assert.match(text, /^postrider_bans 4$/m)
  assert.match(
    text,
    /^postrider_overload\{cause="memory"\} 0\npostrider_overload\{cause="heap"\} 0\npostrider_overload\{cause="delay"\} 1$/m,
  )
  assert.match(text, /^postrider_store_commits_total 2$/m)
})

test('what others measure stands behind it, and the text ends with a line end', () => {
  const more = { kind: 'gauge', name: 'x', help: 'y', values: [['', 1.5]] } as const
  const text = metrics(gauges).text([more])
  assert.ok(text.endsWith('# HELP x y\n# TYPE x gauge\nx 1.5\n'))
})
