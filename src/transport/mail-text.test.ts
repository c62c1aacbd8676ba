import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromLine, quoted, withLf } from './mail-text.ts'
import { type Delivering, fillArguments, fillPath } from './placeholder.ts'

/** What comes out of a transform, whatever pieces go in. */
async function through(
  transform: (source: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>,
  text: string,
  size: number,
): Promise<string> {
  async function* pieces() {
    for (let at = 0; at < text.length; at += size) {
      yield Buffer.from(text.slice(at, at + size), 'latin1')
    }
  }
  const out: Uint8Array[] = []
  for await (const piece of transform(pieces())) out.push(Buffer.from(piece))
  return Buffer.concat(out).toString('latin1')
}

for (const [text, expected] of [
  ['a\r\nb\r\n', 'a\nb\n'],
  ['a\r\r\n\r\n', 'a\r\n\n'],
  ['a\rb\nc\r', 'a\rb\nc\r'],
  ['', ''],
] as const) {
  test(`line ends of ${JSON.stringify(text)}`, async () => {
    for (const size of [1, 2, 3, 100]) assert.equal(await through(withLf, text, size), expected)
  })
}

for (const [text, expected] of [
  ['From x\n', '>From x\n'],
  ['a\nFrom x\n>From y\n>>From \n', 'a\n>From x\n>>From y\n>>>From \n'],
  ['From\nFromage\n From x\nFr\nFro', 'From\nFromage\n From x\nFr\nFro\n'],
  ['FFrom \nFr>From \n\nFrom ', 'FFrom \nFr>From \n\n>From \n'],
  ['> From x\n>\n', '> From x\n>\n'],
  ['', ''],
] as const) {
  test(`quoting of ${JSON.stringify(text)}, and back`, async () => {
    for (const size of [1, 2, 3, 4, 5, 100]) {
      const out = await through(quoted, text, size)
      assert.equal(out, expected)
      const undone = out.replace(/^>(>*From )/gm, '$1')
      assert.equal(undone, text === '' || text.endsWith('\n') ? text : `${text}\n`)
    }
  })
}

test('a line of a million > is not kept', async () => {
  const text = `${'>'.repeat(1_000_000)}From x\n`
  const out = await through(quoted, text, 65_536)
  assert.equal(out.replace(/>+/, ''), 'From x\n')
  assert.equal(out.length, text.length + 1)
})

test('the From_ line is one of asctime, and of UUCP where it is to be', () => {
  const at = Date.UTC(2026, 0, 5, 3, 4, 5)
  const joe = { local: 'joe', domain: 'example.org' }
  assert.equal(fromLine(joe, at), 'From joe@example.org Mon Jan  5 03:04:05 2026')
  assert.equal(fromLine(null, at), 'From MAILER-DAEMON Mon Jan  5 03:04:05 2026')
  assert.equal(
    fromLine({ local: 'a b', domain: 'x' }, at, 'us'),
    'From "a_b"@x Mon Jan  5 03:04:05 2026 remote from us',
  )
})

const delivering = (local: string, domain = 'node.nje', more: Partial<Delivering> = {}) => ({
  id: 'm1',
  sender: { local: 'alice', domain: 'a.test' },
  recipient: { local, domain },
  separator: '+',
  ...more,
})

for (const [argv, local, expected] of [
  [['/x', '-a{sender}', '{node}!rmail', '({user})'], 'bob', '/x -aalice@a.test node!rmail (bob)'],
  [['/x', '{recipient}', '{user}', '{detail}'], 'bob+x', '/x bob+x@node.nje bob x'],
  [['/x', '{local}', '{domain}', '{id}'], '{sender}', '/x {sender} node.nje m1'],
  [['/x', '{recipient}'], 'a b', '/x "a b"@node.nje'],
  [['/x', '{recipient}'], '-oQ/tmp', undefined],
  [['/x', '{local}'], '--help', undefined],
  [['/x', '--to={local}', '-f{local}'], '--help', '/x --to=--help -f--help'],
  [['/x', 'to:{local}'], '-x', '/x to:-x'],
  [['/x', '{detail}{local}'], '-x', undefined],
  [['/x', '{local}'], 'a\nb', undefined],
  [['/x', '$({local})', '`{local}`'], ';rm -rf /', '/x $(;rm -rf /) `;rm -rf /`'],
] as const) {
  test(`${argv.join(' ')} for ${JSON.stringify(local)}`, () => {
    assert.equal(fillArguments(argv, [delivering(local)])?.join(' '), expected)
  })
}

test('{recipients} is an argument for each, and refused as a whole where one is an option', () => {
  const two = [delivering('bob'), delivering('carol', 'x.nje')] as const
  assert.deepEqual(fillArguments(['/x', '{recipients}', '.'], [...two]), [
    '/x',
    'bob@node.nje',
    'carol@x.nje',
    '.',
  ])
  assert.equal(fillArguments(['/x', '{recipients}'], [...two, delivering('-x')]), undefined)
  const noSender = delivering('bob', 'x', { sender: null })
  assert.deepEqual(fillArguments(['/x', '{sender}'], [noSender]), ['/x', 'MAILER-DAEMON'])
})

for (const [path, local, domain, expected] of [
  ['/m/{domain}/{user}', 'Bob+x', 'Far.Example', '/m/far.example/bob'],
  ['/m/{user}/{detail}', 'bob+lists', 'x', '/m/bob/lists'],
  ['/m/{user}', '../../etc', 'x', undefined],
  ['/m/{user}', '..', 'x', undefined],
  ['/m/{user}', '.ssh', 'x', undefined],
  ['/m/{user}', 'a/b', 'x', undefined],
  ['/m/{user}', 'a\\b', 'x', undefined],
  ['/m/{user}', 'a\u0000b', 'x', undefined],
  ['/m/{user}', '', 'x', undefined],
  ['/m/{detail}', 'bob', 'x', undefined],
  ['/m/{user}', 'x'.repeat(300), 'x', undefined],
  ['/m/{domain}', 'bob', '../x', undefined],
] as const) {
  test(`${path} for ${JSON.stringify(local.slice(0, 20))} at ${domain}`, () => {
    assert.equal(fillPath(path, delivering(local, domain)), expected)
  })
}
