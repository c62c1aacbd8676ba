/** `postrider diagnose` of real servers on loopback: our own, and a Postfix. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { clear, POSTRIDER, startServer } from '../kit/server.ts'
import { endPostfixes, startPostfix } from './postfix.ts'
import { lacks, run } from './program.ts'

after(() => {
  endPostfixes()
  clear()
})

interface Told {
  readonly worst: string
  readonly sections: readonly {
    readonly about: string
    readonly steps: readonly { readonly findings: readonly { readonly name: string }[] }[]
  }[]
}

/** The names of all findings of each section. */
async function diagnosed(args: readonly string[]) {
  const ran = await run({ file: POSTRIDER }, ['diagnose', ...args, '--json', '--timeout', '10s'])
  const { sections } = JSON.parse(ran.stdout.toString()) as Told
  const names = sections.map(({ steps }) =>
    steps.flatMap(({ findings }) => findings.map(({ name }) => name)),
  )
  return { code: ran.code, names }
}

test('our own server', async () => {
  const server = await startServer()
  const { names } = await diagnosed(['--data', server.data, '--dns', '127.0.0.1:9'])
  // The domain, SMTP, two submission ports, two of POP3, two of IMAP.
  assert.equal(names.length, 8)
  for (const each of names.slice(1)) assert.ok(each.includes('tls-works'), each.join(' '))
  const [smtp = [], submission = []] = names.slice(1)
  assert.equal(smtp.filter(name => name === 'recipient-taken').length, 2)
  assert.ok(submission.includes('login-offered'))
  await server.stop()
})

test('Postfix', { skip: lacks('postfix', 'root') }, async () => {
  const postfix = await startPostfix({
    judge: to => (to.startsWith('later') ? '450 4.2.0 Greylisted' : undefined),
  })
  const to = ['--to', 'box@postfix.test', '--to', 'later@postfix.test']
  const { code, names } = await diagnosed([`127.0.0.1:${postfix.port}`, '--own', '--relay', ...to])
  const [only = []] = names
  for (const name of ['extended', 'tls-works', 'recipient-taken', 'recipient-greylisted']) {
    assert.ok(only.includes(name), `${name}: ${only.join(' ')}`)
  }
  assert.equal(typeof code, 'number')
  assert.deepEqual(postfix.messages(), [])
})
