/** Hooks over a thread that the test plays itself, in a time that the test turns. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Clock } from '../world/clock.ts'
import type { Asked, ThreadEvents, Told } from '../world/config-thread.ts'
import { silent } from '../world/log.ts'
import { checkAnswer } from './answer.ts'
import { Hooks } from './hooks.ts'
import { loadConfig } from './load.ts'

class TestClock implements Clock {
  #now = 0
  #timers: { at: number; run: () => void }[] = []
  now(): number {
    return this.#now
  }
  monotonic(): number {
    return this.#now
  }
  after(delayMs: number, run: () => void): { cancel(): void } {
    const timer = { at: this.#now + delayMs, run }
    this.#timers.push(timer)
    return {
      cancel: () => {
        this.#timers = this.#timers.filter(other => other !== timer)
      },
    }
  }
  pass(ms: number): void {
    this.#now += ms
    const due = this.#timers.filter(timer => timer.at <= this.#now)
    this.#timers = this.#timers.filter(timer => timer.at > this.#now)
    for (const timer of due) timer.run()
  }
}

interface Played {
  readonly events: ThreadEvents
  readonly asked: Asked[]
  terminated: boolean
}

function stage(): { readonly threads: Played[]; readonly clock: TestClock; readonly hooks: Hooks } {
  const threads: Played[] = []
  const clock = new TestClock()
  const hooks = new Hooks({
    open: events => {
      const thread: Played = { events, asked: [], terminated: false }
      threads.push(thread)
      return {
        ask: question => void thread.asked.push(question),
        terminate() {
          thread.terminated = true
        },
      }
    },
    clock,
    log: silent,
    names: ['connect', 'route'],
    budgetMs: 100,
  })
  return { threads, clock, hooks }
}

const loaded: Told = { kind: 'loaded', data: {}, hooks: ['connect'], wrong: [] }
const peer = {
  remote: { address: '192.0.2.1', port: 1 },
  local: { address: '192.0.2.2', port: 25 },
  hello: '',
  extended: false,
}
const accept = { kind: 'accept' }

test('a hook that the config does not have is not asked, and starts no thread', async () => {
  const { hooks, threads } = stage()
  assert.equal(await hooks.ask('hello', { peer }), undefined)
  assert.equal(threads.length, 0)
})

test('questions wait for the thread and are answered in any order', async () => {
  const { hooks, threads } = stage()
  const first = hooks.ask('connect', { peer })
  const second = hooks.ask('connect', { peer })
  const [thread] = threads
  assert.ok(thread !== undefined)
  assert.equal(thread.asked.length, 0)
  thread.events.told(loaded)
  assert.deepEqual(
    thread.asked.map(question => question.id),
    [1, 2],
  )
  thread.events.told({ kind: 'answer', id: 2, answer: accept })
  thread.events.told({ kind: 'answer', id: 1, answer: undefined })
  assert.deepEqual(await second, accept)
  assert.equal(await first, undefined)
})

test('over the budget the thread is replaced; who waited is asked once more, and only once', async () => {
  const { hooks, threads, clock } = stage()
  const culprit = hooks.ask('connect', { peer })
  threads[0]?.events.told(loaded)
  clock.pass(50)
  const waited = hooks.ask('connect', { peer })
  clock.pass(50)
  assert.equal((await culprit)?.kind, 'defer')
  assert.equal(threads[0]?.terminated, true)
  assert.equal(threads.length, 2)
  // The old thread's last words and its end are no news.
  threads[0]?.events.told({ kind: 'answer', id: 2, answer: accept })
  threads[0]?.events.exited('terminated')
  threads[1]?.events.told(loaded)
  assert.deepEqual(
    threads[1]?.asked.map(question => question.id),
    [2],
  )
  threads[1]?.events.exited('out of memory')
  assert.equal((await waited)?.kind, 'defer')
  assert.equal(threads.length, 3)
})

test('a config that no longer loads answers 451 at once, and is tried again later', async () => {
  const { hooks, threads, clock } = stage()
  const first = hooks.ask('connect', { peer })
  threads[0]?.events.told({ kind: 'broken', reason: 'gone' })
  assert.equal((await first)?.kind, 'defer')
  assert.equal((await hooks.ask('connect', { peer }))?.kind, 'defer')
  assert.equal(threads.length, 1)
  clock.pass(1000)
  const later = hooks.ask('connect', { peer })
  threads[1]?.events.told(loaded)
  threads[1]?.events.told({ kind: 'answer', id: 3, answer: accept })
  assert.deepEqual(await later, accept)
})

test('a thread that hangs while it loads is given up', async () => {
  const { hooks, threads, clock } = stage()
  const waiting = hooks.ask('connect', { peer })
  clock.pass(10_000)
  assert.equal((await waiting)?.kind, 'defer')
  assert.equal(threads[0]?.terminated, true)
})

test('memory is bounded: over a thousand open questions the next is answered at once', async () => {
  const { hooks } = stage()
  const open = Array.from({ length: 1000 }, () => hooks.ask('connect', { peer }))
  assert.equal((await hooks.ask('connect', { peer }))?.kind, 'defer')
  hooks.close()
  for (const answer of await Promise.all(open)) assert.equal(answer?.kind, 'defer')
})

test('after the close every answer is 451', async () => {
  const { hooks } = stage()
  hooks.close()
  assert.equal((await hooks.ask('connect', { peer }))?.kind, 'defer')
})

test('only a whole and proper verdict or route is one', () => {
  const defer = { kind: 'defer', code: 450, detail: '2.1', text: 'later' }
  for (const [name, value, good] of [
    ['connect', undefined, true],
    ['connect', null, true],
    ['connect', { kind: 'accept' }, true],
    ['connect', { kind: 'accept', text: 'fine' }, true],
    ['connect', defer, true],
    ['connect', { ...defer, code: 550 }, false],
    ['connect', { ...defer, detail: '2' }, false],
    ['connect', { ...defer, detail: '4.2.1' }, false],
    ['connect', { ...defer, text: 'a\r\n250 b' }, false],
    ['connect', { ...defer, text: 'x'.repeat(401) }, false],
    ['connect', { ...defer, more: 1 }, false],
    ['connect', { kind: 'refuse', code: 554, detail: '7.1', text: 'no' }, true],
    ['connect', true, false],
    ['connect', 'accept', false],
    ['connect', { kind: 'local' }, false],
    ['route', { kind: 'local' }, true],
    ['route', { kind: 'mx', domain: 'example.org' }, true],
    ['route', { kind: 'mx', domain: 'a b' }, false],
    ['route', { kind: 'smarthost', host: 'a', port: 25, tls: 'never' }, true],
    ['route', { kind: 'smarthost', host: 'a', port: 0, tls: 'never' }, false],
    ['route', { kind: 'accept' }, false],
  ] as const) {
    assert.equal(checkAnswer(name, value).ok, good, JSON.stringify(value))
  }
})

test('the thread that loaded a config is the first that answers', async () => {
  const clock = new TestClock()
  const events: ThreadEvents[] = []
  const asked: Asked[] = []
  const loading = loadConfig(given => {
    events.push(given)
    return { ask: question => void asked.push(question), terminate() {} }
  }, clock)
  events[0]?.told({ kind: 'said', text: 'hello' })
  events[0]?.told(loaded)
  const result = await loading
  assert.ok(result.ok)
  assert.deepEqual(result.said, ['hello'])
  const hooks = new Hooks({
    open: result.open,
    clock,
    log: silent,
    names: ['connect'],
    budgetMs: 100,
  })
  const answer = hooks.ask('connect', { peer })
  await Promise.resolve()
  assert.equal(events.length, 1)
  assert.equal(asked.length, 1)
  events[0]?.told({ kind: 'answer', id: 1, answer: accept })
  assert.deepEqual(await answer, accept)
})

test('a config that never stops loading is given up after ten seconds', async () => {
  const clock = new TestClock()
  let terminated = false
  const terminate = () => {
    terminated = true
  }
  const loading = loadConfig(() => ({ ask() {}, terminate }), clock)
  clock.pass(30_000)
  const result = await loading
  assert.equal(result.ok, false)
  assert.equal(terminated, true)
})
