/** Destinations by the command line: what is down, what was suspended, and how it goes on. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { command } from '../kit/command.ts'
import { clear, type Server, startServer } from '../kit/server.ts'
import { Sink } from '../kit/sink.ts'

let server: Server
let sink: Sink
const LANE = () => `host:127.0.0.1:${sink.port}`

before(async () => {
  sink = await Sink.open()
  const set = { 'queue.retry': '1h' }
  server = await startServer({ smarthost: `127.0.0.1:${sink.port}`, set })
})
after(() => {
  sink.close()
  clear()
})

const destinations = (...args: string[]) =>
  command(['destinations', ...args, '--data', server.data])

async function send(to = 'a@example.org'): Promise<void> {
  const dialogue = await server.submission()
  await dialogue.command(`MAIL FROM:<${server.account().address}>`)
  await dialogue.command(`RCPT TO:<${to}>`)
  await dialogue.command('DATA')
  const { code, text } = await dialogue.command('Subject: x\r\n\r\nx\r\n.')
  assert.equal(code, 250, text)
  dialogue.end()
}

interface Row {
  readonly name: string
  readonly state: string
  readonly waiting: number
  readonly until?: number
  readonly reason?: string
}

async function rows(...args: string[]): Promise<readonly Row[]> {
  const { out, code } = await destinations(...args, '--json')
  assert.equal(code, 0)
  return JSON.parse(out) as readonly Row[]
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 15_000
  while (!(await holds())) {
    assert.ok(Date.now() < deadline, 'it does not come')
    await pause(50)
  }
}

test('nothing is held up, and it says so', async () => {
  assert.equal((await destinations()).out, 'nothing is held up\n')
  assert.deepEqual(await rows('list'), [])
  assert.equal(
    (await destinations('show', 'example.org')).out,
    'nothing keeps mail from example.org\n',
  )
  assert.deepEqual(await rows('show', 'example.org'), [])
})

test('what is suspended waits, is shown with its reason, and goes when it is resumed', async () => {
  const suspended = await destinations('suspend', LANE(), '--for', '2h', '--reason', 'they asked')
  assert.match(suspended.out, /suspended +now +in 2h +0 +they asked/)
  await send()
  await until(async () => (await rows('show', LANE()))[0]?.waiting === 1)
  const [row] = await rows('list')
  assert.deepEqual([row?.name, row?.state, row?.reason], [LANE(), 'suspended', 'they asked'])
  assert.ok((row?.until ?? 0) > Date.now() + 3_500_000)
  assert.equal(sink.messages.length, 0)
  assert.equal((await destinations('resume', LANE())).out, `${LANE()} goes on\n`)
  await until(() => sink.messages.length === 1)
})

test('a domain that is suspended gets nothing by the smart host, and others do', async () => {
  const before = sink.messages.length
  const suspended = await destinations('suspend', 'Example.ORG', '--for', '2h')
  assert.match(suspended.out, /^NAME[^\n]*\ndomain:example\.org +suspended +now +in 2h /)
  await send()
  await until(async () => (await rows('show', 'example.org'))[0]?.waiting === 1)
  await send('a@example.net')
  await until(() => sink.messages.length === before + 1)
  const why = await command(['queue', 'list', 'to:*@example.org', '--data', server.data])
  assert.match(why.out, /suspended by the operator; suspended since/)
  assert.equal((await destinations('resume', 'example.org')).out, 'domain:example.org goes on\n')
  await until(() => sink.messages.length === before + 2)
})

test('a host that is down is shown, and probed when the operator says so', async () => {
  const { port } = sink
  sink.close()
  // It has taken mail a moment ago: one failure says little.
  await until(async () => {
    await send()
    return (await rows('show', LANE()))[0]?.state === 'down'
  })
  assert.match((await destinations()).out, /down/)
  // What failed has a time of its own; what comes now waits for the host, and so may what was sent last.
  await send()
  await until(async () => ((await rows('show', LANE()))[0]?.waiting ?? 0) > 0)
  sink = await Sink.open(port)
  assert.equal((await destinations('resume', LANE())).code, 0)
  await until(() => sink.messages.length > 0)
})

test('only what mail goes to can be suspended, and the refusal says what that is', async () => {
  const refused = async (name: string) => {
    const { code, err } = await destinations('suspend', name, '--for', '1h')
    assert.equal(code, 64, name)
    return err
  }
  assert.match(
    await refused('smtp:example.org'),
    /"smtp:" is no kind of destination: it may be domain, mx/,
  )
  assert.match(await refused('host:relay.example'), /with its port, such as host:relay/)
  assert.match(await refused('rule:nobody'), /no rule of shaping called "nobody"/)
  assert.match(await refused('from:joe@example.org'), /queue hold from:/)
  assert.match(await refused('nope'), /no rule of `shaping`, and no domain that mail waits for/)
  assert.match(await refused('mx:joe@example.org'), /is no domain/)
  assert.match(await refused('joe@example.org'), /is no domain/)
  const [, ours = ''] = server.account().address.split('@')
  assert.match(await refused(ours), /is delivered here/)
  assert.ok((await rows('list')).every(({ state }) => state !== 'suspended'))
  for (const name of ['google', 'Example.ORG', 'mx:[192.0.2.1]', 'lmtp:mail.example:24']) {
    assert.equal((await destinations('suspend', name, '--for', '1h')).code, 0, name)
    assert.equal((await destinations('resume', name)).code, 0, name)
  }
})

test('what makes no sense is refused', async () => {
  assert.equal((await destinations('suspend', 'example.org', '--for', 'soon')).code, 64)
  assert.equal((await destinations('suspend', 'example.org', '--for', '0s')).code, 64)
  assert.equal(
    (await destinations('resume', 'nobody.example')).out,
    'domain:nobody.example was not stopped\n',
  )
})
